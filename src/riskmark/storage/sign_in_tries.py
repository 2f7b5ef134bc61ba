"""Failed sign-ins, counted in a sliding window: a limit that no account is locked by for ever.

A try is noted before anything is checked, and forgiven if it succeeds: however many come at
once, no more than the limit get as far as a password.

A *subject* is whoever is counted: an address that was typed, or a machine that asks. They are
stored as digests, as people type passwords into the wrong field.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select

from riskmark.storage import schema

_TABLE = schema.sign_in_try
WINDOW = timedelta(minutes=15)


def note_tries(connection: Connection, subjects: Iterable[str], *, at: datetime) -> tuple[int, ...]:
    """Count a try of each subject, and forget what is older than the window; return their ids."""
    connection.execute(delete(_TABLE).where(_TABLE.c.at <= at - WINDOW))
    rows = [{"subject": _digest(subject), "at": at} for subject in subjects]
    return tuple(
        int(connection.execute(insert(_TABLE).values(row).returning(_TABLE.c.id)).scalar_one())
        for row in rows
    )


def are_too_many(
    connection: Connection, limits: Mapping[str, int], tries: Iterable[int], *, at: datetime
) -> bool:
    """Whether a noted try is beyond the limit of its subject; ``tries`` are in their order."""
    for (subject, limit), one in zip(limits.items(), tries, strict=True):
        recent = (_TABLE.c.subject == _digest(subject)) & (_TABLE.c.at > at - WINDOW)
        statement = select(func.count()).select_from(_TABLE).where(recent, _TABLE.c.id <= one)
        if connection.execute(statement).scalar_one() > limit:
            return True
    return False


def forgive(connection: Connection, tries: Iterable[int]) -> None:
    """Forget noted tries: they succeeded, or were refused without being checked."""
    connection.execute(delete(_TABLE).where(_TABLE.c.id.in_(tuple(tries))))


def _digest(subject: str) -> str:
    return hashlib.sha256(subject.encode(errors="replace")).hexdigest()
