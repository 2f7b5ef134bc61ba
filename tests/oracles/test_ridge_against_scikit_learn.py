"""Ridge fits against scikit-learn's ``Ridge``, symbol by symbol and session by session."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import Ridge

from riskmark.calc.regression import fit_factors

WINDOW, MINIMUM = 60, 20


def panel(seed, *, sessions=130, symbols=5, factors=6):
    """Make returns with gaps, and factors that move together, as funds of stocks do."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.01, (sessions, 1))
    moves = common + rng.normal(3e-4, 0.003, (sessions, factors))
    returns = moves @ rng.normal(0.3, 1, (factors, symbols))
    returns += rng.standard_t(4, (sessions, symbols)) * 0.01
    returns[: sessions // 2, 1] = np.nan
    returns[rng.random(sessions) < 0.1, 2] = np.nan
    returns[rng.random(sessions) < 0.02, 3] = np.nan
    moves[rng.random(sessions) < 0.02] = np.nan
    return returns, moves


@pytest.mark.parametrize("first", [20, 118])
@pytest.mark.parametrize("alpha", [1.0, 25.0, 1e4])
def test_every_ridge_fit_is_that_of_scikit_learn(first, alpha):
    returns, moves = panel(first)
    rows = range(first, len(returns))

    fits = fit_factors(returns, moves, rows=rows, window=WINDOW, minimum=MINIMUM, alpha=alpha)

    compared = 0
    for place, row in enumerate(rows):
        for symbol in range(returns.shape[1]):
            used = slice(max(0, row - WINDOW + 1), row + 1)
            y, f = returns[used, symbol], moves[used]
            both = np.isfinite(y) & np.isfinite(f).all(axis=1)
            assert (fits.nulls[place, symbol] != 0) == (both.sum() < MINIMUM)
            if both.sum() >= MINIMUM:
                compare(fits, (place, symbol), y[both], f[both], alpha)
                compared += 1
    assert compared > 0
    assert np.isnan(fits.stderr).all()


def compare(fits, cell, y, factors, alpha):
    """Assert that one fit is scikit-learn's on standardised factors, in return units."""
    deviation = factors.std(axis=0, ddof=1)
    standard = (factors - factors.mean(axis=0)) / deviation
    expected = Ridge(alpha=alpha, solver="cholesky").fit(standard, y - y.mean())
    beta = expected.coef_ / deviation
    residuals = y - y.mean() - expected.predict(standard)
    degrees = len(y) - factors.shape[1] - 1
    assert_allclose(fits.beta[cell], beta, rtol=1e-9, atol=1e-13)
    assert_allclose(fits.alpha[cell], y.mean() - factors.mean(axis=0) @ beta, rtol=1e-9, atol=1e-14)
    assert_allclose(fits.residual_sd[cell], np.sqrt(residuals @ residuals / degrees), rtol=1e-9)
    explained = 1 - residuals @ residuals / ((y - y.mean()) @ (y - y.mean()))
    assert_allclose(fits.r2[cell], explained, rtol=1e-9, atol=1e-12)
