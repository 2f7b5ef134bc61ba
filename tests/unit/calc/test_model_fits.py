"""Fits of whole models: each estimator's parts, and excess returns."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from riskmark.calc.arrays import CODE_OF
from riskmark.calc.model_fits import detail_model, fit_model
from riskmark.calc.regression import fit_factors
from riskmark.domain.factor_models import Estimator, Factor, FactorModel
from riskmark.domain.reasons import NullReason

ROWS = range(70, 80)


def model(estimator, *, factors=3, alpha=0.0):
    names = [Factor(f"F{place}", f"S{place}") for place in range(factors)]
    return FactorModel("m", estimator, 60, 20, tuple(names), alpha)


def panel(seed=1, *, missing=0.05):
    rng = np.random.default_rng(seed)
    factors = rng.normal(0, 0.01, (80, 3))
    returns = factors @ rng.normal(1, 1, (3, 4)) + rng.normal(0, 0.02, (80, 4))
    returns[rng.random(returns.shape) < missing] = np.nan
    return returns, factors


def same(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert_array_equal(one, other)


def test_factors_taken_together_are_one_part():
    returns, factors = panel()

    found = fit_model(returns, factors, model=model(Estimator.OLS), rows=ROWS)

    (part,) = found.parts
    same(part, fit_factors(returns, factors, rows=ROWS, window=60, minimum=20))
    assert found.part_of(2) == (part, 2)


def test_factors_taken_alone_are_parts_on_their_own_rows():
    returns, factors = panel()
    factors[:50, 1] = np.nan
    factors[:, 2] = np.nan

    found = fit_model(returns, factors, model=model(Estimator.OLS_EACH), rows=ROWS)

    assert len(found.parts) == 3
    for place, part in enumerate(found.parts):
        alone = factors[:, place : place + 1]
        same(part, fit_factors(returns, alone, rows=ROWS, window=60, minimum=20))
        assert found.part_of(place) == (part, 0)
    assert (found.parts[0].n > found.parts[1].n).all()
    assert (found.parts[2].nulls == CODE_OF[NullReason.NO_FACTOR_DATA]).all()


def test_a_ridge_model_is_penalised_and_has_no_errors():
    returns, factors = panel()
    ridge = model(Estimator.RIDGE, alpha=25.0)

    found = fit_model(returns, factors, model=ridge, rows=ROWS)

    (part,) = found.parts
    same(part, fit_factors(returns, factors, rows=ROWS, window=60, minimum=20, alpha=25.0))
    details = detail_model(returns, factors, found, row=79)
    assert np.isnan(part.stderr).all()
    assert np.isnan(details.stderr_hac).all()
    assert np.isnan(details.vif).all()


def test_what_is_taken_off_returns_is_taken_off_each_session():
    returns, factors = panel()
    risk_free = np.full(80, 0.0002)
    risk_free[75] = np.nan

    found = fit_model(returns, factors, model=model(Estimator.OLS), rows=ROWS, risk_free=risk_free)

    excess = returns - 0.0002
    excess[75] = np.nan
    same(found.parts[0], fit_factors(excess, factors, rows=ROWS, window=60, minimum=20))


def test_details_stand_in_the_order_of_the_factors():
    returns, factors = panel()
    last = range(79, 80)
    each = fit_model(returns, factors, model=model(Estimator.OLS_EACH), rows=last)

    found = detail_model(returns, factors, each, row=79)

    for place in range(3):
        column = factors[:, place : place + 1]
        alone = fit_model(returns, column, model=model(Estimator.OLS, factors=1), rows=last)
        expected = detail_model(returns, column, alone, row=79)
        assert_array_equal(found.stderr_hac[:, place], expected.stderr_hac[:, 0])
    assert_allclose(found.vif, 1, rtol=1e-12)


def test_the_fits_of_some_symbols_are_their_columns():
    returns, factors = panel()
    found = fit_model(returns, factors, model=model(Estimator.OLS_EACH), rows=ROWS)

    some = found.of(np.array([2, 0]))

    for part, whole in zip(some.parts, found.parts, strict=True):
        assert_array_equal(part.beta, whole.beta[:, [2, 0]])
