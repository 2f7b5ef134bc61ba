"""Volatility, Sharpe and Sortino of realised returns, since the first, as empyrical has them.

    volatility = sd(r) · √252
    Sharpe     = mean(r − f) / sd(r) · √252         f = the risk-free rate a year / 252
    Sortino    = mean(r − f) / √mean(min(r − f, 0)²) · √252

The standard deviation divides by n − 1, the downside by n. Where the denominator is 0 there
is no ratio; it is never infinite.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import BoolArray, FloatArray, Measure, measure
from riskmark.calc.running import accumulate
from riskmark.domain.reasons import NullReason

SESSIONS_PER_YEAR = 252
FEWEST = 2
"""Returns that a deviation needs."""
STEADY = 1e-12
"""A deviation of returns below this is rounding: they do not vary."""


class ReturnRatios(NamedTuple):
    """The ratios of P books on R sessions, each over all returns so far; (R, P)."""

    volatility: Measure
    sharpe: Measure
    sortino: Measure


def return_ratios(
    returns: Measure,
    rows: range,
    *,
    risk_free: float,
    nulls: tuple[tuple[BoolArray, NullReason], ...],
) -> ReturnRatios:
    """Measure ``returns`` (S, P) up to each of ``rows``; ``nulls`` come before other reasons."""
    free = risk_free / SESSIONS_PER_YEAR
    observed = returns.nulls == 0
    count = _running_sum(observed.astype(np.float64), rows)
    # Shifted by the first return, the sums cannot lose a deviation that matters: the first
    # is one of those that make it.
    shift = _first_of(returns.values, observed)
    shifted = np.where(observed, returns.values - shift, 0.0)
    below = np.minimum(shifted + (shift - free), 0.0) * observed
    some = np.maximum(count, 1.0)
    total = _running_sum(shifted, rows)
    squares = _running_sum(np.square(shifted, out=shifted), rows)
    variance = np.maximum(squares - total * total / some, 0.0) / np.maximum(count - 1.0, 1.0)
    excess = total / some + (shift - free)
    downside = np.sqrt(_running_sum(np.square(below, out=below), rows) / some)
    deviation = np.sqrt(variance)
    deviation[deviation <= STEADY] = 0.0
    few = (*nulls, (count < FEWEST, NullReason.TOO_FEW_OBSERVATIONS))
    year = np.sqrt(SESSIONS_PER_YEAR)
    return ReturnRatios(
        volatility=measure(deviation * year, *few),
        sharpe=_ratio(excess * year, deviation, few),
        sortino=_ratio(excess * year, downside, few),
    )


def _first_of(values: FloatArray, observed: BoolArray) -> FloatArray:
    """Return the first observed value of each column; 0 if it has none."""
    row, column = np.argmax(observed, axis=0), np.arange(values.shape[1])
    return np.where(observed[row, column], values[row, column], 0.0)


def _running_sum(values: FloatArray, rows: range) -> FloatArray:
    """Add ``values`` up from the start to each of ``rows``."""
    total = values[rows.start : rows.stop].copy()
    total[0] += values[: rows.start].sum(axis=0)
    return accumulate(np.add, total, total)


def _ratio(
    above: FloatArray, below: FloatArray, nulls: tuple[tuple[BoolArray, NullReason], ...]
) -> Measure:
    flat = below <= STEADY
    ratio = np.divide(above, below, out=np.zeros(above.shape), where=~flat)
    return measure(ratio, *nulls, (flat, NullReason.UNDEFINED_DENOMINATOR))
