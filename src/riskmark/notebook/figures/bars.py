"""Figures of one session: exposures, stress, sectors, each line a bar."""

from typing import TYPE_CHECKING

import altair as alt

from riskmark.errors import InputError
from riskmark.notebook.figures.style import (
    BLUE,
    FRACTION,
    GREEN,
    MONEY,
    PERCENT,
    RATIO,
    ROW,
    VERMILLION,
    WIDTH,
    finish,
    values_of,
)

if TYPE_CHECKING:
    from riskmark.notebook.arguments import Day
    from riskmark.notebook.portfolio import Portfolio


def exposure_figure(portfolio: "Portfolio", *, session: "Day", model: str | None) -> alt.LayerChart:
    """Draw the exposures to the factors of a model, with one standard error on each side."""
    frame = portfolio.factors(session)
    chosen = model or frame.attrs["default_model"]
    known = list(frame.index.get_level_values("model").unique())
    if chosen not in known:
        raise InputError(f"no exposures to the model {chosen!r}; there are {', '.join(known)}")
    lines = frame.loc[chosen].reset_index().to_dict("records")
    for line in lines:
        line["low"] = line["exposure"] - line["stderr"]
        line["high"] = line["exposure"] + line["stderr"]
    title = "Exposure (beta of NAV, a ratio)"
    base = alt.Chart(values_of(lines), width=WIDTH, height=alt.Step(ROW)).encode(
        alt.Y("factor:N", sort=None, title=None)
    )
    bars = base.mark_bar(color=BLUE).encode(
        alt.X("exposure:Q", title=title),
        tooltip=[
            alt.Tooltip("factor:N", title="Factor"),
            alt.Tooltip("exposure:Q", title="Exposure", format=RATIO),
            alt.Tooltip("stderr:Q", title="Standard error", format=RATIO),
            alt.Tooltip("money:Q", title=f"Exposure ({portfolio.currency})", format=MONEY),
        ],
    )
    errors = base.mark_rule(color=VERMILLION, strokeWidth=2).encode(
        alt.X("low:Q", title=title), alt.X2("high:Q")
    )
    subtitle = f"model {chosen}, {frame.attrs['session']}; lines: ± one standard error"
    return finish(
        alt.LayerChart(layer=[bars, errors]), f"{portfolio.name}: factor exposures", subtitle
    )


def stress_figure(portfolio: "Portfolio", *, session: "Day") -> alt.Chart:
    """Draw what the scenarios would gain or lose."""
    every = portfolio.stress(session)
    frame = every.dropna(how="all").sort_values("predictive")
    unit = portfolio.currency
    long = frame.reset_index().melt("scenario", var_name="kind", value_name="pnl")
    chart: alt.Chart = (
        alt.Chart(values_of(long.to_dict("records")), width=WIDTH, height=alt.Step(ROW / 2))
        .mark_bar()
        .encode(
            alt.Y("scenario:N", sort=list(frame.index), title=None),
            alt.X("pnl:Q", title=f"Gain or loss ({unit})"),
            alt.YOffset("kind:N", sort=["predictive", "direct"]),
            alt.Color(
                "kind:N",
                title=None,
                sort=["predictive", "direct"],
                scale=alt.Scale(domain=["predictive", "direct"], range=[BLUE, VERMILLION]),
            ),
            tooltip=[
                alt.Tooltip("scenario:N", title="Scenario"),
                alt.Tooltip("kind:N", title="Kind"),
                alt.Tooltip("pnl:Q", title=f"Gain or loss ({unit})", format=MONEY),
            ],
        )
    )
    subtitle = (
        f"{unit}, {every.attrs['session']}; direct: the shocked factors alone, predictive: the "
        "others follow"
    )
    if len(frame) < len(every):
        subtitle += f"; {len(every) - len(frame)} scenarios cannot be computed"
    return finish(chart, f"{portfolio.name}: stress scenarios", subtitle)


def sector_figure(portfolio: "Portfolio", *, session: "Day") -> alt.LayerChart:
    """Draw what is long and short in each sector, and the benchmark's weight."""
    frame = portfolio.sectors(session)
    title = "Exposure (% of NAV)"
    base = alt.Chart(
        values_of(frame.reset_index().to_dict("records")), width=WIDTH, height=alt.Step(ROW)
    ).encode(alt.Y("sector:N", sort=list(frame.index), title=None))
    axis = alt.Axis(format=PERCENT)
    scale = alt.Scale(domain=["long", "short", "benchmark"], range=[BLUE, VERMILLION, GREEN])
    bars = [
        base.mark_bar()
        .transform_calculate(kind=f"'{side}'")
        .encode(
            alt.X(f"{side}:Q", title=title, axis=axis),
            color=alt.Color("kind:N", scale=scale, title=None),
            tooltip=[
                alt.Tooltip("sector:N", title="Sector"),
                alt.Tooltip(f"{side}:Q", title=f"{side.title()} (% of NAV)", format=FRACTION),
            ],
        )
        for side in ("long", "short")
    ]
    benchmark = (
        base.mark_tick(thickness=3)
        .transform_calculate(kind="'benchmark'")
        .encode(
            alt.X("benchmark:Q", title=title, axis=axis),
            color=alt.Color("kind:N", scale=scale, title=None),
            tooltip=[
                alt.Tooltip("sector:N", title="Sector"),
                alt.Tooltip("benchmark:Q", title="Benchmark (%)", format=FRACTION),
            ],
        )
    )
    subtitle = f"% of NAV, {frame.attrs['session']}"
    return finish(alt.LayerChart(layer=[*bars, benchmark]), f"{portfolio.name}: sectors", subtitle)
