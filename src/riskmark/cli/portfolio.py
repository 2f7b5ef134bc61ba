"""``riskmark portfolio``: import, combine, list, show, export and delete books."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmark.cli import exits, formats, output
from riskmark.cli.combining import combine
from riskmark.cli.flows import flow_commands
from riskmark.cli.lots import lot_commands
from riskmark.cli.opening import opened
from riskmark.cli.options import AsJson, PortfolioName, read_input
from riskmark.domain.portfolio import AccountType
from riskmark.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from riskmark.app import App
    from riskmark.intake.positions_file import PositionsFile
    from riskmark.storage.books import Account, Principal
    from riskmark.storage.lots import LotChanges
    from riskmark.storage.positions import Positions

portfolio_commands = typer.Typer(
    help="Books: import, combine, list, show, export, delete; their lots and flows.",
    no_args_is_help=True,
)
portfolio_commands.add_typer(lot_commands, name="lot")
portfolio_commands.add_typer(flow_commands, name="flow")


@portfolio_commands.command("import")
def import_file(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A positions CSV, or - for standard input.")
    ],
    *,
    name: Annotated[str | None, typer.Option(help="The new portfolio's name.")] = None,
    account_name: Annotated[str | None, typer.Option(help="The account that holds it.")] = None,
    account_type: Annotated[AccountType | None, typer.Option(help="Its tax wrapper.")] = None,
    opening_equity: Annotated[
        str | None, typer.Option(metavar="X", help="Money at the start: cash is kept (equity).")
    ] = None,
    owner: Annotated[
        str | None, typer.Option(metavar="EMAIL", help="Whose it is; default: the local account.")
    ] = None,
    broker_map: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="TOML: a broker's headers and number format."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be stored, and store nothing.")
    ] = False,
    update: Annotated[
        str | None,
        typer.Option(metavar="P", help="Make this portfolio hold the file's lots instead."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Store the lots of a positions file: all of it, or nothing and every bad row listed."""
    from riskmark.cli.import_view import show_changes, show_created, show_issues
    from riskmark.storage.positions import Positions

    if update is not None:
        _refuse_beside_update(
            {
                "--name": name,
                "--account-name": account_name,
                "--account-type": account_type,
                "--opening-equity": opening_equity,
                "--owner": owner,
            }
        )
    elif name is None:
        raise InputError("say --name NAME for a new portfolio, or --update P for a stored one")
    with opened(ctx) as app:
        found = _read_positions(app, file, broker_map)
        if not found.is_valid:
            show_issues(found, as_json=as_json)
            raise typer.Exit(exits.BAD_INPUT)
        positions = Positions(found.lots, found.instruments)
        if update is not None:
            changes = _update(app, update, positions, dry_run=dry_run)
            show_changes(update, changes, found, is_dry=dry_run, as_json=as_json)
            return
        account = _account(str(name), account_name, account_type, opening_equity)
        portfolio_id = None if dry_run else _create(app, account, positions, owner=owner)
        if dry_run:
            _check_new(app, account, owner=owner)
        show_created(account.name, portfolio_id, found, as_json=as_json)


def _refuse_beside_update(options: "Mapping[str, str | None]") -> None:
    """Refuse what an update would ignore."""
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise InputError(f"--update changes lots only; leave out {', '.join(given)}")


def _read_positions(app: "App", file: Path, broker_map: Path | None) -> "PositionsFile":
    from riskmark.intake.broker_map import parse_broker_map
    from riskmark.intake.positions_csv import parse_positions
    from riskmark.intake.records import MAX_BYTES

    layout = None if broker_map is None else parse_broker_map(read_input(broker_map))
    content = read_input(file, most=MAX_BYTES + 1)
    return parse_positions(content, today=app.today, broker_map=layout)


def _account(
    name: str,
    account_name: str | None,
    account_type: AccountType | None,
    opening_equity: str | None,
) -> "Account":
    from riskmark.intake.arguments import parse_equity
    from riskmark.storage.books import Account

    equity = None
    if opening_equity is not None:
        equity = parse_equity(opening_equity, name="--opening-equity")
    return Account(name, account_name, account_type, equity)


def _create(app: "App", account: "Account", positions: "Positions", *, owner: str | None) -> str:
    from riskmark.storage.calendar import load_calendar
    from riskmark.storage.positions import Moment, create_book

    with app.database.write() as connection:
        created = create_book(
            connection,
            _principal(app, connection, owner),
            account,
            positions,
            calendar=load_calendar(connection),
            currency=app.settings.base_currency,
            moment=Moment(app.today, app.clock.now()),
        )
    return created.portfolio_id


def _check_new(app: "App", account: "Account", *, owner: str | None) -> None:
    """Refuse what creating the portfolio would refuse, by creating it and rolling back."""
    from riskmark.storage.books import create_portfolio

    with app.database.engine.connect() as connection, connection.begin() as transaction:
        create_portfolio(
            connection,
            _principal(app, connection, owner),
            account,
            currency=app.settings.base_currency,
            at=app.clock.now(),
        )
        transaction.rollback()


def _update(app: "App", update: str, positions: "Positions", *, dry_run: bool) -> "LotChanges":
    from riskmark.storage.calendar import load_calendar
    from riskmark.storage.positions import (
        Moment,
        compare_book,
        update_book,
    )

    if dry_run:
        with app.database.read() as connection:
            return compare_book(connection, app.principal, update, positions)
    with app.database.write() as connection:
        return update_book(
            connection,
            app.principal,
            update,
            positions,
            calendar=load_calendar(connection),
            moment=Moment(app.today, app.clock.now()),
        )


def _principal(app: "App", connection: "Connection", owner: str | None) -> "Principal":
    """Return on whose behalf a portfolio is made."""
    from riskmark.storage.books import Principal
    from riskmark.storage.engines import read_rows

    if owner is None:
        return app.principal
    rows = read_rows(
        connection,
        "SELECT id FROM account WHERE (email = ? OR id = ?) AND disabled_at IS NULL",
        (owner, owner),
    )
    if not rows:
        raise InputError(f"no account has the address {owner!r}")
    return Principal(rows[0][0])


portfolio_commands.command("combine")(combine)


@portfolio_commands.command("list")
def list_all(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """List every portfolio."""
    from riskmark.cli.tables import cut, make_table
    from riskmark.reports.books import list_books

    with opened(ctx) as app:
        with app.database.read() as connection:
            heads = list_books(connection, app.principal)
        if as_json:
            output.show_json([head.document() for head in heads])
            return
        if not heads:
            output.note("no portfolios yet; riskmark portfolio import FILE --name NAME makes one")
            return
        table = make_table(
            "Portfolio…", "Id", "Mode", "Account…", "Open lots>", "Flows>", "First entry"
        )
        for head in heads:
            one = head.portfolio
            account = " ".join(filter(None, (one.account_name, one.account_type)))
            table.add_row(
                cut(one.name),
                one.portfolio_id,
                f"{one.mode}, combined" if head.members else one.mode,
                cut(account),
                f"{head.open_lots:,} of {head.lots:,}",
                formats.count(head.flows),
                formats.day(head.first_entry),
            )
        output.show(table)


@portfolio_commands.command("show")
def show(ctx: typer.Context, portfolio: PortfolioName, *, as_json: AsJson = False) -> None:
    """Show a book as it was entered: its head, lots and flows."""
    from riskmark.cli.book_view import book_view
    from riskmark.reports.books import load_book

    with opened(ctx) as app:
        with app.database.read() as connection:
            book = load_book(connection, app.principal, portfolio)
        if as_json:
            output.show_json(book.document())
        else:
            output.show(*book_view(book))


@portfolio_commands.command("export")
def export(
    ctx: typer.Context,
    portfolio: PortfolioName,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write here; it must not exist."),
    ] = None,
) -> None:
    """Write the lots as a positions CSV, which reads back to the same book."""
    from riskmark.intake.positions_csv import write_positions
    from riskmark.reports.books import load_book
    from riskmark.storage.instruments import find_instruments

    with opened(ctx) as app, app.database.read() as connection:
        book = load_book(connection, app.principal, portfolio)
        instruments = find_instruments(
            connection,
            {lot.symbol for lot in book.lots},
            owner_id=book.head.portfolio.owner_id,
        )
    terms = {key: one.terms for key, one in instruments.items() if one.terms is not None}
    text = write_positions(book.lots, terms=terms)
    if out is None:
        typer.echo(text, nl=False)
        return
    with output.new_file(out) as file:
        file.write(text.encode())
    output.note(f"{formats.plural(len(book.lots), 'lot')} written to {out}")


@portfolio_commands.command("delete")
def delete(ctx: typer.Context, portfolio: PortfolioName) -> None:
    """Take a portfolio out of planning and every list; nothing stored of it is erased."""
    from riskmark.storage.books import delete_portfolio

    with opened(ctx) as app:
        with app.database.write() as connection:
            gone = delete_portfolio(connection, app.principal, portfolio, at=app.clock.now())
        output.note(f"deleted {gone.name!r} ({gone.portfolio_id})")
