"""Correlations of observed returns, each pair over the sessions on which both were observed.

Instruments come in windows of 90 sessions, and are told apart by what was observed of them:
where nothing is missing, a matrix is one product of standardised returns; else, sums over
common sessions are products with the masks of what was observed.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray
from riskmark.calc.spectra import with_unit_diagonal

SPAN = 90
"""Sessions of a correlation."""
LEAST = 30
"""Fewest observations of an instrument, and of a pair in common."""
FLAT = 1e-12
"""A variation below this share of the sum of squares is rounding: the returns are constant."""
NOTHING = 1e-200
"""Returns whose squares add up to less than this do not vary either."""


class Windows(NamedTuple):
    """Returns of K instruments on sessions of their own, each over 90 sessions.

    ``about`` (K, 90) are the returns less their mean, 0 where ``observed`` is not.
    ``deviation`` (K,) divides by n − 1. Those with the same ``pattern`` (K,) were observed on
    the same of their 90 sessions.
    """

    about: FloatArray
    observed: BoolArray
    n: IntArray
    deviation: FloatArray
    flat: BoolArray
    pattern: IntArray


class Pairs(NamedTuple):
    """Of G sets of n instruments, (G, n, n): correlations, and the sessions in common.

    Where one of the two does not vary on those, the correlation is 0, and ``common`` too
    unless there are fewer than 30 anyway.
    """

    correlation: FloatArray
    common: IntArray


def cut_windows(returns: FloatArray, row: IntArray, instrument: IntArray) -> Windows:
    """Cut the windows that end at ``row`` (K,) out of the columns ``instrument`` (K,).

    ``returns`` (T, N) is a panel; what lies before it was not observed. The rows should lie
    close together, for all that is between them is looked at; there is at least one.
    """
    first = int(row.min()) - SPAN + 1
    columns, column = np.unique(instrument, return_inverse=True)
    block = returns[max(first, 0) : int(row.max()) + 1, columns].T
    if first < 0:
        block = np.pad(block, ((0, 0), (-first, 0)), constant_values=np.nan)
    windows = sliding_window_view(np.ascontiguousarray(block), SPAN, axis=1)
    about = windows[column, row - first - SPAN + 1]
    observed = np.isfinite(about)
    n = observed.sum(axis=1)
    missing = None if observed.all() else ~observed
    if missing is not None:
        about[missing] = 0.0
    squares = np.einsum("kt,kt->k", about, about)
    about -= (about.sum(axis=1) / np.maximum(n, 1))[:, None]
    if missing is not None:
        about[missing] = 0.0
    variation = np.einsum("kt,kt->k", about, about)
    flat = variation <= FLAT * squares + NOTHING
    deviation = np.sqrt(variation / np.maximum(n - 1, 1))
    return Windows(about, observed, n, deviation, flat, _patterns(observed))


def _patterns(observed: BoolArray) -> IntArray:
    """Give each row of ``observed`` a number; the same to rows that are alike."""
    if observed.all():
        return np.zeros(len(observed), np.int64)
    packed = np.packbits(observed, axis=1)
    rows = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1])))[:, 0]
    return np.unique(rows, return_inverse=True)[1]


def complete_correlations(about: FloatArray) -> FloatArray:
    """Correlate sets (G, n, 90) of instruments that vary, observed on the same sessions.

    ``about`` is 0 on the sessions on which none of a set was observed.
    """
    products = about @ about.swapaxes(1, 2)
    scale = 1 / np.sqrt(np.einsum("gnn->gn", products))
    products *= scale[:, :, None]
    products *= scale[:, None]
    return with_unit_diagonal(products)


def pairwise_correlations(about: FloatArray, observed: BoolArray) -> Pairs:
    """Correlate sets (G, n, 90) of instruments over what was ``observed`` of both."""
    mask = observed.astype(np.float64)
    there = mask.swapaxes(1, 2)
    common = mask @ there
    total = about @ there
    squares = (about * about) @ there
    some = np.maximum(common, 1.0)
    variation = squares - total * total / some
    varies = variation > FLAT * squares + NOTHING
    usable = varies & varies.swapaxes(1, 2)
    scale = 1 / np.sqrt(np.where(varies, variation, 1.0))
    products = about @ about.swapaxes(1, 2) - total * total.swapaxes(1, 2) / some
    products *= scale
    products *= scale.swapaxes(1, 2)
    correlation = with_unit_diagonal(np.where(usable, products, 0.0))
    useless = (common >= LEAST) & ~usable
    return Pairs(correlation, np.where(useless, 0.0, common).astype(np.int64))
