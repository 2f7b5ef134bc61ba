"""What is computed when a snapshot is shown: the parts, and which of them are wanted.

A part that nobody asks for costs nothing, not even the import of what computes it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from riskmark.settings import Settings

if TYPE_CHECKING:
    from riskmark.reports.backtest_lines import Backtests
    from riskmark.reports.liquidity_lines import Liquidity
    from riskmark.reports.replays import ReplayLine
    from riskmark.reports.shown_correlation import ShownCorrelation, ShownFactorCorrelation
    from riskmark.reports.stress_parts import StressParts

SESSIONS_TO_SELL_95 = "sessions_to_sell_95"
SESSIONS_TO_SELL = "sessions_to_sell"
"""What liquidity is called in the section ``risk``, and beside a position."""


class Part(StrEnum):
    """A part of what is shown that is computed then."""

    CORRELATION = "correlation"
    FACTOR_CORRELATION = "factor_correlation"
    REPLAYS = "replays"
    STRESS = "stress"
    LIQUIDITY = "liquidity"
    BACKTESTS = "backtests"


EVERY_PART = frozenset(Part)
_PLACES = {
    Part.CORRELATION: tuple(
        f"correlation.{name}" for name in ("symbols", "matrix", "clusters", "left_out")
    ),
    Part.FACTOR_CORRELATION: ("factor_correlation.matrix",),
    Part.REPLAYS: ("replays",),
    Part.STRESS: ("stress",),
    Part.LIQUIDITY: (f"risk.{SESSIONS_TO_SELL_95}", "positions"),
    Part.BACKTESTS: ("backtests",),
}
"""Where in the document a part stands."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The parts that were wanted; None for each of the others."""

    correlation: "ShownCorrelation | None" = None
    factor_correlation: "ShownFactorCorrelation | None" = None
    replays: "tuple[ReplayLine, ...] | None" = None
    stress: "StressParts | None" = None
    liquidity: "Liquidity | None" = None
    backtests: "Backtests | None" = None


def parts_at(names: Iterable[str]) -> frozenset[Part]:
    """Return the parts that stand at, in or around the named places of the document."""
    dotted = [f"{name}." for name in names]
    return frozenset(
        part
        for part, places in _PLACES.items()
        for place in places
        for name in dotted
        if name.startswith(f"{place}.") or f"{place}.".startswith(name)
    )


def load_shown(
    connection: Connection,
    settings: Settings,
    *,
    portfolio_id: str,
    session: date,
    parts: Collection[Part],
) -> Shown:
    """Compute the ``parts`` of a portfolio's session."""
    if not parts:
        return Shown()
    # SciPy takes longer to import than a chosen number to show.
    from riskmark.reports.shown_parts import compute_parts  # noqa: PLC0415 - see above

    return compute_parts(
        connection, settings, portfolio_id=portfolio_id, session=session, parts=parts
    )
