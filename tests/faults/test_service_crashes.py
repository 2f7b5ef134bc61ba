"""A scheduler, a sender of notices or a pruning that dies at any point is made up for."""

import signal

import pytest
from tests.faults import dying, happenings
from tests.faults.installations import SMALL
from tests.faults.laboratory import Laboratory
from tests.faults.workers import CONTEXT, open_app, watching

from riskmark import faults
from riskmark.domain.reasons import Source

POINTS = {
    work: [name for name in faults.NAMES if name.partition(".")[0] == work]
    for work in ("schedule", "outbox", "prune")
}


def die(url: str, name: str, *more: str):
    process = CONTEXT.Process(target=dying.die_at, args=(url, name, *more))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("name", POINTS["schedule"])
def test_a_scheduler_that_dies_leaves_one_firing_with_its_run_and_one_notice(
    laboratory: Laboratory, name: str
):
    with laboratory.trial(SMALL) as trial, watching(trial.url) as watcher:
        dying.begin_schedule(trial.url)
        die(trial.url, name)

        dying.fire(trial.url)

        firings = "SELECT run_id, checked_at FROM schedule_firing WHERE expression IS NOT NULL"
        ((run_id, checked_at),) = watcher.rows(firings)
        assert watcher.run(run_id)[0] == "cancelled"
        assert checked_at is not None
        behind = "SELECT COUNT(*) FROM outbox WHERE event = 'portfolio_behind'"
        assert watcher.rows(behind) == [(1,)]


@pytest.mark.parametrize("name", POINTS["outbox"])
def test_a_notice_whose_sender_dies_is_sent_by_the_next_under_the_same_id(
    laboratory: Laboratory, name: str
):
    ids: list[str] = []
    with (
        laboratory.trial(SMALL) as trial,
        watching(trial.url) as watcher,
        happenings.receiving(ids) as receiver,
    ):
        app = open_app(trial.url)
        app.submit(Source.ADMIN)
        dying.end_runs(app)
        die(trial.url, name, receiver)
        # What a sender has in hand is left alone for minutes; they pass at once.
        with app.database.write() as connection:
            connection.exec_driver_sql("UPDATE outbox SET next_at = '2001-01-01 00:00:00.000000'")
        app.database.close()

        dying.deliver(trial.url, receiver)

        told = dict(watcher.rows("SELECT id, status FROM outbox WHERE id <> 'old'"))
        assert set(told.values()) == {"sent"}
        assert set(ids) == set(told)
        sent_twice = len(ids) - len(told)
        assert sent_twice == (1 if name == "outbox.mark.before_commit" else 0)


@pytest.mark.parametrize("name", POINTS["prune"])
def test_a_pruning_that_dies_is_done_by_the_next(laboratory: Laboratory, name: str):
    with laboratory.trial(SMALL) as trial, watching(trial.url) as watcher:
        die(trial.url, name)

        dying.prune(trial.url)

        assert watcher.rows("SELECT COUNT(*) FROM outbox WHERE id = 'old'") == [(0,)]
