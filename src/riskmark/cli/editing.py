"""Editing one book: its portfolio, its editor and the transaction, from open to ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import typer

from riskmark.cli.opening import opened

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from riskmark.app import App
    from riskmark.domain.portfolio import Portfolio
    from riskmark.storage.lots import BookEditor


class Editing(NamedTuple):
    """An open transaction on one book; the ledger is written when it ends."""

    app: "App"
    connection: "Connection"
    portfolio: "Portfolio"
    editor: "BookEditor"


@contextmanager
def editing(ctx: typer.Context, name_or_id: str) -> Iterator[Editing]:
    """Open a book for edits; all of them are stored at the end, or none."""
    from riskmark.storage.books import find_portfolio
    from riskmark.storage.calendar import load_calendar
    from riskmark.storage.lots import BookEditor

    with opened(ctx) as app, app.database.write() as connection:
        portfolio = find_portfolio(connection, app.principal, name_or_id, is_own=True)
        editor = BookEditor(
            connection,
            portfolio,
            load_calendar(connection),
            today=app.today,
            at=app.clock.now(),
        )
        yield Editing(app, connection, portfolio, editor)
        editor.finish()
