"""Which sessions providers are asked for: one range a symbol, or none.

What is missing is asked for; what is stored of the newest sessions is asked for once more on
each new target, as vendors correct it and name splits and dividends late. A night on which
nobody answered is made up for: the range goes back as far as its own would have gone. A hole
that was there when providers were last asked is asked for again only while it is recent:
some never close, as an instrument did not trade.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

RECHECKED = 10
"""Newest sessions that are asked for again on each new target."""
HOPEFUL = 63
"""Sessions for which a hole is asked for again on every run, and a doubt on each new target."""


class Span(NamedTuple):
    """Ordinals of the first and the last session, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class PriceNeed:
    """An instrument and from when to when (ordinals) its closes are needed.

    ``instrument_id`` is None while nothing is stored of the symbol. ``missing`` are the
    sessions between them without a close. ``checked`` is what was asked for last.
    ``doubted``: the first session of late that is quarantined, or whose close is not of the
    provider that is asked first.
    """

    symbol: str
    instrument_id: int | None
    span: Span
    missing: Collection[int]
    checked: Span | None = None
    doubted: int | None = None
    is_fund: bool = False


def plan_span(need: PriceNeed, target: int) -> Span | None:
    """Return the range to ask for; None if there is nothing to ask."""
    checked = need.checked
    wanted = set(need.missing)
    if checked is not None and checked.first <= need.span.first:
        hopeless = min(target - HOPEFUL, checked.last)
        wanted = {ordinal for ordinal in wanted if ordinal > hopeless}
    if checked is None or checked.last < target:
        first = max(need.span.first, _rechecked_from(need, target))
        wanted |= set(range(first, need.span.last + 1))
    return Span(min(wanted), need.span.last) if wanted else None


def _rechecked_from(need: PriceNeed, target: int) -> int:
    """Return from when on stored closes are asked for again."""
    newest = [target]
    if need.checked is not None:
        newest.append(need.checked.last + 1)
    if need.doubted is not None:
        newest.append(need.doubted)
    return min(newest) - RECHECKED + 1
