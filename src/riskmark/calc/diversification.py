"""Diversification: how much of the holdings' volatility their mixture takes away.

    ratio = Σ |e_i| · σ_i / σ_p      1: nothing; the more, the better

σ_i and σ_p are standard deviations (n − 1) of an instrument's returns, filled as in x, and
of x, over the last 90 sessions of x.
"""

import numpy as np

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray, Measure, measure
from riskmark.calc.exposures import Books
from riskmark.calc.filled_returns import HISTORY, last_returns
from riskmark.calc.holdings_returns import Holdings, HoldingsReturns
from riskmark.domain.reasons import NullReason

SPAN = 90
"""Sessions of the standard deviations."""
LEAST = 30
"""Fewest of them that may yield a number."""
HEDGED = 1e-12
"""A σ_p below this share of Σ |e_i| · σ_i is rounding: everything cancels."""
ROUNDING = 1e-12
"""Deviations that together are below this share of gross are rounding: nothing moves."""
PAIRS = 4096
"""Instruments on a session that are measured at a time (3 MiB of returns)."""


def diversification_ratio(series: HoldingsReturns, holdings: Holdings, *, books: Books) -> Measure:
    """Return the ratio of each cell of ``holdings`` (C, N), from which ``series`` is made."""
    counted = np.flatnonzero(~series.excluded)
    cells = len(series.x)
    cell = np.repeat(np.arange(cells), np.diff(holdings.indptr))[counted]
    instruments = holdings.shape[1]
    key = series.place[cell] * instruments + holdings.indices[counted]
    pairs, pair = np.unique(key, return_inverse=True)
    parts = np.abs(holdings.data[counted]) * _pair_deviations(series, pairs, instruments)[pair]
    apart = np.bincount(cell, parts, minlength=cells)
    recent = series.x[:, HISTORY - SPAN :]
    observed = np.isfinite(recent)
    together = _deviation(np.where(observed, recent, 0.0), observed)
    hedged = (together <= HEDGED * apart) | (apart <= ROUNDING * books.gross)
    none = np.bincount(cell, minlength=cells) == 0
    return measure(
        apart / np.where(hedged, 1.0, together),
        (~books.held, NullReason.NO_HOLDINGS),
        (none, NullReason.ALL_EXCLUDED),
        (series.length < LEAST, NullReason.TOO_FEW_OBSERVATIONS),
        (hedged, NullReason.UNDEFINED_DENOMINATOR),
    )


def _pair_deviations(series: HoldingsReturns, pairs: IntArray, instruments: int) -> FloatArray:
    """Return the standard deviations of instruments on sessions, as keys ``pairs`` (K,)."""
    found = np.empty(len(pairs))
    for start in range(0, len(pairs), PAIRS):
        some = slice(start, start + PAIRS)
        place, instrument = np.divmod(pairs[some], instruments)
        returns = last_returns(series.filled, place, instrument, n=SPAN)
        length = series.filled.length[place]
        found[some] = _deviation(returns, np.arange(SPAN) >= SPAN - length[:, None])
    return found


def _deviation(values: FloatArray, counted: BoolArray) -> FloatArray:
    """Return the deviation of the counted ``values`` (K, 90) of each row; the others are 0."""
    n = counted.sum(axis=1)
    about = values - (values.sum(axis=1) / np.maximum(n, 1))[:, None]
    if n.min(initial=SPAN) < SPAN:
        about[~counted] = 0.0
    variance: FloatArray = np.einsum("kn,kn->k", about, about) / np.maximum(n - 1, 1)
    return np.sqrt(variance)
