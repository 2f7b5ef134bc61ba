"""Signing in: limits first, then the password, then the second factor, then a session.

What is wrong is not told: an unknown address, a wrong password, a disabled account and a wrong
code read the same and take as long. Too many failures are refused before anything is hashed,
for a quarter of an hour and no longer, so that nobody can lock somebody else out for good.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from riskmark.access import passwords, totp
from riskmark.access.secrets import SESSION, Secret, new_secret
from riskmark.domain.accounts import AccountHolder, check_password
from riskmark.errors import InputError
from riskmark.storage import accounts, audit, sign_in_tries, web_sessions
from riskmark.storage.accounts import Secrets, UnknownAccount
from riskmark.storage.audit import Actor
from riskmark.storage.engines import Database
from riskmark.storage.web_sessions import WebSession

MAX_TRIES, MAX_OF_MACHINE, MAX_OF_ADDRESS = 10, 30, 100
"""Failures within the window of one address from one machine, of a machine, of an address.

A stranger's failures count against the address only from the hundredth on: he shall not lock
its owner out.
"""
IDLE = timedelta(hours=2)
"""After which a session that nobody uses ends."""


class SignInRefused(InputError):
    """Address, password and code do not belong together."""

    def __init__(self) -> None:
        super().__init__("the address, the password or the code is wrong")


class CodeNeeded(InputError):
    """The account has a second factor, and no code was given."""

    def __init__(self) -> None:
        super().__init__("this account needs a code of its second factor as well")


class TooManyTries(InputError):
    """Somebody fails too often."""

    def __init__(self) -> None:
        minutes = int(sign_in_tries.WINDOW.total_seconds() // 60)
        super().__init__(f"too many failed sign-ins; try again in {minutes} minutes")
        self.retry_after_s = minutes * 60


class Credentials(NamedTuple):
    """What somebody types to sign in."""

    email: str
    password: str
    code: str | None = None


class SignedIn(NamedTuple):
    """A new session: its secret, for the cookie alone, and whose it is."""

    secret: Secret
    account: AccountHolder
    expires_at: datetime


def sign_in(
    database: Database,
    credentials: Credentials,
    actor: Actor,
    *,
    client: str,
    lifetime: timedelta,
    at: datetime,
) -> SignedIn:
    """Return a new session for somebody who proves who he is."""
    tries = _note_try(database, credentials, actor, at=at)
    with database.read() as connection:
        account, secrets = _look_up(connection, credentials.email)
    is_proven = passwords.is_password(credentials.password, secrets.password_hash)
    if account is None or not (is_proven and account.is_enabled):
        raise _refused(database, actor, at=at)
    if secrets.totp_secret is not None and credentials.code is None:
        raise CodeNeeded
    with database.write() as connection:
        if _takes_code(connection, account, secrets, credentials.code, at=at):
            sign_in_tries.forgive(connection, tries)
            _renew(connection, account, secrets, credentials.password)
            return _open_session(connection, account, actor, client, lifetime=lifetime, at=at)
    raise _refused(database, actor, at=at)


def _note_try(
    database: Database, credentials: Credentials, actor: Actor, *, at: datetime
) -> tuple[int, ...]:
    address = credentials.email.strip().lower()
    limits = {
        f"{address} from {actor.address}": MAX_TRIES,
        f"machine {actor.address}": MAX_OF_MACHINE,
        f"address {address}": MAX_OF_ADDRESS,
    }
    return _count(database, limits, at=at)


def _count(database: Database, limits: Mapping[str, int], *, at: datetime) -> tuple[int, ...]:
    """Count a try of each subject, before anything is checked; raise if it is one too many."""
    with database.write() as connection:
        tries = sign_in_tries.note_tries(connection, limits, at=at)
    with database.write() as connection:
        if not sign_in_tries.are_too_many(connection, limits, tries, at=at):
            return tries
        sign_in_tries.forgive(connection, tries)
    raise TooManyTries


def _open_session(
    connection: Connection,
    account: AccountHolder,
    actor: Actor,
    client: str,
    *,
    lifetime: timedelta,
    at: datetime,
) -> SignedIn:
    secret = new_secret(SESSION)
    session = WebSession(account.account_id, at, at, at + lifetime, client)
    web_sessions.save_session(connection, secret.digest, session)
    own = actor._replace(account_id=account.account_id)
    key = account.account_id
    audit.note(connection, own, "sign_in", at=at, object_kind="account", object_id=key)
    return SignedIn(secret, account, session.expires_at)


def change_password(
    database: Database,
    account: AccountHolder,
    actor: Actor,
    *,
    old: str,
    new: str,
    keep: str | None,
    at: datetime,
) -> None:
    """Replace a password, and end every session but the one with digest ``keep``."""
    if not knows_password(database, account, old, at=at):
        raise InputError("the present password is wrong")
    set_password(database, account, actor, new=new, keep=keep, at=at)


def knows_password(
    database: Database, account: AccountHolder, password: str, *, at: datetime
) -> bool:
    """Whether somebody who is signed in knows the password; whoever guesses is slowed down."""
    limits = {f"password of {account.account_id}": MAX_TRIES}
    tries = _count(database, limits, at=at)
    with database.read() as connection:
        stored = accounts.load_secrets(connection, account.account_id).password_hash
    is_known = passwords.is_password(password, stored)
    if is_known:
        with database.write() as connection:
            sign_in_tries.forgive(connection, tries)
    return is_known


def set_password(
    database: Database,
    account: AccountHolder,
    actor: Actor,
    *,
    new: str,
    keep: str | None = None,
    at: datetime,
) -> None:
    """Set an account's password without asking for the old one: for an operator or a link."""
    check_password(new, email=account.email)
    hashed = passwords.hash_password(new)
    with database.write() as connection:
        accounts.set_password_hash(connection, account.account_id, hashed)
        web_sessions.end_sessions(connection, account.account_id, but=keep)
        audit.note(
            connection,
            actor,
            "set_password",
            at=at,
            object_kind="account",
            object_id=account.account_id,
        )


def _look_up(connection: Connection, email: str) -> tuple[AccountHolder | None, Secrets]:
    try:
        account = accounts.find_account(connection, email)
    except UnknownAccount:
        return None, Secrets(None, None, None)
    if account.email is None or account.email != email.strip().lower():
        return None, Secrets(None, None, None)  # an id is not an address
    return account, accounts.load_secrets(connection, account.account_id)


def _takes_code(
    connection: Connection,
    account: AccountHolder,
    secrets: Secrets,
    code: str | None,
    *,
    at: datetime,
) -> bool:
    if secrets.totp_secret is None:
        return True
    step = None if code is None else totp.matching_step(secrets.totp_secret, code, at=at)
    return step is not None and accounts.take_totp_step(connection, account.account_id, step)


def _renew(connection: Connection, account: AccountHolder, secrets: Secrets, password: str) -> None:
    """Hash a password anew whose hash is of weaker parameters than today's."""
    if secrets.password_hash is not None and passwords.is_outdated(secrets.password_hash):
        hashed = passwords.hash_password(password)
        accounts.set_password_hash(connection, account.account_id, hashed)


def _refused(database: Database, actor: Actor, *, at: datetime) -> SignInRefused:
    with database.write() as connection:
        audit.note(connection, actor, "sign_in_refused", at=at, object_kind="account", object_id="")
    return SignInRefused()
