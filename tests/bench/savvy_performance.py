"""The savvy baseline's performance: what a book has returned, with NumPy."""

from datetime import date
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from riskmark.calc.arrays import FloatArray, IntArray

YEAR = 252
DAYS_A_YEAR = 365


class BookHistory(NamedTuple):
    """A book's history: sessions from ``first`` (a row of the market) × its symbols."""

    first: int
    columns: IntArray
    quantity: FloatArray
    value: FloatArray
    pnl: FloatArray
    flow: FloatArray
    income: FloatArray
    cash: FloatArray
    nav: FloatArray
    returns: FloatArray
    cum_realized: FloatArray
    cum_unrealized: FloatArray


def performance_of(
    history: BookHistory, days: FloatArray, place: int
) -> tuple[dict[str, float], bool | None, tuple[date | None, date | None, date | None]]:
    """Compute the performance of a book up to the last of ``days``, its session ``place``."""
    returns = history.returns[: place + 1]
    wealth = np.concatenate([[1.0], np.cumprod(1 + returns)])
    last = wealth[-1]
    found = {}
    for name, start in _period_starts(days[-1]).items():
        base = int(np.searchsorted(days, start))
        found[f"twr_{name}"] = last / wealth[base] - 1
    for name, base_day in _rolling_bases(days[-1]).items():
        base = int(np.searchsorted(days, base_day, side="right"))
        found[f"twr_{name}"] = np.nan if base == 0 else last / wealth[base] - 1
    found["twr_inception"] = last - 1
    below = wealth / np.maximum.accumulate(wealth) - 1
    found |= {"drawdown": below[-1], "max_drawdown": below.min()}
    found |= {"volatility": np.nan, "sharpe": np.nan, "sortino": np.nan}
    if place > 0:
        spread, mean = returns.std(ddof=1), returns.mean()
        downside = np.sqrt((np.minimum(returns, 0) ** 2).mean())
        found["volatility"] = spread * np.sqrt(YEAR)
        found["sharpe"] = mean / spread * np.sqrt(YEAR)
        found["sortino"] = mean / downside * np.sqrt(YEAR) if downside > 0 else np.nan
    rate, is_annual = _money_weighted(history, days, place)
    found["mwr_inception"] = rate
    return found, is_annual, _drawdown_sessions(wealth, below, days)


def _period_starts(day: np.datetime64) -> dict[str, np.datetime64]:
    month = day.astype("datetime64[M]")
    quarter = month - int(month.astype(np.int64)) % 3
    return {
        "mtd": month.astype("datetime64[D]"),
        "qtd": quarter.astype("datetime64[D]"),
        "ytd": day.astype("datetime64[Y]").astype("datetime64[D]"),
    }


def _rolling_bases(day: np.datetime64) -> dict[str, np.datetime64]:
    month = day.astype("datetime64[M]")
    offset = day - month.astype("datetime64[D]")
    found = {}
    for name, back in (("1m", 1), ("3m", 3), ("6m", 6), ("1y", 12)):
        last = (month - back + 1).astype("datetime64[D]") - 1
        found[name] = min((month - back).astype("datetime64[D]") + offset, last)
    return found


def _money_weighted(
    history: BookHistory, days: FloatArray, place: int
) -> tuple[float, bool | None]:
    if place == 0:
        return np.nan, None
    amounts = -history.flow[: place + 1]
    amounts[-1] += history.nav[place]
    moved = np.flatnonzero(amounts)
    span = int((days[-1] - days[0]).astype(np.int64))
    times = (days[moved] - days[0]).astype(np.float64) / span
    amounts = amounts[moved]
    rate = brentq(lambda rate: amounts @ (1 + rate) ** -times, -0.99, 10, xtol=1e-14, rtol=1e-14)
    if span < DAYS_A_YEAR:
        return rate, False
    return (1 + rate) ** (DAYS_A_YEAR / span) - 1, True


def _drawdown_sessions(
    wealth: FloatArray, below: FloatArray, days: FloatArray
) -> tuple[date | None, date | None, date | None]:
    """``wealth`` and ``below`` begin before the first of ``days``."""
    if below.min() == 0:
        return None, None, None
    trough = int(below.argmin())
    peak = int(wealth[: trough + 1].argmax())
    recovered = np.flatnonzero(wealth[trough:] >= wealth[peak])
    return (
        None if peak == 0 else days[peak - 1].item(),
        days[trough - 1].item(),
        days[trough + int(recovered[0]) - 1].item() if recovered.size else None,
    )
