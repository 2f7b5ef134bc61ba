"""The sections of a snapshot: models made of the one list of measures, and lines beside them."""

from datetime import date
from typing import Any

from pydantic import create_model

from riskmark.api.models.common import Answer, Number
from riskmark.domain import measures
from riskmark.domain.reasons import MarkKind
from riskmark.reports.shown_numbers import shown_name

_WORDS: dict[str, Any] = {"vol_trend": str | None, "har_fallback": bool | None}
"""Measures that are shown as words."""


def _measures(section: str, **more: Any) -> type[Answer]:  # noqa: ANN401 - types, and defaults
    """Return a base with a field for each measure of a section, and ``more`` beside them."""
    names = [name for name, one in measures.SECTION_OF.items() if one == section]
    fields: dict[str, Any] = {shown_name(one): (_WORDS.get(one, Number), ...) for one in names}
    return create_model(f"Measures_{section}", __base__=Answer, **(fields | more))


class Balance(_measures("snapshot", positions=(int, ...))):  # type: ignore[misc]
    """What a portfolio is worth, and what it made."""


class Performance(_measures("performance")):  # type: ignore[misc]
    """Returns over periods, and their drawdowns."""

    mwr_annualized: bool | None
    max_drawdown_sessions: dict[str, date]


class CellRisk(_measures("risk")):  # type: ignore[misc]
    """Volatility, beta, value at risk; liquidity last."""

    sessions_to_sell_95: Number


class Concentration(_measures("concentration")):  # type: ignore[misc]
    """How few positions count."""


class FactorRisk(_measures("factor_risk")):  # type: ignore[misc]
    """Risk, split by the factors of one model."""

    model: str
    contributions: dict[str, Number]


class CorrelationSummary(_measures("correlation")):  # type: ignore[misc]
    """How much positions move together."""


class FactorLine(Answer):
    """Exposure to one factor of one model."""

    model: str
    factor: str
    exposure: Number
    money: Number
    stderr: Number
    coverage: Number


class SectorLine(Answer):
    """Exposure to a sector, as shares of NAV."""

    sector: str
    long: Number
    short: Number
    net: Number
    gross: Number
    benchmark: Number


class Greeks(Answer):
    """The greeks of a portfolio's options, in money."""

    delta: Number
    gamma: Number
    vega: Number
    theta: Number
    rho: Number


class OptionGreeks(Greeks):
    """What an option held has beside other positions; greeks are of one share's worth."""

    underlying: str | None
    exposure: Number
    units: Number
    underlying_price: Number
    volatility: Number
    implied_vol: Number


class PositionLine(Answer):
    """A position held at the close, or closed in the session (quantity 0)."""

    symbol: str
    quantity: float
    mark: Number
    mark_kind: MarkKind | None
    mark_age: int | None
    market_value: float
    weight: Number
    pnl: float
    beta: Number
    component_es_95: Number
    sector: str
    sessions_to_sell: Number
    greeks: OptionGreeks | None = None


class ReplayLine(Answer):
    """What an episode of the past would do to the portfolio."""

    scenario: str
    first: date
    last: date
    pnl: Number
    own_share: Number
    proxied_share: Number
    replayed_share: Number


class StressFactor(Answer):
    """What a factor adds to a scenario."""

    factor: str
    direct: Number
    predictive: Number


class StressPosition(Answer):
    """What a position adds to a scenario."""

    symbol: str
    direct: Number
    predictive: Number


class StressTotal(Answer):
    """What a scenario does to the portfolio, in money."""

    scenario: str
    direct: Number
    predictive: Number


class StressLine(StressTotal):
    """What a scenario does, and what adds to it."""

    factors: list[StressFactor] | None
    positions: list[StressPosition] | None


class LeftOut(Answer):
    """A position that correlation leaves out, and why."""

    symbol: str
    reason: str


class Correlation(CorrelationSummary):
    """How positions move together."""

    symbols: list[str] | None
    matrix: list[list[Number]] | None
    clusters: list[list[str]] | None
    left_out: list[LeftOut] | None


class FactorCorrelation(Answer):
    """How the factors of the default model move together."""

    model: str
    factors: list[str]
    matrix: list[list[Number]] | None


class VarBacktest(Answer):
    """One VaR against what happened a session later."""

    measure: str
    confidence: float
    sessions: int
    skipped: int
    exceptions: int
    actual_exceptions: int
    expected: float
    kupiec: Number
    kupiec_p: Number
    independence: Number
    independence_p: Number
    conditional: Number
    conditional_p: Number
    traffic_light: str | None
    exception_sessions: list[date]


class VolatilityBacktest(Answer):
    """One forecast of volatility against what happened a session later."""

    measure: str
    sessions: int
    skipped: int
    mse: Number
    qlike: Number


class Backtests(Answer):
    """What stored risk numbers were worth."""

    var: list[VarBacktest]
    volatility: list[VolatilityBacktest]
