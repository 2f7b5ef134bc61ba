"""Bars of a company that has taken over the symbol of another: held back, with the reason."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date

from riskmark.domain.reasons import AnswerReason
from riskmark.planning.profiles import Said
from riskmark.providers.chain import Collected, Described
from riskmark.providers.outcomes import Outcome
from riskmark.storage.engines import Database
from riskmark.storage.profiles import contradiction

_REMEDY = "if it is the same, symbols import"


def hold_back(
    database: Database, instrument_id: int | None, found: Collected, *, known: Collection[date]
) -> Collected:
    """Leave out the bars of a symbol that, by all that is said, is another company's now.

    ``known``: sessions of which a close is stored. Bars that share one of them agree with it, or
    would have been refused: then it is the same company, whatever else is said.
    """
    if instrument_id is None:
        return found
    found = _told_why(database, instrument_id, found)
    parts = [part.bars.session.astype("datetime64[D]").tolist() for part in found.parts]
    days: set[date] = {day for part in parts for day in part}
    if not days or not days.isdisjoint(known):
        return found
    conflict = next(iter(_conflicts(database, instrument_id, found.profiles).values()), None)
    if conflict is None:
        return found
    outcome = Outcome(AnswerReason.BAD_PAYLOAD, f"{conflict}: {_REMEDY}")
    answers = tuple(
        each._replace(outcome=outcome) if each.outcome.has_data else each for each in found.said
    )
    missing = tuple(sorted({*found.missing, *days}))
    return replace(found, parts=(), actions=(), said=answers, missing=missing)


def _told_why(database: Database, instrument_id: int, found: Collected) -> Collected:
    """Keep of the doubted what contradicts, and tell it with the answer that was refused."""
    if not found.doubted:
        return found
    conflicts = _conflicts(database, instrument_id, found.doubted)
    said = tuple(
        each
        if each.provider not in conflicts
        else each._replace(
            outcome=replace(
                each.outcome,
                detail=f"{conflicts[each.provider]}; {each.outcome.detail}: {_REMEDY}",
            )
        )
        for each in found.said
    )
    doubted = tuple(one for one in found.doubted if one.provider in conflicts)
    return replace(found, said=said, doubted=doubted)


def _conflicts(
    database: Database, instrument_id: int, described: Iterable[Described]
) -> Mapping[str, str]:
    """Return what contradicts what is known of an instrument, by provider."""
    with database.read() as connection:
        found = {
            one.provider: contradiction(connection, instrument_id, Said(one.provider, *one.profile))
            for one in described
        }
    return {provider: conflict for provider, conflict in found.items() if conflict is not None}
