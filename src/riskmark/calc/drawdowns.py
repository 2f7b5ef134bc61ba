"""Drawdown: how far wealth is below its highest point so far.

Wealth is 1 before the first session, and that may be the peak. The maximum drawdown of a
session is the deepest up to it: from the last session at the peak, to the first at the
trough, recovered on the first session back at the peak.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray
from riskmark.calc.marks import AgeArray
from riskmark.calc.running import accumulate

STEPS = 1e9
"""Depths that agree to 1e-9 are one depth, so that rounding moves no trough or recovery."""
NEVER = np.iinfo(np.int32).max


class Drawdowns(NamedTuple):
    """Depths ≤ 0 and the rows of the deepest, (R, P); −1 where there is no such row.

    The peak's row is also −1 where wealth never rose above its start before the trough.
    """

    drawdown: FloatArray
    max_drawdown: FloatArray
    peak_row: IntArray
    trough_row: IntArray
    recovery_row: IntArray


def follow_drawdown(wealth: FloatArray, moved: BoolArray, *, rows: range) -> Drawdowns:
    """Measure the drawdowns of ``wealth`` (1 + S, P), whose first row is 1, on ``rows``.

    ``moved`` (S, P) says where there was a return: elsewhere wealth only stood still, and a
    session on which it did is no peak.
    """
    under = accumulate(np.maximum, wealth, np.empty_like(wealth))
    np.divide(wealth, under, out=under)
    under -= 1.0
    depth = under * STEPS
    np.rint(depth, out=depth)
    place = np.arange(len(wealth), dtype=np.int32)[:, None]
    last = slice(rows.start + 1, rows.stop + 1)
    deepest = accumulate(np.minimum, depth, np.empty_like(depth))
    deeper = np.zeros(wealth.shape, np.bool_)
    np.less(depth[1:], deepest[:-1], out=deeper[1:])
    troughs = _newest(deeper, place)[last]
    at_peak = depth == 0.0
    later = np.where(at_peak, place, np.int32(NEVER))[::-1]
    recoveries = accumulate(np.minimum, later, later)[::-1]
    at_peak[1:] &= moved
    peaks = _newest(at_peak, place)
    fell = troughs > 0
    recovery = np.take_along_axis(recoveries, troughs, axis=0)
    recovered = fell & (recovery <= place[last])
    accumulate(np.minimum, under, deepest)
    return Drawdowns(
        drawdown=under[last],
        max_drawdown=deepest[last],
        peak_row=np.take_along_axis(peaks, troughs, axis=0).astype(np.int64) - 1,
        trough_row=troughs.astype(np.int64) - 1,
        recovery_row=np.where(recovered, recovery, 0).astype(np.int64) - 1,
    )


def _newest(happened: BoolArray, place: AgeArray) -> AgeArray:
    """Return where the newest so far of what ``happened`` is; 0 if there is none."""
    newest = happened * place
    return accumulate(np.maximum, newest, newest)
