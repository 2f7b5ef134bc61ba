"""Taking on a second factor, and giving it up; both ask for the password.

A secret counts from the moment that a code of it was shown: nobody locks himself out with an
authenticator that did not read it. Until then it is known to its owner alone.
"""

import re
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from riskmark.access import totp
from riskmark.access.signing_in import knows_password
from riskmark.domain.accounts import AccountHolder
from riskmark.errors import InputError
from riskmark.storage import accounts, audit, web_sessions
from riskmark.storage.audit import Actor
from riskmark.storage.engines import Database

_SECRET = re.compile(r"[A-Z2-7]{32}")


class NotProven(InputError):
    """The password or the code is wrong."""

    def __init__(self) -> None:
        super().__init__("the password or the code is wrong")


class Proof(NamedTuple):
    """What somebody shows besides his session."""

    password: str
    code: str


def take_on(
    database: Database,
    account: AccountHolder,
    actor: Actor,
    *,
    secret: str,
    proof: Proof,
    keep: str | None,
    at: datetime,
) -> None:
    """Ask for codes of ``secret`` from now on; every session but ``keep`` ends."""
    if account.has_totp:
        raise InputError("the account has a second factor; remove it first")
    if not _SECRET.fullmatch(secret):
        raise InputError("the secret is one that was offered: 32 letters and digits")
    if not knows_password(database, account, proof.password, at=at):
        raise NotProven
    step = totp.matching_step(secret, proof.code, at=at)
    if step is None:
        raise NotProven
    with database.write() as connection:
        accounts.set_totp_secret(connection, account.account_id, secret)
        accounts.take_totp_step(connection, account.account_id, step)
        web_sessions.end_sessions(connection, account.account_id, but=keep)
        _note(connection, actor, "add_totp", account, at=at)


def give_up(
    database: Database, account: AccountHolder, actor: Actor, *, proof: Proof, at: datetime
) -> None:
    """Ask for no codes any more."""
    if not knows_password(database, account, proof.password, at=at):
        raise NotProven
    with database.read() as connection:
        secret = accounts.load_secrets(connection, account.account_id).totp_secret
    if secret is None:
        raise InputError("the account has no second factor")
    step = totp.matching_step(secret, proof.code, at=at)
    with database.write() as connection:
        if step is None or not accounts.take_totp_step(connection, account.account_id, step):
            raise NotProven
        accounts.set_totp_secret(connection, account.account_id, None)
        _note(connection, actor, "remove_totp", account, at=at)


def _note(
    connection: Connection, actor: Actor, action: str, account: AccountHolder, *, at: datetime
) -> None:
    key = account.account_id
    audit.note(connection, actor, action, at=at, object_kind="account", object_id=key)
