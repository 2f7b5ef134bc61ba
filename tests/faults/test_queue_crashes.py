"""A process that dies at any point of the queue's own transactions leaves nothing lost or stuck."""

import signal

import pytest
from tests.faults.dying import die_at
from tests.faults.installations import SMALL, assert_equal_states, check_at_rest, read_state
from tests.faults.laboratory import ENDED_WELL, Laboratory
from tests.faults.workers import CONTEXT, Role, open_app, wait_until, watching, working

from riskmark.domain.reasons import Source

POINTS = [
    f"{name}.{edge}"
    for name in ("submit", "cancel", "release", "dead")
    for edge in ("before_commit", "committed")
]


@pytest.mark.parametrize("name", POINTS)
def test_a_process_that_dies_at_a_point_of_the_queue_leaves_nothing_stuck(
    laboratory: Laboratory, name: str
):
    with laboratory.trial(SMALL) as trial, watching(trial.url) as watcher:
        process = CONTEXT.Process(target=die_at, args=(trial.url, name))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL

        app = open_app(trial.url)
        run_id = app.submit(Source.ADMIN).run_id
        app.database.close()
        with working(Role(trial.url)) as worker:
            wait_until(lambda: watcher.has_ended(run_id))
            worker.send(signal.SIGTERM)
            assert worker.end() == 0

        assert watcher.run(run_id)[0] in ENDED_WELL
        check_at_rest(trial.url)
        assert_equal_states(read_state(trial.url), laboratory.undisturbed(SMALL).state)
