"""Figures of where P&L came from in the year so far: positions, sectors, factors."""

from collections.abc import Mapping, Sequence
from typing import Any

from riskmark.domain.reasons import NullReason
from riskmark.reports.figures.bars import largest, shown_of, signed_bars
from riskmark.reports.figures.figure import Column, Figure, Kind, Table
from riskmark.reports.figures.numbers import Numbers
from riskmark.reports.figures.spec import MONEY, Spec, amount_axis, finish, tooltip

_PARTS = {
    "specific": "Specific",
    "excluded": "Positions without a fit",
    "beyond_delta": "Options beyond delta",
    "trading": "Trading",
    "unexplained": "Unexplained",
}
"""What factors leave over, in words."""


def draw_attribution(numbers: Numbers) -> Figure:
    """Draw what each position has made."""
    return _by_line(numbers, "attribution", "P&L by position", key="positions", name="symbol")


def draw_attribution_sectors(numbers: Numbers) -> Figure:
    """Draw what the positions in each sector have made."""
    return _by_line(numbers, "attribution_sectors", "P&L by sector", key="sectors", name="sector")


def draw_attribution_factors(numbers: Numbers) -> Figure:
    """Draw what the exposure to each factor has made, and what they leave over."""
    found = _attributed(numbers)["factors"]
    lines = [(line["factor"], line["pnl"]) for line in found["lines"]]
    lines += [(words, found[part]) for part, words in _PARTS.items()]
    nulls = _attributed(numbers)["nulls"]
    reason = next((nulls[name] for name in sorted(nulls) if name.startswith("factors.")), None)
    return _draw(
        numbers,
        "attribution_factors",
        "P&L by factor",
        heading="Factor",
        lines=lines,
        reason=reason,
    )


def _by_line(numbers: Numbers, figure: str, title: str, *, key: str, name: str) -> Figure:
    found = _attributed(numbers)
    lines = [(line[name], line["pnl"]) for line in found[key] or ()]
    heading = name.capitalize()
    return _draw(
        numbers, figure, title, heading=heading, lines=lines, reason=found["nulls"].get(key)
    )


def _attributed(numbers: Numbers) -> Mapping[str, Any]:
    if numbers.attribution is None:
        msg = "the numbers were loaded without attribution"
        raise ValueError(msg)
    return numbers.attribution


def _draw(
    numbers: Numbers,
    figure: str,
    title: str,
    *,
    heading: str,
    lines: Sequence[tuple[str, float | None]],
    reason: str | None,
) -> Figure:
    found, unit = _attributed(numbers), numbers.currency
    columns = (Column("name", heading, Kind.TEXT), Column("pnl", f"P&L ({unit})", Kind.MONEY))
    table = Table(columns, tuple(lines))
    note = f"P&L in {unit} from {found['from']} to {found['to']}."
    named: list[Spec] = [{"name": name, "value": pnl} for name, pnl in lines]
    # What made nothing has no bar, and would push out what did.
    known = [line for line in named if line["value"] is not None]
    moved = [line for line in known if line["value"]] or known
    values = largest(moved, "value")
    if not values:
        why = NullReason.NO_HOLDINGS if reason is None else NullReason(reason)
        return Figure(figure, title, note, None, table, why)
    missing = found["missing"]
    if missing:
        note += f" {missing} sessions between them are not stored."
    note += shown_of(len(values), len(moved), "lines")
    values.sort(key=lambda line: -line["value"])
    axis = amount_axis(None, is_zero=True)
    spec = signed_bars(values, axis, tooltips=[tooltip("value", f"P&L ({unit})", MONEY)])
    return Figure(figure, title, note, finish(spec, values, description=f"{title}. {note}"), table)
