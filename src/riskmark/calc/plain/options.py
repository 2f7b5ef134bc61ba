"""European options by Black, Scholes and Merton: prices, greeks, implied volatility."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from riskmark.calc import black_scholes, implied_volatility
from riskmark.calc.arrays import FloatArray
from riskmark.calc.black_scholes import Pricing
from riskmark.errors import ShapeError


class OptionGreeks(NamedTuple):
    """What one share's worth of an option gains; all have the shape of the options.

    Attributes
    ----------
    delta : float64, shape of the options
        When the underlying rises by 1, a ratio.
    gamma : float64, shape of the options
        What delta gains then, a ratio per unit of price.
    vega : float64, shape of the options
        When volatility rises by one point (0.01), in money.
    theta : float64, shape of the options
        When one calendar day passes, in money.
    rho : float64, shape of the options
        When the rate rises by one percent (0.01), in money.
    """

    delta: FloatArray
    gamma: FloatArray
    vega: FloatArray
    theta: FloatArray
    rho: FloatArray


def price_options(
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    *,
    is_call: npt.ArrayLike,
    years: npt.ArrayLike,
    volatility: npt.ArrayLike,
    rate: float = 0.0,
    dividend_yield: float = 0.0,
) -> FloatArray:
    """Price European options.

    Parameters
    ----------
    spot : float64, any shape
        Price of the underlying, in money, at least 0. All arrays broadcast.
    strike : float64, any shape
        Strike, in money, above 0.
    is_call : bool, any shape
        Whether it is a call, true or false; else a put.
    years : float64, any shape
        Time to expiry in years of 365 days, at least 0.
    volatility : float64, any shape
        A fraction a year, at least 0: 0.2 is 20 %.
    rate : float
        Interest, a fraction a year, continuously compounded.
    dividend_yield : float
        Dividends, a fraction a year, continuously compounded.

    Returns
    -------
    float64, shape of the options
        Price of one share's worth, in money. NaN where an input is NaN.

    Raises
    ------
    ShapeError
        The arrays do not broadcast.
    ValueError
        An input is out of its range.

    Notes
    -----
    Black and Scholes (1973), Merton (1973).

    Examples
    --------
    >>> call = price_options(60, 65, is_call=True, years=0.25, volatility=0.3, rate=0.08)
    >>> round(float(call), 4)
    2.1334
    """
    terms = _terms(is_call, spot, strike, years, volatility, rate, dividend_yield)
    known = _known(terms)
    return np.where(known, black_scholes.option_price(_safe(terms, known)), np.nan)


def option_greeks(
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    *,
    is_call: npt.ArrayLike,
    years: npt.ArrayLike,
    volatility: npt.ArrayLike,
    rate: float = 0.0,
    dividend_yield: float = 0.0,
) -> OptionGreeks:
    """Compute the greeks of European options.

    Parameters
    ----------
    spot : float64, any shape
        Price of the underlying, in money, at least 0. All arrays broadcast.
    strike : float64, any shape
        Strike, in money, above 0.
    is_call : bool, any shape
        Whether it is a call, true or false; else a put.
    years : float64, any shape
        Time to expiry in years of 365 days, at least 0.
    volatility : float64, any shape
        A fraction a year, at least 0.
    rate : float
        Interest, a fraction a year, continuously compounded.
    dividend_yield : float
        Dividends, a fraction a year, continuously compounded.

    Returns
    -------
    OptionGreeks
        Of one share's worth, in money and ratios. At expiry only delta is left, the others are
        0. NaN where an input is NaN.

    Raises
    ------
    ShapeError
        The arrays do not broadcast.
    ValueError
        An input is out of its range.

    Notes
    -----
    Closed forms of Black, Scholes and Merton, as in Haug (2007).
    """
    terms = _terms(is_call, spot, strike, years, volatility, rate, dividend_yield)
    known = _known(terms)
    found = black_scholes.option_greeks(_safe(terms, known))
    return OptionGreeks(*(np.where(known, part, np.nan) for part in found))


def imply_volatility(
    price: npt.ArrayLike,
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    is_call: npt.ArrayLike,
    years: npt.ArrayLike,
    rate: float = 0.0,
    dividend_yield: float = 0.0,
) -> FloatArray:
    """Find the volatility at which European options have the prices given.

    Parameters
    ----------
    price : float64, any shape
        Price of one share's worth, in money. All arrays broadcast.
    spot : float64, any shape
        Price of the underlying, in money, at least 0.
    strike : float64, any shape
        Strike, in money, above 0.
    is_call : bool, any shape
        Whether it is a call, true or false; else a put.
    years : float64, any shape
        Time to expiry in years of 365 days, at least 0.
    rate : float
        Interest, a fraction a year, continuously compounded.
    dividend_yield : float
        Dividends, a fraction a year, continuously compounded.

    Returns
    -------
    float64, shape of the options
        A fraction a year; NaN where nothing from 1 % to 500 % gives the price, at expiry, and
        where an input is NaN.

    Raises
    ------
    ShapeError
        The arrays do not broadcast.
    ValueError
        An input is out of its range.

    Notes
    -----
    Newton's method inside a bracket, on the time value of the option out of the money.
    """
    asked = np.asarray(price, np.float64)
    flat = np.zeros_like(asked)
    terms = _terms(is_call, spot, strike, years, flat, rate, dividend_yield)
    shape = terms.volatility.shape
    known = _known(terms)
    safe = _safe(terms, known)
    rows = safe._replace(
        is_call=safe.is_call.ravel(),
        spot=safe.spot.ravel(),
        strike=safe.strike.ravel(),
        years=safe.years.ravel(),
        volatility=safe.volatility.ravel(),
    )
    found = implied_volatility.implied_volatility(np.broadcast_to(asked, shape).ravel(), rows)
    return np.where(known, found.values.reshape(shape), np.nan)


def _terms(  # noqa: PLR0917 - in the order of ``Pricing``
    is_call: npt.ArrayLike,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    volatility: npt.ArrayLike,
    rate: float,
    dividend_yield: float,
) -> Pricing:
    names = ("spot", "strike", "years", "volatility")
    given = [np.asarray(one, np.float64) for one in (spot, strike, years, volatility)]
    try:
        shape = np.broadcast_shapes(np.shape(is_call), *(one.shape for one in given))
    except ValueError as error:
        shapes = ", ".join(str(np.shape(one)) for one in (is_call, *given))
        raise ShapeError(f"the options' arrays do not broadcast: {shapes}") from error
    for name, values in zip(names, given, strict=True):
        if (values < 0).any() or np.isinf(values).any() or (name == "strike" and 0 in values):
            above = "above" if name == "strike" else "at least"
            message = f"{name} must be {above} 0 and finite"
            raise ValueError(message)
    numbers = dict(zip(names, (np.broadcast_to(one, shape) for one in given), strict=True))
    return Pricing(
        is_call=np.broadcast_to(np.asarray(is_call, np.bool_), shape),
        spot=numbers["spot"],
        strike=numbers["strike"],
        years=numbers["years"],
        volatility=numbers["volatility"],
        rate=rate,
        dividend_yield=dividend_yield,
    )


def _known(terms: Pricing) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = np.isfinite(sum(terms[1:5]))
    return found


def _safe(terms: Pricing, known: npt.NDArray[np.bool_]) -> Pricing:
    """Put 1 in the place of what is unknown of an option."""
    return terms._replace(
        spot=np.where(known, terms.spot, 1.0),
        strike=np.where(known, terms.strike, 1.0),
        years=np.where(known, terms.years, 1.0),
        volatility=np.where(known, terms.volatility, 1.0),
    )
