"""Processes that do one thing of the queue or of a service and die at a crash point of it."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.faults import happenings
from tests.faults.workers import CONTEXT, open_app

from riskmark import faults
from riskmark.app import App
from riskmark.domain.reasons import Source
from riskmark.engine import claims, notices, queue, scheduler
from riskmark.storage import retention, runs


def _submit(url: str) -> None:
    open_app(url).submit(Source.CRON)


def _cancel(url: str) -> None:
    app = open_app(url)
    submitted = app.submit(Source.CRON)
    queue.cancel(app.database, submitted.run_id, at=app.wall.now())


def _give_back(url: str) -> None:
    app = open_app(url)
    app.submit(Source.CRON)
    taken = claims.claim_next(app.database, app.settings.lease, at=app.wall.now())
    assert taken is not None
    queue.give_back(app.database, taken[0], at=app.wall.now())


def _put_back(url: str) -> None:
    """Find a run whose owner is gone: a process of before, that died with it."""
    died = CONTEXT.Process(target=_take_and_die, args=(url,))
    died.start()
    died.join()
    app = open_app(url)
    lease, at = app.settings.lease, app.wall.now()
    claims.settle_dead_runs(app.database, at=at, lease=lease, is_worker=True)


def _take_and_die(url: str) -> None:
    app = open_app(url)
    app.submit(Source.CRON)
    claims.claim_next(app.database, app.settings.lease, at=app.wall.now())
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def _opened(url: str) -> Iterator[App]:
    app = open_app(url)
    try:
        yield app
    finally:
        app.database.close()


def begin_schedule(url: str) -> None:
    """Let the schedule begin a week before now."""
    with _opened(url) as app:
        happenings.begin(app)


def fire(url: str) -> None:
    """Do what the scheduler does: fire what is due, and look after it once it has ended."""
    with _opened(url) as app:
        scheduler.tick(app)
        end_runs(app)
        scheduler.look_after(app)


def end_runs(app: App) -> None:
    """Let no run be live any more."""
    at = app.wall.now()
    with app.database.read() as connection:
        found = runs.live_runs(connection)
    for run in found:
        queue.cancel(app.database, run.run_id, at=at)


def prune(url: str) -> None:
    """Prune what is old."""
    with _opened(url) as app:
        with app.database.read() as connection:
            piles = retention.list_piles(
                connection, app.settings.retention, sessions=(), at=app.clock.now()
            )
        retention.prune(app.database, piles)


def deliver(url: str, receiver: str) -> None:
    """Send what is due to a receiver."""
    with _opened(url) as app:
        notices.send_due(app.database, happenings.notifying(receiver))


WORK: dict[str, Callable[..., None]] = {
    "submit": _submit, "cancel": _cancel, "release": _give_back, "dead": _put_back,
    "schedule": fire, "prune": prune, "outbox": deliver,
}  # fmt: skip


def die_at(url: str, name: str, *more: str) -> None:
    """Do what the crash point ``name`` belongs to, and die when it is passed."""

    def pass_point(passed: str) -> None:
        if passed == name:
            os.kill(os.getpid(), signal.SIGKILL)

    faults.set_hook(pass_point)
    WORK[name.partition(".")[0]](url, *more)
