"""Sums and variances over every window."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from riskmark.calc.rolling import window_sums, window_variances

rows = arrays(np.float64, (2, 30), elements=st.floats(-1e6, 1e6, allow_subnormal=False))


@given(rows, st.integers(1, 30))
def test_a_sum_is_that_of_its_window(values, n):
    found = window_sums(values, n)

    expected = [
        [math.fsum(row[start : start + n]) for start in range(31 - n)] for row in values.tolist()
    ]
    assert_allclose(found, expected, rtol=1e-12, atol=1e-8)


@given(rows, st.integers(2, 30))
def test_a_variance_is_that_of_its_window(values, n):
    found = window_variances(values, n)

    expected = [
        [statistics.variance(row[start : start + n]) for start in range(31 - n)]
        for row in values.tolist()
    ]
    assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.01, -1 / 3, 1e7])
def test_what_is_constant_has_a_variance_of_exactly_nothing(value):
    found = window_variances(np.full((1, 60), value), 21)

    assert not found.any()


def test_a_crash_leaves_nothing_behind_when_it_leaves_the_window():
    rng = np.random.default_rng(1)
    values = rng.normal(0, 0.01, (1, 80))
    crashed = values.copy()
    crashed[0, 10] = 1e9

    sums, variances = window_sums(crashed, 22), window_variances(crashed, 21)

    assert_allclose(sums[:, 11:], window_sums(values, 22)[:, 11:], rtol=1e-12, atol=1e-15)
    assert_allclose(variances[:, 11:], window_variances(values, 21)[:, 11:], rtol=1e-12)


def test_what_is_not_observed_is_missing_in_its_windows_only():
    values = np.arange(12.0)[None]
    values[0, 3] = np.nan

    sums, variances = window_sums(values, 4), window_variances(values, 4)

    assert list(np.isnan(sums[0])) == [True] * 4 + [False] * 5
    assert list(np.isnan(variances[0])) == [True] * 4 + [False] * 5
