"""Figures of VaR: what was stated, what happened, and how often it was exceeded."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from riskmark.domain.reasons import NullReason
from riskmark.reports.backtest_lines import SPAN
from riskmark.reports.figures.figure import Column, Figure, Kind, Table
from riskmark.reports.figures.numbers import Numbers
from riskmark.reports.figures.palette import BAR, BLUE, TEAL, TEXT, VERMILION
from riskmark.reports.figures.spec import (
    HEIGHT,
    MONEY,
    RATIO,
    STEP,
    Spec,
    amount_axis,
    day_text,
    dot,
    finish,
    hover_layer,
    labelled,
    names_axis,
    on_days,
    time_axis,
    tooltip,
    zoom,
)

_PNL, _LOW, _LOWER, _HIT = "P&L", "VaR 95 %", "VaR 99 %", "Exception"
_COLOURS = {_PNL: BAR, _LOW: BLUE, _LOWER: TEAL, _HIT: VERMILION}
MEASURES: Mapping[str, str] = {
    "var_95": "Historical 95\u00a0%",
    "var_99": "Historical 99\u00a0%",
    "var_95_param": "Parametric 95\u00a0%",
    "var_99_param": "Parametric 99\u00a0%",
}
"""The VaRs that are back-tested, in words."""
_OVER, _WITHIN = "More than expected", "No more"


class _Tried(NamedTuple):
    """A session's P&L, what VaR had been stated the session before, and whether it was beyond."""

    session: date
    pnl: float | None
    var_95: float | None
    var_99: float | None
    is_exception: bool


def draw_var(numbers: Numbers) -> Figure:
    """Draw the P&L of 250 sessions against the VaR that was stated the session before."""
    name, title, unit = "var", "P&L against value at risk", numbers.currency
    columns = (
        Column("session", "Session", Kind.DAY),
        Column("pnl_hypothetical", f"P&L of what was held ({unit})", Kind.MONEY),
        Column("var_95_money", f"VaR 95 % stated before ({unit})", Kind.MONEY),
        Column("var_99_money", f"VaR 99 % stated before ({unit})", Kind.MONEY),
        Column("exception", "Exception of VaR 95 %", Kind.YES),
    )
    tried = _tried(numbers)
    table = Table(columns, tuple(tuple(one) for one in tried))
    line = next(one for one in numbers.snapshot["backtests"]["var"] if one["measure"] == "var_95")
    what = f"P&L in {unit} of what was held, and one-session VaR as stated the session before"
    if all(one.var_95 is None for one in tried):
        return Figure(name, title, what + ".", None, table, _reason(numbers))
    note = (
        f"{what}; VaR 95 % was exceeded in {line['exceptions']} of {line['sessions']} sessions, "
        f"{line['expected']:.1f} were expected."
    )
    values = [_value(one) for one in tried]
    spec = finish(
        _var_spec(unit, time_axis(tried[0].session, tried[-1].session)),
        values,
        description=f"{title}. {note}",
    )
    return Figure(name, title, note, spec | {"data": on_days(values)}, table)


def _tried(numbers: Numbers) -> list[_Tried]:
    lines = next(one for one in numbers.snapshot["backtests"]["var"] if one["measure"] == "var_95")
    hits = {str(day) for day in lines["exception_sessions"]}
    found: list[_Tried] = []
    before: Mapping[str, Any] = {}
    for day, row in numbers.lines():
        now = {} if row is None else row.document()
        found.append(
            _Tried(
                day,
                now.get("pnl_hypothetical"),
                before.get("var_95_money"),
                before.get("var_99_money"),
                str(day) in hits,
            )
        )
        before = now
    return found[-SPAN:]


def _value(one: _Tried) -> Spec:
    # What was stated as a loss is drawn below zero, where losses are.
    return {
        "session": day_text(one.session),
        "pnl": one.pnl,
        "low": None if one.var_95 is None else -one.var_95,
        "lower": None if one.var_99 is None else -one.var_99,
        "hit": one.is_exception,
    }


def _reason(numbers: Numbers) -> NullReason:
    rows = numbers.history.rows
    reasons = rows[-1].nulls() if rows else {}
    # A first session has VaR that no session has tried yet.
    return NullReason(reasons.get("var_95_money", NullReason.TOO_FEW_OBSERVATIONS))


def _var_spec(unit: str, time: Spec) -> Spec:
    axis = amount_axis(None, is_zero=True)

    def layer(mark: Spec, field: str, label: str) -> Spec:
        drawn: Spec = {"mark": mark, "encoding": {"y": {"field": field, **axis}}}
        if label == _HIT:
            drawn["transform"] = [{"filter": "datum.hit"}]
        return labelled(drawn, label, _COLOURS)

    step = {"type": "line", "interpolate": "step", "strokeWidth": 1.6}
    layers = [
        layer({"type": "bar", "width": 1.6}, "pnl", _PNL) | {"params": [zoom()]},
        layer(step, "low", _LOW),
        layer(step | {"strokeDash": [5, 3]}, "lower", _LOWER),
        layer(dot(VERMILION), "pnl", _HIT),
        hover_layer(
            [
                tooltip("pnl", f"P&L ({unit})", MONEY),
                tooltip("low", f"−VaR 95 % ({unit})", MONEY),
                tooltip("lower", f"−VaR 99 % ({unit})", MONEY),
            ]
        ),
    ]
    return {"height": HEIGHT, "encoding": {"x": time}, "layer": layers}


def draw_backtest(numbers: Numbers) -> Figure:
    """Draw how often each VaR was exceeded, beside how often it should have been."""
    name, title = "backtest", "Back-test of value at risk"
    columns = (
        Column("measure", "VaR", Kind.TEXT),
        Column("sessions", "Sessions", Kind.COUNT),
        Column("exceptions", "Exceptions", Kind.COUNT),
        Column("expected", "Expected", Kind.RATIO),
        Column("kupiec_p", "p of Kupiec's test", Kind.RATIO),
        Column("independence_p", "p of independence", Kind.RATIO),
        Column("traffic_light", "Traffic light", Kind.TEXT),
    )
    lines = numbers.snapshot["backtests"]["var"]
    fields = [column.name for column in columns[1:]]
    table = Table(
        columns,
        tuple((MEASURES[one["measure"]], *(one[field] for field in fields)) for one in lines),
    )
    what = "Sessions with a loss beyond the VaR that was stated the session before"
    if not any(one["sessions"] for one in lines):
        return Figure(name, title, what + ".", None, table, NullReason.TOO_FEW_OBSERVATIONS)
    most = max(one["sessions"] for one in lines)
    note = f"{what}, of the last {most}; a line marks how many were to be expected."
    values = [
        {
            "name": MEASURES[one["measure"]],
            "exceptions": one["exceptions"],
            "expected": one["expected"],
            "kind": _OVER if one["exceptions"] > one["expected"] else _WITHIN,
            "light": one["traffic_light"],
        }
        for one in lines
        if one["sessions"]
    ]
    return Figure(
        name, title, note, finish(_test_spec(), values, description=f"{title}. {note}"), table
    )


def _test_spec() -> Spec:
    tooltips = [
        tooltip("name", "VaR"),
        tooltip("exceptions", "Exceptions", ",.0f"),
        tooltip("expected", "Expected", RATIO),
        tooltip("light", "Traffic light"),
    ]
    x: Spec = {"type": "quantitative", "title": "Exceptions", "axis": {"tickCount": 5}}
    scale = {"domain": [_OVER, _WITHIN], "range": [VERMILION, BLUE]}
    return {
        "height": (STEP + 4) * len(MEASURES),
        "encoding": {"y": names_axis(list(MEASURES.values())), "tooltip": tooltips},
        "layer": [
            {
                "mark": {"type": "bar"},
                "encoding": {
                    "x": {"field": "exceptions", **x},
                    "color": {"field": "kind", "type": "nominal", "title": None, "scale": scale},
                },
            },
            {
                "mark": {"type": "tick", "thickness": 2.5, "color": TEXT},
                "encoding": {"x": {"field": "expected", **x}},
            },
        ],
    }
