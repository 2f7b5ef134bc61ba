"""Trades that bring a book's risk to where it is wanted.

    volatility   k = wanted / σ             all quantities times k; holds where cash takes up the
                                            difference, so that NAV stays
    beta         q = −B / (price · m · β)   B the exposure to the market in money, β and m the
                                            beta and the multiplier of what is traded

Both are exact in whatever fractions of a unit; trades are made in whole units, and the
rounding of each is all that is left.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import FloatArray


class Scaling(NamedTuple):
    """The factor of all quantities, and what is to be traded of each (0: nothing)."""

    factor: float
    trades: FloatArray


def scale_to_volatility(quantities: FloatArray, *, volatility: float, wanted: float) -> Scaling:
    """Return the trades after which ``quantities`` are whole and near ``wanted / volatility``."""
    factor = wanted / volatility
    return Scaling(factor, np.rint(quantities * factor) - quantities)


def hedge_quantity(exposure: float, *, price: float, multiplier: float, beta: float) -> float:
    """Return the whole units whose beta in money offsets ``exposure`` as nearly as it can be."""
    found = float(np.rint(-exposure / (price * multiplier * beta)))
    return found or 0.0  # never −0
