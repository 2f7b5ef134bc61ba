"""Lists of keys as one value of a statement, however long they are.

SQLite reads them from a JSON array, PostgreSQL from an array; neither has the limit on the
number of values that a list of placeholders has. Values stand as ``?`` in a statement, as
in ``engines.read_rows``.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection


class Part(NamedTuple):
    """A piece of a statement and the values of its ``?``."""

    sql: str
    values: tuple[Any, ...]


def among(connection: Connection, keys: Iterable[int] | Iterable[str]) -> Part:
    """Write the condition that what stands before it is one of ``keys``."""
    listed = list(keys)
    if connection.dialect.name == "sqlite":
        return Part("IN (SELECT value FROM json_each(?))", (json.dumps(listed),))
    return Part("= ANY(?)", (listed,))


def ranges(connection: Connection, spans: Mapping[int, tuple[date, date]]) -> Part:
    """Write a SELECT of the columns ``id``, ``first``, ``last``: a range of dates for each id."""
    rows = [(key, first, last) for key, (first, last) in spans.items()]
    if connection.dialect.name == "sqlite":
        listed = json.dumps(
            [(key, first.isoformat(), last.isoformat()) for key, first, last in rows]
        )
        return Part(
            "SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS first, "
            "json_extract(value, '$[2]') AS last FROM json_each(?)",
            (listed,),
        )
    return Part(
        "SELECT * FROM unnest(?::bigint[], ?::date[], ?::date[]) AS listed (id, first, last)",
        ([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]),
    )


def run_statement(connection: Connection, statement: str, values: Sequence[Any] = ()) -> int:
    """Run a statement that returns nothing; return the number of rows that it touched."""
    if connection.dialect.name != "sqlite":
        statement = statement.replace("?", "%s")
    return connection.exec_driver_sql(statement, tuple(values)).rowcount


def run_many(connection: Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run a statement that returns nothing once for each row of values."""
    if not rows:
        return
    if connection.dialect.name != "sqlite":
        statement = statement.replace("?", "%s")
    connection.exec_driver_sql(statement, [tuple(row) for row in rows])
