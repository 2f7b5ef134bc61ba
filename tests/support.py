"""What tests share: how an empty database is made, and how many examples it may cost."""

import os
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, text

from riskmark.storage import schema
from riskmark.storage.engines import Database
from riskmark.storage.migrate import migrate

PROFILE = os.environ.get("RISKMARK_TEST_PROFILE", "default")
"""The Hypothesis profile: ``default``, or ``deep`` for ten times the examples."""

DATABASE_EXAMPLES = {"default": 50, "deep": 500}[PROFILE]
"""Examples of a property that needs a database, which makes each one slow."""

BOOK_EXAMPLES = {"default": 200, "deep": 5_000}[PROFILE]
"""Examples of a property of whole books, each a market, several books and all their numbers."""

START = datetime(2020, 1, 1, tzinfo=UTC)
"""When the local account and, unless a test says otherwise, all else was made."""


def fresh_schema(database: Database) -> None:
    """Make ``database`` hold the schema, the rows that every installation has, and no more."""
    migrate(database)
    with database.write() as connection:
        _empty(connection)
        connection.execute(insert(schema.input_clock).values(id=1, revision=0))
        connection.execute(
            insert(schema.account).values(
                id=schema.LOCAL_ACCOUNT, name="local", role="owner", created_at=START
            )
        )


def _empty(connection: Connection) -> None:
    names = [f'"{table.name}"' for table in reversed(schema.metadata.sorted_tables)]
    if connection.dialect.name == "sqlite":
        for name in names:
            connection.execute(text(f"DELETE FROM {name}"))
    else:
        connection.execute(text(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE"))
