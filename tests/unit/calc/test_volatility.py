"""Trailing volatility of x."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from riskmark.calc.arrays import reason_of
from riskmark.calc.volatility import trailing_volatility
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
