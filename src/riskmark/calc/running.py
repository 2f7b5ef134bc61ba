"""Running sums, products and extremes down the sessions of wide arrays."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

WIDE = 128
"""Columns from which row after row beats numpy's accumulate, which goes cell by cell."""

Scalar = TypeVar("Scalar", bound=np.generic)


def accumulate(
    combine: np.ufunc, values: npt.NDArray[Scalar], out: npt.NDArray[Scalar]
) -> npt.NDArray[Scalar]:
    """Do ``combine.accumulate(values, axis=0, out=out)``; ``out`` may be ``values`` itself."""
    if values.shape[1] < WIDE or not len(values):
        combine.accumulate(values, axis=0, out=out)
        return out
    out[0] = values[0]
    for so_far, value, result in zip(out[:-1], values[1:], out[1:], strict=True):
        combine(so_far, value, out=result)
    return out
