"""Black–Scholes–Merton: the price of a European option, and how it moves.

    d1 = (ln(S / K) + (r − q + σ²/2) · T) / (σ √T),   d2 = d1 − σ √T
    price = φ · (S e^(−qT) N(φ d1) − K e^(−rT) N(φ d2))      φ: 1 for a call, −1 for a put

S is the price of the underlying, K the strike, T the years to expiry (actual/365), σ the
annual volatility. Rate r and dividend yield q are annual and **continuously compounded**, as
QuantLib's are unless told otherwise. All of it is of one share: no multiplier, no quantity.

Arrays broadcast. Where σ √T is 0 (at expiry) the price is what remains of the forward's
intrinsic value; the delta is then that of the exercise, ½ where it is undecided.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray

DAYS_A_YEAR = 365
"""Of actual/365."""
PERCENT = 100
STILL = 1e-12
"""A σ √T up to here is none: what it adds to a price is less than rounding."""
NOTHING = 1e-30
"""A chance up to here is none: far below rounding, and no product of it leaves the floats."""
_DENSITY = 1 / np.sqrt(2 * np.pi)


class Pricing(NamedTuple):
    """What an option's price follows from; arrays of one shape, or that broadcast to one.

    ``spot`` ≥ 0, ``strike`` > 0, ``years`` ≥ 0, ``volatility`` ≥ 0: annual, 0.2 is 20 %.
    """

    is_call: BoolArray
    spot: FloatArray
    strike: FloatArray
    years: FloatArray
    volatility: FloatArray
    rate: float = 0.0
    dividend_yield: float = 0.0

    def columns(self) -> "Pricing":
        """Return the options (k,) as columns (k, 1), to stand against moves (k, S)."""
        return self._replace(
            is_call=self.is_call[:, None],
            spot=self.spot[:, None],
            strike=self.strike[:, None],
            years=self.years[:, None],
            volatility=self.volatility[:, None],
        )

    def take(self, where: IntArray) -> "Pricing":
        """Return some of the options."""
        return self._replace(
            is_call=self.is_call[where],
            spot=self.spot[where],
            strike=self.strike[where],
            years=self.years[where],
            volatility=self.volatility[where],
        )


class Greeks(NamedTuple):
    """What one share's worth of an option gains.

    ``delta`` when the underlying rises by 1, ``gamma`` is what delta gains then; ``vega`` a
    volatility point (0.01), ``theta`` a calendar day that passes, ``rho`` one percent (0.01)
    on the rate.
    """

    delta: FloatArray
    gamma: FloatArray
    vega: FloatArray
    theta: FloatArray
    rho: FloatArray


class _Parts(NamedTuple):
    sign: FloatArray
    spot: FloatArray
    """S e^(−qT)"""
    strike: FloatArray
    """K e^(−rT)"""
    deviation: FloatArray
    """σ √T"""
    d1: FloatArray
    d2: FloatArray


def option_price(terms: Pricing) -> FloatArray:
    """Return the price of one share's worth of each option.

    >>> call = Pricing(np.array(True), 60.0, 65.0, 0.25, 0.3, rate=0.08)
    >>> round(float(option_price(call)), 4)
    2.1334
    """
    parts = _parts(terms)
    value: FloatArray = parts.sign * (
        parts.spot * ndtr(parts.sign * parts.d1) - parts.strike * ndtr(parts.sign * parts.d2)
    )
    # Of a price of next to nothing rounding may leave less than nothing.
    return np.where(value > NOTHING * (parts.spot + parts.strike), value, 0.0)


def option_greeks(terms: Pricing) -> Greeks:
    """Return the greeks of one share's worth of each option.

    At expiry nothing but the delta is left: the others are 0 where σ √T is.
    """
    parts = _parts(terms)
    years = np.asarray(terms.years, np.float64)
    alive = parts.deviation > STILL
    deviation = np.where(alive, parts.deviation, 1.0)
    root = np.sqrt(years)
    density = np.where(alive, _DENSITY * np.exp(-0.5 * np.square(np.where(alive, parts.d1, 0))), 0)
    spot = np.asarray(terms.spot, np.float64)
    has_spot = spot > 0
    chance = ndtr(parts.sign * parts.d2)
    reached = ndtr(parts.sign * parts.d1)
    reached = np.where(reached > NOTHING, reached, 0.0)
    delta = parts.sign * np.exp(-terms.dividend_yield * years) * reached
    gamma = np.where(has_spot, parts.spot * density, 0.0) / np.where(
        has_spot, np.square(spot) * deviation, 1.0
    )
    decay = -parts.spot * density * terms.volatility / np.where(root > 0, 2 * root, 1.0)
    carry = parts.sign * (
        terms.dividend_yield * parts.spot * ndtr(parts.sign * parts.d1)
        - terms.rate * parts.strike * chance
    )
    return Greeks(
        delta=delta,
        gamma=gamma,
        vega=parts.spot * density * root / PERCENT,
        theta=np.where(alive, decay + carry, 0.0) / DAYS_A_YEAR,
        rho=np.where(alive, parts.sign * years * parts.strike * chance, 0.0) / PERCENT,
    )


def intrinsic_value(is_call: BoolArray, spot: FloatArray, strike: FloatArray) -> FloatArray:
    """Return what exercising one share's worth of each option at once would bring."""
    found: FloatArray = np.maximum(np.where(is_call, spot - strike, strike - spot), 0.0)
    return found


def _parts(terms: Pricing) -> _Parts:
    spot: npt.NDArray[np.float64] = np.asarray(terms.spot, np.float64)
    strike: npt.NDArray[np.float64] = np.asarray(terms.strike, np.float64)
    years = np.asarray(terms.years, np.float64)
    deviation = terms.volatility * np.sqrt(years)
    forward_spot = spot * np.exp(-terms.dividend_yield * years)
    forward_strike = strike * np.exp(-terms.rate * years)
    positive = spot > 0
    moneyness = np.where(
        positive, np.log(np.where(positive, forward_spot, 1.0) / forward_strike), -np.inf
    )
    alive = deviation > STILL
    scaled = moneyness / np.where(alive, deviation, 1.0)
    # Without time or volatility only the side on which the forward stands matters.
    edge = np.where(moneyness == 0, 0.0, np.copysign(np.inf, moneyness))
    d1 = np.where(alive, scaled + deviation / 2, edge)
    d2 = np.where(alive, scaled - deviation / 2, edge)
    sign = np.where(terms.is_call, 1.0, -1.0)
    return _Parts(sign, forward_spot, forward_strike, deviation, d1, d2)
