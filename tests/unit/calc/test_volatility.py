"""Trailing volatility of x."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from riskmark.calc.arrays import reason_of
from riskmark.calc.volatility import (
    trailing_volatility,
    volatility_percentile,
    volatility_trend,
)
from riskmark.domain.reasons import NullReason

series = arrays(np.float64, (3, 12), elements=st.floats(-1, 10, allow_subnormal=False))


@given(series, st.integers(2, 12))
def test_volatility_is_the_annual_standard_deviation_of_the_last_values(x, n):
    found = trailing_volatility(x, n)

    expected = [252**0.5 * statistics.stdev(row[-n:].tolist()) for row in x]
    assert_allclose(found.values, expected, rtol=1e-9, atol=1e-12)
    assert not found.nulls.any()


@given(series, st.floats(-3, 3))
def test_leverage_scales_volatility(x, leverage):
    levered = trailing_volatility(leverage * x, 5).values

    assert_allclose(levered, abs(leverage) * trailing_volatility(x, 5).values, atol=1e-12)


def test_all_the_values_are_needed():
    x = np.array([[np.nan, 0.01, 0.02, 0.03], [0.01, 0.02, 0.01, 0.02]])

    three, four, five = (trailing_volatility(x, n) for n in (3, 4, 5))

    few = NullReason.TOO_FEW_OBSERVATIONS
    assert [reason_of(int(code)) for code in three.nulls] == [None, None]
    assert [reason_of(int(code)) for code in four.nulls] == [few, None]
    assert [reason_of(int(code)) for code in five.nulls] == [few, few]
    assert_array_equal(np.isnan(four.values), [True, False])


def test_nothing_that_moves_has_no_volatility():
    found = trailing_volatility(np.zeros((2, 30)), 21)

    assert list(found.values) == [0.0, 0.0]
    assert not found.nulls.any()


def test_one_value_has_no_standard_deviation():
    with pytest.raises(ValueError, match="needs 2 values"):
        trailing_volatility(np.zeros((2, 30)), 1)


walks = st.integers(0, 2**32 - 1)


def course_of(row):
    """Return the volatilities of 21 values each, oldest first."""
    stops = range(21, len(row) + 1)
    return [252**0.5 * statistics.stdev(row[stop - 21 : stop]) for stop in stops]


@given(walks)
def test_the_trend_is_that_of_a_line_through_the_last_month_of_volatilities(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.01, (3, 45)) * np.exp(rng.normal(0, 0.04, (3, 1)) * np.arange(45))

    found = volatility_trend(x)

    for cell, row in enumerate(x.tolist()):
        course = course_of(row)[-21:]
        line = statistics.linear_regression(range(21), course)
        fit = statistics.correlation(range(21), course) ** 2
        moves = abs(line.slope * 21) > 0.1 * statistics.mean(course) and fit > 0.3
        assert found.values[cell] == (np.sign(line.slope) if moves else 0)


@given(walks, st.floats(1e-3, 1e9))
def test_the_percentile_counts_the_volatilities_up_to_the_last(seed, scale):
    x = np.random.default_rng(seed).normal(0, scale, (1, 280))

    found = volatility_percentile(x)

    course = course_of(x[0].tolist())[-252:]
    assert_allclose(found.values, sum(one <= course[-1] for one in course) / 252)


def test_volatility_that_grows_rises_and_that_shrinks_falls():
    swings = 0.01 * (-1.0) ** np.arange(60) * np.exp(0.05 * np.arange(60))
    x = np.stack([swings, swings[::-1], np.abs(swings[30]) * (-1.0) ** np.arange(60)])

    found = volatility_trend(x)

    assert list(found.values) == [1, -1, 0]


def test_a_trend_needs_41_values_and_a_percentile_272():
    x = np.random.default_rng(1).normal(0, 0.01, (1, 300))

    trends = [volatility_trend(x[:, -n:]) for n in (5, 40, 41)]
    percentiles = [volatility_percentile(x[:, -n:]) for n in (5, 271, 272)]

    few = NullReason.TOO_FEW_OBSERVATIONS
    for one in (trends, percentiles):
        assert [reason_of(int(found.nulls[0])) for found in one] == [few, few, None]
    x[0, :28] = np.nan
    assert np.isfinite(volatility_percentile(x).values)
    x[0, 28] = np.nan
    assert np.isnan(volatility_percentile(x).values)


def test_what_never_moves_is_flat_and_as_high_as_ever():
    x = np.zeros((1, 300))

    assert volatility_trend(x).values == 0
    assert volatility_percentile(x).values == 1
