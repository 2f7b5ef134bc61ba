"""The pieces that Vega-Lite documents are made of, so that all figures look alike.

Every colour is a name (``palette``), every width that of the container. Expressions are such as
Vega's interpreter can carry out without ``eval``. What serves only a pointer, the layer ``hover``
and ``params``, is left out of a static figure.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias

from riskmark.reports.figures.palette import GRID, LABEL, SURFACE, TEXT

Spec: TypeAlias = dict[str, Any]

FONT = "Inter, system-ui, sans-serif"
# A number of pixels, not a step: Vega-Lite warns where a width is that of the container and a
# height is not known before.
HEIGHT = 220
"""Pixels of a figure of lines."""
STEP = 22
"""Pixels of a horizontal bar and the gap below it."""
LONGEST = 150
"""Pixels that the name of a bar takes at most; longer ones end in an ellipsis."""
MONEY, SHARE, RATIO, PERCENT = ",.0f", ".1%", ".2f", "~%"
"""How numbers are written, in the language of d3-format."""
HOVER = "hover"
"""The name of the layer that only a pointer needs."""
_SHORT_SPAN = 120
"""Days up to which a label of the axis is a day, not a month."""
_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)
_MOST_LABELS = 6
"""Labels that fit below a figure on a telephone."""
SHORT = "replace(format(datum.value, '~s'), 'G', 'B')"
"""Money on an axis: 1.5M, 20k; a billion is B."""

_CONFIG: Spec = {
    "font": FONT,
    "background": "transparent",
    "padding": 2,
    "view": {"stroke": None},
    "axis": {
        "labelColor": LABEL,
        "titleColor": LABEL,
        "gridColor": GRID,
        "domain": False,
        "ticks": False,
        "labelPadding": 6,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
    },
    "legend": {
        "orient": "top",
        "labelColor": TEXT,
        "labelFontSize": 11,
        "title": None,
        "symbolStrokeWidth": 3,
        "symbolSize": 90,
        "labelLimit": 300,
        "offset": 8,
    },
}


def finish(body: Mapping[str, Any], values: Sequence[Spec], *, description: str) -> Spec:
    """Make a whole document of a view: its lines, its words, and the common style."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "description": description,
        "data": {"values": list(values)},
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        **body,
        "config": _CONFIG,
    }


def day_text(day: date) -> str:
    """Write a session for a document; it is read in UTC, so that no zone moves it."""
    return day.isoformat()


def on_days(values: Sequence[Spec]) -> Spec:
    """Return the lines of a document, with ``session`` as a date."""
    return {"values": list(values), "format": {"parse": {"session": "utc:'%Y-%m-%d'"}}}


def time_axis(first: date, last: date) -> Spec:
    """Encode sessions from left to right, with few labels that tell them apart."""
    is_short = (last - first).days < _SHORT_SPAN
    return {
        "field": "session",
        "type": "temporal",
        "scale": {"type": "utc"},
        "title": None,
        "axis": {
            "tickCount": 4 if is_short else _months(first, last),
            "format": "%d %b" if is_short else "%b %Y",
            "grid": False,
            "labelOverlap": "greedy",
            "labelSeparation": 6,
            "labelFlush": True,
        },
    }


def _months(first: date, last: date) -> Spec:
    """Choose how far apart the labels of whole months are."""
    months = 12 * (last.year - first.year) + last.month - first.month
    step = next((one for one in _STEPS if months <= one * _MOST_LABELS), _STEPS[-1])
    return {"interval": "month", "step": step}


def amount_axis(title: str | None, *, is_zero: bool = False) -> Spec:
    """Return the scale and the axis of money."""
    return {
        "type": "quantitative",
        "title": title,
        "scale": {"zero": is_zero},
        "axis": {"tickCount": 4, "labelExpr": SHORT},
    }


def share_axis(title: str | None, *, is_zero: bool = False) -> Spec:
    """Return the scale and the axis of fractions, in percent."""
    return {
        "type": "quantitative",
        "title": title,
        "scale": {"zero": is_zero},
        "axis": {"tickCount": 4, "format": PERCENT},
    }


def names_axis(order: Sequence[str]) -> Spec:
    """Encode names from top to bottom, in the given order."""
    return {
        "field": "name",
        "type": "nominal",
        "sort": list(order),
        "title": None,
        "scale": {"paddingInner": 0.2, "paddingOuter": 0.1},
        "axis": {"labelLimit": LONGEST, "labelColor": TEXT},
    }


def tooltip(field: str, title: str, number_format: str | None = None) -> Spec:
    """Say what is told of a field when something is pointed at."""
    if number_format is None:
        return {"field": field, "type": "nominal", "title": title}
    return {"field": field, "type": "quantitative", "title": title, "format": number_format}


def day_tooltip() -> Spec:
    """Tell the session that is pointed at."""
    return {
        "field": "session",
        "type": "temporal",
        "timeUnit": "utcyearmonthdate",
        "title": "Session",
        "format": "%Y-%m-%d",
    }


def labelled(layer: Spec, label: str, colours: Mapping[str, str]) -> Spec:
    """Colour a layer as the legend says of its ``label``, one of our own words."""
    scale = {"domain": list(colours), "range": list(colours.values())}
    color = {"field": "label", "type": "nominal", "title": None, "scale": scale}
    transform = [*layer.get("transform", ()), {"calculate": f"'{label}'", "as": "label"}]
    return {**layer, "transform": transform, "encoding": {**layer["encoding"], "color": color}}


def hover_layer(tooltips: Sequence[Spec]) -> Spec:
    """Show a line at the session next to the pointer, and what is known of it."""
    nearest = {
        "type": "point",
        "on": "pointermove",
        "nearest": True,
        "clear": "pointerout",
        "encodings": ["x"],
    }
    return {
        "name": HOVER,
        "params": [{"name": HOVER, "select": nearest}],
        "mark": {"type": "rule", "color": LABEL, "strokeWidth": 1},
        "encoding": {
            "opacity": {
                "condition": {"param": HOVER, "empty": False, "value": 0.7},
                "value": 0,
            },
            "tooltip": [day_tooltip(), *tooltips],
        },
    }


def zoom() -> Spec:
    """Let a mouse move and stretch time; a finger and a plain wheel scroll the page."""
    return {
        "name": "zoom",
        "select": {
            "type": "interval",
            "encodings": ["x"],
            "translate": "[pointerdown[event.pointerType !== 'touch'], window:pointerup] > "
            "window:pointermove!",
            "zoom": "wheel![event.ctrlKey]",
        },
        "bind": "scales",
    }


def dot(colour: str) -> Spec:
    """Mark single sessions that matter."""
    return {
        "type": "point",
        "shape": "triangle-down",
        "filled": True,
        "size": 55,
        "opacity": 1,
        "fill": colour,
        "stroke": SURFACE,
        "strokeWidth": 0.5,
    }
