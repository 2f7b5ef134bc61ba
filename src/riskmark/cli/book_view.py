"""A book as it was entered, for people."""

from typing import TYPE_CHECKING

from riskmark.cli import formats, output
from riskmark.cli.tables import cut, make_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from riskmark.domain.portfolio import Flow, Lot
    from riskmark.reports.books import Book


def book_view(book: "Book") -> "Iterator[RenderableType]":
    """Yield the head, the lots and the flows of a book."""
    from rich.text import Text

    one = book.head.portfolio
    parts = [one.mode, one.currency, one.account_name, one.account_type]
    if one.opening_equity is not None:
        parts.append(f"opening equity {formats.money(one.opening_equity)}")
    yield Text.assemble(
        (one.name, "bold"), f"  {one.portfolio_id}  ", (" · ".join(filter(None, parts)), "dim")
    )
    yield ""
    if book.head.members:
        names = ", ".join(member.name for member in book.head.members)
        yield Text(f"combined of {names}, whose lots and flows these are")
        yield ""
    if book.lots:
        yield lot_table(book.lots)
    else:
        yield "no lots; riskmark portfolio lot add P SYMBOL QUANTITY PRICE DATE enters one"
    if book.flows:
        yield ""
        yield flow_table(book.flows)


def lot_table(lots: "Sequence[Lot]") -> "Table":
    """Make a table of lots."""
    wide = () if output.is_narrow() else ("Class",)
    table = make_table(
        "Lot", "Symbol", "Quantity>", "Entry", "Price>", "Exit", "Exit price>", *wide
    )
    for lot in lots:
        table.add_row(
            lot.lot_id or "",
            lot.symbol,
            formats.quantity(lot.quantity),
            lot.entry_date.isoformat(),
            formats.price(lot.entry_price),
            "" if lot.exit_date is None else lot.exit_date.isoformat(),
            "" if lot.exit_price is None else formats.price(lot.exit_price),
            *(lot.investment_class.lower() for _ in wide),
            style="dim" if lot.exit_date is not None else "",
        )
    return table


def flow_table(flows: "Sequence[Flow]") -> "Table":
    """Make a table of flows."""
    table = make_table("Flow", "Date", "Amount>", "Note…")
    for flow in flows:
        table.add_row(
            flow.flow_id or "",
            flow.date.isoformat(),
            formats.signed_money(float(flow.amount)),
            cut(flow.note),
        )
    return table
