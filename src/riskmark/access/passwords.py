"""Passwords: argon2id, a few at a time, and as slow for a stranger as for a member.

A hash takes 64 MiB and a tenth of a second; without a limit on how many are computed at once,
twenty people who sign in together would need more than a gigabyte.
"""

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from riskmark.domain.accounts import MAX_PASSWORD_BYTES

_AT_ONCE = threading.BoundedSemaphore(2)


def hash_password(password: str) -> str:
    """Return what is stored of a password."""
    with _AT_ONCE:
        return _hasher().hash(password)


def is_password(password: str, stored: str | None) -> bool:
    """Whether ``password`` is the one of which ``stored`` was made.

    Without ``stored`` the answer is no, after as much work.
    """
    if len(password.encode(errors="replace")) > MAX_PASSWORD_BYTES:
        return False
    with _AT_ONCE:
        try:
            _hasher().verify(stored or _nobodys(), password)
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether a password should be hashed anew, with today's parameters."""
    return _hasher().check_needs_rehash(stored)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash("a password that no account has")
