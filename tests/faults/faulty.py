"""A database that fails: an error before a statement, or a commit that nobody hears of.

Faults are put in at the edge, in the driver's own connections and cursors, so that every
statement is met, however it is sent.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import Engine, event

COMMIT = "COMMIT"
LOCKED: dict[type[Exception], Exception] = {
    sqlite3.OperationalError: sqlite3.OperationalError("database is locked"),
    psycopg.OperationalError: psycopg.errors.LockNotAvailable(
        "canceling statement due to lock timeout"
    ),
}


@dataclass(frozen=True)
class Fault:
    """What happens at the n-th statement (from 1).

    ``before``: it fails and does nothing. ``locked``: it fails because somebody else holds
    what it needs. ``lost``: it takes effect, a commit too, and fails all the same.
    ``lasting``: from there on every statement fails.
    """

    at: int
    kind: str = "before"


class Watch:
    """Counts the statements of an engine's connections, and lets one of them fail."""

    def __init__(self, fault: Fault | None) -> None:
        self.statements: list[str] = []
        self._fault = fault

    def attach(self, engine: Engine) -> None:
        """Watch every connection that ``engine`` makes from now on."""
        engine.dispose()

        @event.listens_for(engine, "do_connect")
        def connect(_dialect: Any, _record: Any, _values: Any, options: dict[str, Any]) -> None:
            if engine.dialect.name == "sqlite":
                options["factory"] = _sqlite_connection(self)

        @event.listens_for(engine, "connect", insert=False)
        def connected(connection: Any, _record: Any) -> None:
            if engine.dialect.name != "sqlite":
                connection.cursor_factory = _postgresql_cursor(self)
                commit = connection.commit

                def commit_watched() -> None:
                    with self.passing(COMMIT, psycopg.OperationalError):
                        commit()

                connection.commit = commit_watched

    @contextmanager
    def passing(self, statement: str, error: type[Exception]) -> Iterator[None]:
        """Count a statement, and fail before or after it if it is the one."""
        self.statements.append(statement.lstrip()[:60])
        number = len(self.statements)
        fault = self._fault
        if fault is not None:
            is_it = number == fault.at
            if (is_it and fault.kind == "before") or (
                number >= fault.at and fault.kind == "lasting"
            ):
                raise error(f"a fault before statement {number}")
            if is_it and fault.kind == "locked":
                raise LOCKED[error]
        yield
        if fault is not None and is_it and fault.kind == "lost":
            raise error(f"the connection broke after statement {number}")


def _sqlite_connection(watch: Watch) -> type[sqlite3.Connection]:
    """Make a kind of connection whose cursors and commits are watched."""

    class Cursor(sqlite3.Cursor):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            with watch.passing(sql, sqlite3.OperationalError):
                return super().execute(sql, *values)

        def executemany(self, sql: str, *values: Any) -> sqlite3.Cursor:
            with watch.passing(sql, sqlite3.OperationalError):
                return super().executemany(sql, *values)

    class Connection(sqlite3.Connection):
        def cursor(self, factory: type[sqlite3.Cursor] = Cursor) -> sqlite3.Cursor:
            return super().cursor(factory)

        def commit(self) -> None:
            with watch.passing(COMMIT, sqlite3.OperationalError):
                super().commit()

    return Connection


def _postgresql_cursor(watch: Watch) -> type[psycopg.Cursor]:
    """Make a kind of cursor whose statements are watched."""

    class Cursor(psycopg.Cursor):
        def execute(self, query: Any, *values: Any, **options: Any) -> "Cursor":
            with watch.passing(str(query), psycopg.OperationalError):
                super().execute(query, *values, **options)
                return self

        def executemany(self, query: Any, *values: Any, **options: Any) -> None:
            with watch.passing(str(query), psycopg.OperationalError):
                super().executemany(query, *values, **options)

        @contextmanager
        def copy(self, statement: Any, *values: Any, **options: Any) -> Iterator[Any]:
            with (
                watch.passing(str(statement), psycopg.OperationalError),
                super().copy(statement, *values, **options) as copy,
            ):
                yield copy

    return Cursor
