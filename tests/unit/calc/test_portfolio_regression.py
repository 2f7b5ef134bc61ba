"""Regressions of x: properties, and how they go with the fits of single symbols."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from riskmark.calc.arrays import CODE_OF
from riskmark.calc.filled_returns import HISTORY
from riskmark.calc.holdings_returns import holdings_returns
from riskmark.calc.portfolio_regression import Excess, fit_portfolios
from riskmark.calc.regression import fit_factors
from riskmark.domain.reasons import NullReason

SESSIONS, WINDOW, MINIMUM = 560, 120, 30
ROWS = range(530, 560)
seeds = st.integers(0, 2**32 - 1)


def market_of(seed, *, symbols=4):
    rng = np.random.default_rng(seed)
    factors = rng.normal(0, 0.01, (SESSIONS, 3))
    returns = factors @ rng.normal(1, 1, (3, symbols)) + rng.normal(0, 0.02, (SESSIONS, symbols))
    return returns, factors


def series_of(returns, factors, weights, cell_row):
    fits = fit_factors(returns, factors[:, :1], rows=ROWS, window=90, minimum=MINIMUM)
    return holdings_returns(
        returns, factors[:, 0], fits, csr_array(weights), cell_row, rows=ROWS, window=90
    ).x


def fit(x, factors, cell_row, **options):
    arguments = {
        "market": factors[:, 0],
        "cell_row": np.asarray(cell_row),
        "rows": ROWS,
        "window": WINDOW,
        "minimum": MINIMUM,
    } | options
    return fit_portfolios(x, factors, **arguments)


@given(seeds)
def test_the_beta_of_x_is_the_sum_of_the_weighted_betas_of_what_is_held(seed):
    returns, factors = market_of(seed)
    rng = np.random.default_rng(seed)
    cell_row = rng.integers(ROWS.start, ROWS.stop, 12)
    weights = rng.normal(0, 1, (12, 4))

    found = fit(series_of(returns, factors, weights, cell_row), factors, cell_row)

    single = fit_factors(returns, factors, rows=ROWS, window=WINDOW, minimum=MINIMUM)
    expected = np.einsum("cn,cnf->cf", weights, single.beta[cell_row - ROWS.start])
    assert_allclose(found.beta, expected, rtol=1e-8, atol=1e-11)


@given(seeds, st.floats(-3, 3).filter(lambda leverage: abs(leverage) > 1e-3))
def test_leverage_scales_errors_and_leaves_what_is_explained(seed, leverage):
    returns, factors = market_of(seed)
    cell_row = [540, 559]
    x = series_of(returns, factors, np.ones((2, 4)), np.array(cell_row))

    levered = fit(leverage * x, factors, cell_row)

    plain = fit(x, factors, cell_row)
    assert_allclose(levered.stderr, abs(leverage) * plain.stderr, rtol=1e-9)
    assert_allclose(levered.residual_variance, leverage**2 * plain.residual_variance, rtol=1e-9)
    assert_allclose(levered.r2, plain.r2, rtol=1e-9)


@given(seeds)
def test_cells_are_fitted_as_if_each_were_alone(seed):
    returns, factors = market_of(seed)
    rng = np.random.default_rng(seed)
    cell_row = rng.integers(ROWS.start, ROWS.stop, 9)
    x = series_of(returns, factors, rng.normal(0, 1, (9, 4)), cell_row)

    together = fit(x, factors, cell_row)

    for cell, row in enumerate(cell_row):
        alone = fit(x[cell : cell + 1], factors, [row], rows=range(row, row + 1))
        for one, all_of_them in zip(alone, together, strict=True):
            assert_allclose(one[0], all_of_them[cell], rtol=1e-9, atol=1e-14)


def test_blocks_and_chunks_change_no_number(monkeypatch):
    returns, factors = market_of(1)
    cell_row = np.repeat(np.arange(ROWS.start, ROWS.stop), 3)[::-1]
    x = series_of(returns, factors, np.ones((len(cell_row), 4)), cell_row)
    whole = fit(x, factors, cell_row)
    monkeypatch.setattr("riskmark.calc.portfolio_regression.BLOCK", 4)
    monkeypatch.setattr("riskmark.calc.portfolio_regression.CHUNK", 600)

    found = fit(x, factors, cell_row)

    for one, other in zip(found, whole, strict=True):
        assert_allclose(one, other, rtol=1e-9, atol=1e-14)


def test_an_excess_return_is_that_of_what_is_invested():
    returns, factors = market_of(8)
    risk_free = np.abs(np.random.default_rng(8).normal(2e-4, 1e-3, SESSIONS))
    risk_free[550] = np.nan
    cell_row = np.array([531, 549, 559])
    weights = np.array([[1.0, 1, 0, 0], [0.5, -2, 1, 3], [0, 0, 0, 1]])
    x = series_of(returns, factors, weights, cell_row)

    found = fit(x, factors, cell_row, excess=Excess(risk_free, weights.sum(axis=1)))

    over = returns - risk_free[:, None]
    single = fit_factors(over, factors, rows=ROWS, window=WINDOW, minimum=MINIMUM)
    expected = np.einsum("cn,cnf->cf", weights, single.beta[cell_row - ROWS.start])
    assert_allclose(found.beta, expected, rtol=1e-8)
    assert_array_equal(found.n, [WINDOW, WINDOW, WINDOW - 1])
    alone = single.residual_sd[559 - ROWS.start, 3] ** 2
    assert_allclose(found.residual_variance[2], alone, rtol=1e-9)


def test_nothing_after_a_session_counts():
    returns, factors = market_of(2)
    cell_row = np.array([535, 545])
    x = series_of(returns, factors, np.ones((2, 4)), cell_row)
    later = factors.copy()
    later[546:] = 9.0

    found = fit(x, later, cell_row)

    for one, other in zip(found, fit(x, factors, cell_row), strict=True):
        assert_allclose(one, other, rtol=1e-9, atol=1e-14)


def test_a_session_without_a_market_return_is_no_row():
    returns, factors = market_of(3)
    factors[500, 0] = np.nan
    x = series_of(returns, factors, np.ones((1, 4)), np.array([559]))

    found = fit(x, factors[:, 1:], [559], market=factors[:, 0])

    assert found.n[0] == WINDOW - 1


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda f: f[:535].fill(np.nan), NullReason.TOO_FEW_OBSERVATIONS),
        (lambda f: f[:, 1].fill(np.nan), NullReason.NO_FACTOR_DATA),
        (lambda f: f[:, 1].fill(0.01), NullReason.NO_FACTOR_VARIATION),
        (lambda f: f[:, 1].__setitem__(slice(None), 2 * f[:, 2]), NullReason.COLLINEAR_FACTORS),
    ],
)
def test_a_fit_that_cannot_be_made_has_a_reason(spoil, reason):
    returns, factors = market_of(4)
    x = series_of(returns, factors, np.ones((2, 4)), np.array([558, 559]))
    spoil(factors)

    found = fit(x, factors, [558, 559], market=returns[:, 0])

    assert_array_equal(found.nulls, CODE_OF[reason])
    for numbers in (found.alpha, found.beta, found.stderr, found.r2, found.residual_variance):
        assert np.isnan(numbers).all()


def test_holding_nothing_explains_itself():
    _, factors = market_of(5)

    found = fit(np.zeros((1, HISTORY)), factors, [559])

    assert not found.nulls.any()
    assert not found.stderr.any()
    assert not found.residual_variance.any()


def test_no_cells_have_no_fits():
    _, factors = market_of(6)

    assert fit(np.zeros((0, HISTORY)), factors, []).beta.shape == (0, 3)


@pytest.mark.parametrize("window", [0, 505])
def test_a_window_lies_within_x(window):
    _, factors = market_of(7)

    with pytest.raises(ValueError, match="not within the 504 of x"):
        fit(np.zeros((1, HISTORY)), factors, [559], window=window)
