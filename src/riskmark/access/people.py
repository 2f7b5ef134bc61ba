"""People: accounts made with a link to set a password, disabled, enabled, given a role.

There is no default password and no first account: an operator makes the first admin at the
command line, and every link serves once.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from riskmark.access import passwords
from riskmark.access.secrets import LINK, Secret, digest_of, new_secret
from riskmark.domain.accounts import AccountHolder, Role, check_password
from riskmark.errors import InputError
from riskmark.storage import accounts, audit, setup_links, web_sessions
from riskmark.storage.audit import Actor
from riskmark.storage.engines import Database


class LinkRefused(InputError):
    """The link was used, has ended, or never was."""

    def __init__(self) -> None:
        super().__init__("this link was used, has ended, or never was; ask for a new one")


class Invited(NamedTuple):
    """An account, and the secret of the link by which its password is set."""

    account: AccountHolder
    link: Secret


def add_account(
    connection: Connection,
    actor: Actor,
    email: str,
    name: str,
    *,
    role: Role,
    at: datetime,
    is_local: bool = False,
) -> Invited:
    """Make an account without a password, and a link to set one.

    ``is_local``: none is made; the local account, with all its portfolios, becomes theirs.
    """
    if is_local:
        account = accounts.name_local_account(connection, email, name, role=role)
    else:
        account = accounts.create_account(connection, email, name, role=role, at=at)
    _note(connection, actor, "create_account", account, at=at, role=role.value)
    return Invited(account, new_link(connection, actor, account, at=at))


def new_link(
    connection: Connection, actor: Actor, account: AccountHolder, *, at: datetime
) -> Secret:
    """Make a link by which the password of an account is set; those before end."""
    if account.email is None:
        raise InputError("the local account has no password: give it a token")
    link = new_secret(LINK)
    setup_links.save_link(connection, link.digest, account_id=account.account_id, at=at)
    _note(connection, actor, "create_link", account, at=at)
    return link


def set_up(
    database: Database, actor: Actor, text: str, password: str, *, at: datetime
) -> AccountHolder:
    """Set the password of the account that a link belongs to; its sessions end."""
    digest = digest_of(text)
    with database.read() as connection:
        account_id = setup_links.find_link(connection, digest, at=at)
        if account_id is None:
            raise LinkRefused
        account = accounts.find_account(connection, account_id)
    if not account.is_enabled:
        raise LinkRefused
    check_password(password, email=account.email)
    hashed = passwords.hash_password(password)
    with database.write() as connection:
        if not setup_links.use_link(connection, digest, at=at):
            raise LinkRefused
        accounts.set_password_hash(connection, account_id, hashed)
        web_sessions.end_sessions(connection, account_id)
        own = actor._replace(account_id=account_id)
        _note(connection, own, "set_password", account, at=at, by="link")
    return account


def disable(connection: Connection, actor: Actor, account: AccountHolder, *, at: datetime) -> None:
    """Disable an account: its sessions and links end; its tokens rest until it is enabled."""
    if account.account_id == actor.account_id:
        raise InputError("nobody disables his own account")
    accounts.set_disabled(connection, account.account_id, at)
    web_sessions.end_sessions(connection, account.account_id)
    setup_links.end_links(connection, account.account_id)
    _note(connection, actor, "disable_account", account, at=at)


def enable(connection: Connection, actor: Actor, account: AccountHolder, *, at: datetime) -> None:
    """Let a disabled account sign in again."""
    accounts.set_disabled(connection, account.account_id, None)
    _note(connection, actor, "enable_account", account, at=at)


def change_role(
    connection: Connection, actor: Actor, account: AccountHolder, role: Role, *, at: datetime
) -> None:
    """Change what an account is for, at once."""
    if account.account_id == actor.account_id:
        raise InputError("nobody changes his own role")
    accounts.set_role(connection, account.account_id, role)
    _note(connection, actor, "change_role", account, at=at, role=role.value)


def _note(
    connection: Connection,
    actor: Actor,
    action: str,
    account: AccountHolder,
    *,
    at: datetime,
    **detail: str,
) -> None:
    audit.note(
        connection,
        actor,
        action,
        at=at,
        object_kind="account",
        object_id=account.account_id,
        detail=detail,
    )
