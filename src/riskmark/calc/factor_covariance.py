"""Covariances of a model's factors, around the mean, on the window of each session asked for.

A row counts where all factors are observed: a covariance pieced together from different
rows could be that of nothing at all.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import CODE_OF, CodeArray, FloatArray, IntArray
from riskmark.calc.factor_moments import centre, make_design
from riskmark.calc.windows import cut, product_sums
from riskmark.domain.reasons import NullReason

MINIMUM = 60
"""The fewest complete rows of which a covariance is made."""


class FactorCovariances(NamedTuple):
    """Of R sessions and F factors: ``matrix`` (R, F, F) is NaN exactly where ``nulls`` is not 0.

    ``n`` counts the complete rows. A factor that does not move has covariances of exactly 0.
    """

    n: IntArray
    matrix: FloatArray
    nulls: CodeArray


def factor_covariances(
    factors: FloatArray, *, rows: range, window: int, minimum: int = MINIMUM
) -> FactorCovariances:
    """Compute the covariances (n − 1) of ``factors`` (T, F) for each of ``rows``.

    Null without a complete row in the window, and with fewer than ``minimum``.
    """
    if not len(rows):
        nothing = np.empty((0, factors.shape[1], factors.shape[1]))
        return FactorCovariances(np.empty(0, np.int64), nothing, np.empty(0, np.int8))
    design = make_design(cut(factors, rows, window))
    sums = product_sums(design.pairs, np.ones((len(design.basis), 1)), window)
    count, _, centred, flat = centre(sums, design)
    n, still = count[:, 0], flat[:, :, 0]
    matrix = centred[..., 0] / np.maximum(n - 1, 1.0)[:, None, None]
    matrix[still] = 0.0
    matrix.swapaxes(1, 2)[still] = 0.0
    nulls = np.zeros(len(rows), np.int8)
    nulls[n < minimum] = CODE_OF[NullReason.TOO_FEW_OBSERVATIONS]
    nulls[n == 0] = CODE_OF[NullReason.NO_FACTOR_DATA]
    matrix[nulls != 0] = np.nan
    return FactorCovariances(n.astype(np.int64), matrix, nulls)
