"""One session of a portfolio on one screen: what it is worth, what it earned, what it risks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from riskmark.cli import formats, output
from riskmark.cli.tables import cut, make_table
from riskmark.domain.reasons import MarkKind, NullReason, PortfolioState
from riskmark.reports.words import NULL_WORDS, SYMBOL_WORDS, in_words

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from riskmark.reports.detail_lines import FactorLine, PositionLine, SectorLine
    from riskmark.reports.snapshot import SnapshotReport
    from riskmark.reports.status import PortfolioStatus

LARGEST = 20
"""Positions that are listed without ``--all``."""
BAR = 7
"""Columns of a bar to either side of its middle."""

_VALUE = {
    "nav": "NAV", "cash": "Cash", "long_value": "Long", "short_value": "Short",
    "gross": "Gross", "net": "Net", "pnl": "P&L", "income": "Income", "flow": "Flow",
    "cum_realized": "Realised", "cum_unrealized": "Unrealised", "cum_income": "Income, all",
}  # fmt: skip
_RETURNS = {
    "return": "Session", "twr_mtd": "Month to date", "twr_qtd": "Quarter to date",
    "twr_ytd": "Year to date", "twr_1m": "1 month", "twr_3m": "3 months",
    "twr_6m": "6 months", "twr_1y": "1 year", "twr_inception": "Since inception",
    "mwr_inception": "Money-w.", "drawdown": "Drawdown", "max_drawdown": "Max drawdown",
}  # fmt: skip
_RISK = {
    "beta": "Beta", "beta_1y": "Beta, 1 year", "vol_21": "Volatility, 21",
    "vol_63": "Volatility, 63", "vol_252": "Volatility, 252", "volatility": "Realised vol.",
    "sharpe": "Sharpe", "sortino": "Sortino", "effective_positions": "Eff. positions",
    "top_1": "Largest", "top_3": "Largest 3", "top_10": "Largest 10",
    "excluded_weight": "Excluded", "proxied_weight": "Proxied",
}  # fmt: skip
_GAINS = frozenset({"pnl", "cum_realized", "cum_unrealized"})
_RATIOS = frozenset({"beta", "beta_1y", "sharpe", "sortino", "effective_positions"})
_OPTIONAL = frozenset({"flow", "income", "short_value", "excluded_weight", "proxied_weight"})
"""Lines that are left out where the number is 0."""


def snapshot_view(
    found: "SnapshotReport", status: "PortfolioStatus", *, every_position: bool
) -> "Iterator[RenderableType]":
    """Yield the parts of the screen, from the head to where the numbers come from."""
    yield _head(found, status)
    yield ""
    yield _numbers(found)
    if found.factors or found.sectors:
        yield ""
        yield from _exposures(found)
    if found.positions:
        yield ""
        yield _positions(found.positions, every_position=every_position)
    yield from _remarks(found)
    yield _foot(found)


def _head(found: "SnapshotReport", status: "PortfolioStatus") -> "Text":
    from rich.text import Text

    one = found.portfolio
    text = Text.assemble(
        (one.name, "bold"), "  ", str(found.session), "  ", formats.state(found.state), "\n"
    )
    held = formats.plural(found.snapshot["positions"], "position")
    text.append(f"{one.mode} mode · {one.currency} · {held}", style="dim")
    if status.state is PortfolioState.BEHIND:
        late = [
            f"{number:,} {what}"
            for number, what in ((status.missing, "missing"), (status.stale, "out of date"))
            if number
        ]
        text.append(f" · sessions: {', '.join(late)}", style="red")
    elif status.valued_through is not None and status.valued_through > found.session:
        text.append(f" · valued through {status.valued_through}", style="dim")
    else:
        text.append(" · up to date", style="dim")
    return text


def _numbers(found: "SnapshotReport") -> "Table":
    values = {**found.snapshot, **found.performance, **found.risk, **found.concentration}
    blocks: list[list[tuple[Any, Any]]] = [
        [(label, _money(name, values[name])) for name, label in _shown(_VALUE, values)],
        [
            (_return_label(name, label, values), _return(name, values[name]))
            for name, label in _shown(_RETURNS, values)
        ],
        [(label, _risk(name, values[name])) for name, label in _shown(_RISK, values)],
    ]
    table = make_table("Value", f"{found.portfolio.currency}>", "Return", ">", "Risk", ">")
    for place in range(max(len(block) for block in blocks)):
        cells: list[Any] = []
        for block in blocks:
            cells += block[place] if place < len(block) else ("", "")
        table.add_row(*cells)
    for column in table.columns[::2]:
        column.style = "dim"
    return table


def _shown(labels: Mapping[str, str], values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, label) for name, label in labels.items() if values[name] or name not in _OPTIONAL
    ]


def _money(name: str, value: float | None) -> "str | Text":
    return formats.signed_money(value) if name in _GAINS else formats.money(value)


def _return(name: str, value: float | None) -> "str | Text":
    if name in {"drawdown", "max_drawdown"}:
        return formats.percent(value, 2)
    return formats.signed_percent(value)


def _return_label(name: str, label: str, values: Mapping[str, Any]) -> str:
    if name == "mwr_inception" and values["mwr_annualized"]:
        return f"{label} p.a."
    return label


def _risk(name: str, value: float | None) -> str:
    return formats.ratio(value) if name in _RATIOS else formats.percent(value)


def _exposures(found: "SnapshotReport") -> "Iterator[RenderableType]":
    """Yield factors and sectors, side by side where there is room."""
    from rich.table import Table

    model = [line for line in found.factors if line.model == found.default_model]
    parts = []
    if model:
        parts.append(_factor_table(found.default_model, model))
    if found.sectors:
        parts.append(_sector_table(found.sectors))
    if output.is_narrow():
        for place, part in enumerate(parts):
            if place:
                yield ""
            yield part
        return
    beside = Table.grid(padding=(0, 3))
    beside.add_row(*parts)
    yield beside


def _factor_table(model: str, lines: "Sequence[FactorLine]") -> "Table":
    table = make_table(f"Factor ({model})", "Exposure>", "")
    largest = max((abs(line.exposure or 0.0) for line in lines), default=0.0)
    for line in lines:
        bar = "" if line.exposure is None else _bar(line.exposure, largest)
        table.add_row(line.factor, formats.ratio(line.exposure), bar)
    return table


def _sector_table(lines: "Sequence[SectorLine]") -> "Table":
    table = make_table("Sector…", "Long>", "Short>", "Net>")
    for line in lines:
        short = "" if not line.short else formats.percent(line.short)
        table.add_row(
            cut(line.sector), formats.percent(line.long), short, formats.percent(line.net)
        )
    return table


def _bar(value: float, largest: float) -> "Text":
    """Draw a bar to the right for a positive value, to the left for a negative one."""
    from rich.text import Text

    length = 0 if not largest else round(BAR * abs(value) / largest)
    blocks = "█" * length
    if value < 0:
        return Text.assemble((f"{blocks:>{BAR}}", "red"), ("│", "dim"))
    return Text.assemble(" " * BAR, ("│", "dim"), (blocks, "green"))


def _positions(lines: "Sequence[PositionLine]", *, every_position: bool) -> "Table":
    shown = lines if every_position else lines[:LARGEST]
    columns = ["Position", "Quantity>", "Mark>", "", "Value>", "Weight>", "P&L>", "Beta>"]
    table = make_table(*columns, *([] if output.is_narrow() else ["Sector…"]))
    for line in shown:
        sector = () if output.is_narrow() else (cut(line.sector),)
        table.add_row(
            line.symbol,
            formats.quantity(round(line.quantity, 4)),
            formats.price(line.mark),
            _mark_remark(line),
            formats.money(line.market_value),
            formats.percent(line.weight),
            formats.signed_money(line.pnl),
            formats.ratio(line.beta),
            *sector,
            style="dim" if line.is_closed else "",
        )
    if len(shown) < len(lines):
        more = f"… {len(lines) - len(shown):,} more: --all"
        table.add_row(output.styled(f"[dim]{more}[/]"))
    return table


def _mark_remark(line: "PositionLine") -> "Text":
    from rich.text import Text

    if line.is_closed:
        return Text("closed", style="dim")
    if line.mark_kind in {MarkKind.CLOSE, MarkKind.MANUAL}:
        return Text("" if line.mark_kind is MarkKind.CLOSE else "manual", style="dim")
    age = f" {line.mark_age}" if line.mark_age is not None else ""
    return Text(f"{line.mark_kind}{age}", style="yellow")


def _remarks(found: "SnapshotReport") -> "Iterator[RenderableType]":
    from rich.text import Text

    if found.reasons:
        yield ""
    for issue in found.reasons:
        words = in_words(SYMBOL_WORDS, issue.reason)
        if issue.accepted:
            yield Text(f"{issue.symbol}: {words} (accepted)", style="dim")
        else:
            yield Text.assemble((issue.symbol, "yellow"), f": {words}")
    by_reason: dict[str, list[str]] = {}
    labels = {**_VALUE, **_RETURNS, **_RISK}
    for name, reason in found.measure_nulls.items():
        label = labels.get(name.rpartition(".")[2])
        if label is not None and reason != NullReason.NOT_COMPUTED_YET:
            by_reason.setdefault(reason, []).append(label)
    if by_reason:
        yield ""
    for reason, names in by_reason.items():
        text = f"{formats.NOTHING} {in_words(NULL_WORDS, reason)}: {', '.join(names)}"
        yield Text(text, style="dim")


def _foot(found: "SnapshotReport") -> "Text":
    from rich.text import Text

    origin = found.provenance
    window = origin.windows.get("returns", {}).get("n")
    parts = [
        f"computed {formats.instant(origin.computed_at)} UTC",
        f"run {origin.run_id[-12:]}",
        f"engine {origin.engine_version}",
    ]
    if window is not None:
        parts.append(f"{window} sessions of returns")
    return Text("\n" + " · ".join(parts), style="dim")
