"""Firings of the schedule: each one once, whoever else looks at the same clock.

A firing's row and the run that it asks for are written in one transaction, which holds the
schedule's lock: two schedulers whose clocks differ cannot both make up for the same night.
The key of the row is the last word.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, text, update

from riskmark.domain.reasons import RunStatus
from riskmark.planning.schedule import Firing
from riskmark.storage import schema
from riskmark.storage.types import Instant

NIGHTLY = "nightly"
"""The one schedule there is."""
_LOCK = 0x736B6564
"""The key of PostgreSQL's advisory lock under which a firing is decided."""


@dataclass(frozen=True, slots=True)
class RecordedFiring:
    """A firing that was carried out, and what became of its run (None: gone, or none)."""

    instant: datetime
    expression: str | None
    fired_at: datetime
    run_id: str | None
    status: RunStatus | None
    checked_at: datetime | None


def lock_schedule(connection: Connection) -> None:
    """Let nobody else decide a firing before this transaction ends (SQLite: nobody can)."""
    if connection.dialect.name != "sqlite":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))


def last_firing(connection: Connection, *, until: datetime) -> datetime | None:
    """Return the newest recorded firing that is not after ``until``."""
    table = schema.schedule_firing
    statement = (
        select(table.c.instant)
        .where(table.c.schedule == NIGHTLY, table.c.instant <= until)
        .order_by(table.c.instant.desc())
        .limit(1)
    )
    return connection.execute(statement).scalar()


def begin_schedule(connection: Connection, *, at: datetime) -> None:
    """Mark where the schedule begins: what was due before was never missed."""
    _insert(connection, at, at=at, checked_at=at)


def record_firing(connection: Connection, firing: Firing, *, at: datetime) -> bool:
    """Take a firing; False if somebody has done so before."""
    return _insert(connection, firing.instant, at=at, expression=firing.expression)


def set_run(connection: Connection, firing: Firing, run_id: str) -> None:
    """Store which run a firing has asked for, or joined."""
    table = schema.schedule_firing
    connection.execute(
        update(table)
        .where(table.c.schedule == NIGHTLY, table.c.instant == firing.instant)
        .values(run_id=run_id)
    )


def recorded_firings(
    connection: Connection, *, most: int | None = None, unchecked: bool = False
) -> list[RecordedFiring]:
    """Return the newest firings, the newest first: all, or those not looked after yet."""
    table, run = schema.schedule_firing, schema.run
    statement = (
        select(
            table.c.instant,
            table.c.expression,
            table.c.fired_at,
            table.c.run_id,
            run.c.status,
            table.c.checked_at,
        )
        .select_from(table.outerjoin(run, run.c.id == table.c.run_id))
        .where(table.c.schedule == NIGHTLY, table.c.expression.is_not(None))
        .order_by(table.c.instant.desc())
        .limit(most)
    )
    if unchecked:
        statement = statement.where(table.c.checked_at.is_(None))
    return [
        RecordedFiring(
            instant,
            expression,
            fired_at,
            run_id,
            None if status is None else RunStatus(status),
            checked_at,
        )
        for instant, expression, fired_at, run_id, status, checked_at in connection.execute(
            statement
        )
    ]


def mark_checked(connection: Connection, instant: datetime, *, at: datetime) -> bool:
    """Note that portfolios behind were looked for after a firing; False if that was done."""
    table = schema.schedule_firing
    changed = connection.execute(
        update(table)
        .where(
            table.c.schedule == NIGHTLY, table.c.instant == instant, table.c.checked_at.is_(None)
        )
        .values(checked_at=at)
    )
    return changed.rowcount == 1


def _insert(
    connection: Connection,
    instant: datetime,
    *,
    at: datetime,
    expression: str | None = None,
    checked_at: datetime | None = None,
) -> bool:
    statement = text(
        "INSERT INTO schedule_firing (schedule, instant, expression, fired_at, checked_at) "
        "VALUES (:schedule, :instant, :expression, :at, :checked) ON CONFLICT DO NOTHING"
    ).bindparams(*(bindparam(name, type_=Instant) for name in ("instant", "at", "checked")))
    changed = connection.execute(
        statement,
        {
            "schedule": NIGHTLY,
            "instant": instant,
            "expression": expression,
            "at": at,
            "checked": checked_at,
        },
    )
    return changed.rowcount == 1
