"""How the factors of a model move together, over the model's window."""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import FloatArray
from riskmark.calc.pairwise import FLAT, NOTHING
from riskmark.domain.reasons import NullReason


class FactorCorrelation(NamedTuple):
    """Correlations (F, F) on ``n`` sessions; NaN, each of them, where there is a reason."""

    correlation: FloatArray
    n: int
    null: NullReason | None


def factor_correlation(
    factors: FloatArray, *, row: int, window: int, minimum: int
) -> FactorCorrelation:
    """Correlate the columns of ``factors`` (T, F) on the ``window`` sessions up to ``row``.

    Only sessions count on which all factors were observed; there must be ``minimum`` of them.
    """
    part = factors[max(0, row - window + 1) : row + 1]
    rows = part[np.isfinite(part).all(axis=1)]
    nothing = np.full((factors.shape[1], factors.shape[1]), np.nan)
    if not len(rows):
        return FactorCorrelation(nothing, 0, NullReason.NO_FACTOR_DATA)
    if len(rows) < minimum:
        return FactorCorrelation(nothing, len(rows), NullReason.TOO_FEW_OBSERVATIONS)
    about = rows - rows.mean(axis=0)
    products = about.T @ about
    variation = np.diag(products)
    if np.any(variation <= FLAT * (rows * rows).sum(axis=0) + NOTHING):
        return FactorCorrelation(nothing, len(rows), NullReason.NO_FACTOR_VARIATION)
    correlation = np.clip(products / np.sqrt(np.outer(variation, variation)), -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    return FactorCorrelation(correlation, len(rows), None)
