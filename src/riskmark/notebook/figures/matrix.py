"""The figure of correlations: a heat map, cluster by cluster."""

from typing import TYPE_CHECKING

import altair as alt

from riskmark.notebook.figures.style import DIVERGING, RATIO, finish, values_of

if TYPE_CHECKING:
    from riskmark.notebook.arguments import Day
    from riskmark.notebook.portfolio import Portfolio

CELL = 34
"""Pixels of a cell that has its number in it."""
SMALL = 14
"""Pixels of one that has not."""
MOST = 15
"""Symbols up to which numbers stand in the cells."""
STRONG = 0.75
"""The size of a correlation from which its cell is dark, and its number white."""


def correlation_figure(portfolio: "Portfolio", *, session: "Day") -> alt.Chart | alt.LayerChart:
    """Draw the correlations of the positions."""
    frame = portfolio.correlation(session)
    order = list(frame.index)
    cells = [
        {"row": row, "column": column, "correlation": float(frame.loc[row, column])}
        for row in order
        for column in order
    ]
    size = alt.Step(CELL if len(order) <= MOST else SMALL)
    base = alt.Chart(values_of(cells), width=size, height=size).encode(
        alt.X("column:N", sort=order, title=None, axis=alt.Axis(labelAngle=-90)),
        alt.Y("row:N", sort=order, title=None),
    )
    tiles: alt.Chart = base.mark_rect().encode(
        alt.Color(
            "correlation:Q",
            title="Correlation",
            scale=alt.Scale(domain=[-1, 0, 1], range=list(DIVERGING)),
        ),
        tooltip=[
            alt.Tooltip("row:N", title="Symbol"),
            alt.Tooltip("column:N", title="With"),
            alt.Tooltip("correlation:Q", title="Correlation", format=RATIO),
        ],
    )
    clusters = len(frame.attrs["clusters"])
    title = f"{portfolio.name}: correlations"
    subtitle = (
        f"no unit, from −1 to 1; 90 sessions to {frame.attrs['session']}, "
        f"{len(order)} positions in {clusters} clusters"
    )
    if len(order) > MOST:
        return finish(tiles, title, subtitle)
    numbers = base.mark_text(fontSize=10).encode(
        alt.Text("correlation:Q", format=RATIO),
        color=alt.condition(
            f"abs(datum.correlation) > {STRONG}", alt.value("white"), alt.value("#333333")
        ),
    )
    return finish(alt.LayerChart(layer=[tiles, numbers]), title, subtitle)
