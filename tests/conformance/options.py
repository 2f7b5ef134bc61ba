"""European options: prices, greeks and implied volatilities."""

from collections.abc import Iterator
from functools import partial

import numpy as np
from scipy.stats import norm
from tests.conformance.comparisons import Against, Oracle, Row
from tests.oracles.test_options_against_quantlib import calculator, grid

from riskmark.calc.black_scholes import Pricing, option_greeks, option_price
from riskmark.calc.implied_volatility import implied_volatility

AREA = "Options"

QUANTLIB = Oracle("QuantLib `BlackCalculator`", "quantlib")
HAUG = Oracle("Haug, The Complete Guide to Option Pricing Formulas")
SCIPY = Oracle("closed form, scipy `norm`", "scipy")

GRID = "10,000 options: a day to five years, 2 to 400 %, calls and puts"
NAMES = ("price", "delta", "gamma", "vega", "theta", "rho")
EXACT = 1e-10


def rows() -> Iterator[Row]:
    """Compare a grid of options and a published price."""
    terms = grid()
    theirs = np.array([priced(terms, place) for place in range(terms.spot.size)])
    ours = np.column_stack([option_price(terms), *option_greeks(terms)])
    for place, name in enumerate(NAMES):
        yield Against(QUANTLIB, GRID).absolute(
            f"Option: {name}", ours[:, place], theirs[:, place], tolerance=EXACT
        )
    haug = one_option(is_call=True, spot=60.0, strike=65.0, years=0.25, volatility=0.3, rate=0.08)
    source = "call, S 60, K 65, r 8 %, T 0.25, σ 30 %"
    yield Against(HAUG, source).printed("Option: price", option_price(haug), ["2.1334"])
    yield from implied()


def priced(terms: Pricing, place: int) -> tuple[float, ...]:
    """Return QuantLib's price and greeks in our units."""
    one = calculator(terms, place)
    spot, years = float(terms.spot[place]), float(terms.years[place])
    return (
        one.value(),
        one.delta(spot),
        one.gamma(spot),
        one.vega(years) / 100,
        one.theta(spot, years) / 365,
        one.rho(years) / 100,
    )


def implied() -> Iterator[Row]:
    """Compare the volatilities that prices were made with."""
    volatility = np.linspace(0.05, 2.0, 40)
    make = partial(one_option, is_call=True, spot=100.0, strike=110.0, years=0.5, rate=0.03)
    terms = make(volatility=volatility)
    deviation = volatility * np.sqrt(0.5)
    high = (np.log(100 / 110) + 0.03 * 0.5) / deviation + deviation / 2
    price = 100 * norm.cdf(high) - 110 * np.exp(-0.015) * norm.cdf(high - deviation)
    found = implied_volatility(price, terms)
    source = "calls priced at 5 to 200 %"
    yield Against(SCIPY, source).relative(
        "Option: implied volatility",
        found.values,
        volatility,
        tolerance=1e-8,
        note="At 5 % the price is 1e-3, and its digits say no more.",
    )


def one_option(
    *,
    is_call: bool,
    spot: float,
    strike: float,
    years: float,
    volatility: float | np.ndarray,
    rate: float,
) -> Pricing:
    """Return the terms of options without dividends, one for each volatility."""
    sigma = np.atleast_1d(np.asarray(volatility, np.float64))
    same = np.ones(sigma.size)
    return Pricing(
        is_call=np.full(sigma.size, is_call),
        spot=spot * same,
        strike=strike * same,
        years=years * same,
        volatility=sigma,
        rate=rate,
        dividend_yield=0.0,
    )
