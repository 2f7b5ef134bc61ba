"""One style for all figures: readable on white and on black, and by the colour-blind.

Colours are from the palette of Okabe and Ito. The background is transparent, and the grey of
text and axes, as each colour of a mark, stands out against white and black alike.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import altair as alt

INK = "#797979"
"""As far from white as from the black of a dark page."""
BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"
COLOURS = (BLUE, VERMILLION, GREEN)
DIVERGING = (VERMILLION, "#f5f5f5", BLUE)
"""From −1 to 1."""
WIDTH, HEIGHT = 640, 280
ROW = 22
"""Pixels of a horizontal bar."""
MONEY, FRACTION, RATIO, PERCENT = ",.0f", ".1%", ".2f", ".0%"
"""How numbers are written, in the language of d3-format."""

_Chart = TypeVar("_Chart", alt.Chart, alt.LayerChart)


def values_of(lines: Iterable[Mapping[str, Any]]) -> alt.InlineData:
    """Put lines into a figure as they are; what is NaN becomes null, and is not drawn.

    A session becomes an instant without a zone: a date alone would be taken for midnight in
    Greenwich, and shown as the day before in America.
    """
    return alt.InlineData(
        values=[{key: _plain(one) for key, one in line.items()} for line in lines]
    )


def _plain(value: object) -> object:
    if hasattr(value, "isoformat"):
        return f"{value.isoformat()[:10]}T00:00:00"
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def finish(chart: _Chart, title: str, subtitle: str) -> _Chart:
    """Give a figure its title and the style."""
    styled: _Chart = chart.properties(
        title=alt.TitleParams(title, subtitle=subtitle, anchor="start")
    ).configure(
        background="transparent",
        view=alt.ViewConfig(stroke=None),
        title=alt.TitleConfig(color=INK, subtitleColor=INK),
        axis=alt.AxisConfig(
            labelColor=INK,
            titleColor=INK,
            domainColor=INK,
            tickColor=INK,
            gridColor=INK,
            gridOpacity=0.2,
            labelLimit=200,
        ),
        legend=alt.LegendConfig(labelColor=INK, titleColor=INK, orient="top"),
    )
    return styled
