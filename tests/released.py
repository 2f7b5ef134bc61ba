"""Databases as released schemas left them: made by their migrations, with rows in every table.

A row's values follow from its number and the names of its columns, so that rows of different
tables refer to each other, and every column has something that can be lost.
"""

from datetime import UTC, date, datetime
from decimal import Decimal

from alembic import command
from sqlalchemy import Connection, Date, Double, Integer, LargeBinary, Text, insert, inspect

from riskmark.storage import schema
from riskmark.storage.engines import read_rows
from riskmark.storage.migrate import alembic_config
from riskmark.storage.types import ExactDecimal, Instant

RELEASED = ("0001", "0002")
ROWS = 2

_FIXED = {
    ("account", "role"): "owner",
    ("instrument", "kind"): "stock",
    ("portfolio", "kind"): "book",
    ("action", "kind"): "split",
    ("run", "status"): "succeeded",
    ("benchmark_weight", "kind"): "symbol",
}
"""What the checks of the schema ask for."""
_KEYS = {
    "portfolio.id": "portfolio", "portfolio_id": "portfolio", "member_id": "portfolio",
    "run.id": "run", "run_id": "run",
    "account.id": "account", "owner_id": "account", "requested_by": "account",
}  # fmt: skip
_ONE_ROW = ("calendar_state", "input_clock")

Rows = dict[str, list[tuple[object, ...]]]


def make(connection: Connection, revision: str) -> None:
    """Bring an empty database to a released schema, and fill it."""
    command.upgrade(alembic_config(connection), revision)
    there = inspect(connection)
    names = set(there.get_table_names())
    listed = [*schema.metadata.sorted_tables, *schema.views.sorted_tables]
    for table in listed:
        if table.name not in names:
            continue
        if table.name in _ONE_ROW and read_rows(connection, f"SELECT id FROM {table.name}"):
            continue
        has = {one["name"] for one in there.get_columns(table.name)}
        columns = [one for one in table.columns if one.name in has]
        rows = [
            {one.name: _value(table.name, one, number) for one in columns}
            for number in range(1 if table.name in _ONE_ROW else ROWS)
        ]
        connection.execute(insert(table), rows)


def read(connection: Connection, wanted: dict[str, list[str]]) -> Rows:
    """Read some columns of some tables, or of the views that now have their names."""
    return {
        table: sorted(
            read_rows(connection, f'SELECT {", ".join(columns)} FROM "{table}"'), key=repr
        )
        for table, columns in wanted.items()
    }


def columns_of(connection: Connection) -> dict[str, list[str]]:
    """Return the quoted columns of every table but Alembic's, in order."""
    there = inspect(connection)
    return {
        table: [f'"{one["name"]}"' for one in there.get_columns(table)]
        for table in sorted(there.get_table_names())
        if table != "alembic_version"
    }


def _value(table, column, number):  # noqa: PLR0911 - one for each type
    """Return what row ``number`` has in a column; it differs from what other rows have."""
    name = column.name
    if (table, name) in _FIXED:
        return _FIXED[table, name]
    key = _KEYS.get(f"{table}.{name}", _KEYS.get(name))
    if key is not None:
        # A portfolio is not its own member.
        return f"{key}-{(number + 1) % ROWS if name == 'member_id' else number}"
    kind = column.type
    if isinstance(kind, Date):
        return date(2024, 3, 4 + number)
    if isinstance(kind, Instant):
        return datetime(2024, 3, 4 + number, 22, 0, 0, 123_000, tzinfo=UTC)
    if isinstance(kind, ExactDecimal):
        return Decimal(f"{number + 1}.12345678")
    if isinstance(kind, Double):
        return number + 0.1
    if isinstance(kind, Integer):
        return number + 1
    if isinstance(kind, LargeBinary):
        return bytes([number, 255])
    if isinstance(kind, Text):
        return f"{name}-{number}"
    return number == 1
