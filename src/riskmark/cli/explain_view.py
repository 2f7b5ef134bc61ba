"""Why numbers changed, for people: what changed most first, the largest cause at its top."""

from typing import TYPE_CHECKING, NamedTuple

from riskmark.cli import formats, output
from riskmark.cli.bars import bar
from riskmark.cli.tables import make_table
from riskmark.reports.words import NULL_WORDS, in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from riskmark.reports.change_lines import ChangeLine
    from riskmark.reports.explain import Explanation

BAR, NARROW_BAR = 18, 8
"""Columns of a bar to either side of its middle."""


class _Form(NamedTuple):
    """How a number is headed and written: with so many digits, as percent or plainly."""

    label: str
    digits: int
    is_percent: bool = False

    @property
    def unit(self) -> float:
        """The smallest difference that is shown."""
        return 10.0 ** -(self.digits + 2 * self.is_percent)


_FORMS = {
    "nav": _Form("NAV", 2),
    "beta": _Form("Beta", 3),
    "vol_21": _Form("Volatility, 21", 2, is_percent=True),
    "vol_63": _Form("Volatility, 63", 2, is_percent=True),
    "vol_252": _Form("Volatility, 252", 2, is_percent=True),
    "vol_ewma": _Form("Volatility, EWMA", 2, is_percent=True),
    "var_95": _Form("VaR 95 %", 3, is_percent=True),
}
_EXPOSURE = _Form("Exposure", 3)
_CAUSES = {
    "flows": "Money put in or taken out",
    "income": "Income",
    "trades": "Trades",
    "prices": "Prices: weights drift",
    "window": "The window moves on",
    "leaving": "Old returns leave",
    "entering": "New returns enter",
    "restatements": "Corrected since",
}
_CAUSES_OF_NAV = {**_CAUSES, "trades": "Trades, against the close", "prices": "Prices"}
_HEADS = {
    "flows": "Flows>",
    "trades": "Trades>",
    "prices": "Prices>",
    "window": "Window>",
    "restatements": "Corrected>",
}


def explain_view(found: "Explanation") -> "Iterator[RenderableType]":
    """Yield a table for each number that changed, then the exposures, then what has no change."""
    yield _head(found)
    changed = [line for line in found.numbers if _is_shown(line, _FORMS[line.name].unit)]
    for line in sorted(changed, key=_relative, reverse=True):
        yield ""
        yield _number(found, line)
    if any(line.change is not None for line in found.factors):
        yield ""
        yield _exposures(found)
    yield from _remarks(found, changed)


def _head(found: "Explanation") -> "Text":
    from rich.text import Text

    sessions = formats.plural(found.sessions, "session")
    span = f"  {found.first} to {found.last} · {sessions}"
    return Text.assemble((found.portfolio.name, "bold"), span)


def _is_shown(line: "ChangeLine", unit: float) -> bool:
    """Whether a number has changed, or parts of its change have cancelled out."""
    if line.change is None:
        return False
    causes = [part.value or 0.0 for part in line.causes.values()]
    return max(map(abs, [line.change, *causes])) >= unit / 2


def _relative(line: "ChangeLine") -> float:
    size = max(abs(line.start.value or 0.0), abs(line.end.value or 0.0))
    return abs(line.change or 0.0) / size if size else 0.0


def _number(found: "Explanation", line: "ChangeLine") -> "Table":
    form = _FORMS[line.name]
    currency = found.portfolio.currency if line.name == "nav" else ""
    table = make_table(form.label, f"{currency}>", "")
    words = _CAUSES_OF_NAV if line.name == "nav" else _CAUSES
    causes = [
        (name, part.value)
        for name, part in line.causes.items()
        if part.value is not None and abs(part.value) >= form.unit / 2
    ]
    causes.sort(key=lambda one: -abs(one[1]))
    largest = abs(causes[0][1]) if causes else 0.0
    size = NARROW_BAR if output.is_narrow() else BAR
    table.add_row(str(found.first), _plain(line.start.value, form), "", style="dim")
    for name, value in causes:
        table.add_row(f"  {words[name]}", _signed(value, form), bar(value, largest, size=size))
    table.add_row(str(found.last), _plain(line.end.value, form), "", style="bold")
    return table


def _exposures(found: "Explanation") -> "Table":
    lines = [line for line in found.factors if line.change is not None]
    lines.sort(key=lambda line: -abs(line.change or 0.0))
    parts = [
        name
        for name in _HEADS
        if any(abs(line.parts[name].value or 0.0) >= _EXPOSURE.unit / 2 for line in lines)
    ]
    heads = [_HEADS[name] for name in parts]
    table = make_table(f"Factor ({found.model})", "Before>", *heads, "Now>", "Change>")
    for line in lines:
        table.add_row(
            line.name,
            _plain(line.start.value, _EXPOSURE),
            *(_signed(line.parts[name].value, _EXPOSURE) for name in parts),
            _plain(line.end.value, _EXPOSURE),
            _signed(line.change, _EXPOSURE),
        )
    return table


def _remarks(found: "Explanation", changed: "Sequence[ChangeLine]") -> "Iterator[RenderableType]":
    from rich.text import Text

    still = [
        _FORMS[line.name].label
        for line in found.numbers
        if line.change is not None and line not in changed
    ]
    if still:
        yield Text(f"\nchanged too little to show: {', '.join(still)}", style="dim")
    by_reason: dict[str, list[str]] = {}
    for line in (*found.numbers, *found.factors):
        if line.null_side is None:
            continue
        missing = line.start if line.start.value is None else line.end
        sides = {"from": str(found.first), "to": str(found.last), "both": "either session"}
        words = f"{sides[line.null_side]}: {in_words(NULL_WORDS, missing.reason or '')}"
        label = _FORMS[line.name].label if line.name in _FORMS else line.name
        by_reason.setdefault(words, []).append(label)
    for words, labels in by_reason.items():
        yield Text(f"\n{formats.NOTHING} no number on {words}: {', '.join(labels)}", style="dim")


def _plain(value: float | None, form: _Form) -> str:
    if form.is_percent:
        return formats.percent(value, form.digits)
    return formats.ratio(value, form.digits)


def _signed(value: float | None, form: _Form) -> str:
    """Write a difference with its sign, and nothing for one that is too small to show."""
    if value is None:
        return formats.NOTHING
    if abs(value) < form.unit / 2:
        return ""
    shown = 100 * value if form.is_percent else value
    return f"{shown:+,.{form.digits}f}" + (" %" if form.is_percent else "")
