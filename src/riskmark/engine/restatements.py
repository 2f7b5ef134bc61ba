"""Restatements: what is kept when a published number is replaced by another.

Two values are *equal* if they differ by at most 1e-9 of the value, or by 1e-12 (money:
1e-12 of gross): BLAS gives other last bits for other shapes. Anything beyond is kept: old
and new values and the reason; a rebuild (new engine, new settings) leaves one summary a
measure instead.
"""

import json
from dataclasses import dataclass

import numpy as np

from riskmark.calc.arrays import BoolArray, FloatArray
from riskmark.domain.measures import SNAPSHOT, STORED

RELATIVE = 1e-9
ABSOLUTE = 1e-12
_RATIOS = frozenset({"return", "excluded_weight", "proxied_weight"})
_IS_MONEY = np.array(
    [(name in SNAPSHOT and name not in _RATIOS) or name.endswith("_money") for name in STORED]
)
_GROSS = STORED.index("gross")


@dataclass(frozen=True, slots=True)
class Difference:
    """The measures of one cell that changed, as JSON texts."""

    place: int
    old_values: str
    new_values: str


@dataclass(frozen=True, slots=True)
class Summary:
    """How often a measure changed in a rebuild, and by how much at most."""

    measure: str
    snapshots: int
    largest_change: float | None


def differing(old: FloatArray, new: FloatArray) -> BoolArray:
    """Return which values of ``old`` and ``new`` (cells × STORED; NaN: null) are not equal."""
    gross = np.nan_to_num(np.abs(new[:, [_GROSS]]))
    scale = np.where(_IS_MONEY, np.maximum(gross, 1.0), 1.0)
    both = np.isfinite(old) & np.isfinite(new)
    gap = np.abs(np.where(both, new, 0.0) - np.where(both, old, 0.0))
    allowed = np.maximum(RELATIVE * np.abs(np.where(both, old, 0.0)), ABSOLUTE * scale)
    found: BoolArray = (gap > allowed) | (np.isnan(old) != np.isnan(new))
    return found


def differences(
    old: FloatArray, new: FloatArray, old_states: list[str], new_states: list[str]
) -> list[Difference]:
    """Return what changed in each cell; cells that are equal are left out."""
    changed = differing(old, new)
    found = []
    for place in range(len(old)):
        names = {STORED[k]: k for k in np.flatnonzero(changed[place])}
        before: dict[str, float | str | None] = {
            name: _number(old[place, k]) for name, k in names.items()
        }
        after: dict[str, float | str | None] = {
            name: _number(new[place, k]) for name, k in names.items()
        }
        if old_states[place] != new_states[place]:
            before |= {"state": old_states[place]}
            after |= {"state": new_states[place]}
        if before:
            found.append(Difference(place, json.dumps(before), json.dumps(after)))
    return found


def summaries(old: FloatArray, new: FloatArray) -> list[Summary]:
    """Return, for each measure that changed anywhere, how often and how much."""
    changed = differing(old, new)
    gaps = np.abs(new - old)
    found = []
    for k in np.flatnonzero(changed.any(axis=0)):
        sizes = gaps[changed[:, k], k]
        sizes = sizes[np.isfinite(sizes)]
        largest = float(sizes.max()) if sizes.size else None
        found.append(Summary(STORED[k], int(changed[:, k].sum()), largest))
    return found


def old_values_json(values: tuple[float | None, ...]) -> str:
    """Write every value of a snapshot that is deleted."""
    return json.dumps(dict(zip(STORED, values, strict=True)))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
