"""Bring a database to the newest schema: in one transaction, by one process at a time.

Both databases roll back DDL, so a migration that is interrupted never happened.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from riskmark.errors import StoreError
from riskmark.storage.engines import Database, check_usable
from riskmark.storage.schema import HEAD

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 0x7269736B
"""The key of PostgreSQL's advisory lock under which a migration runs."""


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

    with database.write() as connection:
        check_usable(connection)
        if not database.is_sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        found = schema_version(connection)
        if found == HEAD:
            return False
        if found is not None and found > HEAD:
            raise SchemaTooNew(found)
        command.upgrade(alembic_config(connection), "head")
    return True


def alembic_config(connection: Connection) -> "Config":
    """Return Alembic's configuration for work on ``connection``."""
    from alembic.config import Config  # noqa: PLC0415 - slow to import, needed rarely

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
