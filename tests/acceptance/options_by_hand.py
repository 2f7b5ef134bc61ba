"""Option prices by hand: the textbook's formula in plain Python, without rate and yield."""

from math import erf, exp, log, pi, sqrt

import numpy as np


def normal(x):
    return (1 + erf(x / sqrt(2))) / 2


def by_hand(right, spot, strike, years, volatility):
    """Return price, delta, gamma and vega (a point) without rate and yield."""
    d1 = log(spot / strike) / (volatility * sqrt(years)) + volatility * sqrt(years) / 2
    d2 = d1 - volatility * sqrt(years)
    sign = 1 if right == "call" else -1
    price = sign * (spot * normal(sign * d1) - strike * normal(sign * d2))
    density = exp(-d1 * d1 / 2) / sqrt(2 * pi)
    gamma = density / (spot * volatility * sqrt(years))
    return price, sign * normal(sign * d1), gamma, spot * density * sqrt(years) / 100


def own_volatility(world, symbol, day):
    closes = [close for session, close in world.closes(symbol).items() if session <= day]
    returns = np.diff(closes) / closes[:-1]
    return float(np.std(returns[-63:], ddof=1) * sqrt(252))
