"""``riskmark portfolio lot``: changes of what a book holds."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from riskmark.cli import exits, output
from riskmark.cli.editing import editing
from riskmark.cli.opening import opened
from riskmark.cli.options import NEGATIVE_VALUES, AsJson, PortfolioName
from riskmark.errors import InputError

if TYPE_CHECKING:
    from datetime import date

    from riskmark.domain.portfolio import Lot

lot_commands = typer.Typer(help="Lots: list, add, edit, close, delete.", no_args_is_help=True)

LotId = Annotated[str, typer.Argument(metavar="LOT", help="The lot's id.", show_default=False)]


@lot_commands.command("list")
def list_lots(ctx: typer.Context, portfolio: PortfolioName, *, as_json: AsJson = False) -> None:
    """List the lots of a portfolio, by symbol and entry."""
    from riskmark.cli.book_view import lot_table
    from riskmark.reports.books import load_book, lot_document

    with opened(ctx) as app:
        with app.database.read() as connection:
            lots = load_book(connection, app.principal, portfolio).lots
        if as_json:
            output.show_json([lot_document(lot) for lot in lots])
        elif lots:
            output.show(lot_table(lots))
        else:
            output.note("no lots; riskmark portfolio lot add P SYMBOL QUANTITY PRICE DATE")


@lot_commands.command("add", context_settings=NEGATIVE_VALUES)
def add(
    ctx: typer.Context,
    portfolio: PortfolioName,
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL")],
    *,
    quantity: Annotated[str, typer.Argument(metavar="QUANTITY", help="Below 0: a short sale.")],
    price: Annotated[str, typer.Argument(metavar="PRICE", help="For one share.")],
    date: Annotated[str, typer.Argument(metavar="DATE", help="Of the entry, as YYYY-MM-DD.")],
    investment_class: Annotated[
        str, typer.Option("--class", help="PUBLIC, OPTIONS or PRIVATE; guessed if left out.")
    ] = "",
    subtype: Annotated[str, typer.Option(help="As in positions files.")] = "",
    underlying: Annotated[str, typer.Option(help="Of an option without an OCC symbol.")] = "",
    strike: Annotated[str, typer.Option(help="Of an option.")] = "",
    expiry: Annotated[str, typer.Option(help="Of an option.")] = "",
    option_type: Annotated[str, typer.Option(help="CALL or PUT.")] = "",
    exit_date: Annotated[str, typer.Option(help="If it has ended.")] = "",
    exit_price: Annotated[str, typer.Option(help="If it has ended.")] = "",
    as_json: AsJson = False,
) -> None:
    """Enter a lot."""
    from riskmark.cli.import_view import show_issues
    from riskmark.intake.positions_csv import parse_position
    from riskmark.reports.books import lot_document
    from riskmark.storage.positions import Positions, add_lots

    fields = {
        "Symbol": symbol,
        "Quantity": quantity,
        "Entry Price Per Share": price,
        "Entry Date": date,
        "Investment Class": investment_class,
        "Investment Subtype": subtype,
        "Underlying Symbol": underlying,
        "Strike Price": strike,
        "Expiration Date": expiry,
        "Option Type": option_type,
        "Exit Date": exit_date,
        "Exit Price Per Share": exit_price,
    }
    with editing(ctx, portfolio) as edit:
        found = parse_position(fields, today=edit.app.today)
        if not found.is_valid:
            show_issues(found, as_json=as_json)
            raise typer.Exit(exits.BAD_INPUT)
        positions = Positions(found.lots, found.instruments)
        (lot,) = add_lots(edit.connection, edit.editor, positions, edit.portfolio)
    if as_json:
        output.show_json(lot_document(lot))
    else:
        output.note(f"entered lot {_described(lot)}")


@lot_commands.command("edit")
def edit_lot(
    ctx: typer.Context,
    portfolio: PortfolioName,
    lot: LotId,
    *,
    quantity: Annotated[str | None, typer.Option(help="Below 0: a short sale.")] = None,
    entry_price: Annotated[str | None, typer.Option(help="For one share.")] = None,
    entry_date: Annotated[str | None, typer.Option(help="As YYYY-MM-DD.")] = None,
    exit_price: Annotated[str | None, typer.Option(help="For one share.")] = None,
    exit_date: Annotated[str | None, typer.Option(help="As YYYY-MM-DD.")] = None,
    reopen: Annotated[bool, typer.Option("--reopen", help="Take the exit back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Change a lot; what is not given stays. Its symbol cannot change."""
    from riskmark.reports.books import lot_document

    if reopen and (exit_price is not None or exit_date is not None):
        raise InputError("--reopen takes the exit back, so no exit can be given with it")
    with editing(ctx, portfolio) as edit:
        old = edit.editor.lot(lot)
        new = replace(old, exit_date=None, exit_price=None) if reopen else old
        new = _with_numbers(new, quantity=quantity, entry_price=entry_price, exit_price=exit_price)
        new = _with_dates(new, entry_date, exit_date, today=edit.app.today)
        if (new.exit_date is None) != (new.exit_price is None):
            raise InputError("an exit needs both --exit-date and --exit-price")
        edit.editor.replace_lot(lot, new)
    if as_json:
        output.show_json(lot_document(new))
    elif new == old:
        output.note(f"nothing changed: lot {_described(new)}")
    else:
        output.note(f"changed lot {_described(new)}")


def _with_numbers(
    lot: "Lot", *, quantity: str | None, entry_price: str | None, exit_price: str | None
) -> "Lot":
    from riskmark.intake.arguments import parse_price, parse_quantity

    if quantity is not None:
        lot = replace(lot, quantity=parse_quantity(quantity, name="--quantity"))
    if entry_price is not None:
        lot = replace(lot, entry_price=parse_price(entry_price, name="--entry-price"))
    if exit_price is not None:
        closing = parse_price(exit_price, name="--exit-price", may_be_zero=True)
        lot = replace(lot, exit_price=closing)
    return lot


def _with_dates(
    lot: "Lot", entry_date: str | None, exit_date: str | None, *, today: "date"
) -> "Lot":
    if entry_date is not None:
        lot = replace(lot, entry_date=_day(entry_date, today, "--entry-date"))
    if exit_date is not None:
        lot = replace(lot, exit_date=_day(exit_date, today, "--exit-date"))
    return lot


@lot_commands.command("close", context_settings=NEGATIVE_VALUES)
def close(
    ctx: typer.Context,
    portfolio: PortfolioName,
    lot: LotId,
    *,
    date: Annotated[str, typer.Argument(metavar="DATE", help="Of the exit, as YYYY-MM-DD.")],
    price: Annotated[str, typer.Argument(metavar="PRICE", help="For one share.")],
    quantity: Annotated[
        str | None,
        typer.Option(help="Close only so many units, in the share terms of the entry."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """End a lot, or split off a part of it and end that."""
    from riskmark.intake.arguments import parse_price, parse_quantity
    from riskmark.reports.books import lot_document

    with editing(ctx, portfolio) as edit:
        closed = edit.editor.close_lot(
            lot,
            day=_day(date, edit.app.today, "DATE"),
            price=parse_price(price, name="PRICE", may_be_zero=True),
            quantity=None if quantity is None else parse_quantity(quantity, name="--quantity"),
        )
    if as_json:
        output.show_json(lot_document(closed))
    else:
        output.note(f"closed lot {_described(closed)}")


@lot_commands.command("delete")
def delete(ctx: typer.Context, portfolio: PortfolioName, lot: LotId) -> None:
    """Remove a lot as if it had never been there."""
    with editing(ctx, portfolio) as edit:
        gone = edit.editor.delete_lot(lot)
    output.note(f"deleted lot {_described(gone)}")


def _day(text: str, today: "date", name: str) -> "date":
    from riskmark.intake.arguments import parse_day

    return parse_day(text, today=today, name=name)


def _described(lot: "Lot") -> str:
    text = f"{lot.lot_id}: {lot.quantity:+,} {lot.symbol} at {lot.entry_price:,}, {lot.entry_date}"
    if lot.exit_date is None:
        return text
    return f"{text}, closed at {lot.exit_price:,}, {lot.exit_date}"
