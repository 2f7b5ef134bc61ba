"""``riskmark symbols``: the universe, and what people say of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskmark.cli import formats, output
from riskmark.cli.opening import opened
from riskmark.cli.options import NEGATIVE_VALUES, AsJson
from riskmark.domain.instruments import InstrumentKind

if TYPE_CHECKING:
    from datetime import date

    from rich.text import Text
    from sqlalchemy import Connection

    from riskmark.app import App
    from riskmark.storage.universe import InstrumentSummary

symbol_commands = typer.Typer(
    help="The universe: list, show, import, alias, accept, value.", no_args_is_help=True
)

Symbol = Annotated[str, typer.Argument(metavar="S", help="A symbol.", show_default=False)]
_WORDS = {"first_session": "first seen", "last_session": "last seen"}


@symbol_commands.command("list")
def list_symbols(
    ctx: typer.Context,
    *,
    kind: Annotated[InstrumentKind | None, typer.Option(help="Only this kind.")] = None,
    held: Annotated[bool, typer.Option("--held", help="Only what a portfolio holds.")] = False,
    as_json: AsJson = False,
) -> None:
    """List every symbol, with how much is stored of it."""
    from riskmark.storage.universe import list_universe

    with opened(ctx) as app:
        with app.database.read() as connection:
            delisted = _delisted(app, connection)
            found = [
                one
                for one in list_universe(connection, owner_id=app.principal.account_id)
                if (kind is None or one.instrument.kind is kind) and (one.portfolios or not held)
            ]
        if as_json:
            output.show_json([_document(one, delisted) for one in found])
        elif found:
            _show_list(found, delisted)
        else:
            output.note("no symbols; riskmark prices import PATH brings them")


def _delisted(app: "App", connection: "Connection") -> "dict[str, date]":
    from riskmark.cli.opening import rules_for
    from riskmark.storage.delistings import load_delisted

    rules = rules_for(app, connection)
    return load_delisted(connection, rules.calendar, rules.target)


def _show_list(found: "list[InstrumentSummary]", delisted: "dict[str, date]") -> None:
    from riskmark.cli.tables import cut, make_table

    table = make_table(
        "Symbol", "Kind", "Name…", "Sector…", "Said by…", "Bars>", "Last seen", "Held by>", "Note"
    )
    for one in found:
        instrument = one.instrument
        table.add_row(
            instrument.symbol,
            instrument.kind,
            cut(instrument.name or ""),
            cut(instrument.sector or ""),
            ", ".join(dict.fromkeys(_sayers(one))),
            formats.count(one.bars),
            formats.day(one.last_session) if one.bars else "",
            formats.count(one.portfolios),
            _remark(one, delisted),
        )
    output.show(table)


def _sayers(one: "InstrumentSummary") -> list[str]:
    """Name who said what a symbol is; nobody did of what is a guess."""
    said = one.said
    return [by for by in (said.kind_by, said.name_by, said.sector_by) if by is not None]


def _remark(one: "InstrumentSummary", delisted: "dict[str, date]") -> "str | Text":
    if one.instrument.symbol in delisted and not one.instrument.is_private:
        since = formats.day(delisted[one.instrument.symbol])
        return output.styled(f"[yellow]delisted {since}[/]")
    if one.said.conflict is not None:
        return output.styled("[yellow]contradicted[/]")
    if one.quarantined_from is not None:
        return output.styled("[yellow]quarantined[/]")
    return "accepted" if one.accepted is not None else ""


def _document(one: "InstrumentSummary", delisted: "dict[str, date]") -> dict[str, Any]:
    instrument = one.instrument
    is_public = instrument.owner_id is None
    return {
        "symbol": instrument.symbol,
        "kind": instrument.kind,
        "name": instrument.name,
        "sector": instrument.sector,
        "currency": instrument.currency,
        "kind_by": one.said.kind_by,
        "name_by": one.said.name_by,
        "sector_by": one.said.sector_by,
        "private": instrument.is_private,
        "aliases": list(one.aliases),
        "portfolios": one.portfolios,
        "bars": one.bars,
        "first_session": one.first_session,
        "last_session": one.last_session,
        "delisted_since": delisted.get(instrument.symbol) if is_public else None,
        "actions": one.actions,
        "valuations": one.valuations,
        "accepted": one.accepted,
        "quarantined_from": one.quarantined_from,
        "quarantine_reason": one.quarantine_reason,
        "conflict": one.said.conflict,
    }


@symbol_commands.command("show")
def show(ctx: typer.Context, symbol: Symbol, *, as_json: AsJson = False) -> None:
    """Show what is known of one symbol."""
    from rich.table import Table

    from riskmark.storage.universe import describe_symbol

    with opened(ctx) as app:
        with app.database.read() as connection:
            delisted = _delisted(app, connection)
            found = describe_symbol(connection, symbol, owner_id=app.principal.account_id)
        if as_json:
            output.show_json(_document(found, delisted))
            return
        table = Table.grid(padding=(0, 2))
        for name, value in _document(found, delisted).items():
            if value not in (None, [], 0, False):
                shown = ", ".join(value) if isinstance(value, list) else str(value)
                words = _WORDS.get(name, name.replace("_", " "))
                label = output.styled(f"[dim]{words}[/]")
                table.add_row(label, shown)
        output.show(table)


@symbol_commands.command("import")
def import_symbols(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV: symbol, name, kind, sector, currency.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Store names, kinds and sectors: all of a file, or nothing and what is wrong with it."""
    from riskmark.storage.symbol_files import read_symbol_rows
    from riskmark.storage.symbols import import_symbols as store

    with opened(ctx) as app:
        rows = read_symbol_rows(file)
        with app.database.write() as connection:
            found = store(
                connection,
                rows,
                currency=app.settings.base_currency,
                at=app.clock.now(),
                owner_id=app.principal.account_id,
            )
        if as_json:
            output.show_json(
                {
                    "received": found.received,
                    "created": list(found.created),
                    "changed": list(found.changed),
                }
            )
        else:
            output.note(
                f"{formats.plural(found.received, 'symbol')} read: {len(found.created):,} new, "
                f"{len(found.changed):,} changed"
            )


@symbol_commands.command("alias")
def alias(
    ctx: typer.Context,
    old: Annotated[str, typer.Argument(metavar="OLD", help="The former symbol.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The symbol from DATE on.")],
    date: Annotated[str, typer.Argument(metavar="DATE", help="Of the rename, as YYYY-MM-DD.")],
) -> None:
    """Say that a symbol was renamed: the instrument stays, and the old symbol finds it."""
    from riskmark.intake.arguments import parse_day
    from riskmark.storage.aliases import rename
    from riskmark.storage.calendar import load_calendar

    with opened(ctx) as app:
        day = parse_day(date, today=app.today, name="DATE")
        with app.database.write() as connection:
            found = rename(
                connection,
                old,
                new,
                day,
                calendar=load_calendar(connection),
                at=app.clock.now(),
            )
        text = f"{old.upper()} is {found.symbol} from {day} on"
        if found.is_merge:
            text += (
                f"; {formats.plural(found.moved_bars, 'bar')} and "
                f"{formats.plural(found.moved_lots, 'lot')} moved, {found.dropped_bars:,} "
                f"dropped that {found.symbol} has too"
            )
        output.note(text)


@symbol_commands.command("accept")
def accept(
    ctx: typer.Context,
    symbol: Symbol,
    *,
    reason: Annotated[str, typer.Option(metavar="R", help="Why that is fine.")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take the acceptance back.")] = False,
) -> None:
    """Accept that a symbol has no close: it no longer makes snapshots partial."""
    from riskmark.storage.symbols import accept as store
    from riskmark.storage.symbols import unaccept

    with opened(ctx) as app, app.database.write() as connection:
        now = app.clock.now()
        if withdraw:
            changed = unaccept(connection, symbol, at=now)
            text = f"{symbol.upper()} is not accepted any more"
        else:
            changed = store(connection, symbol, reason, at=now)
            text = f"{symbol.upper()} is accepted"
    output.note(f"{text}; next: riskmark run" if changed else f"{text}; that changed nothing")


@symbol_commands.command("value", context_settings=NEGATIVE_VALUES)
def value(
    ctx: typer.Context,
    symbol: Symbol,
    date: Annotated[str, typer.Argument(metavar="DATE", help="As YYYY-MM-DD.")],
    price: Annotated[str, typer.Argument(metavar="PRICE", help="Of one unit.")],
) -> None:
    """Enter what a private asset is worth from a date on."""
    from riskmark.intake.arguments import parse_day, parse_price
    from riskmark.storage.calendar import load_calendar
    from riskmark.storage.symbols import value_private

    with opened(ctx) as app:
        day = parse_day(date, today=app.today, name="DATE")
        amount = parse_price(price, name="PRICE", may_be_zero=True)
        with app.database.write() as connection:
            changed = value_private(
                connection,
                symbol,
                day,
                amount,
                calendar=load_calendar(connection),
                at=app.clock.now(),
            )
        text = f"{symbol.upper()} is worth {amount:,} from {day} on"
        output.note(f"{text}; next: riskmark run" if changed else f"{text}, as it was")


@symbol_commands.command("values")
def values(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV: symbol, date, price.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Enter what private assets are worth: all of a file, or nothing and what is wrong with it."""
    from riskmark.storage.calendar import load_calendar
    from riskmark.storage.value_files import import_values, read_value_rows

    with opened(ctx) as app:
        rows = read_value_rows(file)
        with app.database.write() as connection:
            found = import_values(
                connection,
                rows,
                calendar=load_calendar(connection),
                today=app.today,
                at=app.clock.now(),
                owner_id=app.principal.account_id,
            )
        if as_json:
            output.show_json(found._asdict())
            return
        text = f"{formats.plural(found.received, 'value')} read, {found.changed:,} of them new"
        output.note(f"{text}; next: riskmark run" if found.changed else text)
