"""Option prices: the value of a textbook, and what must hold of all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from riskmark.calc.black_scholes import Pricing, option_greeks, option_price

prices = st.floats(0.01, 5_000)
rates = st.floats(-0.05, 0.2)


def one(spot, strike, years, volatility, *, rate=0.0, dividend_yield=0.0, is_call=True):
    found = (np.array([value]) for value in (is_call, spot, strike, years, volatility))
    return Pricing(*found, rate, dividend_yield)


def test_the_call_of_haug_costs_what_he_says():
    terms = one(60.0, 65.0, 0.25, 0.30, rate=0.08)

    assert round(option_price(terms)[0], 4) == 2.1334


@given(prices, st.floats(0.05, 20), st.floats(0, 10), st.floats(0, 5), st.tuples(rates, rates))
def test_a_call_less_a_put_is_a_forward(spot, ratio, years, volatility, carry):
    rate, dividend_yield = carry
    call = one(spot, spot * ratio, years, volatility, rate=rate, dividend_yield=dividend_yield)
    put = call._replace(is_call=~call.is_call)

    difference = option_price(call) - option_price(put)

    forward = spot * np.exp(-dividend_yield * years) - spot * ratio * np.exp(-rate * years)
    assert_allclose(difference, forward, atol=1e-9 * spot * (1 + ratio))
    assert_allclose(
        option_greeks(call).delta - option_greeks(put).delta,
        np.exp(-dividend_yield * years),
        atol=1e-12 * np.exp(0.5),
    )


@given(prices, st.floats(0.3, 3), st.floats(0.02, 3), st.floats(0.05, 2), st.booleans())
def test_greeks_are_what_small_moves_of_the_price_say(spot, ratio, years, volatility, is_call):
    rate = 0.04
    terms = one(spot, spot * ratio, years, volatility, rate=rate, is_call=is_call)

    greeks = option_greeks(terms)

    def moved(**changes):
        return option_price(terms._replace(**changes))[0]

    h = 1e-4
    up, down = moved(spot=terms.spot * (1 + h)), moved(spot=terms.spot * (1 - h))
    assert greeks.delta[0] == pytest.approx((up - down) / (2 * h * spot), abs=1e-5)
    sooner = moved(years=terms.years - h / 10) - moved(years=terms.years + h / 10)
    assert greeks.theta[0] * 365 == pytest.approx(sooner / (2 * h / 10), rel=1e-3, abs=1e-3 * spot)
    richer = moved(rate=rate + h) - moved(rate=rate - h)
    assert greeks.rho[0] * 100 == pytest.approx(richer / (2 * h), rel=1e-4, abs=1e-5 * spot)
    wilder = moved(volatility=terms.volatility + h) - moved(volatility=terms.volatility - h)
    assert greeks.vega[0] * 100 == pytest.approx(wilder / (2 * h), rel=1e-4, abs=1e-5 * spot)


@given(prices, st.floats(0.05, 20), st.floats(0, 3), st.floats(0, 5), st.floats(1.1, 20))
def test_a_split_takes_nothing_from_anybody(spot, ratio, years, volatility, split):
    before = one(spot, spot * ratio, years, volatility)
    after = before._replace(spot=before.spot / split, strike=before.strike / split)

    assert_allclose(option_price(after) * split, option_price(before), atol=1e-9 * spot)


def test_an_underlying_that_is_worth_nothing_leaves_a_put_its_strike():
    call = one(0.0, 50.0, 1.0, 0.2, rate=0.05)
    put = call._replace(is_call=~call.is_call)

    assert option_price(call)[0] == 0
    assert option_price(put)[0] == pytest.approx(50 * np.exp(-0.05))
    assert option_greeks(put).delta[0] == -1
    assert option_greeks(put).gamma[0] == 0
