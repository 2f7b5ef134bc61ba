"""A run that is killed at any moment leaves nothing that the next run does not make up."""

import random
import secrets
import signal
import time

from tests.faults.installations import LARGE, SMALL
from tests.faults.laboratory import Laboratory
from tests.support import PROFILE

KILLS = {"default": 3, "deep": 50}[PROFILE]


def test_a_run_killed_at_a_random_moment_is_made_up_by_the_next(laboratory: Laboratory):
    seed = secrets.randbits(32)
    whole = laboratory.undisturbed(LARGE).seconds
    chosen = random.Random(seed)
    moments = sorted(chosen.uniform(0, whole) for _ in range(KILLS))
    print(f"seed {seed}: killed after {[round(m, 3) for m in moments]} of {whole:.3f} s")
    signals = []

    for moment in moments:
        with laboratory.trial(LARGE) as trial:
            child = laboratory.nursery.start(trial.order)
            time.sleep(moment)
            child.kill()
            signals.append(child.wait().signal)
            trial.run_and_check()

    assert signal.SIGKILL in signals


def test_a_run_that_dies_again_and_again_is_given_up_and_begun_anew(laboratory: Laboratory):
    with laboratory.trial(SMALL) as trial:
        for _ in range(4):
            trial.run_to_crash("run.created", 1)
        trial.run_and_check()

        runs = trial.rows("SELECT status, attempt, error FROM run ORDER BY id DESC LIMIT 2")

    (last, attempts, _), (given_up, tries, error) = runs
    assert (last, attempts) == ("partial", 2)
    assert (given_up, tries) == ("failed", 3)
    assert "ended without finishing" in error


def test_a_run_killed_between_shards_is_continued_and_not_begun_anew(laboratory: Laboratory):
    first = laboratory.undisturbed(LARGE).outcome.report["cells"]
    with laboratory.trial(LARGE) as trial:
        trial.run_to_crash("shard.committed", 2)

        again = trial.run_and_check()

        runs = trial.rows("SELECT attempt FROM run WHERE id = ?", again.report["run_id"])
        events = trial.rows("SELECT message FROM run_event ORDER BY id")
    assert 0 < again.report["cells"]["planned"] < first["planned"]
    assert runs == [(2,)]
    assert any("taken over" in message for (message,) in events)
