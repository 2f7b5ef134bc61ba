"""PostgreSQL dies during a run: the process that ran goes on as soon as the server is back."""

import time
from dataclasses import replace

from tests.chaos.lane import POSTGRESQL, Draw, Lane, Part
from tests.faults.installations import LARGE, SMALL, administer
from tests.faults.laboratory import ENDED_WELL
from tests.faults.orders import Order
from tests.faults.workers import Role, open_app, wait_until, watching, working

from riskmark.domain.reasons import Source

SHUTDOWNS, KILLS = 20, 10
LARGE_EVERY = 5
"""One run in so many has more sessions."""
PATIENCE_S = 60.0
SHORT_LEASE = {"RISKMARK_LEASE__SECONDS": "2", "RISKMARK_LEASE__HEARTBEAT_SECONDS": "0.5"}


def deaths(_lane: Lane, _database: str) -> int:
    """As many deaths as were promised."""
    return SHUTDOWNS + KILLS


def end_server(draw: Draw) -> str:
    """End the server at a random moment of a run and start it again.

    By turns the run is one in the foreground and one of a worker: each process goes on.
    """
    laboratory = draw.lane.mortal_laboratory
    size = LARGE if draw.number % LARGE_EVERY == 0 else SMALL
    moment = draw.chance.uniform(0, laboratory.undisturbed(size).seconds)
    with laboratory.trial(size) as trial:
        # A copied database has sequences whose next values are promised to the log of the one
        # it was copied from; after a checkpoint they are promised to its own.
        administer(draw.lane.mortal.url, "CHECKPOINT")
        if draw.number % 2:
            _run_by_worker(draw, trial.url, moment)
        else:
            _run_in_front(draw, trial.order, moment)
        again = trial.run_and_check()
        assert again.report["cells"]["planned"] == 0, "the process had not completed all"
    return "first process killed" if draw.number >= SHUTDOWNS else "shut down at once"


def _run_in_front(draw: Draw, order: Order, moment: float) -> None:
    order = replace(order, patience_s=PATIENCE_S, environment=SHORT_LEASE)
    with draw.lane.nursery.start(order) as child:
        time.sleep(moment)
        _end_and_start(draw)
        outcome = child.wait()
    assert outcome.status in ENDED_WELL, outcome
    assert not outcome.report["joined"], outcome


def _run_by_worker(draw: Draw, url: str, moment: float) -> None:
    app = open_app(url)
    run_id = app.submit(Source.CRON).run_id
    with watching(url) as watcher, working(Role(url, is_elsewhere=False)):
        wait_until(lambda: watcher.run(run_id)[1] == 1)
        time.sleep(moment)
        _end_and_start(draw)
        wait_until(lambda: watcher.has_ended(run_id))
        assert watcher.run(run_id)[0] in ENDED_WELL, watcher.messages(run_id)
    app.database.close()


def _end_and_start(draw: Draw) -> None:
    cluster = draw.lane.mortal
    (cluster.kill_postmaster if draw.number >= SHUTDOWNS else cluster.shut_down_at_once)()
    cluster.start()


PARTS = (
    Part("servers", "PostgreSQL is shut down at once, or its first process killed, during a run; "
         "the process that ran goes on without a restart", deaths, end_server,
         databases=(POSTGRESQL,)),
)  # fmt: skip
