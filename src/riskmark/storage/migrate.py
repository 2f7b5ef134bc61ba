"""Bring a database to the newest schema: in one transaction, by one process at a time.

Both databases roll back DDL, so a migration that is interrupted never happened. On SQLite the
one writer's lock keeps others out, on PostgreSQL an advisory lock; who waits for it finds the
work done. There is no way down: an older Riskmark refuses a newer database.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from riskmark.errors import StoreError
from riskmark.storage.engines import BUSY_TIMEOUT_MS, Database, check_usable
from riskmark.storage.schema import HEAD

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 0x7269736B
"""The key of PostgreSQL's advisory lock under which a migration runs."""
WAIT_MS = 1_800_000
"""How long to wait for another process's migration: a large database takes minutes."""


class SchemaTooNew(StoreError):
    """The database was migrated by a newer Riskmark."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"the database has schema {found}, newer than this Riskmark's {HEAD}: upgrade Riskmark"
        )


class SchemaMissing(StoreError):
    """The database has no schema, or an old one."""

    def __init__(self, found: str | None) -> None:
        state = "no schema" if found is None else f"the old schema {found}"
        super().__init__(f"the database has {state}; run: riskmark init")


def schema_version(connection: Connection) -> str | None:
    """Return the id of the newest migration applied; None if there is none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def check_schema(connection: Connection) -> None:
    """Raise unless the database has exactly this Riskmark's schema."""
    found = schema_version(connection)
    if found is not None and found > HEAD:
        raise SchemaTooNew(found)
    if found != HEAD:
        raise SchemaMissing(found)


def migrate(database: Database) -> bool:
    """Create or migrate the schema; return whether anything was done."""
    from alembic import command  # noqa: PLC0415 - slow to import, needed rarely

    with _locked(database) as connection:
        check_usable(connection)
        found = schema_version(connection)
        if found == HEAD:
            return False
        if found is not None and found > HEAD:
            raise SchemaTooNew(found)
        command.upgrade(alembic_config(connection), "head")
    return True


@contextmanager
def _locked(database: Database) -> Iterator[Connection]:
    """Open a transaction that no other migration runs beside, after waiting for its turn."""
    if not database.is_sqlite:
        with database.write() as connection:
            # Neither the wait nor a long statement is a hanging one here.
            for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                connection.execute(text(f"SET LOCAL {limit} = 0"))
            connection.execute(text(f"SET LOCAL lock_timeout = {WAIT_MS}"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            yield connection
        return
    with database.engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
        try:
            with connection.begin():
                yield connection
        finally:
            if not connection.invalidated:
                cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")


def alembic_config(connection: Connection) -> "Config":
    """Return Alembic's configuration for work on ``connection``."""
    from alembic.config import Config  # noqa: PLC0415 - slow to import, needed rarely

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
