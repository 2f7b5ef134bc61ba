"""The figure of correlations: a heat map, cluster by cluster."""

from riskmark.domain.reasons import NullReason
from riskmark.reports.figures.figure import Column, Figure, Kind, Table
from riskmark.reports.figures.numbers import Numbers
from riskmark.reports.figures.palette import HEAT, STRONG, TEXT
from riskmark.reports.figures.spec import LONGEST, RATIO, Spec, finish, tooltip

LIMITS = (-0.8, -0.6, -0.3, -0.1, 0.1, 0.3, 0.6, 0.8)
"""Where a step of the colours ends and the next begins."""
_DARK = 0.6
"""The size of a correlation from which its cell is dark, and its number light."""
_NUMBERED = 10
"""Symbols up to which numbers fit into the cells, also on a telephone."""
_CELL, _SMALL, _SMALLEST = 30, 18, 9
_MANY = 30


def draw_correlation(numbers: Numbers) -> Figure:
    """Draw the correlations of the positions."""
    name, title = "correlation", "Correlation"
    found = numbers.snapshot["correlation"]
    clusters = found["clusters"] or []
    order = [symbol for cluster in clusters for symbol in cluster]
    what = "Correlations of daily returns over 90 sessions, from −1 to 1"
    if not order:
        reason = NullReason(numbers.nulls["correlation.matrix"])
        return Figure(name, title, what + ".", None, Table(_columns(()), ()), reason)
    place = {symbol: row for row, symbol in enumerate(found["symbols"])}
    rows = tuple(
        (one, *(found["matrix"][place[one]][place[two]] for two in order)) for one in order
    )
    left = len(found["left_out"] or ())
    note = (
        f"{what}; {len(order)} positions in {len(clusters)} "
        f"{'cluster' if len(clusters) == 1 else 'clusters'} of what moves together."
        + (f" {left} left out, as small or with too few returns." if left else "")
    )
    values = [
        {"row": row[0], "column": column, "value": value}
        for row in rows
        for column, value in zip(order, row[1:], strict=True)
    ]
    spec = finish(_spec(order), values, description=f"{title}. {note}")
    return Figure(name, title, note, spec, Table(_columns(tuple(order)), rows))


def _columns(order: tuple[str, ...]) -> tuple[Column, ...]:
    # A symbol might be called "symbol"; a place cannot be.
    others = (Column(f"with_{place}", one, Kind.RATIO) for place, one in enumerate(order))
    return (Column("symbol", "Symbol", Kind.TEXT), *others)


def _spec(order: list[str]) -> Spec:
    count = len(order)
    size = _CELL if count <= _NUMBERED else _SMALL if count <= _MANY else _SMALLEST
    axis: Spec = {"labelColor": TEXT, "labelLimit": LONGEST, "labelOverlap": True}
    # A thin gap between cells; where they are small it would be all that is seen.
    scale = {"padding": 0.04 if count <= _MANY else 0}
    names: Spec = {"type": "nominal", "sort": order, "title": None, "scale": scale}
    tiles: Spec = {
        "mark": {"type": "rect"},
        "encoding": {
            "color": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "scale": {"type": "threshold", "domain": list(LIMITS), "range": list(HEAT)},
                "legend": {"gradientLength": 220, "gradientThickness": 10, "format": ".1f"},
            },
        },
    }
    figures: Spec = {
        "mark": {"type": "text", "fontSize": 10},
        "encoding": {
            "text": {"field": "value", "type": "quantitative", "format": RATIO},
            "color": {
                "condition": {"test": f"abs(datum.value) >= {_DARK}", "value": STRONG},
                "value": TEXT,
            },
        },
    }
    return {
        "height": size * count,
        "encoding": {
            "x": {"field": "column", **names, "axis": axis | {"labelAngle": -90}},
            "y": {"field": "row", **names, "axis": axis},
            "tooltip": [
                tooltip("row", "Symbol"),
                tooltip("column", "With"),
                tooltip("value", "Correlation", RATIO),
            ],
        },
        "layer": [tiles, figures] if count <= _NUMBERED else [tiles],
    }
