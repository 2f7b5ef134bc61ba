"""Accounts: who may sign in, what a role and a token's scopes allow, and what a password must be.

An *owner* has portfolios. An *admin* besides operates runs and accounts, and sees the state of
every portfolio, but no book that is not his own or granted to him.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from riskmark.errors import InputError

MIN_PASSWORD = 12
"""Characters: long enough that no rule on their kinds is needed."""
MAX_PASSWORD_BYTES = 1024
"""Bytes: what hashing is willing to read."""
MAX_EMAIL = 254
MAX_NAME = 200

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+", re.ASCII)


class Role(StrEnum):
    """What an account is for."""

    OWNER = "owner"
    ADMIN = "admin"


class Scope(StrEnum):
    """What a token may do on behalf of its account."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class AccountHolder:
    """An account as it is stored, without its secrets; ``email`` is None for the local one."""

    account_id: str
    name: str
    email: str | None
    role: Role
    created_at: datetime
    disabled_at: datetime | None
    has_password: bool
    has_totp: bool

    @property
    def is_enabled(self) -> bool:
        """Whether it may sign in."""
        return self.disabled_at is None


def check_email(text: str) -> str:
    """Return an address in the form in which it is stored and compared: lower case."""
    email = text.strip().lower()
    if len(email) > MAX_EMAIL or not _EMAIL.fullmatch(email):
        raise InputError(f"not an e-mail address: {text[:80]!r}; it has the form name@example.com")
    return email


def check_name(text: str) -> str:
    """Return an account's name without spaces around it."""
    name = text.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InputError(f"a name is 1 to {MAX_NAME} printable characters")
    return name


def check_password(password: str, *, email: str | None) -> None:
    """Raise if a new password is too easy to guess or too long to hash.

    Length is what counts; there is no rule on kinds of characters. The word never appears
    in the error.
    """
    if len(password) < MIN_PASSWORD:
        raise InputError(f"a password has at least {MIN_PASSWORD} characters")
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        raise InputError(f"a password has at most {MAX_PASSWORD_BYTES} bytes")
    if len(set(password)) < MIN_PASSWORD // 3:
        raise InputError("a password that repeats a few characters is too easy to guess")
    if email is not None and email.split("@")[0] in password.lower():
        raise InputError("a password that contains the e-mail address is too easy to guess")


def parse_scopes(scopes: list[str]) -> frozenset[Scope]:
    """Return the scopes that a token is asked for; at least one."""
    known = ", ".join(Scope)
    try:
        found = frozenset(Scope(one) for one in scopes)
    except ValueError as error:
        raise InputError(f"{error}; scopes are {known}") from None
    if not found:
        raise InputError(f"a token needs a scope: {known}")
    return found
