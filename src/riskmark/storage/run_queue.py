"""The queue: runs that wait in the database for a worker, and how they come back to it.

A run waits by priority, then by age; one that was put back after its owner died waits a
while before it is tried again. All times are the database's. Who takes, puts back or
cancels a run does so under its row's lock, and everything but a cancellation on request
raises or names the fence.
"""

from sqlalchemy import ColumnElement, Connection, literal_column, or_, select, text, update

from riskmark.domain.reasons import RunStatus, Source
from riskmark.domain.runs import RunRequest
from riskmark.storage import runs, schema
from riskmark.storage.engines import db_now
from riskmark.storage.runs import Claim, LiveRun
from riskmark.storage.types import Instant

IN_TURN = (schema.run.c.priority, schema.run.c.id)
"""The order in which queued runs are taken; ids rise with time."""


def next_queued(connection: Connection, *, largest: int | None = None) -> LiveRun | None:
    """Return the queued run that is due next, its row locked; None if nothing is due.

    ``largest`` is the most portfolios that it may have. A row that another transaction
    holds is passed over: somebody else is about to take that run.
    """
    table = schema.run
    statement = select(table.c.id).where(*_due(connection, largest)).order_by(*IN_TURN).limit(1)
    found = connection.execute(statement.with_for_update(skip_locked=True)).scalar()
    return None if found is None else runs.lock_live_run(connection, found)


def has_queued(connection: Connection, *, largest: int | None = None) -> bool:
    """Whether a queued run is due; a look that locks nothing."""
    statement = select(schema.run.c.id).where(*_due(connection, largest)).limit(1)
    return connection.execute(statement).first() is not None


def _due(connection: Connection, largest: int | None) -> list[ColumnElement[bool]]:
    table = schema.run
    now = literal_column(str(db_now(connection)), Instant)
    due = [
        table.c.status == RunStatus.QUEUED,
        or_(table.c.not_before.is_(None), table.c.not_before <= now),
    ]
    return due if largest is None else [*due, table.c.scope_size <= largest]


def load_request(connection: Connection, run_id: str) -> RunRequest:
    """Read what a run was first asked for."""
    table = schema.run
    row = connection.execute(select(table).where(table.c.id == run_id)).one()
    return RunRequest(
        source=Source(row.source),
        requested_by=row.requested_by,
        target=row.target,
        scope=RunRequest.scope_of(row.scope),
        from_session=row.from_session,
        force=row.force,
        offline=row.offline,
    )


def rely_on_worker(connection: Connection, run_id: str, *, priority: int) -> None:
    """Note that somebody relies on a worker for this run, and how urgently."""
    table = schema.run
    connection.execute(
        update(table).where(table.c.id == run_id, ~table.c.for_worker).values(for_worker=True)
    )
    connection.execute(
        update(table)
        .where(table.c.id == run_id, table.c.priority > priority)
        .values(priority=priority)
    )


def give_back(connection: Connection, claim: Claim) -> bool:
    """Queue a run again whose owner stops before its end; the attempt does not count.

    False, and nothing is changed, where nobody relies on a worker, the run was cancelled and
    nobody has joined it since, or it is no longer ours.
    """
    return _queue_again(
        connection,
        "attempt = attempt - 1, not_before = NULL",
        f"for_worker AND {_IS_WANTED}",
        {"id": claim.run_id, "fence": claim.fence},
    )


def put_back(connection: Connection, run_id: str, fence: int, *, wait_s: float) -> bool:
    """Queue a run again whose attempt failed, to be tried no sooner than in ``wait_s`` seconds.

    From then on a worker is relied on. False as with ``give_back``.
    """
    return _queue_again(
        connection,
        f"for_worker = TRUE, not_before = {db_now(connection, wait_s)}",
        _IS_WANTED,
        {"id": run_id, "fence": fence},
    )


_IS_WANTED = (
    "(NOT cancel_requested OR EXISTS "
    "(SELECT 1 FROM run_request WHERE run_id = run.id AND NOT served))"
)


def _queue_again(
    connection: Connection, changes: str, condition: str, values: dict[str, object]
) -> bool:
    changed = connection.execute(
        text(
            f"UPDATE run SET {changes}, status = 'queued', owner = NULL, lease_until = NULL, "
            "fence = fence + 1, cancel_requested = FALSE "
            f"WHERE id = :id AND fence = :fence AND status = 'running' AND {condition}"
        ),
        values,
    )
    if changed.rowcount != 1:
        return False
    table = schema.run_phase
    connection.execute(
        update(table)
        .where(table.c.run_id == values["id"], table.c.status == "running")
        .values(status="interrupted")
    )
    return True
