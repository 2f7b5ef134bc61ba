"""Installations that the benchmarks run: a market and books, imported into SQLite.

History that a case needs, but does not measure, is made from one session that the engine
computed, copied to the sessions before it: the rows have the size and the order of real
ones, and their revisions make them up to date.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection
from tests.bench.market import GeneratedBook, GeneratedMarket

from riskmark import app as application
from riskmark.app import App, FixedClock
from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.reasons import ChangeKind, Source
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.intake.numbers import decimal_text
from riskmark.settings import load_settings
from riskmark.storage import results, schema
from riskmark.storage.books import LOCAL_OPERATOR, new_id
from riskmark.storage.calendar import load_calendar
from riskmark.storage.engines import write_rows
from riskmark.storage.factors import import_factors
from riskmark.storage.instruments import ensure_instruments, find_instruments
from riskmark.storage.key_lists import run_many
from riskmark.storage.ledger import InputChange, current_revision, record_changes
from riskmark.storage.prices import import_prices
from riskmark.storage.types import instant_text

EVENING = time(22, 0, tzinfo=UTC)
"""After the close in New York and the publication delay, on the same date."""
_PORTFOLIO = ("id", "owner_id", "name", "kind", "currency", "opening_equity", "created_at")
_PROGRESS = ("portfolio_id", "snapshots", "inputs_revision", "engine_version", "settings_hash")
_LOT = (
    "id", "portfolio_id", "instrument_id", "quantity", "entry_date", "entry_price",
    "exit_date", "exit_price", "multiplier", "investment_class", "created_at",
)  # fmt: skip
_FLOW = ("id", "portfolio_id", "date", "amount", "note", "created_at")
DETAILED_SESSIONS = 21
"""Sessions of history that have positions, exposures and sectors too; a year of them would
be gigabytes."""


class _BookRows(NamedTuple):
    """Rows of books, in the order of the columns above."""

    portfolio: list[tuple[Any, ...]]
    progress: list[tuple[Any, ...]]
    lot: list[tuple[Any, ...]]
    flow: list[tuple[Any, ...]]


def open_at(path: Path | str, session: date, *, compute: str = "inline") -> App:
    """Open the installation at ``path``, or at a database's URL, on the evening of ``session``."""
    url = path if isinstance(path, str) else f"sqlite:///{path}"
    loaded = load_settings(None, {"RISKMARK_COMPUTE": compute}, database_url=url)
    app = application.build(loaded, FixedClock(datetime.combine(session, EVENING)))
    application.prepare(app)
    return app


def create(path: Path | str, market: GeneratedMarket, *, stop: int) -> None:
    """Make an installation with the prices before row ``stop``, and no books."""
    if isinstance(path, str):
        empty = application.build(
            load_settings(None, {}, database_url=path),
            FixedClock(datetime.combine(market.sessions[stop - 1], EVENING)),
        )
        application.initialise(empty)
        empty.database.close()
    app = open_at(path, market.sessions[stop - 1])
    with app.database.write() as connection:
        _store_symbols(connection, app, market)
    import_rows(app, market, 0, stop)
    app.database.close()


def add_books(path: Path | str, session: date, books: Sequence[GeneratedBook]) -> None:
    """Enter ``books`` on the evening of ``session``, all at once; nothing is computed."""
    app = open_at(path, session)
    symbols = sorted({lot.symbol for book in books for lot in book.lots})
    with app.database.write() as connection:
        known = find_instruments(connection, symbols)
        ids = {symbol: known[symbol].instrument_id for symbol in symbols}
        revision = current_revision(connection)
        at = app.clock.now()
        rows = _BookRows([], [], [], [])
        changes = [_add_rows(rows, book, ids, revision, instant_text(at)) for book in books]
        for table, columns, values in (
            (schema.portfolio, _PORTFOLIO, rows.portfolio),
            (schema.portfolio_progress, _PROGRESS, rows.progress),
            (schema.lot, _LOT, rows.lot),
            (schema.flow, _FLOW, rows.flow),
        ):
            write_rows(connection, table, columns, values)
        record_changes(connection, changes, at=at)
    app.database.close()


def import_rows(app: App, market: GeneratedMarket, first: int, stop: int) -> None:
    """Import bars, actions and factor returns from row ``first`` to before row ``stop``."""
    with app.database.read() as connection:
        calendar = load_calendar(connection)
    with app.database.write() as connection:
        import_prices(
            connection,
            market.bars(first, stop),
            provider="generated",
            calendar=calendar,
            target=market.sessions[stop - 1],
            base_currency="USD",
            at=app.clock.now(),
            actions=market.actions(first, stop),
        )
    with app.database.write() as connection:
        import_factors(
            connection, market.factor_returns(first, stop), calendar=calendar, at=app.clock.now()
        )


def store_history(
    path: Path,
    market: GeneratedMarket,
    *,
    first: int,
    stop: int,
    detailed_sessions: int = DETAILED_SESSIONS,
) -> None:
    """Make every book valued from row ``first`` to before row ``stop``, cheaply."""
    last = market.sessions[stop - 1]
    app = open_at(path, last)
    app.run(Source.CLI, from_session=last)
    with app.database.read() as connection:
        revision = current_revision(connection)
    app.database.close()
    detailed = market.sessions[max(first, stop - detailed_sessions)]
    database = sqlite3.connect(path)
    with database:
        for table, columns, since in (
            ("snapshot", results.SNAPSHOT_COLUMNS, market.sessions[first]),
            ("cell_pack", results.PACK_COLUMNS, detailed),
        ):
            database.execute(
                _copying(table, columns), (since.isoformat(), last.isoformat(), last.isoformat())
            )
        database.execute(
            "UPDATE portfolio_progress SET first_session = ?, inputs_revision = ?, "
            "(snapshots, engine_version, settings_hash) = (SELECT COUNT(*), "
            "MAX(engine_version), MAX(settings_hash) FROM snapshot s "
            "WHERE s.portfolio_id = portfolio_progress.portfolio_id)",
            (market.sessions[first].isoformat(), revision),
        )
    database.close()


def _copying(table: str, columns: Sequence[str]) -> str:
    """Write the statement that copies one session's rows to the sessions of a range before it."""
    names = ", ".join(f'"{name}"' for name in columns)
    chosen = ", ".join("c.session" if name == "session" else f't."{name}"' for name in columns)
    return (
        f"INSERT INTO {table} ({names}) SELECT {chosen} FROM calendar_session c "
        f"CROSS JOIN {table} t WHERE c.session >= ? AND c.session < ? "
        "AND t.session = ? ORDER BY c.session, t.rowid"
    )


def made(path: Path, build: Callable[[Path], None]) -> Path:
    """Return the database at ``path``, built and settled if it is not there yet."""
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        build(unfinished)
        settle(unfinished)
        unfinished.rename(path)
    return path


def settle(path: Path) -> None:
    """Move everything from the write-ahead log into the file, so that it can be copied."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def copy_of(path: Path, name: str) -> Path:
    """Copy a settled database at ``path`` to ``name`` beside it.

    The copy is on the disk when this returns: no commit that is timed has to wait for it.
    """
    target = path.with_name(name)
    for suffix in ("", "-wal", "-shm"):
        target.with_name(name + suffix).unlink(missing_ok=True)
    shutil.copyfile(path, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())
    return target


def _store_symbols(connection: Connection, app: App, market: GeneratedMarket) -> None:
    etfs = {s for s, sector in zip(market.symbols, market.sectors, strict=True) if sector == "ETF"}
    hints = [
        InstrumentHint(symbol, InstrumentKind.ETF if symbol in etfs else InstrumentKind.STOCK, None)
        for symbol in market.symbols
    ]
    ensure_instruments(connection, hints, currency="USD", at=app.clock.now(), owner_id=None)
    run_many(
        connection,
        "UPDATE instrument SET sector = ? WHERE symbol = ?",
        [
            (sector, symbol)
            for symbol, sector in zip(market.symbols, market.sectors, strict=True)
            if symbol not in etfs
        ],
    )


def _add_rows(
    rows: _BookRows, book: GeneratedBook, ids: dict[str, int], revision: int, at: str
) -> InputChange:
    """Add the rows of a book as SQLite has them; return the change that entering it is."""
    key = new_id()
    opening, owner = decimal_text(book.opening_equity), LOCAL_OPERATOR.account_id
    rows.portfolio.append((key, owner, book.name, "book", "USD", opening, at))
    rows.progress.append((key, 0, revision, 0, ""))
    rows.lot.extend(
        (
            new_id(),
            key,
            ids[lot.symbol],
            decimal_text(lot.quantity),
            lot.entry_date.isoformat(),
            decimal_text(lot.entry_price),
            None if lot.exit_date is None else lot.exit_date.isoformat(),
            None if lot.exit_price is None else decimal_text(lot.exit_price),
            "1",
            lot.investment_class,
            at,
        )
        for lot in book.lots
    )
    rows.flow.extend(
        (new_id(), key, one.date.isoformat(), decimal_text(one.amount), "", at)
        for one in book.flows
    )
    first = min(lot.entry_date for lot in book.lots)
    return InputChange(ChangeKind.HOLDINGS, first, "lots added", portfolio_id=key)
