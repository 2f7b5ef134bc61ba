"""Series as they are given: checked, and as columns of one matrix."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from riskmark.calc.arrays import FloatArray
from riskmark.errors import ShapeError


class Columns(NamedTuple):
    """Series as columns (n_sessions, n_series), and whether one vector was given."""

    values: FloatArray
    is_single: bool

    @property
    def pushed(self) -> FloatArray:
        """The series as rows, what was observed of each pushed to the right: NaN on the left."""
        rows = self.values.T
        order = np.argsort(np.isfinite(rows), axis=1, kind="stable")
        return np.take_along_axis(rows, order, axis=1)

    def shaped(self, found: npt.NDArray[Any]) -> Any:  # noqa: ANN401 - an array, or one number of it
        """Return results, whose last axis is that of the series, without it for one vector."""
        return found[..., 0][()] if self.is_single else found


def as_columns(values: npt.ArrayLike, name: str) -> Columns:
    """Read one series or several; raise ``ShapeError`` or ``ValueError`` for what is neither."""
    array = np.asarray(values, np.float64)
    if array.ndim not in {1, 2}:
        message = f"{name} must be (n_sessions,) or (n_sessions, n_series), not {array.shape}"
        raise ShapeError(message)
    if np.isinf(array).any():
        message = f"{name} holds an infinite number; NaN says that nothing was observed"
        raise ValueError(message)
    return Columns(array[:, None] if array.ndim == 1 else array, array.ndim == 1)


def as_vector(values: npt.ArrayLike, name: str, *, length: int | None = None) -> FloatArray:
    """Read one vector of numbers, ``length`` of them if that is given."""
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or (length is not None and len(array) != length):
        wanted = "one-dimensional" if length is None else f"({length},)"
        raise ShapeError(f"{name} must be {wanted}, not {array.shape}")
    return array


def as_square(values: npt.ArrayLike, name: str) -> FloatArray:
    """Read one square matrix without NaN."""
    array = np.asarray(values, np.float64)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or not array.size:  # noqa: PLR2004
        raise ShapeError(f"{name} must be square, not {array.shape}")
    if not np.isfinite(array).all():
        message = f"{name} holds a number that is not finite; leave out its row and column"
        raise ValueError(message)
    return array


def same_length(left: Columns, right: Columns, names: tuple[str, str]) -> None:
    """Raise ``ShapeError`` unless both have as many sessions."""
    if len(left.values) != len(right.values):
        message = (
            f"{names[0]} has {len(left.values)} sessions and {names[1]} {len(right.values)}; "
            "row by row they must be the same sessions"
        )
        raise ShapeError(message)
