"""Factor fits: properties that hold whatever the returns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from riskmark.calc.arrays import reason_of
from riskmark.calc.regression import fit_factors
from riskmark.domain.reasons import NullReason

seeds = st.integers(0, 2**32 - 1)
leverages = st.floats(-3, 3).filter(lambda leverage: abs(leverage) > 1e-3)
wild = arrays(np.float64, (9, 5), elements=st.floats(-1, 1e4) | st.just(np.nan) | st.just(0.01))


def panel(seed, *, sessions=50, symbols=4, factors=2, missing=0.0):
    """Make returns and factors, with a share of the returns missing."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0, 0.01, (sessions, factors))
    returns = moves @ rng.normal(1, 1, (factors, symbols))
    returns += rng.normal(0, 0.02, returns.shape)
    returns[rng.random(returns.shape) < missing] = np.nan
    return returns, moves


def last(returns, factors, *, window=30, minimum=10, alpha=0.0):
    """Fit the last session only."""
    rows = range(len(returns) - 1, len(returns))
    return fit_factors(returns, factors, rows=rows, window=window, minimum=minimum, alpha=alpha)


def reasons(fits):
    """Name the reasons of the first session."""
    return [reason_of(int(code)) for code in fits.nulls[0]]


@given(seeds, leverages)
def test_leverage_scales_beta(seed, leverage):
    returns, factors = panel(seed, missing=0.1)

    levered = last(leverage * returns, factors)

    plain = last(returns, factors)
    assert_allclose(levered.beta, leverage * plain.beta, rtol=1e-9, atol=1e-12)
    assert_allclose(levered.stderr, abs(leverage) * plain.stderr, rtol=1e-9)
    assert_allclose(levered.r2, plain.r2, rtol=1e-9, atol=1e-12)


@given(seeds, st.sampled_from([0.0, 0.02, 0.3]), st.integers(0, 49))
def test_a_session_alone_gives_the_numbers_of_a_range(seed, missing, row):
    returns, factors = panel(seed, missing=missing)
    together = fit_factors(returns, factors, rows=range(50), window=20, minimum=5)

    alone = fit_factors(returns, factors, rows=range(row, row + 1), window=20, minimum=5)

    for one, all_of_them in zip(alone, together, strict=True):
        assert_allclose(one[0], all_of_them[row], rtol=1e-9, atol=1e-12)


@given(seeds, st.integers(1, 50))
def test_nothing_after_a_session_counts(seed, stop):
    returns, factors = panel(seed, missing=0.1)
    rows = range(max(0, stop - 15), stop)

    known = fit_factors(returns[:stop], factors[:stop], rows=rows, window=20, minimum=5)

    later = fit_factors(returns, factors, rows=rows, window=20, minimum=5)
    for one, other in zip(known, later, strict=True):
        assert_array_equal(one, other)


@given(seeds, st.sampled_from([1, 20]))
def test_the_order_of_symbols_and_factors_does_not_matter(seed, sessions):
    returns, factors = panel(seed, factors=3, missing=0.02)
    rng = np.random.default_rng(seed)
    symbols, columns = rng.permutation(4), rng.permutation(3)
    rows = range(50 - sessions, 50)

    shuffled = fit_factors(
        returns[:, symbols], factors[:, columns], rows=rows, window=30, minimum=8
    )

    plain = fit_factors(returns, factors, rows=rows, window=30, minimum=8)
    assert_array_equal(shuffled.nulls, plain.nulls[:, symbols])
    assert_allclose(shuffled.beta, plain.beta[:, symbols][:, :, columns], rtol=1e-9, atol=1e-12)
    assert_allclose(shuffled.alpha, plain.alpha[:, symbols], rtol=1e-9, atol=1e-12)


@given(wild, st.integers(0, 8))
def test_a_number_is_nan_exactly_where_there_is_a_reason(values, first):
    rows = range(first, 9)

    fits = fit_factors(values[:, :3], values[:, 3:], rows=rows, window=7, minimum=4)

    null = fits.nulls != 0
    for numbers in (fits.alpha, fits.r2, fits.residual_sd):
        assert_array_equal(np.isnan(numbers), null)
    for numbers in (fits.beta, fits.stderr):
        assert_array_equal(np.isnan(numbers), np.repeat(null[:, :, None], 2, axis=2))
    assert not np.any(fits.residual_sd < 0)


@given(seeds)
def test_a_crash_that_has_left_the_window_leaves_nothing_behind(seed):
    returns, factors = panel(seed, sessions=90)
    poisoned, shaken = returns.copy(), factors.copy()
    poisoned[5:9], shaken[7] = [[1e4], [-0.99], [1e4], [-0.99]], 1e3

    fits = fit_factors(poisoned, shaken, rows=range(20, 90), window=20, minimum=5)

    clean = fit_factors(returns, factors, rows=range(20, 90), window=20, minimum=5)
    assert_allclose(fits.beta[10:], clean.beta[10:], rtol=1e-9, atol=1e-12)
    assert_allclose(fits.stderr[10:], clean.stderr[10:], rtol=1e-9)


def test_a_symbol_without_returns_has_too_few_observations():
    returns, factors = panel(1)
    returns[:, 2] = np.nan

    fits = last(returns, factors)

    few = NullReason.TOO_FEW_OBSERVATIONS
    assert reasons(fits) == [None, None, few, None]
    assert list(fits.n[0]) == [30, 30, 0, 30]


@pytest.mark.parametrize("alpha", [0.0, 25.0])
def test_a_factor_that_always_earns_the_same_does_not_vary(alpha):
    returns, factors = panel(2)
    price = 1e-6 * 1.06 ** np.arange(51)
    factors[:, 1] = price[1:] / price[:-1] - 1  # 6 %, but for rounding

    fits = last(returns, factors, alpha=alpha)

    assert set(reasons(fits)) == {NullReason.NO_FACTOR_VARIATION}


@pytest.mark.parametrize("sessions", [1, 30])
def test_a_fit_begins_with_the_minimum_of_observations(sessions):
    returns, factors = panel(2)
    returns[:40, 0] = np.nan
    returns[:41, 1] = np.nan
    rows = range(50 - sessions, 50)

    fits = fit_factors(returns, factors, rows=rows, window=30, minimum=10)

    assert list(fits.n[-1]) == [10, 9, 30, 30]
    assert list(fits.nulls[-1] != 0) == [False, True, False, False]


def test_a_minimum_below_what_can_be_estimated_is_raised():
    returns, factors = panel(3)
    returns[:47, 0] = np.nan

    fits = last(returns, factors, minimum=1)

    assert reasons(fits)[0] is NullReason.TOO_FEW_OBSERVATIONS


@pytest.mark.parametrize("sessions", [1, 19])
def test_without_factors_there_is_no_factor_data(sessions):
    returns, factors = panel(4, missing=0.1)
    factors[:, 1] = np.nan
    rows = range(50 - sessions, 50)

    fits = fit_factors(returns, factors, rows=rows, window=30, minimum=10)

    assert reasons(fits) == [NullReason.NO_FACTOR_DATA] * 4
    assert not fits.n.any()


@pytest.mark.parametrize("level", [0.0, 0.01, -1e4])
@pytest.mark.parametrize("sessions", [1, 20])
def test_a_constant_factor_has_no_variation(level, sessions):
    returns, factors = panel(5, missing=0.01)
    factors[10:, 1] = level
    rows = range(50 - sessions, 50)

    fits = fit_factors(returns, factors, rows=rows, window=20, minimum=10)

    assert reasons(fits) == [NullReason.NO_FACTOR_VARIATION] * 4


@pytest.mark.parametrize("sessions", [1, 20])
def test_factors_that_determine_one_another_are_collinear(sessions):
    returns, factors = panel(6, factors=3, missing=0.01)
    factors[:, 2] = 2 * factors[:, 0] - factors[:, 1] + 0.001
    rows = range(50 - sessions, 50)

    fits = fit_factors(returns, factors, rows=rows, window=30, minimum=10)

    assert reasons(fits) == [NullReason.COLLINEAR_FACTORS] * 4


def test_a_factor_named_twice_is_collinear():
    returns, factors = panel(7)

    fits = last(returns, factors[:, [0, 0]])

    assert reasons(fits) == [NullReason.COLLINEAR_FACTORS] * 4


@pytest.mark.parametrize("sessions", [1, 20])
def test_a_symbol_that_is_a_factor_is_fitted_perfectly(sessions):
    _, factors = panel(8)
    rows = range(50 - sessions, 50)

    fits = fit_factors(factors, factors, rows=rows, window=30, minimum=10)

    assert_allclose(fits.beta[0], np.eye(2), atol=1e-12)
    assert not fits.stderr.any()
    assert not fits.residual_sd.any()
    assert (fits.r2 == 1).all()


@pytest.mark.parametrize("level", [0.0, 0.003])
def test_a_symbol_that_never_moves_has_beta_zero(level):
    _, factors = panel(9)

    fits = last(np.full((50, 1), level), factors)

    assert_allclose(fits.beta, 0, atol=1e-14)
    assert_allclose(fits.alpha, level, atol=1e-16)
    assert fits.r2 == fits.residual_sd == 0


def test_a_chunk_holds_as_many_symbols_as_fit_without_changing_a_number(monkeypatch):
    returns, factors = panel(10, symbols=40, missing=0.01)
    whole = fit_factors(returns, factors, rows=range(25, 50), window=30, minimum=10)
    monkeypatch.setattr("riskmark.calc.windows.CHUNK", 2_000)

    fits = fit_factors(returns, factors, rows=range(25, 50), window=30, minimum=10)

    for one, other in zip(fits, whole, strict=True):
        assert_allclose(one, other, rtol=1e-12, atol=1e-15)


def test_no_sessions_or_no_symbols_give_no_fits():
    returns, factors = panel(11)

    no_sessions = fit_factors(returns, factors, rows=range(9, 9), window=30, minimum=10)
    no_symbols = fit_factors(returns[:, :0], factors, rows=range(9), window=30, minimum=10)

    assert no_sessions.beta.shape == (0, 4, 2)
    assert no_symbols.beta.shape == (9, 0, 2)


@pytest.mark.parametrize("rows", [range(0, 50, 2), range(-1, 5), range(40, 51)])
def test_rows_must_be_consecutive_rows_of_the_panel(rows):
    returns, factors = panel(12)

    with pytest.raises(ValueError, match="not consecutive rows of a panel of 50"):
        fit_factors(returns, factors, rows=rows, window=30, minimum=10)


@pytest.mark.parametrize(("sessions", "window"), [(49, 30), (50, 0)])
def test_factors_cover_the_panel_and_a_window_has_sessions(sessions, window):
    returns, factors = panel(13)

    with pytest.raises(ValueError, match="50 rows of returns"):
        fit_factors(returns, factors[:sessions], rows=range(9), window=window, minimum=10)


@given(seeds, leverages)
def test_leverage_scales_ridge_betas(seed, leverage):
    returns, factors = panel(seed, missing=0.1)

    levered = last(leverage * returns, factors, alpha=25.0)

    plain = last(returns, factors, alpha=25.0)
    assert_allclose(levered.beta, leverage * plain.beta, rtol=1e-9, atol=1e-12)
    assert_allclose(levered.residual_sd, abs(leverage) * plain.residual_sd, rtol=1e-9)
    assert_allclose(levered.r2, plain.r2, rtol=1e-9, atol=1e-12)


@given(seeds)
def test_a_larger_penalty_leaves_smaller_betas_and_explains_less(seed):
    returns, factors = panel(seed)
    scale = factors.std(axis=0)

    weak, strong = (last(returns, factors, window=50, alpha=alpha) for alpha in (5.0, 50.0))

    length = [np.square(fits.beta * scale).sum(axis=2) for fits in (weak, strong)]
    assert (length[1] <= length[0] * (1 + 1e-9)).all()
    assert (strong.r2 <= weak.r2 + 1e-12).all()


@pytest.mark.parametrize("sessions", [1, 20])
def test_ridge_shares_a_beta_among_factors_that_determine_one_another(sessions):
    returns, factors = panel(14, missing=0.01)
    rows = range(50 - sessions, 50)

    fits = fit_factors(returns, factors[:, [0, 0]], rows=rows, window=30, minimum=10, alpha=25.0)

    assert not fits.nulls.any()
    assert_allclose(fits.beta[..., 0], fits.beta[..., 1], rtol=1e-9)


def test_a_constant_factor_has_no_variation_for_ridge_either():
    returns, factors = panel(15)
    factors[:, 1] = 0.001

    fits = last(returns, factors, alpha=25.0)

    assert reasons(fits) == [NullReason.NO_FACTOR_VARIATION] * 4
