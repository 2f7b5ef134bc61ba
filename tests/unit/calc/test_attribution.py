"""P&L by factor: whatever is known or not, the parts of a session are its P&L."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from riskmark.calc.arrays import CODE_OF, Measure, measure
from riskmark.calc.attribution import NOTHING_HELD, attribute_to_factors
from riskmark.domain.reasons import NullReason
from riskmark.errors import ShapeError

seeds = st.integers(0, 2**32 - 1)
ALL_EXCLUDED = CODE_OF[NullReason.ALL_EXCLUDED]
NO_FACTOR_DATA = CODE_OF[NullReason.NO_FACTOR_DATA]
FIRST_SESSION = CODE_OF[NullReason.FIRST_SESSION]


def some_measure(rng, shape, codes, *, scale, holes):
    """Return numbers of which a share of ``holes`` is null, for one of ``codes``."""
    nulls = np.where(rng.random(shape) < holes, rng.choice(codes, shape), 0).astype(np.int8)
    return Measure(np.where(nulls == 0, rng.normal(0, scale, shape), np.nan), nulls)


def attribute(pnl, kept, exposures, returns, *, excluded=None, beyond_delta=None):
    """Attribute sessions that are written as plain lists; None is NaN."""
    return attribute_to_factors(
        np.array(pnl, float),
        kept,
        excluded=np.zeros(len(pnl)) if excluded is None else np.array(excluded, float),
        beyond_delta=np.zeros(len(pnl)) if beyond_delta is None else np.array(beyond_delta, float),
        exposures=measure(np.array(exposures, float)),
        factor_returns=np.array(returns, float),
    )


@given(seeds, st.integers(1, 30), st.integers(0, 6), st.sampled_from([0, 0.2, 1]), st.floats(-3, 9))
def test_the_parts_of_every_session_sum_to_its_pnl(seed, sessions, factors, holes, digits):
    rng = np.random.default_rng(seed)
    shape, scale = (sessions, factors), 10**digits
    pnl = rng.normal(0, scale, sessions)
    kept = some_measure(rng, sessions, [*NOTHING_HELD, ALL_EXCLUDED], scale=scale, holes=holes)
    exposures = some_measure(rng, shape, [ALL_EXCLUDED], scale=30 * scale, holes=holes / 3)
    exposures.values[rng.random(shape) < holes / 3] *= 0.0
    returns = rng.normal(0, 0.02, shape)
    returns[rng.random(shape) < holes / 3] = np.nan

    excluded, curved = rng.normal(0, scale, (2, sessions))

    found = attribute_to_factors(
        pnl,
        kept,
        excluded=excluded,
        beyond_delta=curved,
        exposures=exposures,
        factor_returns=returns,
    )

    total = found.factors.sum(axis=1) + found.specific + found.trading + found.unexplained
    total += found.excluded + found.beyond_delta
    sizes = (
        np.abs(pnl)
        + np.abs(excluded)
        + np.abs(curved)
        + np.abs(found.factors).sum(axis=1)
        + np.nan_to_num(np.abs(kept.values))
    )
    assert np.all(np.abs(total - pnl) <= 1e-12 * sizes)
    assert_array_equal(found.unexplained, np.where(found.explained, 0.0, pnl))
    assert np.isfinite(found.factors).all()


def test_a_factor_earns_its_exposure_times_its_return():
    kept = measure(np.array([700.0]))

    found = attribute([650], kept, [[100_000, -20_000]], [[0.01, 0.02]])

    assert_allclose(found.factors, [[1_000.0, -400.0]])
    assert_allclose(found.specific, [100.0])
    assert_allclose(found.trading, [-50.0])
    assert_array_equal(found.unexplained, [0.0])


def test_what_risk_is_not_computed_from_is_no_trading():
    found = attribute([650], measure(np.array([700.0])), [[0]], [[0.01]], excluded=[-60])

    assert_array_equal(found.excluded, [-60.0])
    assert_allclose(found.trading, [10.0])


def test_what_options_make_beyond_their_delta_is_no_trading():
    found = attribute([650], measure(np.array([700.0])), [[0]], [[0.01]], beyond_delta=[-60])

    assert_array_equal(found.beyond_delta, [-60.0])
    assert_allclose(found.trading, [10.0])


@pytest.mark.parametrize("code", NOTHING_HELD)
def test_where_nothing_was_held_before_all_pnl_is_trading(code):
    kept = Measure(np.array([np.nan]), np.array([code], np.int8))
    exposures = Measure(np.array([[np.nan]]), np.array([[code]], np.int8))

    found = attribute_to_factors(
        np.array([12.5]),
        kept,
        excluded=np.array([3.0]),
        beyond_delta=np.array([2.0]),
        exposures=exposures,
        factor_returns=np.array([[np.nan]]),
    )

    assert_array_equal(found.trading, [12.5])
    assert_array_equal(found.explained, [True])


def test_a_session_with_a_null_exposure_is_unexplained_for_its_reason():
    exposures = Measure(np.array([[5.0, np.nan]]), np.array([[0, ALL_EXCLUDED]], np.int8))

    found = attribute_to_factors(
        np.array([12.5]),
        measure(np.array([12.0])),
        excluded=np.array([3.0]),
        beyond_delta=np.array([2.0]),
        exposures=exposures,
        factor_returns=np.array([[0.1, 0.1]]),
    )

    assert_array_equal(found.nulls, [ALL_EXCLUDED])
    assert_array_equal(found.unexplained, [12.5])
    assert_array_equal(found.factors, [[0.0, 0.0]])


def test_a_return_that_was_not_observed_matters_only_where_there_is_exposure():
    kept = measure(np.array([1.0, 1.0]))

    found = attribute([2, 2], kept, [[0, 10], [5, 10]], [[np.nan, 0.1], [np.nan, 0.1]])

    assert_array_equal(found.nulls, [0, NO_FACTOR_DATA])
    assert_array_equal(found.unexplained, [0.0, 2.0])


def test_a_pnl_that_cannot_be_held_against_the_holdings_is_unexplained():
    kept = Measure(np.array([np.nan]), np.array([ALL_EXCLUDED], np.int8))

    found = attribute([3], kept, [[0]], [[0.1]])

    assert_array_equal(found.nulls, [ALL_EXCLUDED])
    assert_array_equal(found.unexplained, [3.0])


def test_inputs_of_different_sessions_are_refused():
    with pytest.raises(ShapeError, match="exposures and returns"):
        attribute([1, 2], measure(np.zeros(2)), [[1.0]], [[1.0]])
    with pytest.raises(ShapeError, match="hypothetical, excluded"):
        attribute([1], measure(np.zeros(2)), [[1.0]], [[1.0]])
