import numpy as np

from riskmark.calc.arrays import CODE_OF
from riskmark.calc.model_fits import fit_model
from riskmark.domain.factor_models import Estimator, Factor, FactorModel
from riskmark.domain.reasons import NullReason
from riskmark.valuation.joint_fits import joint_fits

ROWS = range(79, 80)


def model(estimator):
    factors = (Factor("One", long="ONE"), Factor("Two", long="TWO"))
    return FactorModel("own", estimator, 60, 30, factors)


def fits_of(estimator):
    """Fit three symbols, one of which has no returns, and one too few beside factor Two."""
    random = np.random.default_rng(1)
    factors = random.normal(0, 0.01, (80, 2))
    returns = factors @ np.array([[1.0, 0.5, 1.0], [0.2, 2.0, 1.0]])
    returns += random.normal(0, 0.001, returns.shape)
    returns[:, 2] = np.nan
    factors[:40, 1] = np.nan
    returns[60:, 1] = np.nan
    return fit_model(returns, factors, model=model(estimator), rows=ROWS)


def test_fits_that_were_made_together_stay_as_they_are():
    fits = fits_of(Estimator.OLS)

    assert joint_fits(fits) is fits.parts[0]


def test_fits_that_were_made_one_at_a_time_stand_side_by_side():
    fits = fits_of(Estimator.OLS_EACH)

    found = joint_fits(fits)

    one, two = fits.parts
    assert found.beta.shape == (1, 3, 2)
    np.testing.assert_array_equal(found.beta[0, 0], [one.beta[0, 0, 0], two.beta[0, 0, 0]])
    assert two.nulls[0, 1] != 0
    np.testing.assert_array_equal(found.beta[0, 1], [one.beta[0, 1, 0], 0.0])
    np.testing.assert_array_equal(found.nulls[0], [0, 0, CODE_OF[NullReason.TOO_FEW_OBSERVATIONS]])
    assert np.isnan(found.beta[0, 2]).all()
