"""Everything that a database holds, to see whether anything at all was written."""

from sqlalchemy import select

from riskmark.storage import schema
from riskmark.storage.engines import open_database


def dump(url: str) -> dict[str, list[str]]:
    """Return every row of every table."""
    database = open_database(url)
    try:
        with database.read() as connection:
            return {
                table.name: sorted(map(repr, connection.execute(select(table)).all()))
                for table in schema.metadata.sorted_tables
            }
    finally:
        database.close()
