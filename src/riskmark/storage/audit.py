"""The audit log: who did what to which object, from where; rows are added and never changed.

The row is written in the transaction of the change itself, so that neither stands without the
other.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select

from riskmark.storage import schema

_TABLE = schema.audit_entry
MAX_TEXT = 200
"""Characters of what comes from outside."""


class Actor(NamedTuple):
    """Who acts: an account (None: nobody who is signed in), its machine and its request."""

    account_id: str | None
    address: str
    request_id: str


class AuditEntry(NamedTuple):
    """A line of the log."""

    entry_id: int
    at: datetime
    account_id: str | None
    action: str
    object_kind: str
    object_id: str
    address: str
    request_id: str
    detail: Mapping[str, Any]


def note(
    connection: Connection,
    actor: Actor,
    action: str,
    *,
    at: datetime,
    object_kind: str,
    object_id: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add a line; ``detail`` has no secrets."""
    text = json.dumps(dict(detail or {}), allow_nan=False, default=str)
    value: object = text if connection.dialect.name == "sqlite" else json.loads(text)
    connection.execute(
        insert(_TABLE).values(
            at=at,
            account_id=actor.account_id,
            action=action,
            object_kind=object_kind,
            object_id=object_id[:MAX_TEXT],
            address=actor.address[:MAX_TEXT],
            request_id=actor.request_id[:MAX_TEXT],
            detail=value,
        )
    )


def list_entries(
    connection: Connection, *, before: int | None = None, limit: int = 100
) -> list[AuditEntry]:
    """Return the newest lines, older than the line ``before`` if it is given."""
    statement = select(_TABLE).order_by(_TABLE.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(_TABLE.c.id < before)
    return [
        AuditEntry(
            entry_id=row.id,
            at=row.at,
            account_id=row.account_id,
            action=row.action,
            object_kind=row.object_kind,
            object_id=row.object_id,
            address=row.address,
            request_id=row.request_id,
            detail=json.loads(row.detail) if isinstance(row.detail, str) else row.detail,
        )
        for row in connection.execute(statement)
    ]
