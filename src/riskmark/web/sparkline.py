"""A small line of values, as the path of an SVG: a shape to look at, not to read off."""

from collections.abc import Sequence
from typing import Final

WIDTH: Final = 120
HEIGHT: Final = 32
_EDGE: Final = 2.0
MOST: Final = 60
"""Points: more than that are not seen on so small a line."""


def path_of(values: Sequence[float]) -> str:
    """Return the path of a line through ``values``; empty with fewer than two of them."""
    if len(values) < 2:  # noqa: PLR2004 - a line has two ends
        return ""
    shown = _thinned(values)
    low, high = min(shown), max(shown)
    span = high - low
    step = (WIDTH - 2 * _EDGE) / (len(shown) - 1)
    points = []
    for place, value in enumerate(shown):
        share = (value - low) / span if span else 0.5
        across = _EDGE + place * step
        down = HEIGHT - _EDGE - share * (HEIGHT - 2 * _EDGE)
        points.append(f"{across:.1f},{down:.1f}")
    return "M" + "L".join(points)


def _thinned(values: Sequence[float]) -> list[float]:
    """Return at most ``MOST`` of the values, the first and the last among them."""
    if len(values) <= MOST:
        return list(values)
    step = (len(values) - 1) / (MOST - 1)
    return [values[round(place * step)] for place in range(MOST)]
