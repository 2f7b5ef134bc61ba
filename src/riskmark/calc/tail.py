"""Value at risk and expected shortfall of one session: what a bad one costs.

    VaR_c = −q,   q = the (1 − c) quantile of the last 252 x       numpy's ``linear`` method
    ES_c  = −mean(x | x ≤ q)                                       the tail
    parametric VaR_c = z_c · vol_ewma / √252                       normal, mean 0

Losses are positive, and a VaR below 0, a gain even then, is left as it is. All are in the
unit of x: money gives money, and over NAV fractions. ES is the sum of the components of its
positions, −mean(e_i · r_i | x ≤ q), with the fills that x has.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import (
    BoolArray,
    CodeArray,
    FloatArray,
    IntArray,
    Measure,
    measure,
)
from riskmark.calc.filled_returns import HISTORY, fills
from riskmark.calc.holdings_returns import Holdings, HoldingsReturns
from riskmark.calc.volatility import SESSIONS_A_YEAR
from riskmark.domain.reasons import NullReason

SPAN = 252
"""Values of x that the quantile is taken from: a year."""
LEAST = 126
"""Fewest values that may yield a number: half a year."""
MARGIN = 1e-9
"""A value above the quantile by this share of it is at it: ties must not hang on rounding."""
NORMAL_QUANTILE = {0.95: 1.6448536269514722, 0.99: 2.3263478740408408}
ENTRIES = 4096
"""Positions whose components are computed at a time (8 MiB of fills, at most)."""


class TailRisk(NamedTuple):
    """Historical VaR and ES of C cells."""

    var_95: Measure
    var_99: Measure
    es_95: Measure
    es_99: Measure


class _Tail(NamedTuple):
    """Which of the last values of x are at or below a quantile: ``inside`` (C, 252).

    Where there are too few values, the quantile is NaN and nothing is inside.
    """

    quantile: FloatArray
    inside: BoolArray


class _Places(NamedTuple):
    """The tails as lists: ``at`` (C, K) are places among the last values, ``length`` (C,) long.

    What follows a shorter list is 0.
    """

    at: IntArray
    length: IntArray


def historical_risk(x: FloatArray) -> TailRisk:
    """Measure the tail of the last 252 values of each row of ``x`` (C, L)."""
    recent = _recent(x)
    ordered = np.sort(recent, axis=1)
    tails = [_tail(recent, ordered, confidence) for confidence in NORMAL_QUANTILE]
    var = [-tail.quantile for tail in tails]
    shortfall = [-_mean_inside(recent, tail) for tail in tails]
    return TailRisk(*(_measure(values) for values in var + shortfall))


def tail_at(x: FloatArray, confidence: float) -> tuple[Measure, Measure, BoolArray]:
    """Measure VaR and ES of the last 252 values of each row of ``x`` at any confidence.

    The third (C, 252) tells which of these values are in the tail; NaN stands on their left
    where there are fewer.
    """
    recent = _recent(x)
    tail = _tail(recent, np.sort(recent, axis=1), confidence)
    return _measure(-tail.quantile), _measure(-_mean_inside(recent, tail)), tail.inside


def parametric_var(vol_ewma: Measure, confidence: float) -> Measure:
    """Compute the VaR of a normal x with the annual volatility ``vol_ewma`` (C,)."""
    scale = NORMAL_QUANTILE[confidence] / np.sqrt(SESSIONS_A_YEAR)
    return Measure(vol_ewma.values * scale, vol_ewma.nulls)


def component_es(
    series: HoldingsReturns, holdings: Holdings, *, confidence: float = 0.95
) -> Measure:
    """Compute what each stored entry of ``holdings`` (C, N) adds to the ES of its cell.

    ``series`` is made from these holdings. An entry that is excluded from x has no component,
    for the reason that it has no ``market`` fit.
    """
    recent = _recent(series.x)
    tail = _tail(recent, np.sort(recent, axis=1), confidence)
    places = _list(tail.inside)
    cell = np.repeat(np.arange(len(recent)), np.diff(holdings.indptr))
    instrument = holdings.indices.astype(np.int64)
    means = np.empty(len(cell))
    for start in range(0, len(cell), ENTRIES):
        some = slice(start, start + ENTRIES)
        length = places.length[cell[some]]
        found = _tail_returns(series, places, cell[some], instrument[some])
        counted = np.arange(found.shape[1]) < length[:, None]
        total = np.einsum("ek,ek->e", found, counted.astype(np.float64))
        means[some] = total / np.maximum(length, 1)
    few = _measure(tail.quantile).nulls[cell]
    unfitted = series.filled.fits.nulls[series.place[cell], instrument]
    nulls: CodeArray = np.where(few != 0, few, np.where(series.excluded, unfitted, 0))
    return Measure(np.where(nulls == 0, -holdings.data * means, np.nan), nulls)


def _recent(x: FloatArray) -> FloatArray:
    """Return the last values of ``x``, NaN on the left where it is shorter."""
    missing = max(0, SPAN - x.shape[1])
    return np.pad(x[:, -SPAN:], ((0, 0), (missing, 0)), constant_values=np.nan)


def _tail(recent: FloatArray, ordered: FloatArray, confidence: float) -> _Tail:
    """Find the tail of ``recent``; ``ordered`` are the same values, ascending, NaN last."""
    n = np.isfinite(recent).sum(axis=1)
    position = np.maximum(n - 1, 0) * (1 - confidence)
    below = np.floor(position).astype(np.int64)
    part = position - below
    cells = np.arange(len(recent))
    low, high = ordered[cells, below], ordered[cells, np.minimum(below + 1, SPAN - 1)]
    quantile = np.where(part > 0, low + (high - low) * part, low)
    quantile[n < LEAST] = np.nan
    return _Tail(quantile, recent <= (quantile + MARGIN * np.abs(quantile))[:, None])


def _mean_inside(recent: FloatArray, tail: _Tail) -> FloatArray:
    """Return the mean of a tail; NaN where there is none."""
    values = np.where(tail.inside, recent, 0.0).sum(axis=1)
    mean = values / np.maximum(tail.inside.sum(axis=1), 1)
    return np.where(np.isnan(tail.quantile), np.nan, mean)


def _measure(values: FloatArray) -> Measure:
    return measure(values, (np.isnan(values), NullReason.TOO_FEW_OBSERVATIONS))


def _list(inside: BoolArray) -> _Places:
    length = inside.sum(axis=1)
    cell, at = np.nonzero(inside)
    places = np.zeros((len(inside), int(length.max(initial=0))), np.int64)
    places[cell, np.arange(len(cell)) - (np.cumsum(length) - length)[cell]] = at
    return _Places(places, length)


def _tail_returns(
    series: HoldingsReturns, places: _Places, cell: IntArray, instrument: IntArray
) -> FloatArray:
    """Return the returns, filled, of some entries on the tails of their cells: (E, K)."""
    filled = series.filled
    at = places.at[cell]
    column = filled.begin[series.place[cell]][:, None] + (HISTORY - SPAN) + at
    returns: FloatArray = filled.returns[instrument[:, None], column]
    if not filled.missing.any():
        return returns
    missing = filled.missing[instrument[:, None], column].any(axis=1)
    fitted = filled.fits.nulls[series.place[cell], instrument] == 0
    gaps = np.flatnonzero(missing & fitted)
    pairs, pair = np.unique(
        series.place[cell[gaps]] * len(filled.returns) + instrument[gaps], return_inverse=True
    )
    stand_ins = fills(filled, *np.divmod(pairs, len(filled.returns)), n=SPAN)
    returns[gaps] += stand_ins[pair[:, None], at[gaps]]
    return returns
