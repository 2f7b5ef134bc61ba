"""Claiming a run, keeping it alive, and what becomes of runs whose owner is gone.

Nothing stays ``running`` without a live owner: whoever looks at the runs takes over, puts
back or ends those whose lease has run out or whose process, on this machine, has ended.
"""

import threading
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from riskmark import logs
from riskmark.domain.reasons import RunStatus
from riskmark.domain.runs import RunRequest
from riskmark.engine.owner import host_of, is_gone, this_process
from riskmark.errors import LeaseLost
from riskmark.settings import LeaseSettings
from riskmark.storage import run_queue, runs
from riskmark.storage.engines import DATABASE_FAULTS, Database
from riskmark.storage.runs import Claim, LiveRun

MAX_ATTEMPTS = 3
"""Claims of one run; an owner that dies this often is not helped by another try."""
RETRY_LEASES = 0.25
"""Leases that a run waits after its first attempt; twice as long after each further one.

The time to notice a death included, the next attempt begins within two leases.
"""


@dataclass(frozen=True, slots=True)
class Joined:
    """A live run elsewhere does the same work; the request was added to it."""

    run_id: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a run whose owner died: queued again, failed or cancelled."""

    run_id: str
    status: RunStatus
    message: str


def claim(
    database: Database, request: RunRequest, lease: LeaseSettings, *, at: datetime
) -> Claim | Joined:
    """Start a run for ``request``, take over a dead one for the same work, or join a live one.

    A run for the same work that waits in the queue is taken from it.
    """
    while True:
        with database.write("claim") as connection:
            run = runs.live_run(connection, request.scope_key)
            if run is None:
                run_id = runs.create_run(connection, request, at=at)
                if run_id is None:
                    continue  # somebody else was first: look again
                run = runs.live_run(connection, request.scope_key)
            elif is_dead(run) and run.attempt >= MAX_ATTEMPTS:
                _end_dead(connection, run, at=at)
                continue
            else:
                runs.add_request(connection, run.run_id, request, at=at)
                if is_dead(run):
                    _note_takeover(connection, run, at=at)
                elif run.status is RunStatus.RUNNING:
                    return Joined(run.run_id)
            claimed = None if run is None else _take(connection, run, lease)
        if claimed is not None:
            return claimed


def claim_next(
    database: Database, lease: LeaseSettings, *, at: datetime, largest: int | None = None
) -> tuple[Claim, RunRequest] | None:
    """Take the run that has waited longest among the most urgent; None if none is due.

    ``largest`` is the most portfolios that it may have.
    """
    with database.read() as connection:
        if not run_queue.has_queued(connection, largest=largest):
            return None
    with database.write("claim") as connection:
        run = run_queue.next_queued(connection, largest=largest)
        if run is None:
            return None
        claimed = _take(connection, run, lease)
        if claimed is None:
            return None
        message = f"taken up by a worker on {host_of(this_process())}, attempt {claimed.attempt}"
        runs.add_event(connection, run.run_id, message, at=at)
        return claimed, run_queue.load_request(connection, run.run_id)


def _take(connection: Connection, run: LiveRun, lease: LeaseSettings) -> Claim | None:
    claimed = runs.claim_run(connection, run, owner=this_process(), lease_seconds=lease.seconds)
    if claimed is not None:
        runs.serve_requests(connection, run.run_id)
    return claimed


def end_dead_runs(
    database: Database,
    *,
    at: datetime,
    lease: LeaseSettings,
    but: str | None = None,
) -> list[str]:
    """Settle every run whose owner is gone, except that with scope key ``but``.

    Those for which somebody relies on a worker are queued again; the others are ended, and
    what they lack is planned by the next run. Returns the ids of those that were ended.
    """
    found = settle_dead_runs(database, at=at, but=but, lease=lease)
    return [one.run_id for one in found if one.status is not RunStatus.QUEUED]


def settle_dead_runs(
    database: Database,
    *,
    at: datetime,
    lease: LeaseSettings,
    but: str | None = None,
    is_worker: bool = False,
) -> list[Settled]:
    """Settle every run whose owner is gone; a worker queues them all again, to carry them out.

    ``lease`` says how long they wait before the next attempt.
    """
    with database.read() as connection:
        dead = [run for run in runs.live_runs(connection) if is_dead(run)]
    settled = []
    for seen in dead:
        if seen.scope_key == but:
            continue
        with database.write("dead") as connection:
            run = runs.lock_live_run(connection, seen.run_id)
            if run is None or not is_dead(run):
                continue  # somebody else was first, or its owner has spoken
            if is_worker or run.for_worker:
                settled.append(_settle(connection, run, lease, at=at))
            else:
                settled.append(_end_dead(connection, run, at=at))
    return settled


def is_dead(run: LiveRun) -> bool:
    """Whether a run has an owner no more."""
    return run.status is RunStatus.RUNNING and (run.lease_ended or is_gone(run.owner))


def retry_wait_s(attempt: int, lease_seconds: float) -> float:
    """Return how long a run waits after its n-th attempt has failed."""
    return float(RETRY_LEASES * lease_seconds * 2 ** (attempt - 1))


def _settle(connection: Connection, run: LiveRun, lease: LeaseSettings, *, at: datetime) -> Settled:
    if run.attempt >= MAX_ATTEMPTS:
        return _end_dead(connection, run, at=at)
    wait_s = retry_wait_s(run.attempt, lease.seconds)
    if not run_queue.put_back(connection, run.run_id, run.fence, wait_s=wait_s):
        return _end_dead(connection, run, at=at)
    message = f"{_death(run)}; the next attempt begins after {wait_s:g} s"
    runs.add_event(connection, run.run_id, message, at=at, level="warning")
    return Settled(run.run_id, RunStatus.QUEUED, message)


def _end_dead(connection: Connection, run: LiveRun, *, at: datetime) -> Settled:
    status = RunStatus.CANCELLED if run.cancel_requested else RunStatus.FAILED
    message = _death(run)
    runs.end_run(connection, run.run_id, run.fence, status, error=message)
    runs.add_event(connection, run.run_id, message, at=at, level="error")
    return Settled(run.run_id, status, message)


def _note_takeover(connection: Connection, run: LiveRun, *, at: datetime) -> None:
    why = "its process ended" if is_gone(run.owner) else _silence(run)
    message = f"taken over: {why}, on {host_of(run.owner)}"
    logs.warning(message, run_id=run.run_id, attempt=run.attempt + 1)
    runs.add_event(connection, run.run_id, message, at=at, level="warning")


def _death(run: LiveRun) -> str:
    if is_gone(run.owner):
        what = f"its process ended without finishing (attempt {run.attempt})"
    else:
        what = f"{_silence(run)} (attempt {run.attempt})"
    return f"{what}, on {host_of(run.owner)}"


def _silence(run: LiveRun) -> str:
    """Say what ended the claim of an owner that may still live."""
    heard = "" if run.heartbeat_at is None else f" since {run.heartbeat_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"not heard from{heard}: its lease ended"


class Heartbeat:
    """Extends a claim's lease from a thread of its own while its ``with`` block runs.

    The lease is lost when the fence has been raised; the run's own transactions find that
    out by themselves, so the thread then only stops.
    """

    def __init__(self, database: Database, claim: Claim, lease: LeaseSettings) -> None:
        self._database = database
        self._claim = claim
        self._interval_s = lease.heartbeat_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the thread and wait for it."""
        self._stopped.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stopped.wait(self._interval_s):
            try:
                with self._database.statement("heartbeat") as connection:
                    runs.hold(connection, self._claim)
            except LeaseLost:
                return
            except DATABASE_FAULTS as error:
                # The next beat tries again; the run's own statements report what stays.
                logs.warning("heartbeat failed; trying again", error=type(error).__name__)
