"""A run that sleeps beyond its lease and wakes when somebody else has done its work."""

import time
from dataclasses import replace

from tests.chaos.lane import Draw, Lane, Part
from tests.chaos.moments import until_met
from tests.chaos.whole import dump
from tests.faults.installations import SMALL
from tests.faults.laboratory import ENDED_WELL

LEASE_S = 0.4
LEASE = {"RISKMARK_LEASE__SECONDS": str(LEASE_S), "RISKMARK_LEASE__HEARTBEAT_SECONDS": "0.1"}
SLEEPERS = 50
"""As many as of workers: a hundred in all, on each database."""
LOCK_MS = 300


def sleepers(_lane: Lane, _database: str) -> int:
    """As many sleepers as were promised."""
    return SLEEPERS


def sleep_beyond_lease(draw: Draw) -> str:
    """Stop a run at a random moment beyond its lease; another does its work; it wakes."""
    laboratory = draw.laboratory

    def attempt(moment: float) -> str | None:
        with laboratory.trial(SMALL) as trial:
            order = replace(trial.order, environment=LEASE)
            begun = replace(order, pause=("run.created", 1))
            with draw.lane.nursery.start(begun) as child:
                assert child.wait_until_paused()
                child.resume()
                time.sleep(moment)
                child.pause()
                if trial.live_runs() == []:
                    return None
                time.sleep(LEASE_S + 0.1)
                said = _take_over_and_wake(laboratory, trial, order, child)
            trial.run_and_check()
        return said

    return until_met(draw.chance, laboratory.undisturbed(SMALL).seconds, attempt)


def sleep_at_point(laboratory, point: str, *, without: str = "") -> str:
    """Stop a run at a crash point beyond its lease; another does its work; it wakes."""
    with laboratory.trial(SMALL) as trial:
        order = replace(trial.order, environment=LEASE, without=without)
        with laboratory.nursery.start(replace(order, pause=(point, 1))) as child:
            assert child.wait_until_paused()
            time.sleep(LEASE_S + 0.1)
            return _take_over_and_wake(laboratory, trial, order, child)


def _take_over_and_wake(laboratory, trial, order, child) -> str:
    other = laboratory.second.run(replace(order, lock_ms=LOCK_MS, without=""))
    if other.error == "OperationalError":
        # The sleeper holds a lock of the database: nobody can do its work before it wakes.
        child.resume()
        outcome = child.wait()
        assert outcome.status in ENDED_WELL or outcome.error == "LeaseLost", outcome
        return "slept with a lock in hand"
    assert other.status in ENDED_WELL, other
    assert not other.report["joined"], other
    before = dump(trial.url)
    child.resume()
    outcome = child.wait()
    after = dump(trial.url)
    if outcome.status in ENDED_WELL and outcome.report["run_id"] not in str(before["run"]):
        # It slept before it had begun, so it began a run of its own, with nothing to do.
        assert outcome.report["cells"]["planned"] == 0, outcome
        return "had not begun"
    differing = [name for name in after if after[name] != before[name]]
    assert differing == [], f"a run wrote {differing} after it had lost its lease"
    if outcome.status in ENDED_WELL:
        return "had ended before"
    assert outcome.error == "LeaseLost", outcome
    return "woke and wrote nothing"


PARTS = (
    Part("sleepers", "a run is stopped (SIGSTOP) beyond its lease and woken (SIGCONT)",
         sleepers, sleep_beyond_lease),
)  # fmt: skip
