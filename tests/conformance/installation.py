"""A small installation on the bundled prices, valued by the engine: three books, two years.

The settings are the demo's, so factors are made of the bundled funds; the database is SQLite
in a temporary folder.
"""

import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tests.conformance import market

from riskmark import app as application
from riskmark.app import App, FixedClock
from riskmark.cli.demo_data import load_demo_bars
from riskmark.domain.measures import STORED
from riskmark.domain.portfolio import Flow, Lot
from riskmark.domain.reasons import Source
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.settings import load_settings
from riskmark.storage import books as stored_books
from riskmark.storage.books import Account
from riskmark.storage.calendar import load_calendar
from riskmark.storage.engines import read_rows
from riskmark.storage.instruments import guess_kind
from riskmark.storage.lots import BookEditor
from riskmark.storage.positions import Moment, Positions, create_book
from riskmark.storage.prices import import_prices

NOW = datetime(2022, 12, 28, 23, tzinfo=UTC)
DATES = ("drawdown_peak", "drawdown_trough", "drawdown_recovery")


class Book(NamedTuple):
    """A book as it is entered."""

    name: str
    opening_equity: Decimal | None
    lots: tuple[Lot, ...]
    flows: tuple[Flow, ...] = ()


def lot(symbol: str, quantity: int, entry: date, *, leaving: date | None = None) -> Lot:
    """Return a lot that is entered, and left, at the rounded closes."""
    price = close(symbol, entry)
    gone = None if leaving is None else close(symbol, leaving)
    return Lot(symbol, Decimal(quantity), entry, price, leaving, gone)


def close(symbol: str, day: date) -> Decimal:
    """Return a close in cents."""
    known = market.panel()
    row = int(np.searchsorted(known.sessions, np.datetime64(day)))
    return Decimal(str(round(float(known.closes[row, known.symbols.index(symbol)]), 2)))


@cache
def books() -> tuple[Book, ...]:
    """Return three books: with flows and trades, long and short, and in holdings mode."""
    first, later, sold = date(2021, 1, 4), date(2021, 9, 15), date(2022, 6, 1)
    return (
        Book(
            "flows",
            Decimal(100_000),
            (
                lot("AAPL", 150, first),
                lot("JPM", 120, first),
                lot("JNJ", 100, first, leaving=sold),
                lot("XOM", 300, later),
                lot("WMT", 80, later),
                lot("QUAL", 150, later),
            ),
            (Flow(date(2021, 3, 1), Decimal(40_000)), Flow(date(2022, 8, 6), Decimal(-15_000))),
        ),
        Book(
            "short",
            Decimal(200_000),
            tuple(
                lot(symbol, quantity, first)
                for symbol, quantity in (
                    ("MSFT", 300), ("LLY", 250), ("HD", 120), ("KO", 400),
                    ("GE", -500), ("BBY", -200), ("BAC", -900),
                )
            ),
        ),
        Book(
            "holdings",
            None,
            (lot("PG", 100, first), lot("CVX", 90, later), lot("AMD", 60, sold)),
        ),
    )  # fmt: skip


class Snapshot(NamedTuple):
    """What is stored of one book on one session."""

    session: date
    numbers: dict[str, float]
    dates: tuple[date | None, ...]


@cache
def snapshots() -> dict[str, list[Snapshot]]:
    """Enter the books, run the batch, and read what it stored, by the name of the book."""
    with tempfile.TemporaryDirectory(prefix="riskmark-conformance-") as folder:
        app = _open(Path(folder))
        try:
            _enter(app)
            app.run(Source.CLI)
            return {book.name: _stored(app, book.name) for book in books()}
        finally:
            app.database.close()


def _open(folder: Path) -> App:
    url = f"sqlite:///{folder / 'riskmark.db'}"
    loaded = load_settings(Path(str(market.DEMO_FILES)) / "riskmark.toml", {}, database_url=url)
    app = application.build(loaded, FixedClock(NOW))
    application.prepare(app)
    return app


def _enter(app: App) -> None:
    with app.database.read() as connection:
        calendar = load_calendar(connection)
    moment = Moment(app.today, app.clock.now())
    with app.database.write() as connection:
        for book in books():
            symbols = dict.fromkeys(one.symbol for one in book.lots)
            hints = tuple(InstrumentHint(symbol, guess_kind(symbol), None) for symbol in symbols)
            portfolio = create_book(
                connection,
                app.principal,
                Account(book.name, opening_equity=book.opening_equity),
                Positions(book.lots, hints),
                calendar=calendar,
                currency="USD",
                moment=moment,
            )
            editor = BookEditor(connection, portfolio, calendar, today=app.today, at=moment.at)
            for flow in book.flows:
                editor.add_flow(flow.date, flow.amount)
            editor.finish()
        import_prices(
            connection,
            load_demo_bars(),
            provider="skfolio",
            calendar=calendar,
            target=calendar.sessions[app.target(calendar)],
            base_currency="USD",
            at=moment.at,
        )


def _stored(app: App, name: str) -> list[Snapshot]:
    columns = ", ".join(f'"{column}"' for column in (*STORED, *DATES))
    with app.database.read() as connection:
        portfolio = stored_books.find_portfolio(connection, app.principal, name)
        found = read_rows(
            connection,
            f"SELECT session, {columns} FROM snapshot WHERE portfolio_id = ? ORDER BY session",
            (portfolio.portfolio_id,),
        )
    return [_snapshot(row) for row in found]


def _snapshot(row: Sequence[object]) -> Snapshot:
    session, *rest = row
    numbers = [np.nan if one is None else float(one) for one in rest[: len(STORED)]]
    dates = tuple(None if one is None else _date(one) for one in rest[len(STORED) :])
    return Snapshot(_date(session), dict(zip(STORED, numbers, strict=True)), dates)


def _date(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))
