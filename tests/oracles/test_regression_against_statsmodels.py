"""Factor fits against statsmodels, symbol by symbol and session by session; and Longley."""

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from statsmodels.datasets import longley

from riskmark.calc.regression import fit_factors

WINDOW, MINIMUM = 60, 20
LONGLEY_BETA = (
    15.0618722713733, -0.0358191792925910, -2.02022980381683, -1.03322686717359,
    -0.0511041056535807, 1829.15146461355,
)  # fmt: skip
LONGLEY_STDERR = (
    84.9149257747669, 0.0334910077722432, 0.488399681651699, 0.214274163161675,
    0.226073200069370, 455.478499142212,
)  # fmt: skip


def panel(seed, *, sessions=170, symbols=6, factors=3):
    """Make returns with everything that happens to them, and correlated factors."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.01, (sessions, 1))
    moves = common * rng.uniform(-1, 1, factors) + rng.normal(3e-4, 0.006, (sessions, factors))
    noise = rng.standard_t(4, (sessions, symbols)) * 0.015
    returns = moves @ rng.normal(0.5, 1, (factors, symbols)) + noise
    returns[: sessions // 2, 1] = np.nan  # a new listing
    returns[rng.random(sessions) < 0.1, 2] = np.nan
    returns[40, 3], returns[100, 3] = 1e4, -0.99
    returns[-30:, 4] = np.nan  # delisted
    moves[rng.random(sessions) < 0.02] = np.nan
    moves[55, 0] = 3.0
    return returns, moves


@pytest.mark.parametrize("first", [0, 30, 95, 160])
@pytest.mark.parametrize("factors", [1, 3, 7])
def test_every_fit_is_that_of_statsmodels(first, factors):
    returns, moves = panel(first + factors, factors=factors)
    rows = range(first, len(returns))

    fits = fit_factors(returns, moves, rows=rows, window=WINDOW, minimum=MINIMUM)

    compared = 0
    for place, row in enumerate(rows):
        for symbol in range(returns.shape[1]):
            used = slice(max(0, row - WINDOW + 1), row + 1)
            y, f = returns[used, symbol], moves[used]
            both = np.isfinite(y) & np.isfinite(f).all(axis=1)
            assert fits.n[place, symbol] == both.sum()
            assert (fits.nulls[place, symbol] != 0) == (both.sum() < MINIMUM)
            if both.sum() >= MINIMUM:
                compare(fits, (place, symbol), sm.OLS(y[both], sm.add_constant(f[both])).fit())
                compared += 1
    assert compared > 0


def compare(fits, cell, expected):
    """Assert that the numbers of one fit are those of statsmodels."""
    scale = np.abs(expected.params[1:]).max()
    # The absolute tolerance is the error of statsmodels, which does not centre the factors.
    assert_allclose(fits.alpha[cell], expected.params[0], rtol=1e-9, atol=1e-13)
    assert_allclose(fits.beta[cell], expected.params[1:], rtol=1e-9, atol=1e-13 * scale)
    assert_allclose(fits.stderr[cell], expected.bse[1:], rtol=1e-9)
    assert_allclose(fits.r2[cell], expected.rsquared, rtol=1e-9, atol=1e-13)
    assert_allclose(fits.residual_sd[cell], np.sqrt(expected.mse_resid), rtol=1e-9)


@pytest.mark.parametrize("repeats", [1, 40])
def test_the_certified_values_of_longley_are_met(repeats):
    example = longley.load_pandas()
    y = np.tile(example.endog.to_numpy(float)[:, None], (repeats, 1))
    factors = np.tile(example.exog.to_numpy(float), (repeats, 1))
    rows = range(len(y) - repeats, len(y))

    fits = fit_factors(y, factors, rows=rows, window=16, minimum=16)

    assert_allclose(fits.beta[-1, 0], LONGLEY_BETA, rtol=1e-8)
    assert_allclose(fits.stderr[-1, 0], LONGLEY_STDERR, rtol=1e-8)
    assert_allclose(fits.alpha[-1, 0], -3482258.63459582, rtol=1e-8)
    assert_allclose(fits.r2[-1, 0], 0.995479004577296, rtol=1e-10)
    assert_allclose(fits.residual_sd[-1, 0], 304.854073561965, rtol=1e-8)
