"""The database: SQLite or PostgreSQL, and the few lines in which they differ.

Reads run in one snapshot (SQLite: a deferred transaction in WAL mode; PostgreSQL:
REPEATABLE READ, read only). Writes take the write lock at once on SQLite (BEGIN
IMMEDIATE: a read that later wants to write fails under load) and run READ COMMITTED with
row locks on PostgreSQL. Whoever opens a transaction ends it: functions of this package
that are given a connection never commit.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.sql.elements import TextClause

from riskmark import faults
from riskmark.domain.secrets import masked_database_url
from riskmark.errors import InputError, StoreError
from riskmark.storage.types import instant_text

BUSY_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 30_000
STATEMENT_TIMEOUT_MS = 300_000
IDLE_IN_TRANSACTION_MS = 60_000
WAL_PAGES = 8_192
"""Pages (32 MiB) after which a commit moves the log into the file: more than a night writes."""

DATABASE_FAULTS = (DBAPIError, PoolTimeout)
"""What a database raises that cannot be used at the moment, or has no connection free."""

MOST_CONNECTIONS = 40
"""Of one process at a time; most are idle, and closed when they are.

Each run takes up to three, of which a worker has five at most; the worker itself, the
scheduler, the postman and whoever asks for metrics take one or two each, requests up to eight.
"""
_KEPT = 5
_POOL: dict[str, Any] = {"pool_size": _KEPT, "max_overflow": MOST_CONNECTIONS - _KEPT}
# Errors of statements are logged, and their values are of people: hashes, second factors, books.
_QUIET: dict[str, Any] = {"hide_parameters": True}

Row = Sequence[Any]


class Database:
    """An engine, and transactions of two kinds on it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite; else it is PostgreSQL."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the database and changes nothing."""
        options: dict[str, Any] = {
            "isolation_level": "REPEATABLE READ",
            "postgresql_readonly": True,
        }
        if self.is_sqlite:
            options = {"riskmark_begin": "BEGIN"}
        with self.engine.connect() as connection:
            connection.execution_options(**options)
            with connection.begin():
                yield connection

    @contextmanager
    def write(self, name: str | None = None) -> Iterator[Connection]:
        """Open a transaction that may write; commit at the end, roll back on an error.

        ``name``: the transaction is one of a run, with a crash point on either side of its
        commit (``faults.TRANSACTIONS``).
        """
        with self.engine.connect() as connection, connection.begin():
            yield connection
            if name is not None:
                faults.point(f"{name}.before_commit")
        if name is not None:
            faults.point(f"{name}.committed")

    @contextmanager
    def statement(self, name: str) -> Iterator[Connection]:
        """Open a connection for one statement that writes, a transaction of its own.

        On PostgreSQL the server carries it out whole: a process that is stopped in the middle
        leaves no lock behind. The crash points of ``name`` are before and after it.
        """
        if self.is_sqlite:
            with self.write(name) as connection:
                yield connection
            return
        with self.engine.connect() as connection:
            faults.point(f"{name}.before_commit")
            yield connection.execution_options(isolation_level="AUTOCOMMIT")
        faults.point(f"{name}.committed")

    @property
    def shown_url(self) -> str:
        """The address, with every password in it masked."""
        return shown_url(self.engine.url)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def shown_url(url: URL) -> str:
    """Return an address as people know it: without its passwords and without a driver."""
    plain = url.set(drivername=url.get_backend_name())
    return masked_database_url(plain.render_as_string(hide_password=False))


def fault_words(error: DBAPIError | PoolTimeout) -> str:
    """Return what a database, or the pool of its connections, says of a fault."""
    return str(getattr(error, "orig", None) or error)


def open_database(url: str, *, read_only: bool = False) -> Database:
    """Connect to ``url`` (``sqlite:///file`` or ``postgresql://…``); nothing is created.

    With ``read_only`` the database itself refuses every statement that would write.
    """
    parsed = parse_url(url)
    name = parsed.get_backend_name()
    if name == "sqlite":
        return Database(_sqlite(url, read_only=read_only))
    if name == "postgresql":
        psycopg = parsed.set(drivername="postgresql+psycopg")
        return Database(_postgresql(psycopg, read_only=read_only))
    raise InputError(f"the database must be SQLite or PostgreSQL, not {name!r}")


def parse_url(url: str) -> URL:
    """Read the URL of a database; ``InputError`` says what is wrong with it, without a password."""
    try:
        return make_url(url)
    except ArgumentError:
        # What is said of it there may quote a part of it, with the password.
        raise InputError(f"not a database URL: {masked_database_url(url)!r}") from None
    except ValueError:  # of a port, which is turned into a number unchecked
        shown = masked_database_url(url)
        raise InputError(f"the port of the database URL {shown!r} is not a number") from None


def _sqlite(url: str, *, read_only: bool) -> Engine:
    path = make_url(url).database
    if path and path != ":memory:" and not Path(path).parent.is_dir():
        raise InputError(f"the folder of the database {path!r} does not exist")
    is_file = path and path != ":memory:"
    pool: dict[str, Any] = dict(_POOL) if is_file else {}
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}, **pool, **_QUIET)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the transactions are ours, not the driver's
        # The mode of the journal is part of the file: who only reads leaves it as it is.
        own = ("query_only = ON",) if read_only else ("journal_mode = WAL", "synchronous = FULL")
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            *own,
            "foreign_keys = ON",
            "cache_size = -65536",
            f"wal_autocheckpoint = {WAL_PAGES}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        connection.exec_driver_sql(options.get("riskmark_begin", "BEGIN IMMEDIATE"))

    return engine


def _postgresql(url: Any, *, read_only: bool) -> Engine:
    options = (
        f"-c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout={STATEMENT_TIMEOUT_MS} "
        f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS} -c timezone=UTC"
    )
    if read_only:
        options += " -c default_transaction_read_only=on"
    return create_engine(
        url,
        pool_pre_ping=True,
        **_POOL,
        **_QUIET,
        isolation_level="READ COMMITTED",
        connect_args={"options": options, "application_name": "riskmark", "keepalives": 1},
    )


def db_now(connection: Connection, plus_seconds: float = 0.0) -> TextClause:
    """Return the database's present instant, moved by ``plus_seconds``, as an expression."""
    if connection.dialect.name == "sqlite":
        moved = f"strftime('%Y-%m-%d %H:%M:%f', 'now', '{plus_seconds:+.3f} seconds') || '000'"
        return text(f"({moved})")
    return text(f"(clock_timestamp() + interval '{plus_seconds:.3f} seconds')")


def lock_rows(connection: Connection, *, skip_locked: bool = False) -> str:
    """Return the clause that locks selected rows; SQLite has one writer and needs none.

    ``skip_locked`` leaves out rows that another transaction holds instead of waiting.
    """
    if connection.dialect.name == "sqlite":
        return ""
    return " FOR UPDATE SKIP LOCKED" if skip_locked else " FOR UPDATE"


def write_rows(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[Row],
    *,
    replace: bool = False,
) -> None:
    """Write many rows of plain driver values by the fastest way of each database.

    ``replace`` overwrites rows with the same key on SQLite and goes through a temporary
    table on PostgreSQL; without it the keys must be new. On SQLite sessions are ISO text
    and instants are in ``instant_text`` form; on PostgreSQL they are dates and datetimes
    (``bind_date`` and ``bind_instant`` make them).
    """
    names = ", ".join(f'"{name}"' for name in columns)
    if connection.dialect.name == "sqlite":
        verb = "INSERT OR REPLACE" if replace else "INSERT"
        marks = ", ".join("?" * len(columns))
        statement = f'{verb} INTO "{table.name}" ({names}) VALUES ({marks})'
        with driver_cursor(connection, statement) as cursor:
            cursor.executemany(statement, rows)
    elif replace:
        _copy_over(connection, table, names, columns, rows)
    else:
        _copy(connection, f'COPY "{table.name}" ({names}) FROM STDIN', rows)


def _copy(connection: Connection, statement: str, rows: Iterable[Row]) -> None:
    with driver_cursor(connection, statement) as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _copy_over(
    connection: Connection, table: Table, names: str, columns: Sequence[str], rows: Iterable[Row]
) -> None:
    keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
    key_names = {column.name for column in table.primary_key}
    others = [name for name in columns if name not in key_names]
    sets = ", ".join(f'"{name}" = excluded."{name}"' for name in others)
    staging = f"staging_{table.name}"
    connection.exec_driver_sql(
        f'CREATE TEMPORARY TABLE IF NOT EXISTS "{staging}" '
        f'(LIKE "{table.name}" INCLUDING DEFAULTS) ON COMMIT DELETE ROWS'
    )
    connection.exec_driver_sql(f'DELETE FROM "{staging}"')
    _copy(connection, f'COPY "{staging}" ({names}) FROM STDIN', rows)
    action = f"DO UPDATE SET {sets}" if sets else "DO NOTHING"
    connection.exec_driver_sql(
        f'INSERT INTO "{table.name}" ({names}) SELECT {names} FROM "{staging}" '
        f"ON CONFLICT ({keys}) {action}"
    )


def upsert(
    connection: Connection, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """Insert a row, or give the one that has its ``key`` (all of the primary key) the values."""
    make = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
    new = make.values(**key, **values)
    connection.execute(new.on_conflict_do_update(index_elements=list(key), set_=dict(values)))


@contextmanager
def driver_cursor(connection: Connection, statement: str) -> Iterator[Any]:
    """Open a cursor of the raw driver; its errors become those that all other code knows."""
    driver = connection.dialect.loaded_dbapi
    cursor = connection.connection.cursor()
    try:
        yield cursor
    except driver.Error as error:
        dialect = connection.dialect
        raise DBAPIError.instance(statement, None, error, driver.Error, dialect=dialect) from error
    finally:
        cursor.close()


def read_rows(connection: Connection, statement: str, values: Sequence[Any] = ()) -> list[Any]:
    """Run a SELECT on the raw driver and return its tuples: for bulk reads.

    Values stand as ``?`` in ``statement`` on both databases; it may hold no other ``?``
    and no ``%``. On SQLite sessions come as ISO text.
    """
    if connection.dialect.name != "sqlite":
        statement = statement.replace("?", "%s")
    with driver_cursor(connection, statement) as cursor:
        cursor.execute(statement, tuple(values))
        found: list[Any] = cursor.fetchall()
    return found


def as_optional_date(value: Any) -> date | None:
    """Read a session that may be null."""
    return None if value is None else as_date(value)


def as_date(value: Any) -> date:
    """Read a session as the raw driver gives it: ISO text on SQLite, a date on PostgreSQL."""
    found: date = date.fromisoformat(value) if isinstance(value, str) else value
    return found


def bind_date(connection: Connection, day: date | None) -> Any:
    """Make a driver value of a date for ``write_rows`` and ``read_rows``."""
    if day is None or connection.dialect.name != "sqlite":
        return day
    return day.isoformat()


def bind_instant(connection: Connection, at: datetime) -> Any:
    """Make a driver value of an aware datetime for ``write_rows`` and ``read_rows``."""
    return instant_text(at) if connection.dialect.name == "sqlite" else at


def check_usable(connection: Connection) -> None:
    """Refuse a PostgreSQL older than 15 or an SQLite older than 3.35."""
    version = tuple(int(part) for part in connection.dialect.server_version_info or ())
    least = (3, 35) if connection.dialect.name == "sqlite" else (15,)
    if version < least:
        needed = ".".join(map(str, least))
        raise StoreError(f"{connection.dialect.name} {needed} or newer is needed, not {version}")
