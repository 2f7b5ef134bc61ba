"""Which sessions providers are asked for: one range a symbol, or none.

What is missing is asked for; what is stored of the newest sessions is asked for once more on
each new target, as vendors correct it and name splits and dividends late. A hole that was
there when providers were last asked is asked for again only while it is recent: some never
close, as an instrument did not trade.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

RECHECKED = 10
"""Newest sessions that are asked for again on each new target."""
HOPEFUL = 63
"""Sessions for which a hole is asked for again on every run."""


class Span(NamedTuple):
    """Ordinals of the first and the last session, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class PriceNeed:
    """An instrument and from when to when (ordinals) its closes are needed.

    ``instrument_id`` is None while nothing is stored of the symbol. ``missing`` are the
    sessions between them without a close. ``checked`` is what was asked for last.
    """

    symbol: str
    instrument_id: int | None
    span: Span
    missing: Collection[int]
    checked: Span | None = None


def plan_span(need: PriceNeed, target: int) -> Span | None:
    """Return the range to ask for; None if there is nothing to ask."""
    checked = need.checked
    missing = set(need.missing)
    if checked is not None and checked.first <= need.span.first:
        missing = {ordinal for ordinal in missing if ordinal > target - HOPEFUL}
    wanted = missing
    if checked is None or checked.last < target:
        newest = range(max(need.span.first, target - RECHECKED + 1), need.span.last + 1)
        wanted = missing | set(newest)
    return Span(min(wanted), need.span.last) if wanted else None
