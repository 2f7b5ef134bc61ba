"""The fits of a factor model, whatever its estimator.

A model that is fitted jointly has one set of fits with all its factors. One whose factors
are taken one at a time has a set for each factor, of that factor alone and on its own rows:
where one factor is missing, the others are none the poorer for it.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.calc.fit_details import FitDetails, detail_fits
from riskmark.calc.regression import FactorFits, fit_factors
from riskmark.domain.factor_models import Estimator, FactorModel


class ModelFits(NamedTuple):
    """A model, and its fits: one part with F factors, or F parts with one factor each."""

    model: FactorModel
    parts: tuple[FactorFits, ...]

    def of(self, columns: IntArray) -> "ModelFits":
        """Take the fits of some symbols."""
        chosen = (FactorFits._make(array[:, columns] for array in part) for part in self.parts)
        return ModelFits(self.model, tuple(chosen))

    def part_of(self, factor: int) -> tuple[FactorFits, int]:
        """Return the part that a factor of the model is in, and its place there."""
        return (self.parts[factor], 0) if len(self.parts) > 1 else (self.parts[0], factor)


def fit_model(
    returns: FloatArray,
    factors: FloatArray,
    *,
    model: FactorModel,
    rows: range,
    risk_free: FloatArray | None = None,
) -> ModelFits:
    """Fit every column of ``returns`` (T, N) on the model's ``factors`` (T, F) for ``rows``.

    ``risk_free`` (T,) is taken off the returns; a session without it counts as missing.
    """
    excess = _excess(returns, risk_free)
    parts = tuple(
        fit_factors(
            excess,
            group,
            rows=rows,
            window=model.window,
            minimum=model.minimum,
            alpha=penalty_of(model),
        )
        for group in factor_groups(factors, model)
    )
    return ModelFits(model, parts)


def detail_model(
    returns: FloatArray,
    factors: FloatArray,
    fits: ModelFits,
    *,
    row: int,
    risk_free: FloatArray | None = None,
) -> FitDetails:
    """Detail the fits of one session, the panel's ``row``: (N, F), NaN throughout for ridge."""
    model = fits.model
    if model.estimator is Estimator.RIDGE:
        nothing = np.full((returns.shape[1], factors.shape[1]), np.nan)
        return FitDetails(nothing, nothing)
    excess = _excess(returns, risk_free)
    parts = [
        detail_fits(excess, group, part, row=row, window=model.window)
        for group, part in zip(factor_groups(factors, model), fits.parts, strict=True)
    ]
    return FitDetails._make(np.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True))


def factor_groups(factors: FloatArray, model: FactorModel) -> tuple[FloatArray, ...]:
    """Split factors (T, F) into those that are fitted together."""
    if model.estimator is not Estimator.OLS_EACH:
        return (factors,)
    return tuple(factors[:, place : place + 1] for place in range(factors.shape[1]))


def penalty_of(model: FactorModel) -> float:
    """Return the ridge penalty of a model; 0 for least squares."""
    return model.alpha if model.estimator is Estimator.RIDGE else 0.0


def _excess(returns: FloatArray, risk_free: FloatArray | None) -> FloatArray:
    return returns if risk_free is None else returns - risk_free[:, None]
