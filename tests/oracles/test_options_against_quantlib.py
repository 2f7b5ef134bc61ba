"""Prices, greeks and implied volatilities of 10,000 European options against QuantLib."""

from math import sqrt

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - its own documentation calls it ql
from numpy.testing import assert_allclose

from riskmark.calc.black_scholes import (
    Pricing,
    intrinsic_value,
    option_greeks,
    option_price,
)
from riskmark.calc.implied_volatility import implied_volatility

SIZE = 10_000
RATE, YIELD = 0.043, 0.017


def grid():
    """Spread all that matters: a day to five years, 2 to 400 %, deep in and out of the money."""
    moneyness = np.geomspace(0.3, 3.0, 10)
    days = np.array([1, 3, 7, 30, 63, 91, 182, 365, 730, 1825])
    volatility = np.geomspace(0.02, 4.0, 25)
    strike = np.array([5.0, 65.0])
    right = np.array([True, False])
    parts = np.meshgrid(moneyness, days, volatility, strike, right, indexing="ij")
    moneyness, days, volatility, strike, is_call = (one.ravel() for one in parts)
    found = Pricing(
        is_call=is_call.astype(bool),
        spot=strike * moneyness,
        strike=strike,
        years=days / 365,
        volatility=volatility,
        rate=RATE,
        dividend_yield=YIELD,
    )
    assert found.spot.size == SIZE
    return found


def calculator(terms, place):
    right = ql.Option.Call if terms.is_call[place] else ql.Option.Put
    payoff = ql.PlainVanillaPayoff(right, float(terms.strike[place]))
    years = float(terms.years[place])
    growth = np.exp((terms.rate - terms.dividend_yield) * years)
    deviation = float(terms.volatility[place]) * sqrt(years)
    forward = float(terms.spot[place] * growth)
    return ql.BlackCalculator(payoff, forward, deviation, float(np.exp(-terms.rate * years)))


def test_prices_and_greeks_are_those_of_quantlib():
    terms = grid()
    expected = []
    for place in range(SIZE):
        one = calculator(terms, place)
        spot, years = float(terms.spot[place]), float(terms.years[place])
        expected.append(
            (
                one.value(),
                one.delta(spot),
                one.gamma(spot),
                one.vega(years) / 100,
                one.theta(spot, years) / 365,
                one.rho(years) / 100,
            )
        )

    found = np.column_stack([option_price(terms), *option_greeks(terms)])

    assert_allclose(found, np.array(expected), rtol=0, atol=1e-10)


def test_a_price_implies_the_volatility_that_it_was_made_with():
    terms = grid()
    time_value = option_price(terms) - np.maximum(
        np.where(terms.is_call, 1, -1)
        * (terms.spot * np.exp(-YIELD * terms.years) - terms.strike * np.exp(-RATE * terms.years)),
        0,
    )
    # Where a price hardly depends on the volatility, none can be read off it.
    telling = (time_value > 1e-6) & (option_greeks(terms).vega > 1e-6)
    some = Pricing(
        *(one[telling] for one in terms[:5]), rate=terms.rate, dividend_yield=terms.dividend_yield
    )

    found = implied_volatility(option_price(some), some)

    assert telling.sum() > 0.4 * SIZE
    assert not found.nulls.any()
    assert_allclose(found.values, some.volatility, rtol=1e-6)


def test_a_process_on_dates_gives_the_same_as_actual_days_over_365():
    today, expiry = ql.Date(19, 1, 2024), ql.Date(21, 6, 2024)
    ql.Settings.instance().evaluationDate = today
    days = ql.Actual365Fixed()
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(101.5)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, YIELD, days)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, RATE, days)),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), 0.31, days)),
    )
    option = ql.VanillaOption(
        ql.PlainVanillaPayoff(ql.Option.Put, 98.0), ql.EuropeanExercise(expiry)
    )
    option.setPricingEngine(ql.AnalyticEuropeanEngine(process))
    terms = Pricing(
        np.array([False]),
        np.array([101.5]),
        np.array([98.0]),
        np.array([(expiry - today) / 365]),
        np.array([0.31]),
        RATE,
        YIELD,
    )

    greeks = option_greeks(terms)

    assert option_price(terms)[0] == pytest.approx(option.NPV(), abs=1e-10)
    assert greeks.delta[0] == pytest.approx(option.delta(), abs=1e-10)
    assert greeks.gamma[0] == pytest.approx(option.gamma(), abs=1e-10)
    assert greeks.vega[0] == pytest.approx(option.vega() / 100, abs=1e-10)
    assert greeks.theta[0] == pytest.approx(option.thetaPerDay(), abs=1e-10)
    assert greeks.rho[0] == pytest.approx(option.rho() / 100, abs=1e-10)


def test_at_expiry_a_price_is_the_intrinsic_value():
    spot = np.array([90.0, 100.0, 110.0])
    is_call = np.array([True, True, True])
    terms = Pricing(is_call, spot, np.full(3, 100.0), np.zeros(3), np.full(3, 0.2), RATE, YIELD)

    greeks = option_greeks(terms)

    assert_allclose(option_price(terms), intrinsic_value(is_call, spot, terms.strike))
    assert_allclose(greeks.delta, [0.0, 0.5, 1.0])
    assert not np.any([greeks.gamma, greeks.vega, greeks.theta, greeks.rho])
