"""The series x against a loop in plain Python, and what must hold for any holdings."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from riskmark.calc.filled_returns import HISTORY
from riskmark.calc.holdings_returns import holdings_returns
from riskmark.calc.regression import fit_factors

seeds = st.integers(0, 2**32 - 1)
holes = st.sampled_from([0.0, 0.05, 0.4])
MINIMUM = 5


def panel(seed, *, sessions=40, instruments=4, missing=0.1):
    """Make returns with gaps and a new listing, and a market with a missing session."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 0.01, sessions)
    returns = market[:, None] * rng.normal(1, 0.5, instruments)
    returns += rng.normal(0.001, 0.02, returns.shape)
    returns[rng.random(returns.shape) < missing] = np.nan
    if missing:
        returns[: rng.integers(0, sessions), 0] = np.nan
        market[rng.random(sessions) < missing / 4] = np.nan
    return returns, market


def cells(seed, rows, *, count=6, instruments=4):
    """Make holdings in some instruments on sessions in any order."""
    rng = np.random.default_rng(seed)
    amounts = rng.normal(0, 1000, (count, instruments))
    amounts[rng.random(amounts.shape) < 0.3] = 0
    return csr_array(amounts), rng.integers(rows.start, rows.stop, count)


def compute(returns, market, weights, cell_row, *, rows, window=20):
    """Fit the market model, then compute x."""
    fits = fit_factors(returns, market[:, None], rows=rows, window=window, minimum=MINIMUM)
    found = holdings_returns(returns, market, fits, weights, cell_row, rows=rows, window=window)
    return found, fits


def expect(returns, market, fit, amounts, *, t, window):
    """Compute the x, filled share and exclusions of one cell, one return at a time.

    ``fit`` gives alpha, beta and whether there is none, of an instrument at t.
    """
    sessions = [u for u in range(t + 1) if not math.isnan(market[u])][-HISTORY:]
    x, filled, excluded = dict.fromkeys(sessions, 0.0), 0.0, set()
    for i, amount in amounts.items():
        alpha, beta, unfitted = fit(i)
        missing = [u for u in reversed(sessions) if math.isnan(returns[u][i])]
        if missing and unfitted:
            excluded.add(i)
            continue
        own = [
            returns[u][i] - alpha - beta * market[u]
            for u in range(t, max(-1, t - window), -1)
            if not math.isnan(returns[u][i]) and not math.isnan(market[u])
        ]
        for u in sessions:
            if u in missing:
                x[u] += amount * (beta * market[u] + own[missing.index(u) % len(own)])
            else:
                x[u] += amount * returns[u][i]
        recent = sessions[-252:]
        if recent:
            filled += abs(amount) * len([u for u in missing if u in recent]) / len(recent)
    total = sum(abs(amount) for amount in amounts.values())
    return [x[u] for u in sessions], filled / total if total else 0.0, excluded


def assert_as_expected(returns, market, weights, cell_row, *, rows, window):
    """Compare every cell with the loop."""
    found, fits = compute(returns, market, weights, cell_row, rows=rows, window=window)
    for cell, t in enumerate(cell_row):
        place = t - rows.start
        entries = range(weights.indptr[cell], weights.indptr[cell + 1])
        amounts = {int(weights.indices[e]): float(weights.data[e]) for e in entries}

        def fit(i, place=place):
            codes = fits.nulls[place, i]
            return fits.alpha[place, i], fits.beta[place, i, 0], codes != 0

        x, filled, excluded = expect(
            returns.tolist(), market.tolist(), fit, amounts, t=t, window=window
        )
        assert found.length[cell] == len(x)
        assert_allclose(found.x[cell, HISTORY - len(x) :], x, rtol=1e-9, atol=1e-9)
        assert np.isnan(found.x[cell, : HISTORY - len(x)]).all()
        assert_allclose(found.filled_share[cell], filled, rtol=1e-12)
        assert {int(weights.indices[e]) for e in entries if found.excluded[e]} == excluded


@given(seeds, holes, st.integers(0, 39), st.integers(1, 25))
def test_x_is_that_of_a_loop(seed, missing, first, window):
    returns, market = panel(seed, missing=missing)
    rows = range(first, 40)
    weights, cell_row = cells(seed, rows)

    assert_as_expected(returns, market, weights, cell_row, rows=rows, window=window)


@pytest.mark.parametrize("missing", [0.0, 0.002, 0.1])
def test_x_goes_back_504_sessions_on_which_the_market_was_observed(missing):
    returns, market = panel(3, sessions=640, missing=missing)
    rows = range(480, 640)
    weights, cell_row = cells(4, rows, count=12)

    assert_as_expected(returns, market, weights, cell_row, rows=rows, window=90)


@given(seeds, st.floats(-5, 5))
def test_x_is_linear_in_the_holdings(seed, factor):
    returns, market = panel(seed)
    rows = range(20, 40)
    weights, cell_row = cells(seed, rows)

    scaled, _ = compute(returns, market, factor * weights, cell_row, rows=rows)

    plain, _ = compute(returns, market, weights, cell_row, rows=rows)
    assert_allclose(scaled.x, factor * plain.x, rtol=1e-9, atol=1e-9)
    assert_array_equal(scaled.excluded, plain.excluded)


@given(seeds, st.integers(0, 5))
def test_a_cell_alone_gives_the_numbers_of_many(seed, cell):
    returns, market = panel(seed)
    rows = range(20, 40)
    weights, cell_row = cells(seed, rows)
    together, _ = compute(returns, market, weights, cell_row, rows=rows)
    own = range(cell_row[cell], cell_row[cell] + 1)

    alone, _ = compute(returns, market, weights[[cell]], cell_row[[cell]], rows=own)

    assert_allclose(alone.x[0], together.x[cell], rtol=1e-9, atol=1e-9)
    assert_allclose(alone.filled_share[0], together.filled_share[cell], rtol=1e-9)


@given(seeds)
def test_the_order_of_instruments_does_not_matter(seed):
    returns, market = panel(seed)
    rows = range(20, 40)
    weights, cell_row = cells(seed, rows)
    order = np.random.default_rng(seed).permutation(4)

    shuffled, _ = compute(returns[:, order], market, weights[:, order], cell_row, rows=rows)

    plain, _ = compute(returns, market, weights, cell_row, rows=rows)
    assert_allclose(shuffled.x, plain.x, rtol=1e-9, atol=1e-9)
    assert_allclose(shuffled.filled_share, plain.filled_share, rtol=1e-9)


def test_fills_take_the_newest_residuals_first_and_begin_again():
    market = np.array([0.02, -0.02, 0.01, -0.01, 0.03, 0.0, 0.02, -0.01, 0.01, 0.02, -0.03])
    listed = 0.001 + 2 * market + np.array([0, 0, 0, 0, 0, 0, 0.01, -0.02, 0.01, 0, 0.02])
    returns = np.where(np.arange(11) < 6, np.nan, listed)[:, None]
    rows, holdings = range(10, 11), csr_array([[100.0]])

    found, fits = compute(returns, market, holdings, np.array([10]), rows=rows)

    alpha, beta = fits.alpha[0, 0], fits.beta[0, 0, 0]
    newest, *_, oldest = residuals = (listed - alpha - beta * market)[6:][::-1]
    assert len(residuals) == 5
    assert_allclose(found.x[0, -5:], 100 * listed[6:])
    assert_allclose(found.x[0, -6], 100 * (beta * market[5] + newest))
    assert_allclose(found.x[0, -10], 100 * (beta * market[1] + oldest))
    assert_allclose(found.x[0, -11], 100 * (beta * market[0] + newest))
    assert_allclose(found.filled_share, 6 / 11)


def test_fills_are_made_so_many_at_a_time_without_changing_a_number(monkeypatch):
    returns, market = panel(5, missing=0.3)
    rows = range(20, 40)
    weights, cell_row = cells(5, rows, count=30)
    whole, _ = compute(returns, market, weights, cell_row, rows=rows)
    monkeypatch.setattr("riskmark.calc.holdings_returns.PAIRS", 3)
    monkeypatch.setattr("riskmark.calc.holdings_returns.BLOCK", 2)

    found, _ = compute(returns, market, weights, cell_row, rows=rows)

    assert_allclose(found.x, whole.x, rtol=1e-9, atol=1e-9)


def test_sparse_and_dense_holdings_give_the_same_x(monkeypatch):
    returns, market = panel(6)
    rows = range(20, 40)
    weights, cell_row = cells(6, rows)
    dense, _ = compute(returns, market, weights, cell_row, rows=rows)
    monkeypatch.setattr("riskmark.calc.holdings_returns.DENSE", 2)

    sparse, _ = compute(returns, market, weights, cell_row, rows=rows)

    assert_allclose(sparse.x, dense.x, rtol=1e-9, atol=1e-9)


def test_an_instrument_without_a_fit_counts_only_if_it_needs_no_fill():
    returns, market = panel(7, missing=0)
    returns[:39, 1] = np.nan
    market[-1] = market[0] = 0.01
    rows = range(39, 40)
    fits = fit_factors(returns, market[:, None], rows=rows, window=20, minimum=MINIMUM)
    fits.nulls[:] = 1
    holdings = csr_array([[300.0, 100.0, 0.0, 0.0]])

    found = holdings_returns(returns, market, fits, holdings, np.array([39]), rows=rows, window=20)

    assert list(found.excluded) == [False, True]
    assert_allclose(found.x[0, -40:], 300 * returns[:, 0])
    assert found.filled_share == 0


def test_nothing_held_returns_nothing():
    returns, market = panel(8, missing=0)
    rows = range(38, 40)

    found, _ = compute(returns, market, csr_array((2, 4)), np.array([38, 39]), rows=rows)

    assert not found.x[0, -39:].any()
    assert not found.x[1, -40:].any()
    assert not found.filled_share.any()


def test_without_a_market_there_is_no_x():
    returns, market = panel(9)
    market[:] = np.nan
    rows = range(30, 40)
    weights, cell_row = cells(9, rows)

    found, _ = compute(returns, market, weights, cell_row, rows=rows)

    assert np.isnan(found.x).all()
    assert not found.length.any()
    assert not found.excluded.any()


def test_no_cells_give_no_series():
    returns, market = panel(10)
    none = np.zeros(0, np.int64)

    found, _ = compute(returns, market, csr_array((0, 4)), none, rows=range(40, 40))

    assert found.x.shape == (0, HISTORY)


@pytest.mark.parametrize("window", [0, 505])
def test_the_window_of_the_market_model_lies_within_x(window):
    returns, market = panel(11)
    rows = range(30, 40)
    weights, cell_row = cells(11, rows)
    fits = fit_factors(returns, market[:, None], rows=rows, window=20, minimum=MINIMUM)

    with pytest.raises(ValueError, match="not within the 504 of x"):
        holdings_returns(returns, market, fits, weights, cell_row, rows=rows, window=window)
