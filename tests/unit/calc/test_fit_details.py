"""Details of fits: properties that hold whatever the returns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from riskmark.calc.fit_details import detail_fits
from riskmark.calc.regression import fit_factors

seeds = st.integers(0, 2**32 - 1)


def detailed(returns, factors, *, window=40):
    """Fit and detail the last session."""
    row = len(returns) - 1
    fits = fit_factors(returns, factors, rows=range(row, row + 1), window=window, minimum=10)
    return detail_fits(returns, factors, fits, row=row, window=window)


def panel(seed, *, missing=0.1):
    rng = np.random.default_rng(seed)
    factors = rng.normal(0, 0.01, (50, 3))
    returns = factors @ rng.normal(1, 1, (3, 5)) + rng.normal(0, 0.02, (50, 5))
    returns[rng.random(returns.shape) < missing] = np.nan
    return returns, factors


@given(seeds, st.floats(-3, 3).filter(lambda leverage: abs(leverage) > 1e-3))
def test_leverage_scales_errors_and_leaves_inflation(seed, leverage):
    returns, factors = panel(seed)

    levered = detailed(leverage * returns, factors)

    plain = detailed(returns, factors)
    assert_allclose(levered.stderr_hac, abs(leverage) * plain.stderr_hac, rtol=1e-9)
    assert_array_equal(levered.vif, plain.vif)


@given(seeds)
def test_inflation_is_at_least_one(seed):
    returns, factors = panel(seed)

    found = detailed(returns, factors)

    assert (found.vif >= 1 - 1e-12).all()
    assert (found.stderr_hac > 0).all()


def test_one_factor_is_not_inflated():
    returns, factors = panel(1)

    found = detailed(returns, factors[:, :1])

    assert_allclose(found.vif, 1, rtol=1e-12)


def test_symbols_in_chunks_have_the_same_details(monkeypatch):
    returns, factors = panel(2, missing=0.01)
    whole = detailed(returns, factors)
    monkeypatch.setattr("riskmark.calc.windows.CHUNK", 400)

    found = detailed(returns, factors)

    for one, other in zip(found, whole, strict=True):
        assert_allclose(one, other, rtol=1e-12)


def test_a_perfect_fit_has_no_error():
    _, factors = panel(3)

    found = detailed(factors, factors)

    assert not found.stderr_hac.any()


def test_without_fits_there_is_nothing_to_detail():
    returns, factors = panel(4)

    found = detailed(returns, np.full_like(factors, np.nan))

    assert np.isnan(found.stderr_hac).all()
    assert np.isnan(found.vif).all()


def test_the_fits_of_several_sessions_are_refused():
    returns, factors = panel(5)
    fits = fit_factors(returns, factors, rows=range(48, 50), window=40, minimum=10)

    with pytest.raises(ValueError, match="the fits of one session"):
        detail_fits(returns, factors, fits, row=49, window=40)
