"""Portfolio exposures: sums, coverage, and the reason of every null."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from riskmark.calc.arrays import CODE_OF, Measure, reason_of
from riskmark.calc.exposures import (
    Books,
    factor_exposures,
    model_exposures,
    nav_nulls,
    over_nav,
)
from riskmark.calc.holdings_returns import holdings_returns
from riskmark.calc.model_fits import ModelFits
from riskmark.calc.regression import fit_factors
from riskmark.domain.reasons import NullReason

seeds = st.integers(0, 2**32 - 1)
SESSIONS, INSTRUMENTS, FACTORS, WINDOW = 40, 4, 2, 30
ROWS = range(36, 40)


def fitted(seed, *, new_listings=0):
    """Fit a panel; the last columns may lack observations."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(0, 0.01, (SESSIONS, FACTORS))
    returns = factors @ rng.normal(1, 1, (FACTORS, INSTRUMENTS))
    returns += rng.normal(0, 0.02, returns.shape)
    returns[:-5, INSTRUMENTS - new_listings :] = np.nan
    fits = fit_factors(returns, factors, rows=ROWS, window=WINDOW, minimum=10)
    return returns, factors, fits


def books(nav, gross, *, held=True, holdings_mode=False):
    """Make books that are all alike but for their NAV and gross."""
    nav, gross = np.broadcast_arrays(np.atleast_1d(nav), np.atleast_1d(gross))
    return Books(
        nav.astype(float),
        gross.astype(float),
        np.full(len(nav), held),
        np.full(len(nav), holdings_mode),
    )


def expose(amounts, fits, book):
    """Compute the exposures of cells on the last session."""
    exposure = csr_array(np.atleast_2d(np.asarray(amounts, float)))
    fit_row = np.full(exposure.shape[0], len(ROWS) - 1)
    return factor_exposures(exposure, fits, fit_row=fit_row, books=book)


def only_reason(measure):
    """Return the reason that every number of ``measure`` has; None if all are numbers."""
    (code,) = set(measure.nulls.ravel().tolist())
    assert np.isnan(measure.values).all() == (code != 0)
    return reason_of(code)


@given(seeds)
def test_exposures_are_sums_over_instruments_that_have_a_fit(seed):
    _, _, fits = fitted(seed, new_listings=1)
    rng = np.random.default_rng(seed)
    amounts, fit_row = rng.normal(0, 1000, (6, INSTRUMENTS)), rng.integers(0, len(ROWS), 6)
    gross = np.abs(amounts).sum(axis=1) + 50
    book = books(gross / 2, gross)

    found = factor_exposures(csr_array(amounts), fits, fit_row=fit_row, books=book)

    for cell, row in enumerate(fit_row):
        money = sum(amounts[cell, i] * fits.beta[row, i] for i in range(INSTRUMENTS - 1))
        assert_allclose(found.money.values[cell], money, rtol=1e-9, atol=1e-9)
        assert_allclose(found.fraction.values[cell], money / book.nav[cell], rtol=1e-9)
        covered = np.abs(amounts[cell, :-1]).sum() / gross[cell]
        assert_allclose(found.coverage.values[cell], covered)


@given(seeds)
def test_a_portfolios_beta_is_that_of_its_x(seed):
    returns, factors, _ = fitted(seed)
    market, rows = factors[:, :1], range(39, 40)
    fits = fit_factors(returns, market, rows=rows, window=WINDOW, minimum=10)
    amounts = np.random.default_rng(seed).normal(0, 1000, (1, INSTRUMENTS))
    weights, cell_row = csr_array(amounts), np.array([39])
    x = holdings_returns(returns, market[:, 0], fits, weights, cell_row, rows=rows, window=WINDOW).x

    exposures = factor_exposures(
        weights, fits, fit_row=np.array([0]), books=books(1, np.abs(amounts).sum())
    )

    own = fit_factors(x[:, -SESSIONS:].T.copy(), market, rows=rows, window=WINDOW, minimum=10)
    assert_allclose(exposures.money.values[0], own.beta[0, 0], rtol=1e-9, atol=1e-9)


@given(seeds, st.floats(0.1, 10))
def test_leverage_scales_exposures_and_leaves_coverage(seed, leverage):
    _, _, fits = fitted(seed, new_listings=1)
    amounts = np.random.default_rng(seed).normal(0, 1000, (3, INSTRUMENTS))
    gross = np.abs(amounts).sum(axis=1)

    levered = expose(leverage * amounts, fits, books(100, leverage * gross))

    plain = expose(amounts, fits, books(100, gross))
    assert_allclose(levered.fraction.values, leverage * plain.fraction.values, rtol=1e-9)
    assert_allclose(levered.coverage.values, plain.coverage.values, rtol=1e-9)


def test_a_book_that_holds_nothing_but_cash_is_not_exposed():
    _, _, fits = fitted(1)

    found = expose([0, 0, 0, 0], fits, books(100, 0, held=False))

    assert not found.money.values.any()
    assert not found.fraction.values.any()
    assert only_reason(found.fraction) is None
    assert only_reason(found.coverage) is NullReason.NO_HOLDINGS


def test_nothing_held_in_holdings_mode_has_no_exposures():
    _, _, fits = fitted(1)

    found = expose([0, 0, 0, 0], fits, books(0, 0, held=False, holdings_mode=True))

    assert {only_reason(measure) for measure in found} == {NullReason.NO_HOLDINGS}


def test_holdings_that_are_all_excluded_have_no_exposures_and_no_coverage():
    _, _, fits = fitted(1)

    found = expose([0, 0, 0, 0], fits, books(100, 50))

    assert only_reason(found.money) is NullReason.ALL_EXCLUDED
    assert only_reason(found.fraction) is NullReason.ALL_EXCLUDED
    assert found.coverage.values == 0


def test_positions_without_value_have_no_coverage():
    _, _, fits = fitted(1)

    found = expose([0, 0, 0, 0], fits, books(100, 0))

    assert only_reason(found.coverage) is NullReason.UNDEFINED_DENOMINATOR


def test_without_a_fit_the_most_frequent_reason_of_the_fits_is_given():
    _, _, fits = fitted(1, new_listings=3)
    fits.nulls[-1, 1] = CODE_OF[NullReason.COLLINEAR_FACTORS]

    found = expose([0, 10, 10, -10], fits, books(100, 50))

    assert only_reason(found.money) is NullReason.TOO_FEW_OBSERVATIONS
    assert only_reason(found.fraction) is NullReason.TOO_FEW_OBSERVATIONS
    assert found.coverage.values == 0


@pytest.mark.parametrize(
    ("nav", "holdings_mode", "reason"),
    [
        (-1, False, NullReason.NAV_NOT_POSITIVE),
        (0, False, NullReason.NAV_NOT_POSITIVE),
        (0, True, NullReason.NAV_NOT_POSITIVE),
        (9.9, True, NullReason.NAV_TOO_SMALL),
        (10, True, None),
        (9.9, False, None),
    ],
)
def test_what_is_divided_by_nav_needs_a_nav(nav, holdings_mode, reason):
    _, _, fits = fitted(1)
    book = books(nav, 100, holdings_mode=holdings_mode)

    found = expose([60, 0, -40, 0], fits, book)

    assert only_reason(found.fraction) is reason
    assert only_reason(found.money) is None
    assert_allclose(found.coverage.values, 1)
    assert reason_of(int(nav_nulls(book)[0])) is reason


def test_the_reason_of_nav_comes_before_that_of_a_number():
    few = CODE_OF[NullReason.TOO_FEW_OBSERVATIONS]
    money = Measure(np.array([6.0, np.nan, np.nan]), np.array([0, few, few], np.int8))

    found = over_nav(money, books([3, 3, -3], 10))

    assert_array_equal(found.values, [2, np.nan, np.nan])
    assert list(found.nulls) == [0, few, CODE_OF[NullReason.NAV_NOT_POSITIVE]]


def of_model(amounts, parts, book):
    exposure = csr_array(np.asarray(amounts, float))
    fit_row = np.full(exposure.shape[0], len(ROWS) - 1)
    return model_exposures(exposure, ModelFits(None, parts), fit_row=fit_row, books=book)


def test_a_joint_model_covers_all_its_factors_alike():
    _, _, fits = fitted(20, new_listings=1)
    amounts = [[1, 2, 3, 4], [0, 0, 0, 5]]
    book = books([10, 10], [10, 5])

    found = of_model(amounts, (fits,), book)

    plain = expose(amounts, fits, book)
    assert_array_equal(found.money.values, plain.money.values)
    assert_array_equal(found.fraction.nulls, plain.fraction.nulls)
    assert_array_equal(found.coverage.values, np.repeat([[0.6], [0]], FACTORS, axis=1))


def test_each_factor_that_is_taken_alone_has_its_own_coverage_and_reason():
    returns, factors, _ = fitted(21)
    parts = []
    for column, known in ((0, slice(None)), (1, slice(38, None))):
        factor = np.full((SESSIONS, 1), np.nan)
        factor[known, 0] = factors[known, column]
        part = fit_factors(returns, factor, rows=ROWS, window=WINDOW, minimum=10)
        parts.append(part)
    parts[0].nulls[:, 3] = CODE_OF[NullReason.TOO_FEW_OBSERVATIONS]

    found = of_model([[1, 2, 3, 4]], tuple(parts), books(10, 10))

    assert_allclose(found.money.values[0, 0], parts[0].beta[-1, :3, 0] @ [1, 2, 3])
    assert_allclose(found.coverage.values, [[0.6, 0]])
    assert reason_of(int(found.money.nulls[0, 1])) is NullReason.TOO_FEW_OBSERVATIONS
    assert not found.money.nulls[0, 0]
