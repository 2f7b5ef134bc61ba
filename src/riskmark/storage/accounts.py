"""Accounts as they are stored; what proves who somebody is stays in the database.

The built-in account ``local`` belongs to whoever runs the command line. It has no address and
no password, so that nobody signs in with it, until an operator gives it to somebody.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from riskmark.domain.accounts import AccountHolder, Role, check_email, check_name
from riskmark.errors import InputError
from riskmark.storage import schema
from riskmark.storage.books import new_id

_TABLE = schema.account


class AccountExists(InputError):
    """Somebody has this address already."""

    def __init__(self, email: str) -> None:
        super().__init__(f"an account with the address {email!r} exists already")
        self.email = email


class UnknownAccount(InputError):
    """No account has this id or address."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no account has the id or address {name!r}")
        self.name = name


class Secrets(NamedTuple):
    """What a sign-in is held against; never leaves the server."""

    password_hash: str | None
    totp_secret: str | None
    totp_step: int | None


def create_account(
    connection: Connection, email: str, name: str, *, role: Role, at: datetime
) -> AccountHolder:
    """Store a new account without a password."""
    address = check_email(email)
    account_id = new_id()
    try:
        with connection.begin_nested():
            connection.execute(
                insert(_TABLE).values(
                    id=account_id, name=check_name(name), email=address, role=role, created_at=at
                )
            )
    except IntegrityError as error:
        raise AccountExists(address) from error
    return find_account(connection, account_id)


def name_local_account(
    connection: Connection, email: str, name: str, *, role: Role
) -> AccountHolder:
    """Give the local account, with the portfolios made by command, an address to sign in with."""
    address = check_email(email)
    known = find_account(connection, schema.LOCAL_ACCOUNT)
    if known.email is not None:
        raise InputError(f"the local account is that of {known.email} already")
    try:
        with connection.begin_nested():
            named = {"email": address, "name": check_name(name), "role": role}
            _set(connection, schema.LOCAL_ACCOUNT, **named)
    except IntegrityError as error:
        raise AccountExists(address) from error
    return find_account(connection, schema.LOCAL_ACCOUNT)


def find_account(connection: Connection, id_or_email: str) -> AccountHolder:
    """Return the account with this id or address."""
    condition = (_TABLE.c.id == id_or_email) | (_TABLE.c.email == id_or_email.strip().lower())
    row = connection.execute(select(_TABLE).where(condition)).one_or_none()
    if row is None:
        raise UnknownAccount(id_or_email)
    return _holder(row)


def list_accounts(connection: Connection) -> list[AccountHolder]:
    """Return every account that somebody may sign in with, by address."""
    statement = select(_TABLE).where(_TABLE.c.email.is_not(None)).order_by(_TABLE.c.email)
    return [_holder(row) for row in connection.execute(statement)]


def has_admin(connection: Connection) -> bool:
    """Whether an enabled admin with a password exists."""
    condition = (
        (_TABLE.c.role == Role.ADMIN)
        & _TABLE.c.disabled_at.is_(None)
        & _TABLE.c.password_hash.is_not(None)
    )
    count = connection.execute(select(func.count()).select_from(_TABLE).where(condition)).scalar()
    return bool(count)


def load_secrets(connection: Connection, account_id: str) -> Secrets:
    """Return what a sign-in is held against."""
    columns = (_TABLE.c.password_hash, _TABLE.c.totp_secret, _TABLE.c.totp_step)
    row = connection.execute(select(*columns).where(_TABLE.c.id == account_id)).one()
    return Secrets(row.password_hash, row.totp_secret, row.totp_step)


def set_password_hash(connection: Connection, account_id: str, password_hash: str) -> None:
    """Replace an account's password."""
    _set(connection, account_id, password_hash=password_hash)


def set_totp_secret(connection: Connection, account_id: str, secret: str | None) -> None:
    """Replace or remove (None) the secret of an account's second factor."""
    _set(connection, account_id, totp_secret=secret, totp_step=None)


def take_totp_step(connection: Connection, account_id: str, step: int) -> bool:
    """Use up a time step of the second factor; False if it or a later one was used before."""
    is_new = _TABLE.c.totp_step.is_(None) | (_TABLE.c.totp_step < step)
    statement = update(_TABLE).where(_TABLE.c.id == account_id, is_new).values(totp_step=step)
    return connection.execute(statement).rowcount == 1


def set_disabled(connection: Connection, account_id: str, at: datetime | None) -> None:
    """Disable an account from ``at`` on, or enable it again (None)."""
    _set(connection, account_id, disabled_at=at)


def set_role(connection: Connection, account_id: str, role: Role) -> None:
    """Change what an account is for."""
    _set(connection, account_id, role=role)


def _set(connection: Connection, account_id: str, **values: object) -> None:
    connection.execute(update(_TABLE).where(_TABLE.c.id == account_id).values(**values))


def _holder(row: Row[tuple[object, ...]]) -> AccountHolder:
    found = row._mapping  # noqa: SLF001 - the documented way to read a row by name
    return AccountHolder(
        account_id=found["id"],
        name=found["name"],
        email=found["email"],
        role=Role(found["role"]),
        created_at=found["created_at"],
        disabled_at=found["disabled_at"],
        has_password=found["password_hash"] is not None,
        has_totp=found["totp_secret"] is not None,
    )
