"""Providers that keep the bars of a renamed instrument under the symbols of their time.

Yahoo and FMP carry the whole history over to the present symbol, and know the former one no
more, or as another company's. Massive files each session under the symbol that was traded on
it: so a range is asked for in parts, each under its own symbol.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from riskmark.domain.reasons import AnswerReason
from riskmark.intake.market_data import Action, ActionKind, join_bars
from riskmark.providers.outcomes import Outcome
from riskmark.providers.port import Answer, Profile, Provider, Wanted

_DAY = timedelta(days=1)


class ByNameOfTheTime:
    """A provider that is asked under each symbol for the sessions on which it was the symbol."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.name = provider.name
        self.domain = provider.domain

    def fetch(self, wanted: Wanted) -> Answer:
        """Ask for each part of the range; a part that fails leaves the rest as it is."""
        parts = list(_parts(wanted))
        if len(parts) == 1 and parts[0].symbol == wanted.symbol:
            return self._provider.fetch(wanted)
        answers = []
        for part in parts:
            answers.append(self._provider.fetch(part))
            if answers[-1].outcome.consequence.is_retried:
                break  # the whole is asked for again
        return _joined(wanted, answers, is_whole=len(answers) == len(parts))

    def fetch_profile(self, symbol: str) -> tuple[Profile, Outcome]:
        """Ask what a symbol is."""
        return self._provider.fetch_profile(symbol)

    def close(self) -> None:
        """Close what the provider has open."""
        self._provider.close()


def _parts(wanted: Wanted) -> Iterator[Wanted]:
    """Yield the range in parts, each under the symbol of its time."""
    first = wanted.first
    for former in sorted(wanted.former, key=lambda one: one.until):
        last = min(former.until - _DAY, wanted.last)
        if first <= last:
            yield replace(wanted, symbol=former.symbol, first=first, last=last, former=())
            first = last + _DAY
    if first <= wanted.last:
        yield replace(wanted, first=first, former=())


def _joined(wanted: Wanted, answers: Sequence[Answer], *, is_whole: bool) -> Answer:
    """Make one answer of those for the parts, all under the present symbol."""
    last = answers[-1]
    if not is_whole:
        return Answer(wanted.symbol, last.outcome)
    given = [one for one in answers if one.outcome.has_data]
    if not given:
        return Answer(wanted.symbol, last.outcome)
    gaps = tuple(day for one in answers for day in one.outcome.gaps)
    failed = [one.outcome for one in answers if one.outcome.reason is not AnswerReason.OK]
    outcome = given[-1].outcome
    if failed:
        outcome = Outcome(AnswerReason.PARTIAL, failed[0].detail, failed[0].until, gaps)
    return Answer(
        symbol=wanted.symbol,
        outcome=outcome,
        bars=join_bars([replace(one.bars, symbols=(wanted.symbol,)) for one in given]),
        actions=_actions(wanted.symbol, answers),
        profile=given[-1].profile,
        refused=tuple(row for one in answers for row in one.refused),
    )


def _actions(symbol: str, answers: Sequence[Answer]) -> tuple[Action, ...]:
    """Return the actions of all parts; what two of them name counts once."""
    found: dict[tuple[date, ActionKind], Action] = {}
    for one in answers:
        for action in one.actions:
            found.setdefault((action.ex_date, action.kind), replace(action, symbol=symbol))
    return tuple(found[key] for key in sorted(found))
