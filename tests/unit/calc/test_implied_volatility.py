"""Implied volatility inverts the price, and says why where it cannot."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from riskmark.calc.arrays import reason_of
from riskmark.calc.black_scholes import Pricing, option_greeks, option_price
from riskmark.calc.implied_volatility import implied_volatility
from riskmark.domain.reasons import NullReason


def one(spot, strike, years, volatility=0.2, *, rate=0.03, dividend_yield=0.01, is_call=True):
    found = (np.array([value]) for value in (is_call, spot, strike, years, volatility))
    return Pricing(*found, rate, dividend_yield)


def implied(price, terms):
    found = implied_volatility(np.array([price]), terms)
    return found.values[0], reason_of(int(found.nulls[0]))


@given(
    st.floats(0.5, 3_000),
    st.floats(0.5, 2),
    st.floats(0.01, 5),
    st.floats(0.0101, 4.99),
    st.booleans(),
)
def test_what_a_price_implies_gives_the_price(spot, ratio, years, volatility, is_call):
    terms = one(spot, spot * ratio, years, volatility, is_call=is_call)
    # Where the price does not depend on the volatility, it cannot imply one.
    assume(option_greeks(terms).vega[0] > 1e-7 * spot)
    price = option_price(terms)[0]

    found, reason = implied(price, terms)

    assert reason is None
    again = option_price(terms._replace(volatility=np.array([found])))[0]
    assert again == pytest.approx(price, abs=1e-10 * spot)
    assert found == pytest.approx(volatility, rel=1e-5)


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("volatility", [0.005, 5.5, 12.0])
def test_a_volatility_beyond_belief_is_not_given(volatility, is_call):
    terms = one(100.0, 100.0, 0.5, volatility, is_call=is_call)

    assert implied(option_price(terms)[0], terms) == (
        pytest.approx(np.nan, nan_ok=True),
        "out_of_range",
    )


def test_a_price_beyond_any_volatility_is_out_of_range():
    assert implied(100.0, one(100.0, 90.0, 0.5))[1] is NullReason.OUT_OF_RANGE
    assert implied(250.0, one(100.0, 90.0, 0.5, is_call=False))[1] is NullReason.OUT_OF_RANGE


@pytest.mark.parametrize("price", [0.0, 9.5, 10.0, 20.0])
def test_a_price_not_above_the_intrinsic_value_implies_nothing(price):
    terms = one(120.0, 100.0, 0.5, rate=0.0, dividend_yield=0.0)

    assert implied(price, terms)[1] is NullReason.BELOW_INTRINSIC


def test_an_option_of_today_and_one_of_yesterday_imply_nothing():
    assert implied(3.0, one(100.0, 100.0, 0.0))[1] is NullReason.EXPIRED
    assert implied(3.0, one(100.0, 100.0, -0.1))[1] is NullReason.EXPIRED


def test_without_a_price_of_the_option_or_of_its_underlying_nothing_is_implied():
    assert implied(np.nan, one(100.0, 100.0, 0.5))[1] is NullReason.NEVER_PRICED
    assert implied(3.0, one(np.nan, 100.0, 0.5))[1] is NullReason.NEVER_PRICED
    assert implied(3.0, one(0.0, 100.0, 0.5))[1] is NullReason.NEVER_PRICED


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("moneyness", [0.4, 2.5])
def test_deep_options_imply_their_volatility_to_many_digits(moneyness, is_call):
    terms = one(100.0, 100.0 * moneyness, 1.0, 0.35, is_call=is_call)

    found, _ = implied(option_price(terms)[0], terms)

    assert found == pytest.approx(0.35, rel=1e-8)
