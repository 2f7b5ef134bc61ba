"""Claiming a run, keeping it alive, and what becomes of runs whose owner is gone.

Nothing stays ``running`` without a live owner: whoever looks at the runs takes over or ends
those whose lease has run out or whose process, on this machine, has ended.
"""

import threading
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from riskmark.domain.reasons import RunStatus
from riskmark.domain.runs import RunRequest
from riskmark.engine.owner import is_gone, this_process
from riskmark.errors import LeaseLost
from riskmark.settings import LeaseSettings
from riskmark.storage import runs
from riskmark.storage.engines import Database
from riskmark.storage.runs import Claim, LiveRun

MAX_ATTEMPTS = 3
"""Claims of one run; an owner that dies this often is not helped by another try."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A live run elsewhere does the same work; the request was added to it."""

    run_id: str


def claim(
    database: Database, request: RunRequest, lease: LeaseSettings, *, at: datetime
) -> Claim | Joined:
    """Start a run for ``request``, take over a dead one for the same work, or join a live one."""
    while True:
        with database.write("run.claim") as connection:
            run = runs.live_run(connection, request.scope_key)
            if run is None:
                run_id = runs.create_run(connection, request, at=at)
                if run_id is None:
                    continue  # somebody else was first: look again
                run = runs.live_run(connection, request.scope_key)
            elif _is_dead(run):
                if run.attempt >= MAX_ATTEMPTS:
                    _end_dead(connection, run, at=at)
                    continue
                runs.add_request(connection, run.run_id, request, at=at)
                runs.add_event(
                    connection, run.run_id, "taken over: its process ended", at=at, level="warning"
                )
            elif run.status is RunStatus.RUNNING:
                runs.add_request(connection, run.run_id, request, at=at)
                return Joined(run.run_id)
            if run is not None:
                claimed = runs.claim_run(
                    connection, run, owner=this_process(), lease_seconds=lease.seconds
                )
                if claimed is not None:
                    runs.serve_requests(connection, run.run_id)
                    return claimed


def end_dead_runs(database: Database, *, at: datetime, but: str | None = None) -> list[str]:
    """End every run whose owner is gone, except the one with scope key ``but``; return ids."""
    with database.read() as connection:
        dead = [run for run in runs.live_runs(connection) if _is_dead(run)]
    ended = []
    for run in dead:
        if run.scope_key == but:
            continue
        with database.write("run.end_dead") as connection:
            if _end_dead(connection, run, at=at):
                ended.append(run.run_id)
    return ended


def _is_dead(run: LiveRun) -> bool:
    return run.status is RunStatus.RUNNING and (run.lease_ended or is_gone(run.owner))


def _end_dead(connection: Connection, run: LiveRun, *, at: datetime) -> bool:
    message = f"its process ended without finishing (attempt {run.attempt})"
    ended = runs.end_run(connection, run.run_id, run.fence, RunStatus.FAILED, error=message)
    if ended:
        runs.add_event(connection, run.run_id, message, at=at, level="error")
    return ended


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
                with self._database.write("run.heartbeat") as connection:
                    runs.hold(connection, self._claim)
            except LeaseLost:
                return
            except OperationalError:
                continue  # the next beat tries again; the run's own statements report the fault
