"""A run that is asked to stop, by SIGTERM, by Ctrl-C or by a request, ends and says so."""

import random
import secrets
import time

from tests.faults.installations import LARGE
from tests.faults.laboratory import ENDED_WELL, Laboratory
from tests.support import PROFILE

from riskmark.storage import runs
from riskmark.storage.engines import open_database

STOPS = {"default": 3, "deep": 25}[PROFILE]


def test_a_run_stopped_at_a_random_moment_is_cancelled_and_the_next_completes(
    laboratory: Laboratory,
):
    seed = secrets.randbits(32)
    whole = laboratory.undisturbed(LARGE).seconds
    chosen = random.Random(seed)
    moments = sorted(chosen.uniform(0, whole) for _ in range(STOPS))
    print(f"seed {seed}: stopped after {[round(m, 3) for m in moments]} of {whole:.3f} s")
    statuses = []

    for moment in moments:
        with laboratory.trial(LARGE) as trial:
            child = laboratory.nursery.start(trial.order)
            time.sleep(moment)
            child.terminate()
            asked = time.monotonic()
            outcome = child.wait()
            assert time.monotonic() - asked < 10
            newest = trial.newest_run()
            assert trial.live_runs() == []
            if newest is not None:
                statuses.append(newest)
            if outcome.error is None:
                assert outcome.status in ENDED_WELL
            trial.run_and_check()

    assert set(statuses) <= {"cancelled", *ENDED_WELL}
    assert "cancelled" in statuses


def test_a_request_to_cancel_takes_effect_after_the_shard_in_hand(laboratory: Laboratory):
    with laboratory.trial(LARGE) as trial:
        trial.run_to_crash("shard.committed", 1)
        database = open_database(trial.url)
        with database.write() as connection:
            (run,) = runs.live_runs(connection)
            runs.request_cancel(connection, run.run_id)
        database.close()

        outcome = trial.run()

        assert outcome.status == "cancelled"
        assert trial.newest_run() == "cancelled"
        trial.run_and_check()
