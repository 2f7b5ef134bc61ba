"""Array types, and how a measure carries the reason for a number that cannot be had.

A *measure* is two arrays of one shape: ``values`` (float64, NaN where there is no number)
and ``nulls`` (int8: 0 where there is a number, else the code of a ``NullReason``). The two
always agree: a value is NaN exactly where its code is not 0.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from riskmark.domain.reasons import NullReason

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
CodeArray: TypeAlias = npt.NDArray[np.int8]

REASONS: tuple[NullReason, ...] = tuple(NullReason)
CODE_OF: dict[NullReason, int] = {reason: 1 + place for place, reason in enumerate(REASONS)}


class Measure(NamedTuple):
    """A number, or the code of the reason why there is none, for each cell."""

    values: FloatArray
    nulls: CodeArray


def reason_of(code: int) -> NullReason | None:
    """Return the reason that ``code`` stands for; None for 0."""
    return REASONS[code - 1] if code else None


def measure(values: FloatArray, *conditions: tuple[BoolArray, NullReason]) -> Measure:
    """Make a measure of ``values``; the first condition that holds gives a cell's reason.

    Every NaN of ``values`` must be covered by a condition.
    """
    nulls = np.zeros(values.shape, dtype=np.int8)
    for where, reason in reversed(conditions):
        nulls[where] = CODE_OF[reason]
    return Measure(np.where(nulls == 0, values, np.nan), nulls)
