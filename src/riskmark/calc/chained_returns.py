"""Time-weighted returns: the returns of a span's sessions, chained.

    TWR = Π (1 + r_u) − 1       over the sessions u after the span's base, up to its end

A session without capital has no return and is skipped. A session is *broken* if its NAV is
not positive (unless it is 0 with nothing held), or if its return had no positive capital
under it: no span is chained across it.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import CODE_OF, BoolArray, FloatArray, IntArray, Measure, measure
from riskmark.calc.book_paths import BookPaths
from riskmark.calc.marks import AgeArray
from riskmark.calc.running import accumulate
from riskmark.domain.reasons import NullReason

WIPED = 1e-12
"""A factor 1 + r up to this is a total loss and rounding."""


class Chain(NamedTuple):
    """Running results of whole books, (1 + S, P), from before the first session.

    ``growth`` is the product of the factors 1 + r but for those that are 0, which ``wiped``
    counts, so that spans after a total loss can be had. ``broken`` counts broken sessions.
    """

    growth: FloatArray
    wiped: AgeArray
    broken: AgeArray

    @property
    def wealth(self) -> FloatArray:
        """What 1 before the first session has become."""
        return np.where(self.wiped > 0, 0.0, self.growth)


def chain_returns(paths: BookPaths) -> Chain:
    """Chain the returns of ``paths``; those that are null count as 0."""
    values, nulls = paths.returns
    shape = (len(values) + 1, values.shape[1])
    factor = np.where(nulls == 0, 1.0 + values, 1.0)
    wipes = np.abs(factor) <= WIPED
    factor[wipes] = 1.0
    gone = (paths.nav <= 0.0) & ((paths.nav < 0.0) | (paths.held > 0))
    gone |= nulls == CODE_OF[NullReason.NAV_NOT_POSITIVE]
    growth, wiped, broken = np.ones(shape), np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    with np.errstate(over="ignore"):
        accumulate(np.multiply, factor, growth[1:])
    accumulate(np.add, wipes.view(np.int8), wiped[1:])
    accumulate(np.add, gone.view(np.int8), broken[1:])
    return Chain(growth, wiped, broken)


def time_weighted_return(
    chain: Chain, base: IntArray, *, rows: range, younger: BoolArray
) -> Measure:
    """Return the TWR from the rows ``base`` (R,) to ``rows``; null where the book is younger.

    A base of −1 stands for all that is before the panel; so a span that begins before the
    book does covers the book from its start. Both are (R, P).
    """
    end, start = np.arange(rows.start + 1, rows.stop + 1), base + 1
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        growth = chain.growth[end] / chain.growth[start]
    total = np.where(chain.wiped[end] > chain.wiped[start], -1.0, growth - 1.0)
    return measure(
        total,
        (younger, NullReason.YOUNGER_THAN_PERIOD),
        (chain.broken[end] > chain.broken[start], NullReason.NAV_NOT_POSITIVE),
        (~np.isfinite(total), NullReason.NOT_DEFINED),
    )
