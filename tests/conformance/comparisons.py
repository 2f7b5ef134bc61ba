"""Comparisons with an oracle: each is a row of docs/reference/conformance.md.

How far two numbers are apart is told in one of three ways: *relative* to the oracle's number,
value by value; *absolute*, where numbers that cancel stand beside others; or in units of the
last *digit* that was printed, where the oracle is a publication. Where one side has no number
and the other has one, they are infinitely far apart.
"""

import platform
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from importlib.metadata import version
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

TOLERANCE = 1e-9
"""What a number may differ by, unless its row says why another tolerance is right."""
HALF_A_DIGIT = 0.5
"""A number that is rounded to the printed digits differs by no more from what is printed."""


class Kind(StrEnum):
    """What a difference is measured in."""

    RELATIVE = "relative"
    ABSOLUTE = "absolute"
    DIGIT = "of the last digit"


class Oracle(NamedTuple):
    """An implementation that is not ours; ``package`` is where it comes from."""

    name: str
    package: str = ""

    @property
    def version(self) -> str:
        """Return the version of the package, as it is installed."""
        return version_of(self.package) if self.package else "–"


class Row(NamedTuple):
    """One measure, or several of one kind, against an oracle on one set of data.

    A difference is relative to ``least`` where the oracle's number is smaller than that.
    """

    measure: str
    oracle: Oracle
    source: str
    values: int
    difference: float
    kind: Kind
    tolerance: float
    least: float = 0.0
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether the difference is within the tolerance, and something was compared."""
        return self.values > 0 and self.difference <= self.tolerance


PLAIN_PYTHON = Oracle("plain Python", "python")
NUMPY = Oracle("numpy", "numpy")


class Against(NamedTuple):
    """An oracle and the data that it is asked about: what rows next to one another share."""

    oracle: Oracle
    source: str

    def relative(
        self,
        measure: str,
        found: ArrayLike,
        expected: ArrayLike,
        *,
        tolerance: float = TOLERANCE,
        least: float = 0.0,
        note: str = "",
    ) -> Row:
        """Compare value by value, relative to ``expected``, or to ``least`` if that is larger.

        What may be near 0 is given a ``least``, for it is what larger numbers leave.
        """
        ours, theirs = _both(found, expected)
        scale = np.maximum(np.abs(theirs), least)
        nothing = scale == 0
        far = np.abs(ours - theirs) / np.where(nothing, 1.0, scale)
        far[nothing & (ours != 0)] = np.inf
        return self._row(measure, far, Kind.RELATIVE, tolerance, note)._replace(least=least)

    def absolute(
        self,
        measure: str,
        found: ArrayLike,
        expected: ArrayLike,
        *,
        tolerance: float = TOLERANCE,
        note: str = "",
    ) -> Row:
        """Compare value by value, in their own unit."""
        ours, theirs = _both(found, expected)
        return self._row(measure, np.abs(ours - theirs), Kind.ABSOLUTE, tolerance, note)

    def printed(
        self, measure: str, found: ArrayLike, published: Sequence[str], *, note: str = ""
    ) -> Row:
        """Compare with numbers as they were printed, each to its own digits."""
        decimals = np.array([len(text.partition(".")[2]) for text in published])
        ours, theirs = _both(found, [float(text) for text in published])
        apart = np.abs(ours - theirs) * 10.0**decimals
        return self._row(measure, apart, Kind.DIGIT, HALF_A_DIGIT, note)

    def same(
        self, measure: str, found: Sequence[object], expected: Sequence[object], *, note: str = ""
    ) -> Row:
        """Compare what is no number: each is the same, or infinitely far away."""
        apart = [0.0 if ours == theirs else np.inf for ours, theirs in _pairs(found, expected)]
        return self._row(measure, np.array(apart), Kind.ABSOLUTE, 0.0, note)

    def _row(self, measure: str, apart: np.ndarray, kind: Kind, tolerance: float, note: str) -> Row:
        difference = float(np.max(apart, initial=0.0))
        return Row(
            measure=measure,
            oracle=self.oracle,
            source=self.source,
            values=apart.size,
            difference=difference,
            kind=kind,
            tolerance=tolerance,
            note=note,
        )


def _both(found: ArrayLike, expected: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the values that at least one side has; NaN on one side is infinitely far."""
    ours = np.asarray(found, np.float64).ravel()
    theirs = np.asarray(expected, np.float64).ravel()
    if ours.shape != theirs.shape:
        raise ValueError(f"{ours.size} values stand against {theirs.size}")
    some = ~(np.isnan(ours) & np.isnan(theirs))
    ours, theirs = ours[some], theirs[some]
    lonely = np.isnan(ours) | np.isnan(theirs)
    return np.where(lonely, np.inf, ours), np.where(lonely, 0.0, theirs)


def _pairs(found: Sequence[object], expected: Sequence[object]) -> list[tuple[object, object]]:
    return list(zip(found, expected, strict=True))


@cache
def version_of(package: str) -> str:
    """Return the version of an installed package; ``python`` is the interpreter."""
    if package == "python":
        return ".".join(platform.python_version_tuple()[:2])
    return version(package)
