"""Full repricing: what options gain beyond their delta when their underlyings move.

    units · (price(S · (1 + R)) − price(S) − delta · S · R)

with the volatility unchanged. Added to what the delta exposure gains, units · delta · S · R,
it is the whole change of the model's price. A move by which the underlying would be worth
less than nothing leaves it worth nothing; nothing else is clipped.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.calc.black_scholes import Pricing, option_price


class OptionPositions(NamedTuple):
    """Options held, one by one: k of them.

    ``cell`` is whose they are, ``instrument`` the underlying among the instruments of the
    exposures, ``units`` how many shares they are on, signed; ``exposure`` is delta · S · units.
    """

    cell: IntArray
    instrument: IntArray
    units: FloatArray
    exposure: FloatArray
    terms: Pricing

    def take(self, where: IntArray) -> "OptionPositions":
        """Return some of the options."""
        return OptionPositions(
            self.cell[where],
            self.instrument[where],
            self.units[where],
            self.exposure[where],
            self.terms.take(where),
        )


def beyond_delta(options: OptionPositions, moves: FloatArray) -> FloatArray:
    """Return what the options gain beyond their delta in ``moves`` (k, S) of the underlyings."""
    terms = options.terms.columns()
    moved = terms._replace(spot=np.maximum(terms.spot * (1.0 + moves), 0.0))
    gained = options.units[:, None] * (option_price(moved) - option_price(terms))
    found: FloatArray = gained - options.exposure[:, None] * moves
    return found
