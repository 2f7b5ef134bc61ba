"""Sessions of people who are signed in, and tokens of programs; only digests are stored.

A session ends by sign-out, by its age, by idleness, by a new password and by the account being
disabled. A token ends by being revoked, by its date and with its account.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, Row, delete, insert, select, update

from riskmark.domain.accounts import Scope
from riskmark.errors import InputError
from riskmark.storage import schema
from riskmark.storage.books import new_id

_SESSION = schema.web_session
_TOKEN = schema.api_token
MAX_CLIENT = 200
NOTED_EVERY = timedelta(minutes=1)
"""How exactly the last use is known: not every read becomes a write."""


class UnknownToken(InputError):
    """The account has no such token."""

    def __init__(self, token_id: str) -> None:
        super().__init__(f"there is no token {token_id!r}")
        self.token_id = token_id


class WebSession(NamedTuple):
    """Somebody who is signed in."""

    account_id: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    client: str


class ApiToken(NamedTuple):
    """A token, without its secret."""

    token_id: str
    account_id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


def save_session(connection: Connection, token_hash: str, session: WebSession) -> None:
    """Store a new session; those of the account that are over by age are forgotten."""
    is_over = (_SESSION.c.account_id == session.account_id) & (
        _SESSION.c.expires_at <= session.created_at
    )
    connection.execute(delete(_SESSION).where(is_over))
    values = session._asdict() | {"client": session.client[:MAX_CLIENT]}
    connection.execute(insert(_SESSION).values(token_hash=token_hash, **values))


def find_session(
    connection: Connection, token_hash: str, *, at: datetime, idle: timedelta
) -> WebSession | None:
    """Return the session of a digest; None if it has ended."""
    row = connection.execute(
        select(_SESSION).where(
            _SESSION.c.token_hash == token_hash,
            _SESSION.c.expires_at > at,
            _SESSION.c.used_at > at - idle,
        )
    ).one_or_none()
    if row is None:
        return None
    return WebSession(row.account_id, row.created_at, row.used_at, row.expires_at, row.client)


def note_session(connection: Connection, token_hash: str, *, at: datetime) -> None:
    """Note that a session was used."""
    statement = update(_SESSION).where(_SESSION.c.token_hash == token_hash)
    connection.execute(statement.values(used_at=at))


def end_session(connection: Connection, token_hash: str) -> None:
    """Sign out."""
    connection.execute(delete(_SESSION).where(_SESSION.c.token_hash == token_hash))


def end_sessions(connection: Connection, account_id: str, *, but: str | None = None) -> int:
    """End every session of an account except the one with digest ``but``; return how many."""
    condition = _SESSION.c.account_id == account_id
    if but is not None:
        condition &= _SESSION.c.token_hash != but
    return connection.execute(delete(_SESSION).where(condition)).rowcount


def save_token(
    connection: Connection,
    token_hash: str,
    *,
    account_id: str,
    name: str,
    scopes: frozenset[Scope],
    at: datetime,
    expires_at: datetime | None,
) -> ApiToken:
    """Store a new token."""
    token_id = new_id()
    connection.execute(
        insert(_TOKEN).values(
            id=token_id,
            token_hash=token_hash,
            account_id=account_id,
            name=name,
            scopes=" ".join(sorted(scopes)),
            created_at=at,
            expires_at=expires_at,
        )
    )
    return ApiToken(token_id, account_id, name, scopes, at, expires_at, None, None)


def find_token(connection: Connection, token_hash: str, *, at: datetime) -> ApiToken | None:
    """Return the token of a digest; None if it has ended."""
    row = connection.execute(
        select(_TOKEN).where(
            _TOKEN.c.token_hash == token_hash,
            _TOKEN.c.revoked_at.is_(None),
            _TOKEN.c.expires_at.is_(None) | (_TOKEN.c.expires_at > at),
        )
    ).one_or_none()
    return None if row is None else _token(row)


def note_token(connection: Connection, token_id: str, *, at: datetime) -> None:
    """Note that a token was used."""
    connection.execute(update(_TOKEN).where(_TOKEN.c.id == token_id).values(used_at=at))


def list_tokens(connection: Connection, account_id: str) -> list[ApiToken]:
    """Return an account's tokens, the newest first."""
    statement = select(_TOKEN).where(_TOKEN.c.account_id == account_id)
    rows = connection.execute(statement.order_by(_TOKEN.c.created_at.desc(), _TOKEN.c.id))
    return [_token(row) for row in rows]


def revoke_token(
    connection: Connection, token_id: str, *, account_id: str, at: datetime
) -> ApiToken:
    """End a token of an account; ending it twice changes nothing."""
    own = (_TOKEN.c.id == token_id) & (_TOKEN.c.account_id == account_id)
    live = own & _TOKEN.c.revoked_at.is_(None)
    connection.execute(update(_TOKEN).where(live).values(revoked_at=at))
    row = connection.execute(select(_TOKEN).where(own)).one_or_none()
    if row is None:
        raise UnknownToken(token_id)
    return _token(row)


def _token(row: Row[tuple[object, ...]]) -> ApiToken:
    found = row._mapping  # noqa: SLF001 - the documented way to read a row by name
    return ApiToken(
        token_id=found["id"],
        account_id=found["account_id"],
        name=found["name"],
        scopes=frozenset(Scope(one) for one in found["scopes"].split()),
        created_at=found["created_at"],
        expires_at=found["expires_at"],
        used_at=found["used_at"],
        revoked_at=found["revoked_at"],
    )
