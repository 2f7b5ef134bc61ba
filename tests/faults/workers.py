"""Workers and submitters in processes of their own, which can be killed, stopped and paused.

All of them come from one server that has imported everything and forks on request. A worker
here says that it is *elsewhere*, unless told otherwise: that its process is gone cannot be
seen then, only that its lease has ended.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from typing import Any

import psutil
from sqlalchemy import text
from tests.faults.installations import LARGE, NOW, Size

from riskmark import faults
from riskmark.app import App, FixedClock, build, clock_from
from riskmark.domain.reasons import Source
from riskmark.engine import owner
from riskmark.settings import load_settings
from riskmark.storage import runs
from riskmark.storage.engines import open_database, read_rows

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.faults.warm"])

LEASE_S, BEAT_S = 1.0, 0.1
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Role:
    """How a worker behaves.

    ``pauses_at``: a crash point at whose first pass it says so and waits to be let go.
    ``stamp``: the instant that it writes beside its results. ``is_elsewhere``: on another
    host, as far as others can see. ``guards_off``: names of guards that it does without.
    """

    url: str
    pauses_at: str | None = None
    stamp: datetime | None = None
    is_elsewhere: bool = True
    lease_s: float = LEASE_S
    guards_off: tuple[str, ...] = ()


class WorkerProcess:
    """A worker at work in a process of its own."""

    def __init__(self, role: Role) -> None:
        self.paused: Event = CONTEXT.Event()
        self._go: Event = CONTEXT.Event()
        self._process = CONTEXT.Process(
            target=_work, args=(role, self.paused, self._go), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process.pid is not None
        return self._process.pid

    def let_go(self) -> None:
        """End the pause, also one that has not begun yet."""
        self._go.set()

    def send(self, number: signal.Signals) -> None:
        """Send a signal; a stop has taken effect when this returns."""
        os.kill(self.pid, number)
        if number is signal.SIGSTOP:
            wait_until(lambda: psutil.Process(self.pid).status() == psutil.STATUS_STOPPED)

    def end(self, *, within_s: float = PATIENCE_S) -> int | None:
        """Wait for the process to end; return its exit code, None if it goes on."""
        self._process.join(within_s)
        return self._process.exitcode

    def kill(self) -> None:
        """End it at once, stopped or not."""
        self._process.kill()
        self._process.join()


@contextmanager
def working(role: Role) -> Iterator[WorkerProcess]:
    """Start a worker, and kill it after the block if it is still there."""
    process = WorkerProcess(role)
    try:
        yield process
    finally:
        process.kill()


def _work(role: Role, paused: Event, go: Event) -> None:
    if role.is_elsewhere:
        # What another host would say of itself.
        owner._place = lambda: "elsewhere/boot/ns"
    for name in role.guards_off:
        GUARDS_OFF[name]()
    armed = threading.Lock()

    def pass_point(name: str) -> None:
        if name == role.pauses_at and armed.acquire(blocking=False):
            paused.set()
            go.wait()

    faults.set_hook(pass_point)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    app = open_app(role.url, role.lease_s, role.stamp)
    worker = app.worker()
    worker.poll_s = 0.05
    worker.is_isolated = False  # this process ends with its parent, and may have no children
    worker.work(stop)
    os._exit(0)


def _hold_without_fence(connection: Any, claim: Any) -> bool:
    """Hold a run whoever has it by now."""
    statement = text("UPDATE run SET heartbeat_at = heartbeat_at WHERE id = :id")
    connection.execute(statement, {"id": claim.run_id})
    return False


def _take_off_the_fence() -> None:
    runs.hold = _hold_without_fence


GUARDS_OFF: dict[str, Callable[[], None]] = {"fence": _take_off_the_fence}
"""Guards that a test can do without, to see that something then breaks."""


def open_app(url: str, lease_s: float = LEASE_S, stamp: datetime | None = None) -> App:
    """Open an installation as a process does, with short leases."""
    environment = {
        "RISKMARK_LEASE__SECONDS": str(lease_s),
        "RISKMARK_LEASE__HEARTBEAT_SECONDS": str(min(BEAT_S, lease_s / 4)),
    }
    loaded = load_settings(None, environment, database_url=url)
    app = build(loaded, clock_from(NOW))
    return app if stamp is None else replace(app, wall=FixedClock(stamp))


def wait_until(holds: Callable[[], object], *, patience_s: float = PATIENCE_S) -> float:
    """Wait until ``holds`` says so; return how long that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() < began + patience_s, "it never happened"
        time.sleep(0.02)
    return time.monotonic() - began


class Watcher:
    """Reads the rows of runs from outside."""

    def __init__(self, url: str) -> None:
        self._database = open_database(url)

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a SELECT."""
        with self._database.read() as connection:
            return [tuple(row) for row in read_rows(connection, statement, values)]

    def run(self, run_id: str) -> tuple[str, int, int]:
        """Return a run's status, attempt and fence."""
        statement = "SELECT status, attempt, fence FROM run WHERE id = ?"
        status, attempt, fence = self.rows(statement, run_id)[0]
        return status, attempt, fence

    def has_ended(self, run_id: str) -> bool:
        """Whether a run has ended."""
        return self.run(run_id)[0] not in {"queued", "running"}

    def messages(self, run_id: str) -> list[str]:
        """Return a run's log."""
        found = self.rows("SELECT message FROM run_event WHERE run_id = ? ORDER BY id", run_id)
        return [message for (message,) in found]

    def stamped(self, stamp: datetime) -> int:
        """Count the results that were written by whoever writes ``stamp``."""
        database = self._database
        value = stamp if not database.is_sqlite else stamp.strftime("%Y-%m-%d %H:%M:%S.%f")
        return int(self.rows("SELECT COUNT(*) FROM snapshot WHERE computed_at = ?", value)[0][0])

    def close(self) -> None:
        """Close the database."""
        self._database.close()


@contextmanager
def watching(url: str) -> Iterator[Watcher]:
    """Open the rows of an installation."""
    watcher = Watcher(url)
    try:
        yield watcher
    finally:
        watcher.close()


FIRST_STAMP = datetime(2001, 1, 1, tzinfo=UTC)
"""What a worker writes beside its results that is to be told from all others."""


@contextmanager
def submitted(laboratory: Any, size: Size = LARGE) -> Iterator[tuple[str, str, Watcher]]:
    """Submit the night on a fresh installation; give its address, the run's id and a watcher."""
    with laboratory.trial(size) as trial, watching(trial.url) as watcher:
        app = open_app(trial.url)
        run_id = app.submit(Source.CRON).run_id
        app.database.close()
        yield trial.url, run_id, watcher
