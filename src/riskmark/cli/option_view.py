"""The options of a session as a table: their greeks, and what those sum to in money."""

from typing import TYPE_CHECKING

from riskmark.cli import formats
from riskmark.cli.tables import make_table
from riskmark.domain.instruments import OptionType, parse_occ
from riskmark.reports.option_lines import GREEKS

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from riskmark.reports.detail_lines import PositionLine
    from riskmark.reports.snapshot import SnapshotReport


def short_symbol(symbol: str) -> str:
    """Write an option's symbol as people say it, XOM 230317 P100; any other as it is."""
    terms = parse_occ(symbol)
    if terms is None:
        return symbol
    right = "C" if terms.option_type is OptionType.CALL else "P"
    return f"{terms.underlying} {terms.expiry:%y%m%d} {right}{terms.strike.normalize():f}"


def option_table(found: "SnapshotReport", *, most: int) -> "Table | None":
    """Return the first ``most`` options with their greeks in money; None without any."""
    lines = [line for line in found.positions if line.option is not None]
    if not lines:
        return None
    names = [f"{'Exposure' if name == 'delta' else name.capitalize()}>" for name in GREEKS]
    table = make_table("Option", "Delta>", "Vol>", *names)
    for line in lines[:most]:
        table.add_row(*_cells(line))
    totals = [formats.signed_money(found.greeks[name].value) for name in GREEKS]
    table.add_row("all options", "", "", *totals, style="bold")
    return table


def _cells(line: "PositionLine") -> "list[str | Text]":
    option = line.option
    if option is None:
        return [line.symbol]
    return [
        short_symbol(line.symbol),
        formats.ratio(option.delta.value),
        formats.percent(option.volatility.value),
        *(formats.signed_money(option.in_money(name)) for name in GREEKS),
    ]
