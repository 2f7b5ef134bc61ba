"""A what-if on one screen: the trades, and the numbers that they change the most."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from riskmark.cli import formats
from riskmark.cli.tables import cut, make_table
from riskmark.domain.reasons import MarkKind
from riskmark.reports.changes import leaves
from riskmark.reports.proposals import MEASURE, Hedge, Proposal
from riskmark.reports.words import NULL_WORDS, in_words

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from riskmark.reports.what_if import WhatIf

LARGEST = 12
"""Changes of a group that are listed without ``--all``."""
NOISE = 1e-9
"""What two computations of the same number may differ by, as a share of it."""

_MONEY, _FRACTION, _RATIO, _COUNT = "money", "fraction", "ratio", "count"
_GROUPS = (
    ("Value", "snapshot.", ""),
    ("Risk", "risk.", ""),
    ("Risk", "factor_risk.", "_share"),
    ("Risk", "correlation.", ""),
    ("Factors", "factors.{model}.", ".exposure"),
    ("Stress", "stress.", ".direct"),
    ("Replays", "replays.", ".pnl"),
    ("Concentration", "concentration.", ""),
    ("Concentration", "sectors.", ".net"),
    ("Greeks", "greeks.", ""),
)
"""Title of a group, and how the names of its numbers begin and end."""
_RATIOS = frozenset(
    {
        "risk.beta", "risk.beta_1y", "risk.rates_beta", "risk.active_beta",
        "risk.sessions_to_sell_95", "risk.benchmark_correlation",
        "risk.information_ratio", "risk.effective_bets",
        "risk.diversification_ratio", "concentration.hhi", "concentration.effective_positions",
        "correlation.mean", "correlation.mean_abs", "correlation.effective_rank",
    }
)  # fmt: skip
_SHARES = frozenset({"snapshot.return", "snapshot.excluded_weight", "snapshot.proxied_weight"})
_ITEMS = frozenset({"factors", "stress", "replays", "sectors"})
"""Lists, whose items are called by their own names."""
_RELATIVE = frozenset({"Risk", "Concentration"})
"""Groups of numbers of several units: what is large in them, only the size of each can say."""


class Line(NamedTuple):
    """A number before and after, and the change that sorts it."""

    name: str
    unit: str
    before: float | None
    after: float | None
    size: float


def what_if_view(found: "WhatIf", *, every: bool) -> "Iterator[RenderableType]":
    """Yield the parts of the screen: head, trades, and the table of changes."""
    from rich.text import Text

    portfolio = found.portfolio
    yield Text.assemble((portfolio.name, "bold"), "  ", str(found.session), "  what if")
    yield Text(f"{portfolio.mode} mode · {portfolio.currency} · nothing is stored", style="dim")
    for proposal in found.proposals:
        yield Text(_said(proposal, found))
    yield ""
    if found.trades:
        yield _trades(found)
        yield ""
    lines = _lines(found)
    shown = 0
    for title, group in lines.items():
        if not group:
            continue
        kept = group if every else group[:LARGEST]
        yield _table(title, kept, more=len(group) - len(kept))
        yield ""
        shown += len(group)
    if not shown:
        yield Text("no number changes", style="dim")


def _said(proposal: Proposal, found: "WhatIf") -> str:
    after = found.after.measures
    if isinstance(proposal, Hedge):
        reason = found.after.nulls.get("risk.beta")
        left = formats.ratio(after["beta"], 4)
        return (
            f"hedge of beta: {formats.quantity(proposal.quantity)} {proposal.symbol} "
            f"(beta {formats.ratio(proposal.beta)}) leave a beta of {left}"
            + (f" ({in_words(NULL_WORDS, reason)})" if reason is not None else "")
        )
    alone = ", ".join(f"{symbol} ({kind})" for symbol, kind in proposal.left_alone)
    return (
        f"{formats.percent(proposal.target)} volatility ({MEASURE}): all positions × "
        f"{formats.ratio(proposal.factor, 4)}, whole units; reached "
        f"{formats.percent(after[MEASURE], 2)}" + (f"; left alone: {alone}" if alone else "")
    )


def _trades(found: "WhatIf") -> "Table":
    table = make_table("Trade", "Quantity>", "At>", "", "Cash>")
    for trade in found.trades:
        remark = "" if trade.mark_kind is MarkKind.CLOSE else str(trade.mark_kind)
        table.add_row(
            trade.symbol,
            formats.quantity(round(trade.quantity, 4)),
            formats.price(trade.price),
            remark,
            formats.money(trade.money),
        )
    return table


def _lines(found: "WhatIf") -> dict[str, list[Line]]:
    """Return what changes, by group, the largest change first."""
    before = dict(leaves(found.before.document()))
    after = dict(leaves(found.after.document()))
    lines: dict[str, list[Line]] = {title: [] for title, _, _ in _GROUPS}
    for name in dict.fromkeys([*before, *after]):
        place = _place(name, found.before.default_model)
        if place is None:
            continue
        title, label = place
        held = name.startswith("sectors.")
        old, new = (side.get(name, 0.0 if held else None) for side in (before, after))
        size = _size(old, new, is_relative=title in _RELATIVE)
        if size > NOISE:
            lines[title].append(Line(label, _unit(name), old, new, size))
    for group in lines.values():
        group.sort(key=lambda line: -line.size)
    return lines


def _place(name: str, model: str) -> tuple[str, str] | None:
    """Return the group of a number and what it is called there."""
    for title, prefix, suffix in _GROUPS:
        begin = prefix.format(model=model)
        if name.startswith(begin) and name.endswith(suffix):
            section, _, leaf = name.partition(".")
            if section in _ITEMS:
                return title, name[len(begin) : len(name) - len(suffix)]
            return title, name if section == "correlation" else leaf
    return None


def _size(before: float | None, after: float | None, *, is_relative: bool) -> float:
    if before is None or after is None:
        return 0.0 if before == after else float("inf")
    scale = max(abs(before), abs(after))
    change = abs(after - before)
    if not scale or change <= NOISE * scale:
        return 0.0
    return change / scale if is_relative else change


def _unit(name: str) -> str:
    section = name.partition(".")[0]
    if name == "snapshot.positions":
        return _COUNT
    if section == "factors" or name in _RATIOS:
        return _RATIO
    is_money = section in {"stress", "replays", "greeks"} or name.endswith("_money")
    if is_money or (section == "snapshot" and name not in _SHARES):
        return _MONEY
    return _FRACTION


def _table(title: str, lines: Sequence[Line], *, more: int) -> "Table":
    table = make_table(f"{title}…", "Before>", "After>", "Change>")
    # Groups stand one under another: columns of one width can be read down.
    for column, width in zip(table.columns, _WIDTHS, strict=True):
        column.min_width = width
    for line in lines:
        write = _WRITE[line.unit]
        table.add_row(cut(line.name), write(line.before), write(line.after), _change(line))
    if more:
        from rich.text import Text

        table.add_row(Text(f"… {more:,} more: --all", style="dim"))
    return table


def _change(line: Line) -> "Text | str":
    if line.before is None or line.after is None:
        return formats.NOTHING
    change = line.after - line.before
    if line.unit == _MONEY:
        return formats.signed_money(change)
    if line.unit == _FRACTION:
        return formats.signed_percent(change)
    if line.unit == _COUNT:
        return formats.signed_ratio(change, 0)
    return formats.signed_ratio(change)


def _ratio(value: float | None) -> str:
    return formats.ratio(value, 4)


def _percent(value: float | None) -> str:
    return formats.percent(value, 2)


def _count(value: float | None) -> str:
    return formats.NOTHING if value is None else f"{value:,.0f}"


_WIDTHS = (26, 15, 15, 15)
_WRITE = {_MONEY: formats.money, _FRACTION: _percent, _RATIO: _ratio, _COUNT: _count}
