"""What a shard yields: the numbers of its cells as arrays, ready to be checked and stored.

C cells (a portfolio on a session), sorted by portfolio and session; Q positions, E
exposures and S sector rows point to their cell. A measure is a number or the code of the
reason why there is none (``calc.arrays``).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from riskmark.calc.arrays import BoolArray, CodeArray, FloatArray, IntArray, Measure
from riskmark.calc.black_scholes import Greeks
from riskmark.domain.reasons import MarkKind, SymbolReason

MARK_KINDS: tuple[MarkKind, ...] = tuple(MarkKind)
SYMBOL_REASONS: tuple[SymbolReason, ...] = tuple(SymbolReason)


@dataclass(frozen=True, slots=True)
class OptionRows:
    """What the options held have beside other positions; k of them, each (k,).

    ``position`` is a place among the positions. ``booked_to`` is the panel's column of the
    underlying that the exposure in money is booked to, −1 if there is no delta; ``nulls`` says
    why the greeks, of one share's worth, are NaN then. ``units`` are shares, ``spot`` the
    underlying's price, ``volatility`` the one that the model has used.
    """

    position: IntArray
    booked_to: IntArray
    exposure: FloatArray
    units: FloatArray
    spot: FloatArray
    volatility: FloatArray
    greeks: Greeks
    implied: Measure
    nulls: CodeArray


@dataclass(frozen=True, slots=True)
class PositionRows:
    """Positions held at the close, and those that ended in the session (quantity 0).

    ``column`` is the instrument's column of the panel; ``kind`` a place in MARK_KINDS, −1 for
    a position that ended (its mark is NaN); ``age`` in sessions, −1 where a mark has none.
    """

    cell: IntArray
    column: IntArray
    quantity: FloatArray
    mark: FloatArray
    kind: IntArray
    age: IntArray
    market_value: FloatArray
    weight: FloatArray
    pnl: FloatArray
    beta: Measure
    component_es_95: Measure
    options: OptionRows | None


@dataclass(frozen=True, slots=True)
class ExposureRows:
    """Exposures of every cell to the factors of one model; all are (C, F).

    ``stderr`` is that of ``exposure``. ``risk_share`` is what a factor contributes to the
    variance, in the model by which risk is split; in others it is not defined.
    """

    model: str
    factors: tuple[str, ...]
    exposure: Measure
    money: Measure
    stderr: Measure
    coverage: Measure
    risk_share: Measure


@dataclass(frozen=True, slots=True)
class StressRows:
    """Gains and losses in money of every cell in every scenario, (C, S).

    ``beyond_delta`` is what the convexity of options adds to ``direct``; NaN in cells without
    options, and None where no cell has any.
    """

    scenarios: tuple[str, ...]
    direct: Measure
    predictive: Measure
    beyond_delta: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class SectorRows:
    """Exposure by sector as shares of NAV; NaN where NAV is not positive or too small."""

    cell: IntArray
    sector: IntArray
    long: FloatArray
    short: FloatArray
    net: FloatArray
    gross: FloatArray


@dataclass(frozen=True, slots=True)
class ReasonRows:
    """Symbols whose marks are not as they should be; ``reason`` a place in SYMBOL_REASONS."""

    cell: IntArray
    column: IntArray
    reason: IntArray
    accepted: BoolArray


@dataclass(frozen=True, slots=True)
class ShardNumbers:
    """The numbers of a shard.

    ``portfolio`` are places in the shard's list of portfolios, ``ordinal`` are sessions;
    ``measures`` has every name of ``domain.measures.STORED``. ``mwr_annualized`` is 1, 0 or
    −1 (null). The drawdown's sessions are ordinals, −1 where there is none.
    ``observations`` is the number of values of the holdings-based return series,
    ``beta_observations`` the fewest of any fit that beta is made of (0: there is none).
    """

    portfolio: IntArray
    ordinal: IntArray
    positions: IntArray
    partial: BoolArray
    measures: Mapping[str, Measure]
    mwr_annualized: CodeArray
    drawdown_peak: IntArray
    drawdown_trough: IntArray
    drawdown_recovery: IntArray
    observations: IntArray
    beta_observations: IntArray
    position_rows: PositionRows
    exposures: tuple[ExposureRows, ...]
    stress: StressRows
    sector_rows: SectorRows
    reasons: ReasonRows

    def __len__(self) -> int:
        """Return the number of cells."""
        return int(self.portfolio.size)
