"""Bars of a company that has taken over the symbol of another: held back, with the reason."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from riskmark.domain.reasons import AnswerReason
from riskmark.planning.profiles import Said
from riskmark.providers.chain import Collected
from riskmark.providers.outcomes import Outcome
from riskmark.storage.engines import Database
from riskmark.storage.profiles import contradiction


def hold_back(
    database: Database, instrument_id: int | None, found: Collected, *, known: Collection[date]
) -> Collected:
    """Leave out the bars of a symbol that, by all that is said, is another company's now.

    ``known``: sessions of which a close is stored. Bars that share one of them agree with it, or
    would have been refused: then it is the same company, whatever else is said.
    """
    if instrument_id is None or not found.profiles:
        return found
    parts = [part.bars.session.astype("datetime64[D]").tolist() for part in found.parts]
    days: set[date] = {day for part in parts for day in part}
    if not days or not days.isdisjoint(known):
        return found
    with database.read() as connection:
        conflicts = [
            contradiction(connection, instrument_id, Said(provider, *profile))
            for provider, profile in found.profiles
        ]
    conflict = next(filter(None, conflicts), None)
    if conflict is None:
        return found
    outcome = Outcome(AnswerReason.BAD_PAYLOAD, f"{conflict}: if it is the same, symbols import")
    answers = tuple(
        each._replace(outcome=outcome) if each.outcome.has_data else each for each in found.said
    )
    missing = tuple(sorted({*found.missing, *days}))
    return replace(found, parts=(), actions=(), said=answers, missing=missing)
