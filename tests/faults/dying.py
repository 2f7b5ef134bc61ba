"""Processes that do one thing of the queue and die at a crash point of it."""

import os
import signal

from tests.faults.workers import CONTEXT, open_app

from riskmark import faults
from riskmark.domain.reasons import Source
from riskmark.engine import claims, queue


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


WORK = {"submit": _submit, "cancel": _cancel, "release": _give_back, "dead": _put_back}


def die_at(url: str, name: str) -> None:
    """Do what the crash point ``name`` belongs to, and die when it is passed."""

    def pass_point(passed: str) -> None:
        if passed == name:
            os.kill(os.getpid(), signal.SIGKILL)

    faults.set_hook(pass_point)
    WORK[name.partition(".")[0]](url)
