"""Implied volatility: the volatility at which Black–Scholes–Merton gives a price.

The price rises with the volatility, so a bracket that holds the root is narrowed: by Newton's
step where that stays inside, else by halving. What is solved for is the time value, which of
two options with the same strike the one out of the money has too: deep in the money the price
itself would drown it.

A volatility is sought from 1 to 500 %. Outside it, and where there is nothing to imply one
from, it is null: ``expired`` without time left, ``below_intrinsic`` for a price not above
what the forward is worth in exercise, ``out_of_range`` otherwise.
"""

import numpy as np

from riskmark.calc.arrays import BoolArray, FloatArray, Measure, measure
from riskmark.calc.black_scholes import Pricing, option_greeks, option_price
from riskmark.domain.reasons import NullReason

LOWEST = 0.01
HIGHEST = 5.0
"""The volatilities that are believed, annual."""
STEPS = 100
"""More than halving the bracket down to the precision of float64 takes."""
_PERCENT = 100


def implied_volatility(price: FloatArray, terms: Pricing) -> Measure:
    """Find the volatility that gives each option its ``price``; that of ``terms`` is not used.

    Arrays are (N,), ``price`` of one share's worth. A price or spot of NaN, or a spot of 0,
    implies nothing: ``never_priced``.
    """
    spot, strike, years = (np.asarray(one, np.float64) for one in terms[1:4])
    known = np.isfinite(price) & np.isfinite(spot) & (spot > 0)
    alive = known & (years > 0)
    usable = terms._replace(
        spot=np.where(alive, spot, 1.0),
        strike=np.where(alive, strike, 1.0),
        years=np.where(alive, years, 1.0),
    )
    ahead = _ahead(usable)
    value = np.where(alive, price, 0.0) - np.maximum(ahead, 0.0)
    # The option of the other kind, at the same strike, has the time value and no more.
    outer = usable._replace(is_call=np.where(ahead > 0, ~terms.is_call, terms.is_call))
    least, most = (
        option_price(outer._replace(volatility=np.full_like(value, bound)))
        for bound in (LOWEST, HIGHEST)
    )
    slack = np.finfo(np.float64).eps * (usable.spot + usable.strike)
    inside = alive & (value >= least - slack) & (value <= most + slack) & (value > slack)
    found = _solve(np.where(inside, value, least), outer, inside)
    return measure(
        found,
        (~known, NullReason.NEVER_PRICED),
        (~alive, NullReason.EXPIRED),
        (value <= slack, NullReason.BELOW_INTRINSIC),
        (~inside, NullReason.OUT_OF_RANGE),
    )


def _ahead(terms: Pricing) -> FloatArray:
    """Return what exercise at expiry is worth today if the underlying goes as its forward."""
    forward = terms.spot * np.exp(-terms.dividend_yield * terms.years)
    strike = terms.strike * np.exp(-terms.rate * terms.years)
    found: FloatArray = np.where(terms.is_call, forward - strike, strike - forward)
    return found


def _solve(value: FloatArray, terms: Pricing, wanted: BoolArray) -> FloatArray:
    """Narrow the brackets of all options at once until they are points."""
    low, high = np.full(value.shape, LOWEST), np.full(value.shape, HIGHEST)
    moving = wanted.copy()
    guess = np.clip(np.sqrt(2 * np.abs(_moneyness(terms)) / terms.years), 0.1, 2.0)
    for _ in range(STEPS):
        at = terms._replace(volatility=guess)
        miss = option_price(at) - value
        low, high = np.where(miss <= 0, guess, low), np.where(miss >= 0, guess, high)
        slope = option_greeks(at).vega * _PERCENT
        steep = slope > 0
        step = np.where(steep, miss, 0.0) / np.where(steep, slope, 1.0)
        newton = guess - step
        fits = steep & (newton > low) & (newton < high)
        following = np.where(miss == 0, guess, np.where(fits, newton, (low + high) / 2))
        moved = np.abs(following - guess) > np.finfo(np.float64).eps * guess
        # One that has settled stays: what is found must not depend on the others.
        guess = np.where(moving, following, guess)
        moving &= moved
        if not moving.any():
            break
    return guess


def _moneyness(terms: Pricing) -> FloatArray:
    drift = (terms.rate - terms.dividend_yield) * terms.years
    found: FloatArray = np.log(terms.spot / terms.strike) + drift
    return found
