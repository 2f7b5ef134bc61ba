"""Robust standard errors and variance inflation against statsmodels, symbol by symbol."""

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose, assert_array_equal
from statsmodels.datasets import longley
from statsmodels.stats.outliers_influence import variance_inflation_factor

from riskmark.calc.fit_details import detail_fits, newey_west_lags
from riskmark.calc.regression import fit_factors


def panel(seed, *, sessions=300, symbols=8, factors=3):
    """Make returns with autocorrelated noise of changing size, and correlated factors."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.01, (sessions, 1))
    moves = common * rng.uniform(-1, 1, factors) + rng.normal(3e-4, 0.004, (sessions, factors))
    shocks = rng.standard_t(4, (sessions, symbols)) * (0.5 + rng.random((sessions, 1))) * 0.01
    shocks[1:] += 0.4 * shocks[:-1]
    returns = moves @ rng.normal(0.5, 1, (factors, symbols)) + shocks
    returns[: sessions - 70, 1] = np.nan  # a new listing
    returns[rng.random(sessions) < 0.1, 2] = np.nan
    returns[-1, 3] = np.nan
    returns[:, 4] = np.nan
    returns[-7, 5] = -0.99
    moves[rng.random(sessions) < 0.02] = np.nan
    return returns, moves


@pytest.mark.parametrize("factors", [1, 3, 7])
@pytest.mark.parametrize(("row", "window"), [(299, 252), (299, 90), (150, 252), (60, 90)])
def test_every_detail_is_that_of_statsmodels(factors, row, window):
    returns, moves = panel(row + factors, factors=factors)
    rows = range(row, row + 1)
    fits = fit_factors(returns, moves, rows=rows, window=window, minimum=30)

    details = detail_fits(returns, moves, fits, row=row, window=window)

    used = slice(max(0, row - window + 1), row + 1)
    assert (fits.nulls[0] == 0).sum() >= 6
    for symbol in np.flatnonzero(fits.nulls[0] == 0):
        y, f = returns[used, symbol], moves[used]
        both = np.isfinite(y) & np.isfinite(f).all(axis=1)
        design = sm.add_constant(f[both])
        lags = int(4 * (both.sum() / 100) ** (2 / 9))
        robust = sm.OLS(y[both], design).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
        inflation = [variance_inflation_factor(design, 1 + place) for place in range(factors)]
        assert_allclose(details.stderr_hac[symbol], robust.bse[1:], rtol=1e-9)
        assert_allclose(details.vif[symbol], inflation, rtol=1e-9)
    null = np.repeat(fits.nulls[0][:, None] != 0, factors, axis=1)
    assert_array_equal(np.isnan(details.stderr_hac), null)
    assert_array_equal(np.isnan(details.vif), null)


def test_the_details_of_longley_are_those_of_statsmodels():
    example = longley.load_pandas()
    y, factors = example.endog.to_numpy(float)[:, None], example.exog.to_numpy(float)
    fits = fit_factors(y, factors, rows=range(15, 16), window=16, minimum=16)

    details = detail_fits(y, factors, fits, row=15, window=16)

    design = sm.add_constant(factors)
    robust = sm.OLS(y[:, 0], design).fit(cov_type="HAC", cov_kwds={"maxlags": 2})
    inflation = [variance_inflation_factor(design, place) for place in range(1, 7)]
    assert_allclose(details.stderr_hac[0], robust.bse[1:], rtol=1e-7)
    assert_allclose(details.vif[0], inflation, rtol=1e-7)


@pytest.mark.parametrize(("n", "lags"), [(3, 1), (30, 3), (60, 3), (99, 3), (100, 4), (252, 4)])
def test_lags_grow_slowly_with_the_rows(n, lags):
    assert newey_west_lags(np.array([n])) == lags
