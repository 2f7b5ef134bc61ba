"""Figures of series: NAV, drawdown, and P&L against VaR."""

from typing import TYPE_CHECKING, Any

import altair as alt

from riskmark.notebook.figures.style import (
    BLUE,
    FRACTION,
    GREEN,
    HEIGHT,
    INK,
    MONEY,
    PERCENT,
    VERMILLION,
    WIDTH,
    finish,
    values_of,
)

if TYPE_CHECKING:
    from pandas import DataFrame  # type: ignore[import-untyped]

    from riskmark.notebook.arguments import Day
    from riskmark.notebook.portfolio import Portfolio

SPAN = 250
"""Sessions of a back-test, and of its figure."""
_TIME = alt.X("session:T", title=None)
_DATE = alt.Tooltip("session:T", title="Session", format="%Y-%m-%d")


def nav_figure(portfolio: "Portfolio", *, first: "Day", last: "Day") -> alt.Chart:
    """Draw NAV."""
    frame = portfolio.history("nav", first=first, last=last)
    unit = portfolio.currency
    chart: alt.Chart = (
        alt.Chart(values_of(_lines(frame)), width=WIDTH, height=HEIGHT)
        .mark_line(color=BLUE, strokeWidth=1.5)
        .encode(
            _TIME,
            alt.Y("nav:Q", title=f"NAV ({unit})", scale=alt.Scale(zero=False)),
            tooltip=[_DATE, alt.Tooltip("nav:Q", title=f"NAV ({unit})", format=MONEY)],
        )
    )
    return finish(chart, f"{portfolio.name}: net asset value", f"{unit}, {_span(frame)}")


def drawdown_figure(portfolio: "Portfolio", *, first: "Day", last: "Day") -> alt.Chart:
    """Draw how far wealth is below its highest point so far."""
    frame = portfolio.history("drawdown", first=first, last=last)
    chart: alt.Chart = (
        alt.Chart(values_of(_lines(frame)), width=WIDTH, height=HEIGHT)
        .mark_area(color=VERMILLION, opacity=0.5, line={"color": VERMILLION})
        .encode(
            _TIME,
            alt.Y("drawdown:Q", title="Drawdown (% of the peak)", axis=alt.Axis(format=PERCENT)),
            tooltip=[_DATE, alt.Tooltip("drawdown:Q", title="Drawdown", format=FRACTION)],
        )
    )
    subtitle = f"time-weighted, % below the highest point so far, {_span(frame)}"
    return finish(chart, f"{portfolio.name}: drawdown", subtitle)


def var_figure(portfolio: "Portfolio", *, session: "Day") -> alt.LayerChart:
    """Draw the P&L of 250 sessions against the VaR that was stated the session before."""
    scores = portfolio.backtests(session)
    names = ("pnl_hypothetical", "var_95_money", "var_99_money")
    frame = portfolio.history(*names, last=scores.attrs["session"]).drop(columns="state")
    frame[["var_95_money", "var_99_money"]] = -frame[["var_95_money", "var_99_money"]].shift(1)
    frame = frame.tail(SPAN)
    hits = {str(day) for day in scores.attrs["exceptions"]["var_95"]}
    lines = _lines(frame)
    for line in lines:
        line["exception"] = line["session"].isoformat()[:10] in hits
    unit = portfolio.currency
    title = f"P&L of a session ({unit})"
    base = alt.Chart(values_of(lines), width=WIDTH, height=HEIGHT).encode(_TIME)
    pnl = base.mark_bar(color=INK, width=2).encode(
        alt.Y("pnl_hypothetical:Q", title=title), tooltip=_var_tooltip(unit)
    )
    limits = [
        base.mark_line(strokeWidth=1.5, interpolate="step")
        .transform_calculate(kind=f"'{label}'")
        .encode(alt.Y(f"{name}:Q", title=title), color=_legend(), strokeDash=alt.value(dash))
        for name, label, dash in (
            ("var_95_money", "−VaR 95 %", [1, 0]),
            ("var_99_money", "−VaR 99 %", [5, 3]),
        )
    ]
    exceptions = (
        base.mark_point(filled=True, size=45, shape="triangle-down", opacity=1)
        .transform_filter("datum.exception")
        .transform_calculate(kind="'exception (95 %)'")
        .encode(
            alt.Y("pnl_hypothetical:Q", title=title),
            color=_legend(),
            tooltip=_var_tooltip(unit),
        )
    )
    one = scores.loc["var_95"]
    subtitle = (
        f"{unit}; {one['exceptions']} exceptions of VaR 95 % in {one['sessions']} sessions, "
        f"{one['expected']:.1f} expected"
    )
    chart = alt.LayerChart(layer=[pnl, *limits, exceptions])
    return finish(chart, f"{portfolio.name}: P&L against value at risk", subtitle)


def _legend() -> alt.Color:
    """Colour a layer by its ``kind``, which the legend shows."""
    scale = alt.Scale(
        domain=["−VaR 95 %", "−VaR 99 %", "exception (95 %)"], range=[BLUE, GREEN, VERMILLION]
    )
    return alt.Color("kind:N", scale=scale, title=None)


def _var_tooltip(unit: str) -> list[alt.Tooltip]:
    return [
        _DATE,
        alt.Tooltip("pnl_hypothetical:Q", title=f"P&L ({unit})", format=MONEY),
        alt.Tooltip("var_95_money:Q", title=f"−VaR 95 % ({unit})", format=MONEY),
    ]


def _lines(frame: "DataFrame") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = frame.reset_index().to_dict("records")
    return found


def _span(frame: "DataFrame") -> str:
    """Say which sessions a figure shows."""
    if not len(frame):
        return "no snapshots"
    first, last = frame.index[0].date(), frame.index[-1].date()
    return f"{first} to {last}"
