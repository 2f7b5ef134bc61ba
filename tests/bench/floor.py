"""The floor: what the same numbers cost if nothing but arithmetic, reading and writing is done.

A run of the engine is recorded: the calls of its pure functions, and the rows that it
writes. Replaying the calls is the arithmetic; the rows, written by the bare driver in one
transaction into a copy of the database as it was before the run, are the writing. What has
to be read is read by the bare driver too, in as few statements as will do.
"""

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench import parts

from riskmark.app import App
from riskmark.domain.reasons import Source
from riskmark.engine import symbol_work
from riskmark.storage import results

RESULT_TABLES = frozenset(
    {
        "snapshot", "cell_pack", "fit_pack", "symbol_metric",
    }
)  # fmt: skip
"""What is written that is a result; a run's record of itself and caches are not."""
PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "cache_size = -65536",
    "wal_autocheckpoint = 8192",
)
"""The same as the application's."""
_COUNTS = """
SELECT id,
    (SELECT COUNT(*) FROM snapshot s WHERE s.portfolio_id = p.id),
    (SELECT MIN(session) FROM snapshot s WHERE s.portfolio_id = p.id),
    (SELECT MAX(session) FROM snapshot s WHERE s.portfolio_id = p.id)
FROM portfolio p
"""


class Call(NamedTuple):
    """A call of a pure function."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: dict[str, Any]


class Write(NamedTuple):
    """Rows of one table."""

    table: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class Recording(NamedTuple):
    """What one run of the engine computed and wrote."""

    calls: list[Call]
    writes: list[Write]


class Floor(NamedTuple):
    """Seconds."""

    arithmetic: float
    read: float
    write: float

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self)


def record_run(app: App) -> Recording:
    """Run the batch once and record it."""
    recording = Recording([], [])

    def recorded(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            recording.calls.append(Call(function, arguments, options))
            return function(*arguments, **options)

        return call

    def writer(write_rows: Callable[..., None]) -> Callable[..., None]:
        def write(
            connection: Any, table: Any, columns: Sequence[str], rows: Any, **options: Any
        ) -> None:
            kept = list(rows)
            if table.name in RESULT_TABLES:
                recording.writes.append(Write(table.name, tuple(columns), kept))
            write_rows(connection, table, columns, kept, **options)

        return write

    with ExitStack() as stack:
        for one in parts.PURE:
            stack.enter_context(parts.replaced(one.where, one.name, recorded))
        for where in (results, symbol_work):
            stack.enter_context(parts.replaced(where, "write_rows", writer))
        app.run(Source.CLI)
    return recording


def measure_floor(recording: Recording, path: Path, needed: Sequence[str]) -> Floor:
    """Measure the floor once; ``path`` is a copy of the database from before the run."""
    started = time.perf_counter()
    for function, arguments, options in recording.calls:
        function(*arguments, **options)
    computed = time.perf_counter()
    connection = _connect(path)
    begun = time.perf_counter()
    _read(connection, needed)
    read = time.perf_counter()
    _write(connection, recording.writes)
    written = time.perf_counter()
    connection.close()
    return Floor(computed - started, read - begun, written - read)


def needed_reads(path: Path, *, first: str) -> tuple[str, ...]:
    """Return the statements that read what a run over all portfolios cannot do without.

    ``first`` is the first session that a window reaches back to. Closes come from packs
    where there are any, with the rows that are newer; else they are all rows.
    """
    connection = sqlite3.connect(path)
    (packed,) = connection.execute(
        "SELECT MAX(c.session) FROM price_pack k JOIN calendar_session c "
        "ON c.ordinal = k.first_ordinal + length(k.closes) / 8 - 1"
    ).fetchone()
    connection.close()
    if packed:
        start = f"(SELECT ordinal FROM calendar_session WHERE session >= '{first}' LIMIT 1)"
        blob = f"substr(closes, 1 + 8 * max(0, {start} - first_ordinal))"
        newer = f"p.instrument_id = k.instrument_id AND p.session > '{packed}'"
        closes = [
            f"SELECT instrument_id, first_ordinal, {blob} FROM price_pack",
            f"SELECT p.instrument_id, p.close FROM price_pack k CROSS JOIN price p ON {newer}",
        ]
    else:
        closes = [f"SELECT instrument_id, session, close FROM price WHERE session >= '{first}'"]
    books = (
        "SELECT p.id, p.opening_equity, g.snapshots, g.inputs_revision "
        "FROM portfolio p JOIN portfolio_progress g ON g.portfolio_id = p.id"
    )
    lots = (
        "SELECT portfolio_id, instrument_id, quantity, multiplier, entry_date, entry_price, "
        "exit_date, exit_price FROM lot ORDER BY portfolio_id"
    )
    changes = (
        "SELECT revision, kind, portfolio_id, instrument_id, from_session FROM input_change "
        "WHERE revision > (SELECT MIN(inputs_revision) FROM portfolio_progress)"
    )
    return (
        f"SELECT session FROM calendar_session WHERE session >= '{first}'",
        books,
        lots,
        changes,
        _COUNTS,
        "SELECT portfolio_id, date, amount FROM flow",
        f"SELECT factor, session, \"return\" FROM factor_return WHERE session >= '{first}'",
        "SELECT id, symbol, kind, sector, currency FROM instrument",
        "SELECT instrument_id, ex_date, kind, value FROM action",
        *closes,
    )


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _read(connection: sqlite3.Connection, statements: Sequence[str]) -> None:
    connection.execute("BEGIN")
    for statement in statements:
        connection.execute(statement).fetchall()
    connection.execute("COMMIT")


def _write(connection: sqlite3.Connection, writes: Sequence[Write]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for table, columns, rows in writes:
        names = ", ".join(f'"{name}"' for name in columns)
        marks = ", ".join("?" * len(columns))
        connection.executemany(f'INSERT OR REPLACE INTO "{table}" ({names}) VALUES ({marks})', rows)
    connection.execute("UPDATE portfolio_progress SET snapshots = snapshots + 1")
    connection.execute("COMMIT")
