"""Tokens: what programs send instead of a password, with less than all that their owner may."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from riskmark.access.secrets import TOKEN, Secret, new_secret
from riskmark.domain.accounts import AccountHolder, Scope, check_name
from riskmark.storage import audit, web_sessions
from riskmark.storage.audit import Actor
from riskmark.storage.web_sessions import ApiToken


class MadeToken(NamedTuple):
    """A new token, and its secret, which nobody can be told again."""

    token: ApiToken
    secret: Secret


def create_token(
    connection: Connection,
    actor: Actor,
    account: AccountHolder,
    name: str,
    *,
    scopes: frozenset[Scope],
    lasts: timedelta | None,
    at: datetime,
) -> MadeToken:
    """Make a token of an account; without ``lasts`` it serves until it is revoked."""
    secret = new_secret(TOKEN)
    made = web_sessions.save_token(
        connection,
        secret.digest,
        account_id=account.account_id,
        name=check_name(name),
        scopes=scopes,
        at=at,
        expires_at=None if lasts is None else at + lasts,
    )
    detail = {"name": made.name, "scopes": sorted(scopes)}
    audit.note(
        connection,
        actor,
        "create_token",
        at=at,
        object_kind="token",
        object_id=made.token_id,
        detail=detail,
    )
    return MadeToken(made, secret)


def revoke_token(
    connection: Connection, actor: Actor, account: AccountHolder, token_id: str, *, at: datetime
) -> ApiToken:
    """End a token of an account, at once."""
    gone = web_sessions.revoke_token(connection, token_id, account_id=account.account_id, at=at)
    audit.note(
        connection, actor, "revoke_token", at=at, object_kind="token", object_id=gone.token_id
    )
    return gone
