"""P&L and where it came from, for people: gains at the top, losses at the bottom, bars between."""

from typing import TYPE_CHECKING

from riskmark.cli import formats, output
from riskmark.cli.bars import bar
from riskmark.cli.tables import cut, make_table
from riskmark.reports.ways import By
from riskmark.reports.words import NULL_WORDS, SYMBOL_WORDS, in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from riskmark.reports.attribution import Attribution, PositionPnl, SectorPnl
    from riskmark.reports.factor_attribution import ByFactor

ENDS = 10
"""Positions at the top, and at the bottom, that are listed without ``--all``."""
BAR, NARROW_BAR = 18, 8
"""Columns of a bar to either side of its middle."""


def attribution_view(
    found: "Attribution", by: By | None, *, every_position: bool
) -> "Iterator[RenderableType]":
    """Yield the parts of the screen: the P&L, then it by position, sector and factor."""
    yield _head(found)
    yield ""
    yield _gains(found)
    if by in {None, By.POSITION} and found.positions:
        yield ""
        yield _positions(found.positions, total=found.pnl, every_position=every_position)
    if by in {None, By.SECTOR} and found.sectors:
        yield ""
        yield _sectors(found.sectors, total=found.pnl)
    if by is not By.FACTOR and found.lines_reason is not None:
        yield ""
        yield f"by position and sector: {in_words(NULL_WORDS, found.lines_reason)}"
    if by in {None, By.FACTOR}:
        yield ""
        yield _factors(found.by_factor, total=found.pnl)
        yield from _remarks(found.by_factor)


def _head(found: "Attribution") -> "Text":
    from rich.text import Text

    if found.sessions == 1:
        span = str(found.first)
    else:
        span = f"{found.first} to {found.last} · {found.sessions:,} sessions"
    text = Text.assemble((found.portfolio.name, "bold"), "  ", span)
    if found.missing:
        missing = formats.plural(found.missing, "session")
        text.append(f"\n{missing} between them not stored: their P&L is missing here", "yellow")
    return text


def _gains(found: "Attribution") -> "Table":
    table = make_table("P&L>", "Realised>", "Unrealised>", "Income>")
    table.add_row(
        *(
            formats.signed_money(value)
            for value in (found.pnl, found.realized, found.unrealized, found.income)
        )
    )
    return table


def _positions(lines: "Sequence[PositionPnl]", *, total: float, every_position: bool) -> "Table":
    narrow = output.is_narrow()
    table = make_table("Position", "P&L>", "", *([] if narrow else ["Sector…"]))
    largest = max(abs(line.pnl) for line in lines)
    hidden = 0 if every_position else max(len(lines) - 2 * ENDS, 0)
    for place, line in enumerate(lines):
        if hidden and ENDS <= place < ENDS + hidden:
            if place == ENDS:
                _add_hidden(table, lines[ENDS : ENDS + hidden], narrow=narrow)
            continue
        sector = () if narrow else (cut(line.sector),)
        table.add_row(
            line.symbol,
            formats.signed_money(line.pnl),
            _bar(line.pnl, largest),
            *sector,
            style="" if line.is_held else "dim",
        )
    return _with_total(table, total)


def _add_hidden(table: "Table", lines: "Sequence[PositionPnl]", *, narrow: bool) -> None:
    more = output.styled("[dim]… {n} more: --all[/]", n=f"{len(lines):,}")
    between = formats.signed_money(sum(line.pnl for line in lines))
    table.add_row(more, between, "", *([] if narrow else [""]))


def _sectors(lines: "Sequence[SectorPnl]", *, total: float) -> "Table":
    table = make_table("Sector", "P&L>", "")
    largest = max(abs(line.pnl) for line in lines)
    for line in lines:
        table.add_row(line.sector, formats.signed_money(line.pnl), _bar(line.pnl, largest))
    return _with_total(table, total)


def _factors(found: "ByFactor", *, total: float) -> "Table":
    table = make_table(f"Factor ({found.model})", "Exposure>", "Return>", "P&L>", "")
    rest = [("Specific", found.specific)]
    for name, value in (("Excluded", found.excluded), ("Beyond delta", found.beyond_delta)):
        if value:
            rest.append((name, value))
    rest.append(("Trading", found.trading))
    if found.reasons:
        rest.append(("Unexplained", found.unexplained))
    numbers = [line.pnl for line in found.factors] + [value for _, value in rest]
    largest = max(abs(value) for value in [0.0, *numbers] if value is not None)
    for line in found.factors:
        exposure = None if line.exposure is None else round(line.exposure)
        table.add_row(
            line.factor,
            formats.NOTHING if exposure is None else f"{exposure:,}",
            formats.signed_percent(line.factor_return),
            formats.signed_money(line.pnl),
            _bar(line.pnl, largest),
        )
    for name, value in rest:
        table.add_row(name, "", "", formats.signed_money(value), _bar(value, largest))
    return _with_total(table, total, blank=2)


def _with_total(table: "Table", total: float, *, blank: int = 0) -> "Table":
    table.add_section()
    table.add_row("P&L", *[""] * blank, formats.signed_money(total), style="bold")
    return table


def _bar(value: float | None, largest: float) -> "str | Text":
    if value is None:
        return ""
    return bar(value, largest, size=NARROW_BAR if output.is_narrow() else BAR)


def _remarks(found: "ByFactor") -> "Iterator[RenderableType]":
    from rich.text import Text

    yield ""
    meaning = "specific: what the factors leave over · trading: made within the session"
    if found.excluded:
        meaning += "\nexcluded: positions that no risk is computed from"
    if found.beyond_delta:
        meaning += "\nbeyond delta: options' curvature, time and volatility"
    yield Text(meaning, style="dim")
    for one in found.reasons:
        words = in_words(NULL_WORDS, one.reason)
        sessions = formats.plural(one.sessions, "session")
        yield Text.assemble(
            ("unexplained", "yellow"), f": {formats.money(one.pnl)} of {sessions}, {words}"
        )
    for one in found.inseparable:
        words = in_words({**NULL_WORDS, **SYMBOL_WORDS}, one.reason)
        sessions = formats.plural(one.sessions, "session")
        yield Text.assemble(
            ("in trading", "yellow"),
            f": options with {formats.money(one.pnl)} on {sessions}, {words}",
        )
