"""How a run ends whose work is broken off: cancelled, given back, put back or failed.

A lost lease is somebody else's to record. If the database cannot be reached the run stays
as it is until its lease ends, and the error says so.
"""

from types import TracebackType

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from riskmark.domain.reasons import RunStatus
from riskmark.engine import claims
from riskmark.engine.interrupts import Drained
from riskmark.engine.queue import STOPPING
from riskmark.engine.recorder import Cancelled, Recorder
from riskmark.errors import ComputeError, LeaseLost
from riskmark.storage import run_queue, runs
from riskmark.storage.engines import DATABASE_FAULTS

_PASSING = (OperationalError, PoolTimeout, ComputeError)
"""Faults of the database, and of the place of computing, that another attempt may not meet."""


class Ending:
    """Records how a run ended when the work of its ``with`` block is broken off.

    ``status`` is what became of it: running, if that could not be recorded; None if its work
    came to its own end.
    """

    def __init__(self, record: Recorder) -> None:
        self._record = record
        self.status: RunStatus | None = None

    def __enter__(self) -> None:
        """Nothing is recorded before the work is broken off."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Record the end; only a stop that was asked for is not passed on."""
        if error is None or isinstance(error, LeaseLost):
            return False
        self.status = RunStatus.RUNNING
        try:
            with self._record.database.write("release") as connection:
                self.status = self._record_end(connection, error)
        except DATABASE_FAULTS as second:
            run_id = self._record.claim.run_id
            error.add_note(f"the end of run {run_id} could not be recorded: {second}")
        return isinstance(error, Cancelled | Drained)

    def _record_end(self, connection: Connection, error: BaseException) -> RunStatus:
        claim = self._record.claim
        is_stopped = isinstance(error, Cancelled | KeyboardInterrupt | Drained)
        if is_stopped and run_queue.give_back(connection, claim):
            self._record.log(connection, f"given back: {_why(error)}", level="warning")
            return RunStatus.QUEUED
        if isinstance(error, _PASSING) and self._put_back(connection, error):
            return RunStatus.QUEUED
        status = RunStatus.CANCELLED if is_stopped else RunStatus.FAILED
        message = (str(error) or None) if is_stopped else f"{type(error).__name__}: {error}"
        if not runs.end_run(connection, claim.run_id, claim.fence, status, error=message):
            return RunStatus.RUNNING  # it is somebody else's by now
        self._record.log(connection, message or "cancelled on request", level="error")
        return status

    def _put_back(self, connection: Connection, error: Exception) -> bool:
        """Try again later what a passing fault broke off, if a worker is there."""
        claim = self._record.claim
        run = runs.live_run(connection, self._record.request.scope_key)
        if run is None or not run.for_worker or claim.attempt >= claims.MAX_ATTEMPTS:
            return False
        wait_s = claims.retry_wait_s(claim.attempt, claim.lease_seconds)
        if not run_queue.put_back(connection, claim.run_id, claim.fence, wait_s=wait_s):
            return False
        why = getattr(error, "orig", error)
        message = f"{type(error).__name__}: {why}; the next attempt begins after {wait_s:g} s"
        self._record.log(connection, message, level="warning")
        return True


def _why(error: BaseException) -> str:
    if isinstance(error, Cancelled):
        return "it was cancelled, but somebody has asked for it since"
    return STOPPING
