"""The factors' side of a regression: their moments over each window, made ready to solve.

Everything that a fit needs follows from sums over the window of products of two columns: of
factors with one another here, of returns with factors where the fit is made. Moments are
centred, and factors scaled to unit variance, before anything is inverted.

Columns (K) that lack no row of the factors share moments and their inverse (K = 1); each of
the others has its own.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import CODE_OF, BoolArray, CodeArray, FloatArray, IntArray
from riskmark.domain.reasons import NullReason

FLAT = 1e-12
"""A variance below this share of the mean square is rounding: the column is constant."""
NOTHING = 1e-200
"""A factor that moves by less than the root of this does not move; its inverse is finite."""
MAX_VIF = 1e9
"""Factors whose variance is inflated more than this by the others are collinear."""
_SMALLEST_PIVOT = 1e-15


class Design(NamedTuple):
    """The factors over the span of panel rows that the windows cover.

    ``basis`` is a column of ones and the factors (their medians, ``shift``, taken off), 0
    where a factor is missing; ``pairs`` are the products of its columns, and ``place`` says
    which of them is the product of two given ones.
    """

    observed: BoolArray
    basis: FloatArray
    pairs: FloatArray
    place: IntArray
    shift: FloatArray


class CentredMoments(NamedTuple):
    """Numbers of rows (R, K), means (R, F, K), and sums of products about them (R, F, F, K).

    ``flat`` (R, F, K) says where a factor does not vary.
    """

    n: FloatArray
    mean: FloatArray
    centred: FloatArray
    flat: BoolArray


class Solver(NamedTuple):
    """Factor moments made ready to solve; (R, …, K) with K = 1 where columns share them.

    ``scale`` turns a factor about its mean into a column of length 1, and ``inverse`` is that
    of the factors' correlations, with ``penalty`` (R, K) added to their diagonal.
    """

    n: FloatArray
    mean: FloatArray
    scale: FloatArray
    inverse: FloatArray
    penalty: FloatArray
    nulls: CodeArray


def make_design(factors: FloatArray) -> Design:
    """Make the design of ``factors`` (S, F); NaN where one is missing."""
    observed = np.asarray(np.isfinite(factors).all(axis=1))
    shift = np.zeros(factors.shape[1])
    if observed.any():
        shift = np.median(factors[observed], axis=0)
    basis = np.zeros((len(factors), factors.shape[1] + 1))
    basis[observed, 0] = 1
    basis[observed, 1:] = factors[observed] - shift
    left, right = np.triu_indices(basis.shape[1])
    place = np.empty((basis.shape[1], basis.shape[1]), np.int64)
    place[left, right] = place[right, left] = np.arange(len(left))
    return Design(observed, basis, basis[:, left] * basis[:, right], place, shift)


def centre(sums: FloatArray, design: Design) -> CentredMoments:
    """Centre the sums (R, P, K) of the design's ``pairs``; their means are shifted, too."""
    moments = sums[:, design.place]
    n = moments[:, 0, 0]
    mean = moments[:, 0, 1:] / np.maximum(n, 1.0)[:, None]
    squares = moments[:, 1:, 1:]
    centred = squares - mean[:, :, None] * moments[:, None, 0, 1:]
    variation = np.einsum("rffk->rfk", centred)
    # What was taken off counts: a factor that always earns the same varies by rounding alone.
    taken_off = n[:, None] * np.square(design.shift)[:, None]
    rounding = FLAT * (np.einsum("rffk->rfk", squares) + taken_off) + NOTHING
    return CentredMoments(n, mean, centred, variation <= rounding)


def make_solver(sums: FloatArray, design: Design, *, least: int, alpha: float = 0.0) -> Solver:
    """Centre, scale and invert the sums (R, P, K) of the design's ``pairs``.

    ``alpha`` is the penalty on factors that are scaled to a standard deviation (n − 1) of 1.
    Without one, factors that determine one another have no inverse that is of use.
    """
    n, mean, centred, constant = centre(sums, design)
    few, flat = n < least, constant.any(axis=1)
    unusable = few | flat
    variation = np.einsum("rffk->rfk", centred)
    scale = 1 / np.sqrt(np.where(unusable[:, None], 1.0, variation))
    centred *= scale[:, :, None] * scale[:, None]
    identity = np.eye(scale.shape[1])[:, :, None]
    penalty = alpha / np.maximum(n - 1, 1.0)
    matrices = np.where(unusable[:, None, None], identity, centred)
    if alpha:
        matrices += penalty[:, None, None] * identity
    inverse = inverse_of(matrices)
    nulls = np.zeros(n.shape, np.int8)
    if not alpha:
        collinear = np.einsum("rffk->rfk", inverse).max(axis=1) >= MAX_VIF
        nulls[collinear] = CODE_OF[NullReason.COLLINEAR_FACTORS]
    nulls[flat] = CODE_OF[NullReason.NO_FACTOR_VARIATION]
    nulls[few] = CODE_OF[NullReason.TOO_FEW_OBSERVATIONS]
    return Solver(n, mean, scale, inverse, penalty, nulls)


def inverse_of(matrices: FloatArray) -> FloatArray:
    """Invert the correlation matrices (R, F, F, K) by sweeping one factor after the other.

    A pivot is what the earlier factors leave of one; where they leave nothing, the inverse
    is huge but finite, and its diagonal, the variance inflation, shows it.
    """
    swept = matrices.copy()
    for factor in range(swept.shape[1]):
        row = swept[:, factor].copy()
        pivot = np.maximum(row[:, factor], _SMALLEST_PIVOT)
        share = row / pivot[:, None]
        swept -= share[:, :, None] * row[:, None]
        swept[:, factor] = share
        swept[:, :, factor] = share
        swept[:, factor, factor] = -1 / pivot
    return -swept
