"""Portfolio regressions against statsmodels, cell by cell, with the rows chosen one by one."""

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose, assert_array_equal

from riskmark.calc.filled_returns import HISTORY
from riskmark.calc.portfolio_regression import fit_portfolios

MINIMUM = 30


def panel(seed, *, sessions, factors, gaps):
    """Make factors with gaps, and a Market return that is now and then not observed."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.01, (sessions, 1))
    moves = common * rng.uniform(0.5, 1, factors) + rng.normal(3e-4, 0.006, (sessions, factors))
    moves[rng.random(sessions) < gaps] = np.nan
    market = common[:, 0].copy()
    market[rng.random(sessions) < gaps] = np.nan
    return moves, market


def series(seed, moves, market, cell_row):
    """Make the series x of each cell: on the sessions with a Market return, up to its own."""
    rng = np.random.default_rng(seed + 1)
    x = np.full((len(cell_row), HISTORY), np.nan)
    by_session = np.full((len(cell_row), len(market)), np.nan)
    for cell, row in enumerate(cell_row):
        sessions = np.flatnonzero(np.isfinite(market[: row + 1]))[-HISTORY:]
        values = np.nan_to_num(moves[sessions]) @ rng.normal(0, 1, moves.shape[1])
        values += rng.standard_t(4, len(sessions)) * 0.004
        x[cell, HISTORY - len(sessions) :] = values
        by_session[cell, sessions] = values
    return x, by_session


@pytest.mark.parametrize("factors", [1, 7])
@pytest.mark.parametrize("gaps", [0.0, 0.04])
@pytest.mark.parametrize(
    ("sessions", "rows", "window"),
    [(620, range(600, 620), 252), (620, range(615, 616), 90), (200, range(10, 200), 252)],
)
def test_every_portfolio_is_fitted_as_by_statsmodels(factors, gaps, sessions, rows, window):
    moves, market = panel(sessions + window, sessions=sessions, factors=factors, gaps=gaps)
    rng = np.random.default_rng(1)
    cell_row = rng.integers(rows.start, rows.stop, 40)
    x, by_session = series(2, moves, market, cell_row)

    fits = fit_portfolios(
        x, moves, market=market, cell_row=cell_row, rows=rows, window=window, minimum=MINIMUM
    )

    compared = 0
    for cell, row in enumerate(cell_row):
        used = slice(max(0, row - window + 1), row + 1)
        y, f = by_session[cell, used], moves[used]
        both = np.isfinite(y) & np.isfinite(f).all(axis=1)
        assert fits.n[cell] == both.sum()
        assert (fits.nulls[cell] != 0) == (both.sum() < MINIMUM)
        if both.sum() >= MINIMUM:
            expected = sm.OLS(y[both], sm.add_constant(f[both])).fit()
            assert_allclose(fits.alpha[cell], expected.params[0], rtol=1e-9, atol=1e-14)
            assert_allclose(fits.beta[cell], expected.params[1:], rtol=1e-9, atol=1e-12)
            assert_allclose(fits.stderr[cell], expected.bse[1:], rtol=1e-9)
            assert_allclose(fits.r2[cell], expected.rsquared, rtol=1e-9, atol=1e-13)
            assert_allclose(fits.residual_variance[cell], expected.mse_resid, rtol=1e-9)
            compared += 1
    assert compared > 15
    assert_array_equal(np.isnan(fits.residual_variance), fits.nulls != 0)
