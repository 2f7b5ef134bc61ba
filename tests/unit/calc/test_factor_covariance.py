"""Factor covariances against NumPy on the complete rows of each window."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from riskmark.calc.arrays import CODE_OF
from riskmark.calc.factor_covariance import factor_covariances
from riskmark.domain.reasons import NullReason

seeds = st.integers(0, 2**32 - 1)


def panel(seed, *, sessions=90, missing=0.05):
    rng = np.random.default_rng(seed)
    factors = rng.normal(0.001, 0.01, (sessions, 3)) @ rng.normal(0, 1, (3, 3))
    factors[rng.random(factors.shape) < missing] = np.nan
    return factors


@given(seeds, st.sampled_from([1, 5, 30]))
def test_a_covariance_is_that_of_the_complete_rows(seed, sessions):
    factors = panel(seed)
    rows = range(90 - sessions, 90)

    found = factor_covariances(factors, rows=rows, window=50, minimum=30)

    for place, row in enumerate(rows):
        window = factors[max(0, row - 49) : row + 1]
        whole = window[np.isfinite(window).all(axis=1)]
        assert found.n[place] == len(whole)
        assert (found.nulls[place] == 0) == (len(whole) >= 30)
        if len(whole) >= 30:
            expected = np.cov(whole, rowvar=False)
            assert_allclose(found.matrix[place], expected, rtol=1e-9, atol=1e-17)


def test_a_factor_that_does_not_move_has_covariances_of_zero():
    factors = panel(1, missing=0)
    factors[:, 1] = 0.0003

    found = factor_covariances(factors, rows=range(85, 90), window=60)

    assert not found.nulls.any()
    assert not found.matrix[:, 1].any()
    assert not found.matrix[:, :, 1].any()
    assert (found.matrix[:, 0, 0] > 0).all()


@pytest.mark.parametrize("sessions", [1, 20])
def test_without_rows_enough_there_is_a_reason(sessions):
    factors = panel(2, missing=0)
    factors[:70] = np.nan
    rows = range(90 - sessions, 90)

    few = factor_covariances(factors, rows=rows, window=50)
    none = factor_covariances(np.full_like(factors, np.nan), rows=rows, window=50)

    assert few.n[-1] == 20
    assert few.nulls[-1] == CODE_OF[NullReason.TOO_FEW_OBSERVATIONS]
    assert_array_equal(none.nulls, CODE_OF[NullReason.NO_FACTOR_DATA])
    assert np.isnan(few.matrix).all()
    assert np.isnan(none.matrix).all()


def test_no_sessions_have_no_covariances():
    assert factor_covariances(panel(3), rows=range(5, 5), window=50).matrix.shape == (0, 3, 3)
