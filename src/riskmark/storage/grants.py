"""Grants: who besides its owner may read a portfolio, and since when.

A grant is to read alone. Whoever may not read a portfolio cannot tell it from one that does
not exist.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from riskmark.storage import schema

_TABLE = schema.portfolio_grant


class Grant(NamedTuple):
    """Somebody who may read a portfolio that is not his."""

    portfolio_id: str
    account_id: str
    email: str | None
    granted_at: datetime


def add_grant(
    connection: Connection, portfolio_id: str, account_id: str, *, granted_by: str, at: datetime
) -> None:
    """Let an account read a portfolio; a grant that stands already stays as it is."""
    make = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(_TABLE)
    new = make.values(
        portfolio_id=portfolio_id, account_id=account_id, granted_by=granted_by, granted_at=at
    )
    connection.execute(new.on_conflict_do_nothing())


def remove_grant(connection: Connection, portfolio_id: str, account_id: str) -> bool:
    """Take a grant back; False if there was none."""
    key = (_TABLE.c.portfolio_id == portfolio_id) & (_TABLE.c.account_id == account_id)
    return connection.execute(delete(_TABLE).where(key)).rowcount == 1


def list_grants(connection: Connection, portfolio_id: str) -> list[Grant]:
    """Return who may read a portfolio, by address."""
    account = schema.account
    statement = (
        select(_TABLE.c.portfolio_id, _TABLE.c.account_id, account.c.email, _TABLE.c.granted_at)
        .join(account, account.c.id == _TABLE.c.account_id)
        .where(_TABLE.c.portfolio_id == portfolio_id)
        .order_by(account.c.email)
    )
    return [Grant(*row) for row in connection.execute(statement)]
