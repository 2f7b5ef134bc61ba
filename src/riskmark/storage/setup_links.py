"""Links by which somebody sets a password for the first time, or anew; only digests are stored.

A link serves once, until its date; a new one of the same account ends those before.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from riskmark.storage import schema

LASTS = timedelta(days=3)
_TABLE = schema.setup_link


def save_link(connection: Connection, token_hash: str, *, account_id: str, at: datetime) -> None:
    """Store a new link of an account, in place of any other."""
    connection.execute(delete(_TABLE).where(_TABLE.c.account_id == account_id))
    connection.execute(
        insert(_TABLE).values(token_hash=token_hash, account_id=account_id, expires_at=at + LASTS)
    )


def find_link(connection: Connection, token_hash: str, *, at: datetime) -> str | None:
    """Return the account of a link; None if it was used, has ended, or never was."""
    statement = select(_TABLE.c.account_id).where(
        _TABLE.c.token_hash == token_hash, _TABLE.c.used_at.is_(None), _TABLE.c.expires_at > at
    )
    return connection.execute(statement).scalar()


def use_link(connection: Connection, token_hash: str, *, at: datetime) -> bool:
    """Use a link up; False if somebody else was first, or it has ended."""
    is_fresh = (
        (_TABLE.c.token_hash == token_hash)
        & _TABLE.c.used_at.is_(None)
        & (_TABLE.c.expires_at > at)
    )
    return connection.execute(update(_TABLE).where(is_fresh).values(used_at=at)).rowcount == 1


def end_links(connection: Connection, account_id: str) -> None:
    """End every link of an account."""
    connection.execute(delete(_TABLE).where(_TABLE.c.account_id == account_id))
