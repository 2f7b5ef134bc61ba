"""The snapshot series of a portfolio: flat rows, one a session."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection

from riskmark.domain.measures import SECTION_OF, SNAPSHOT, STORED
from riskmark.domain.portfolio import Portfolio
from riskmark.domain.reasons import NullReason
from riskmark.errors import InputError
from riskmark.reports.documents import Document
from riskmark.storage.books import Principal, find_portfolio
from riskmark.storage.engines import as_date, bind_date, read_rows

FIELDS = (*SNAPSHOT[:-2], "positions", *SNAPSHOT[-2:])
"""The fields of a row after ``session`` and ``state``, in the order of the interface."""

COLUMNS = ("session", "state", *FIELDS)


class HistoryRow(NamedTuple):
    """A session: its state and the values of ``fields``."""

    session: date
    state: str
    values: tuple[Any, ...]
    fields: tuple[str, ...] = FIELDS
    stored_nulls: str = "{}"

    def nulls(self) -> dict[str, str]:
        """Return the reason of each value that is null, by its field."""
        missing = [
            name for name, value in zip(self.fields, self.values, strict=True) if value is None
        ]
        if not missing:
            return {}
        stored = json.loads(self.stored_nulls)
        # A snapshot of an older engine has no reason for what that one did not compute.
        return {
            name: stored.get(f"{SECTION_OF[name]}.{name}", NullReason.NOT_COMPUTED_YET.value)
            for name in missing
        }

    def document(self) -> dict[str, Any]:
        """Return the row as JSON has it."""
        head = {"session": self.session, "state": self.state}
        return head | dict(zip(self.fields, self.values, strict=True))


@dataclass(frozen=True, slots=True)
class History:
    """A portfolio's sessions in ascending order."""

    portfolio: Portfolio
    rows: tuple[HistoryRow, ...]
    fields: tuple[str, ...] = FIELDS

    def document(self) -> Document:
        """Return the series as JSON has it."""
        return [row.document() for row in self.rows]

    def columns(self) -> Mapping[str, list[Any]]:
        """Return the series column by column: what a table format is written from."""
        values = list(zip(*(row.values for row in self.rows), strict=True))
        listed = [list(column) for column in values] or [[] for _ in self.fields]
        return {
            "session": [row.session for row in self.rows],
            "state": [row.state for row in self.rows],
            **dict(zip(self.fields, listed, strict=True)),
        }


def load_history(
    connection: Connection,
    principal: Principal,
    name_or_id: str,
    *,
    first: date | None = None,
    last: date | None = None,
    fields: Sequence[str] = FIELDS,
) -> History:
    """Read a portfolio's snapshots from ``first`` to ``last``, both inclusive.

    ``fields`` are names of stored measures (``domain.measures.STORED``) or ``positions``.
    """
    if first is not None and last is not None and last < first:
        raise InputError(f"the range ends on {last}, before it begins on {first}")
    portfolio = find_portfolio(connection, principal, name_or_id)
    condition, values = "portfolio_id = ?", [portfolio.portfolio_id]
    for limit, sign in ((first, ">="), (last, "<=")):
        if limit is not None:
            condition += f" AND session {sign} ?"
            values.append(bind_date(connection, limit))
    known = {*STORED, "positions"}
    unknown = [name for name in fields if name not in known]
    if unknown:
        raise InputError(f"no number named {unknown[0]!r} is stored of a session")
    names = ", ".join(f'"{name}"' for name in ("session", "state", "nulls", *fields))
    rows = read_rows(
        connection,
        f"SELECT {names} FROM snapshot WHERE {condition} ORDER BY session",
        values,
    )
    chosen = tuple(fields)
    listed = tuple(
        HistoryRow(as_date(row[0]), row[1], tuple(row[3:]), chosen, row[2]) for row in rows
    )
    return History(portfolio, listed, chosen)
