"""One session of a portfolio on one screen: what it is worth, what it earned, what it risks."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from riskmark.cli import formats, output
from riskmark.cli.option_view import option_table, short_symbol
from riskmark.cli.risk_view import LABELS, outlook_table, scenario_view, side_by_side, tail_table
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
SECTOR = 14
"""Letters of a position's sector that must be seen, or none are."""
BAR = 5
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
    yield from _numbers(found)
    if found.factors or found.sectors:
        yield ""
        yield from _exposures(found)
    if found.snapshot["positions"]:
        yield ""
        yield from scenario_view(found, everything=every_position)
    if found.positions:
        yield ""
        yield _positions(found.positions, every_position=every_position)
    if found.positions_reason is not None:
        yield ""
        yield f"positions: {in_words(NULL_WORDS, found.positions_reason)}"
    most = len(found.positions) if every_position else LARGEST
    if (options := option_table(found, most=most)) is not None:
        yield ""
        yield options
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


def _numbers(found: "SnapshotReport") -> "Iterator[RenderableType]":
    """Yield value, returns and risk, side by side where there is room."""
    values = {**found.snapshot, **found.performance, **found.risk, **found.concentration}
    blocks: list[list[tuple[Any, Any]]] = [
        [(label, _money(name, values[name])) for name, label in _shown(_VALUE, values)],
        [
            (_return_label(name, label, values), _return(name, values[name]))
            for name, label in _shown(_RETURNS, values)
        ],
        [(label, _risk(name, values[name])) for name, label in _shown(_RISK, values)],
    ]
    heads = [("Value", f"{found.portfolio.currency}>"), ("Return", ">"), ("Risk", ">")]
    whole = _blocks_table(heads, blocks)
    if output.natural_width(whole) <= output.width():
        yield whole
        return
    for place, (head, block) in enumerate(zip(heads, blocks, strict=True)):
        if place:
            yield ""
        yield _blocks_table([head], [block])


def _blocks_table(
    heads: "Sequence[tuple[str, str]]", blocks: "Sequence[Sequence[tuple[Any, Any]]]"
) -> "Table":
    """Set blocks of labels and values beside one another."""
    table = make_table(*(name for head in heads for name in head))
    for row in zip_longest(*blocks, fillvalue=("", "")):
        table.add_row(*(cell for pair in row for cell in pair))
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
    """Yield factors, tails, volatility and sectors, two side by side where there is room."""
    model = [line for line in found.factors if line.model == found.default_model]
    specific = found.factor_risk["specific_share"]
    upper = [_factor_table(found.default_model, model, specific=specific)] if model else []
    yield from side_by_side(*upper, tail_table(found))
    yield ""
    lower = [_sector_table(found.sectors)] if found.sectors else []
    yield from side_by_side(outlook_table(found), *lower)


def _factor_table(model: str, lines: "Sequence[FactorLine]", *, specific: float | None) -> "Table":
    wide = () if output.is_narrow() else ("±>", "Risk>")
    table = make_table(f"Factor ({model})", "Exposure>", *wide[:1], "", *wide[1:])
    largest = max((abs(line.exposure or 0.0) for line in lines), default=0.0)
    for line in lines:
        bar = "" if line.exposure is None else _bar(line.exposure, largest)
        row = [line.factor, formats.ratio(line.exposure), formats.ratio(line.stderr), bar]
        row.append(formats.percent(line.risk_share, 0))
        table.add_row(*(row if wide else row[:2] + row[3:4]))
    if wide and specific is not None:
        table.add_row(cut("specific", "dim"), "", "", "", formats.percent(specific, 0))
    return table


def _sector_table(lines: "Sequence[SectorLine]") -> "Table":
    beside = any(line.benchmark is not None for line in lines)
    table = make_table("Sector…", "Long>", "Short>", "Net>", *(["Bench>"] if beside else []))
    for line in lines:
        sides = ["" if one == 0 else formats.percent(one) for one in (line.long, line.short)]
        row = [*sides, formats.percent(line.net)]
        if beside:
            row.append(formats.percent(line.benchmark))
        table.add_row(cut(line.sector), *row)
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
    """List positions with as much beside them as there is room for."""
    shown = lines if every_position else lines[:LARGEST]
    for extra in (2, 1):
        table = _position_table(shown, len(lines), extra=extra)
        longest = max(len(line.sector) for line in shown)
        gives_way = max(longest - SECTOR, 0) if extra > 1 else 0
        if output.natural_width(table) - gives_way <= output.width():
            return table
    return _position_table(shown, len(lines), extra=0)


def _position_table(shown: "Sequence[PositionLine]", count: int, *, extra: int) -> "Table":
    columns = ["Position", "Quantity>", "Mark>", "", "Value>", "Weight>", "P&L>", "Beta>"]
    table = make_table(*columns, *["ES 95 %>", "Sector…"][:extra])
    for line in shown:
        wide = (formats.percent(line.component_es_95, 2), cut(line.sector))
        table.add_row(
            short_symbol(line.symbol),
            formats.quantity(round(line.quantity, 4)),
            formats.price(line.mark),
            _mark_remark(line),
            formats.money(line.market_value),
            formats.percent(line.weight),
            formats.signed_money(line.pnl),
            formats.ratio(line.beta),
            *wide[:extra],
            style="dim" if line.is_closed else "",
        )
    if len(shown) < count:
        more = f"… {count - len(shown):,} more: --all"
        table.add_row(output.styled(f"[dim]{more}[/]"))
    return table


def _mark_remark(line: "PositionLine") -> "Text":
    from rich.text import Text

    if line.is_closed:
        return Text("closed", style="dim")
    if line.mark_kind in {MarkKind.CLOSE, MarkKind.MANUAL}:
        return Text("" if line.mark_kind is MarkKind.CLOSE else "manual", style="dim")
    if line.mark_kind is MarkKind.MODEL and line.mark_age == 0:
        return Text("model", style="dim")
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
    labels = {**_VALUE, **_RETURNS, **_RISK, **LABELS}
    for name, reason in found.measure_nulls.items():
        label = labels.get(name.rpartition(".")[2])
        if label is not None and reason != NullReason.NOT_COMPUTED_YET:
            by_reason.setdefault(reason, []).append(label)
    if by_reason:
        yield ""
    for reason, names in by_reason.items():
        text = f"{formats.NOTHING} {in_words(NULL_WORDS, reason)}: {' · '.join(names)}"
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
