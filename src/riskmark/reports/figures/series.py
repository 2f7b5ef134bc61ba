"""Figures of a portfolio's history: NAV, performance, drawdown, volatility."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from riskmark.domain.reasons import NullReason
from riskmark.reports.figures.figure import Column, Figure, Kind, Table
from riskmark.reports.figures.numbers import Numbers
from riskmark.reports.figures.palette import BLUE, TEAL, VERMILION
from riskmark.reports.figures.spec import (
    HEIGHT,
    MONEY,
    SHARE,
    Spec,
    amount_axis,
    day_text,
    finish,
    hover_layer,
    labelled,
    on_days,
    share_axis,
    time_axis,
    tooltip,
    zoom,
)


class _Line(NamedTuple):
    """A stored measure, as a line."""

    measure: str
    label: str
    colour: str
    dash: tuple[int, int] = (1, 0)


def draw_nav(numbers: Numbers) -> Figure:
    """Draw NAV."""
    line = _Line("nav", f"NAV ({numbers.currency})", BLUE)
    return _lines(numbers, "nav", "Net asset value", (line,), what=f"NAV in {numbers.currency}")


def draw_performance(numbers: Numbers) -> Figure:
    """Draw the time-weighted return since inception."""
    line = _Line("twr_inception", "Return since inception", BLUE)
    what = "Time-weighted return since inception, free of contributions and withdrawals"
    return _lines(numbers, "performance", "Performance", (line,), what=what)


def draw_drawdown(numbers: Numbers) -> Figure:
    """Draw how far wealth is below its highest point so far."""
    line = _Line("drawdown", "Drawdown", VERMILION)
    what = "Distance from the highest point so far, time-weighted"
    return _lines(numbers, "drawdown", "Drawdown", (line,), what=what, is_area=True)


def draw_volatility(numbers: Numbers) -> Figure:
    """Draw measured volatility, and what HAR forecasts of the next month."""
    lines = (
        _Line("vol_21", "21 sessions", TEAL),
        _Line("vol_63", "63 sessions", BLUE),
        _Line("vol_har_21d", "HAR forecast", VERMILION, (5, 3)),
    )
    what = "Volatility a year, as measured, and the HAR forecast of the 21 sessions after"
    return _lines(numbers, "volatility", "Volatility", lines, what=what)


def _lines(
    numbers: Numbers,
    name: str,
    title: str,
    lines: tuple[_Line, ...],
    *,
    what: str,
    is_area: bool = False,
) -> Figure:
    is_money = lines[0].measure == "nav"
    kind = Kind.MONEY if is_money else Kind.SHARE
    columns = (
        Column("session", "Session", Kind.DAY),
        *(Column(line.measure, line.label, kind) for line in lines),
    )
    rows = tuple(
        (row.session, *(row.document()[line.measure] for line in lines))
        for row in numbers.history.rows
    )
    table = Table(columns, rows)
    if all(value is None for row in rows for value in row[1:]):
        return Figure(name, title, what + ".", None, table, _reason(numbers, lines[0].measure))
    note = f"{what}; {rows[0][0]} to {rows[-1][0]}.{_missing(numbers)}"
    values = [_value(day, row, lines) for day, row in _padded(numbers)]
    spec = _spec(lines, time_axis(rows[0][0], rows[-1][0]), is_money=is_money, is_area=is_area)
    return Figure(
        name,
        title,
        note,
        finish(spec, values, description=f"{title}. {note}") | {"data": on_days(values)},
        table,
    )


def _padded(numbers: Numbers) -> list[tuple[date, Mapping[str, Any]]]:
    return [(day, {} if row is None else row.document()) for day, row in numbers.lines()]


def _value(day: date, row: Mapping[str, Any], lines: tuple[_Line, ...]) -> Spec:
    return {"session": day_text(day), **{one.measure: row.get(one.measure) for one in lines}}


def _missing(numbers: Numbers) -> str:
    count = len(numbers.missing)
    return f" {count} sessions between them are not stored." if count else ""


def _reason(numbers: Numbers, measure: str) -> NullReason:
    """Return why the last session has no ``measure``; without sessions, nothing is computed."""
    if not numbers.history.rows:
        return NullReason.NOT_COMPUTED_YET
    return NullReason(numbers.history.rows[-1].nulls()[measure])


def _spec(lines: tuple[_Line, ...], time: Spec, *, is_money: bool, is_area: bool) -> Spec:
    axis = amount_axis(None) if is_money else share_axis(None, is_zero=is_area)
    colours = {line.label: line.colour for line in lines}
    layers: list[Spec] = []
    for line in lines:
        mark: Spec = {"type": "line", "strokeWidth": 1.6, "strokeDash": list(line.dash)}
        if is_area:
            mark = {"type": "area", "color": line.colour, "opacity": 0.4}
        layer: Spec = {"mark": mark, "encoding": {"y": {"field": line.measure, **axis}}}
        if len(lines) > 1:
            layers.append(labelled(layer, line.label, colours))
        else:
            mark["color"] = line.colour
            layers.append(layer)
    layers[0]["params"] = [zoom()]
    number = MONEY if is_money else SHARE
    layers.append(hover_layer([tooltip(one.measure, one.label, number) for one in lines]))
    return {"height": HEIGHT, "encoding": {"x": time}, "layer": layers}
