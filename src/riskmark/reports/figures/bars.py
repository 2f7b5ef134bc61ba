"""Horizontal bars, one for each name: what most figures of one session are."""

from collections.abc import Sequence

from riskmark.reports.figures.palette import BLUE, VERMILION
from riskmark.reports.figures.spec import STEP, Spec, names_axis, tooltip

MOST = 20
"""Bars that a figure has at most; its table has every line."""


def largest(lines: Sequence[Spec], field: str) -> list[Spec]:
    """Return the lines with the largest values of a field, at most ``MOST``, in their order."""
    known = [line for line in lines if line[field] is not None]
    if len(known) <= MOST:
        return known
    kept = sorted(known, key=lambda line: -abs(line[field]))[:MOST]
    return [line for line in known if line in kept]


def shown_of(shown: int, every: int, what: str) -> str:
    """Say that not every line has a bar."""
    if shown == every:
        return ""
    return f" The figure has the {shown} largest of {every} {what}, the table all that are known."


def signed_bars(lines: Sequence[Spec], axis: Spec, *, tooltips: Sequence[Spec]) -> Spec:
    """Draw ``value`` for each ``name``: blue from 0 up, vermilion below."""
    return {
        "height": STEP * len(lines),
        "mark": {"type": "bar"},
        "encoding": {
            "y": names_axis([line["name"] for line in lines]),
            "x": {"field": "value", **axis},
            "color": {
                "condition": {"test": "datum.value < 0", "value": VERMILION},
                "value": BLUE,
            },
            "tooltip": [tooltip("name", "Name"), *tooltips],
        },
    }
