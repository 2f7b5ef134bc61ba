"""Run rows: created, claimed, kept alive and ended, with the guarantees in SQL.

One live run per scope key (a unique index); a claim raises the *fence*, and every later
write of the run names it, so that an owner who lost the run can write nothing more. All
times of leases are the database's.
"""

from dataclasses import dataclass
from datetime import datetime

import uuid6
from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from riskmark.domain.reasons import RunStatus
from riskmark.domain.runs import PHASES, CellCounts, Phase, RunRequest, SymbolCounts
from riskmark.errors import LeaseLost
from riskmark.storage import outbox, run_totals, schema
from riskmark.storage.engines import db_now, lock_rows
from riskmark.storage.types import Instant


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A run that is queued or running, and whether its lease has ended.

    ``for_worker``: somebody relies on a worker to carry it out, whatever becomes of its owner.
    """

    run_id: str
    status: RunStatus
    scope_key: str
    attempt: int
    fence: int
    owner: str | None
    lease_ended: bool
    for_worker: bool = False
    cancel_requested: bool = False
    heartbeat_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a run, until somebody raises its fence."""

    run_id: str
    fence: int
    attempt: int
    lease_seconds: float


@dataclass(frozen=True, slots=True)
class UnavailableSymbol:
    """A symbol that a run had to do without, and what one provider said."""

    symbol: str
    provider: str
    reason: str
    detail: str


def live_runs(connection: Connection) -> list[LiveRun]:
    """Return every queued or running run, oldest first."""
    return _live(connection, "", {})


def live_run(connection: Connection, scope_key: str) -> LiveRun | None:
    """Return the queued or running run for a scope key, its row locked."""
    condition = " AND scope_key = :key"
    found = _live(connection, condition, {"key": scope_key}, lock_rows(connection))
    return found[0] if found else None


def lock_live_run(connection: Connection, run_id: str) -> LiveRun | None:
    """Return a queued or running run, its row locked.

    None also if another transaction holds the row: whoever that is, the run is in good hands.
    """
    lock = lock_rows(connection, skip_locked=True)
    found = _live(connection, " AND id = :id", {"id": run_id}, lock)
    return found[0] if found else None


def create_run(
    connection: Connection, request: RunRequest, *, at: datetime, for_worker: bool = False
) -> str | None:
    """Insert a queued run and its phases; None if a live run has the same scope key."""
    run_id = str(uuid6.uuid7())
    zeros = dict.fromkeys(
        (
            "done",
            "total",
            "attempt",
            "fence",
            "cells_planned",
            "cells_complete",
            "cells_partial",
            "cells_failed",
            "cells_deleted",
            "symbols_asked",
            "symbols_received",
            "symbols_unavailable",
        ),
        0,
    )
    try:
        with connection.begin_nested():
            connection.execute(
                insert(schema.run).values(
                    id=run_id,
                    source=request.source,
                    requested_by=request.requested_by,
                    scope=request.scope_text,
                    scope_key=request.scope_key,
                    target=request.target,
                    from_session=request.from_session,
                    force=request.force,
                    offline=request.offline,
                    status=RunStatus.QUEUED,
                    cancel_requested=False,
                    priority=request.priority,
                    scope_size=request.scope_size,
                    for_worker=for_worker,
                    created_at=at,
                    **zeros,
                )
            )
    except IntegrityError:
        return None
    _insert_phases(connection, run_id)
    add_request(connection, run_id, request, at=at)
    return run_id


def _insert_phases(connection: Connection, run_id: str) -> None:
    connection.execute(
        insert(schema.run_phase),
        [
            {
                "run_id": run_id,
                "phase": phase.key,
                "position": position,
                "status": "pending",
                "seconds": 0.0,
                "done": 0,
                "total": 0,
            }
            for position, phase in enumerate(PHASES)
        ],
    )


def add_request(connection: Connection, run_id: str, request: RunRequest, *, at: datetime) -> None:
    """Note that ``request`` joined the run; the run may not end before it is served."""
    connection.execute(
        insert(schema.run_request).values(
            run_id=run_id,
            source=request.source,
            requested_by=request.requested_by,
            requested_at=at,
            served=False,
        )
    )


def claim_run(
    connection: Connection, run: LiveRun, *, owner: str, lease_seconds: float
) -> Claim | None:
    """Make a run ours, if nobody else has claimed it since ``run`` was read."""
    changed = connection.execute(
        text(
            "UPDATE run SET status = 'running', owner = :owner, attempt = attempt + 1, "
            f"fence = fence + 1, lease_until = {db_now(connection, lease_seconds)}, "
            f"heartbeat_at = {db_now(connection)}, "
            f"started_at = COALESCE(started_at, {db_now(connection)}) "
            "WHERE id = :id AND fence = :fence AND status IN ('queued', 'running')"
        ),
        {"owner": owner, "id": run.run_id, "fence": run.fence},
    )
    if changed.rowcount != 1:
        return None
    return Claim(run.run_id, run.fence + 1, run.attempt + 1, lease_seconds)


def hold(connection: Connection, claim: Claim) -> bool:
    """Extend the lease: the first statement of every transaction of a run.

    Returns whether somebody has asked for the run to be cancelled; raises LeaseLost if the
    run is no longer ours.
    """
    row = connection.execute(
        text(
            f"UPDATE run SET lease_until = {db_now(connection, claim.lease_seconds)}, "
            f"heartbeat_at = {db_now(connection)} "
            "WHERE id = :id AND fence = :fence AND status = 'running' RETURNING cancel_requested"
        ),
        {"id": claim.run_id, "fence": claim.fence},
    ).one_or_none()
    if row is None:
        raise LeaseLost(claim.run_id)
    return bool(row[0])


def is_cancel_requested(connection: Connection, claim: Claim) -> bool:
    """Whether somebody has asked for the run to be cancelled, while it is still ours."""
    table = schema.run
    asked = connection.execute(
        select(table.c.cancel_requested).where(
            table.c.id == claim.run_id, table.c.fence == claim.fence
        )
    ).scalar_one_or_none()
    return bool(asked)


def serve_requests(connection: Connection, run_id: str) -> None:
    """Mark the requests that joined so far as served by the plan that is made next."""
    table = schema.run_request
    connection.execute(
        update(table).where(table.c.run_id == run_id, table.c.served.is_(False)).values(served=True)
    )


def has_unserved_requests(connection: Connection, run_id: str) -> bool:
    """Whether a request joined after the run's last plan; the run's row must be held."""
    table = schema.run_request
    statement = select(table.c.id).where(table.c.run_id == run_id, table.c.served.is_(False))
    return connection.execute(statement.limit(1)).first() is not None


def save_progress(
    connection: Connection,
    claim: Claim,
    *,
    phase: Phase,
    done: int,
    total: int,
    cells: CellCounts,
    symbols: SymbolCounts,
) -> None:
    """Store where the run is and what it has counted so far."""
    connection.execute(
        update(schema.run)
        .where(schema.run.c.id == claim.run_id)
        .values(
            phase=phase.key,
            done=done,
            total=total,
            cells_planned=cells.planned,
            cells_complete=cells.complete,
            cells_partial=cells.partial,
            cells_failed=cells.failed,
            cells_deleted=cells.deleted,
            symbols_asked=symbols.asked,
            symbols_received=symbols.received,
            symbols_unavailable=symbols.unavailable,
        )
    )


def save_phase(
    connection: Connection,
    claim: Claim,
    phase: Phase,
    *,
    status: str,
    seconds: float,
    done: int,
    total: int,
) -> None:
    """Store how far one phase is; ``seconds`` is what it has taken in this run so far."""
    table = schema.run_phase
    connection.execute(
        update(table)
        .where(table.c.run_id == claim.run_id, table.c.phase == phase.key)
        .values(status=status, seconds=seconds, done=done, total=total)
    )


def add_event(
    connection: Connection,
    run_id: str,
    message: str,
    *,
    at: datetime,
    phase: Phase | None = None,
    level: str = "info",
) -> None:
    """Add a line to the run's activity log."""
    connection.execute(
        insert(schema.run_event).values(
            run_id=run_id,
            at=at,
            level=level,
            phase=None if phase is None else phase.key,
            message=message,
        )
    )


def save_unavailable(
    connection: Connection, claim: Claim, symbols: list[UnavailableSymbol]
) -> None:
    """Store the symbols that the run does without, in place of those noted before."""
    table = schema.run_symbol
    connection.execute(table.delete().where(table.c.run_id == claim.run_id))
    if symbols:
        rows = [
            {
                "run_id": claim.run_id,
                "symbol": one.symbol,
                "provider": one.provider,
                "reason": one.reason,
                "detail": one.detail,
            }
            for one in symbols
        ]
        connection.execute(insert(table), rows)


def end_run(
    connection: Connection, run_id: str, fence: int, status: RunStatus, *, error: str | None = None
) -> bool:
    """Give a live run its final state; False if it is no longer live under ``fence``."""
    changed = connection.execute(
        text(
            "UPDATE run SET status = :status, error = :error, lease_until = NULL, "
            f"finished_at = {db_now(connection)} "
            "WHERE id = :id AND fence = :fence AND status IN ('queued', 'running')"
        ),
        {"status": status, "error": error, "id": run_id, "fence": fence},
    )
    table = schema.run_phase
    connection.execute(
        update(table)
        .where(table.c.run_id == run_id, table.c.status == "running")
        .values(status="interrupted" if status in _UNFINISHED else "done")
    )
    if changed.rowcount != 1:
        return False
    outbox.note_run_end(connection, run_id, status)
    run_totals.add_run(connection, run_id)
    return True


_UNFINISHED = (RunStatus.FAILED, RunStatus.CANCELLED)


def request_cancel(connection: Connection, run_id: str) -> RunStatus | None:
    """Cancel a run that waits, or ask one at work to stop between two shards.

    Returns the state that it had; None if it has ended. What had joined the run by then is
    cancelled with it; what joins later is not.
    """
    run = next(
        iter(_live(connection, " AND id = :id", {"id": run_id}, lock_rows(connection))), None
    )
    if run is None:
        return None
    if run.status is RunStatus.QUEUED:
        end_run(connection, run_id, run.fence, RunStatus.CANCELLED)
    else:
        table = schema.run
        connection.execute(update(table).where(table.c.id == run_id).values(cancel_requested=True))
    serve_requests(connection, run_id)
    return run.status


def _live(
    connection: Connection, condition: str, values: dict[str, object], lock: str = ""
) -> list[LiveRun]:
    rows = connection.execute(
        text(
            "SELECT id, status, scope_key, attempt, fence, owner, "
            f"COALESCE(lease_until < {db_now(connection)}, TRUE), "
            "for_worker, cancel_requested, heartbeat_at FROM run "
            f"WHERE status IN ('queued', 'running'){condition} ORDER BY id{lock}"
        ).columns(heartbeat_at=Instant),
        values,
    )
    return [
        LiveRun(
            run_id,
            RunStatus(status),
            key,
            attempt,
            fence,
            owner,
            lease_ended=bool(ended),
            for_worker=bool(for_worker),
            cancel_requested=bool(cancelled),
            heartbeat_at=heard,
        )
        for run_id, status, key, attempt, fence, owner, ended, for_worker, cancelled, heard in rows
    ]
