"""Figures of what is held: sectors, and the largest positions."""

from riskmark.domain.reasons import NullReason
from riskmark.reports.figures.bars import largest, shown_of, signed_bars
from riskmark.reports.figures.figure import Column, Figure, Kind, Table
from riskmark.reports.figures.numbers import Numbers
from riskmark.reports.figures.palette import BLUE, TEXT, VERMILION
from riskmark.reports.figures.spec import (
    SHARE,
    STEP,
    Spec,
    finish,
    labelled,
    names_axis,
    share_axis,
    tooltip,
)

_LONG, _SHORT, _BENCHMARK = "Long", "Short", "Benchmark"


def draw_sectors(numbers: Numbers) -> Figure:
    """Draw what is long and short in each sector, and the benchmark's weight."""
    name, title = "sectors", "Sectors"
    lines = numbers.snapshot["sectors"]
    columns = (
        Column("sector", "Sector", Kind.TEXT),
        Column("long", _LONG, Kind.SHARE),
        Column("short", _SHORT, Kind.SHARE),
        Column("net", "Net", Kind.SHARE),
        Column("gross", "Gross", Kind.SHARE),
        Column("benchmark", _BENCHMARK, Kind.SHARE),
    )
    fields = [column.name for column in columns]
    table = Table(columns, tuple(tuple(line[field] for field in fields) for line in lines))
    known = [line for line in lines if line["gross"] is not None]
    what = "Long and short positions by sector, % of NAV"
    if not known:
        reason = next(
            (numbers.nulls[f"sectors.{line['sector']}.gross"] for line in lines),
            NullReason.NO_HOLDINGS,
        )
        return Figure(name, title, what + ".", None, table, NullReason(reason))
    values = [
        {"name": line["sector"]} | {field: line[field] for field in ("long", "short", "benchmark")}
        for line in known
    ]
    has_benchmark = any(line["benchmark"] is not None for line in known)
    note = what + ("; a line marks the benchmark's weight." if has_benchmark else ".")
    spec = _sector_spec(values, has_benchmark=has_benchmark)
    return Figure(name, title, note, finish(spec, values, description=f"{title}. {note}"), table)


def _sector_spec(values: list[Spec], *, has_benchmark: bool) -> Spec:
    axis = share_axis(None, is_zero=True)
    marks: dict[str, Spec] = {_LONG: {"type": "bar"}, _SHORT: {"type": "bar"}}
    colours = {_LONG: BLUE, _SHORT: VERMILION}
    if has_benchmark:
        marks[_BENCHMARK] = {"type": "tick", "thickness": 2.5}
        colours[_BENCHMARK] = TEXT
    layers = [
        labelled(
            {"mark": mark, "encoding": {"x": {"field": label.lower(), **axis}}}, label, colours
        )
        for label, mark in marks.items()
    ]
    tooltips = [tooltip("name", "Sector")]
    tooltips += [tooltip(label.lower(), label, SHARE) for label in marks]
    return {
        "height": STEP * len(values),
        "encoding": {"y": names_axis([one["name"] for one in values]), "tooltip": tooltips},
        "layer": layers,
    }


def draw_concentration(numbers: Numbers) -> Figure:
    """Draw the weights of the largest positions."""
    name, title = "concentration", "Largest positions"
    columns = (
        Column("symbol", "Symbol", Kind.TEXT),
        Column("weight", "Weight", Kind.SHARE),
        Column("component_es_95", "Part of ES 95 %", Kind.SHARE),
        Column("sector", "Sector", Kind.TEXT),
    )
    fields = [column.name for column in columns]
    held = [line for line in numbers.snapshot["positions"] or () if line["mark_kind"] is not None]
    table = Table(columns, tuple(tuple(line[field] for field in fields) for line in held))
    what = "Positions by weight, % of NAV"
    lines = [{"name": line["symbol"], "value": line["weight"]} for line in held]
    values = largest(lines, "value")
    if not values:
        return Figure(name, title, what + ".", None, table, _weight_reason(numbers, table))
    found = numbers.snapshot["concentration"]
    three, even = found["top_3"], found["effective_positions"]
    note = what + (
        "" if three is None else f"; the largest three are {100 * three:.1f}\u00a0% of gross"
    )
    note += "." if even is None else f", which is spread as {even:.1f} equal positions would be."
    note += shown_of(len(values), len(held), "positions")
    axis = share_axis(None, is_zero=True)
    spec = signed_bars(values, axis, tooltips=[tooltip("value", "Weight", SHARE)])
    return Figure(name, title, note, finish(spec, values, description=f"{title}. {note}"), table)


def _weight_reason(numbers: Numbers, table: Table) -> NullReason:
    names = ["positions", *(f"positions.{row[0]}.weight" for row in table.rows)]
    return next(
        (NullReason(numbers.nulls[name]) for name in names if name in numbers.nulls),
        NullReason.NO_HOLDINGS,
    )
