"""Runs that die, are stopped, or whose statements fail: and the next run makes up for it."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from tests.chaos.lane import SQLITE, Draw, Lane, Part
from tests.chaos.moments import until_met
from tests.faults.faulty import Fault
from tests.faults.installations import LARGE, SMALL
from tests.faults.laboratory import ENDED_WELL, Trial
from tests.faults.nursery import Child

from riskmark import faults

KILLS = {SQLITE: 1_000, "postgresql": 200}
STOPS, STOP_WITHIN_S = 100, 10.0
LARGE_EVERY = 20
"""One kill in so many meets a run of more sessions."""
FAULTS = ("before", "lost", "locked")
SIZES = 50
"""Of a disk that fills up."""


def crash_points(_lane: Lane, _database: str) -> int:
    """Each point at its first and its last pass."""
    return 2 * len(faults.NAMES)


def die_at_point(draw: Draw) -> str:
    """Kill a run at a point, and let the next make up for it."""
    name = faults.NAMES[draw.number // 2]
    happening, passes = draw.laboratory.place_of(SMALL, name)
    is_last = draw.number % 2 == 1
    if is_last and passes == 1:
        return "passed once only"
    with draw.laboratory.trial(SMALL, happening) as trial:
        trial.run_to_crash(name, passes if is_last else 1)
        trial.run_and_check()
    return "killed"


def kills(_lane: Lane, database: str) -> int:
    """As many kills as were promised."""
    return KILLS[database]


def kill(draw: Draw) -> str:
    """Kill a run at a random moment, and let the next make up for it."""
    size = LARGE if draw.number % LARGE_EVERY == 0 else SMALL

    def attempt(moment: float) -> str | None:
        with draw.laboratory.trial(size) as trial, at_work(draw, trial) as child:
            time.sleep(moment)
            child.kill()
            if child.wait().signal != signal.SIGKILL:
                return None
            trial.run_and_check()
        return "killed"

    return until_met(draw.chance, draw.laboratory.undisturbed(size).seconds, attempt)


@contextmanager
def at_work(draw: Draw, trial: Trial) -> Iterator[Child]:
    """Start a run; the block begins when its row has been made."""
    order = replace(trial.order, pause=("run.created", 1))
    with draw.lane.nursery.start(order) as child:
        assert child.wait_until_paused()
        child.resume()
        yield child


def stops(_lane: Lane, _database: str) -> int:
    """As many stops as of workers."""
    return STOPS


def stop_run(draw: Draw) -> str:
    """Ask a run in the foreground to end at a random moment; the next does the rest."""

    def attempt(moment: float) -> str | None:
        with draw.laboratory.trial(LARGE) as trial, at_work(draw, trial) as child:
            time.sleep(moment)
            child.terminate()
            asked = time.monotonic()
            outcome = child.wait()
            took = time.monotonic() - asked
            assert took < STOP_WITHIN_S, f"it ended after {took:.1f} s"
            assert trial.live_runs() == []
            status = trial.newest_run()
            if outcome.error is None and outcome.status in ENDED_WELL:
                return None
            assert status == "cancelled" or status in ENDED_WELL, (status, outcome)
            trial.run_and_check()
        return "cancelled" if status == "cancelled" else "stopped while it pruned"

    return until_met(draw.chance, draw.laboratory.undisturbed(LARGE).seconds, attempt)


def statements(lane: Lane, database: str) -> int:
    """Each statement with each fault."""
    return len(FAULTS) * len(lane.laboratory(database).undisturbed(SMALL).statements)


def fail_statement(draw: Draw) -> str:
    """Let a statement fail; the run says so, and one retry makes up for it."""
    at, kind = draw.number // len(FAULTS) + 1, FAULTS[draw.number % len(FAULTS)]
    with draw.laboratory.trial(SMALL) as trial:
        outcome = trial.run_with(Fault(at, kind))
        assert outcome.error == "OperationalError", (at, kind, outcome)
        if kind != "lost":
            assert trial.live_runs() == []
        trial.run_and_check()
    return {"before": "failed before", "lost": "failed after", "locked": "lock time-out"}[kind]


def sizes(_lane: Lane, _database: str) -> int:
    """As many sizes of a disk as were promised."""
    return SIZES


def fill_disk(draw: Draw) -> str:
    """Let a run come to the end of the disk; with more room the next makes up for it."""
    with draw.laboratory.trial(SMALL) as trial:
        before = _pages(trial)
        trial.run()
        grown = _pages(trial) - before
    with draw.laboratory.trial(SMALL) as trial:
        pages = before + grown * draw.number // SIZES
        outcome = draw.lane.nursery.run(replace(trial.order, pages=pages))
        assert outcome.error == "OperationalError", (pages, outcome)
        assert "full" in outcome.report["message"], outcome
        assert trial.rows("PRAGMA integrity_check") == [("ok",)]
        recorded = "recorded" if trial.live_runs() == [] else "found by the next run"
        again = trial.run_and_check()
        assert again.status in ENDED_WELL
    return f"failed cleanly, {recorded}"


def _pages(trial) -> int:
    (pages,) = trial.rows("PRAGMA page_count")[0]
    return pages


PARTS = (
    Part("points", "killed at each named crash point, first and last pass",
         crash_points, die_at_point),
    Part("kills", "`kill -9` at a random moment of a run", kills, kill),
    Part("foreground", "a run is asked to stop (`SIGTERM`) at a random moment: it ends within 10 s",
         stops, stop_run),
    Part("statements", "each SQL statement of a run fails: before, after it took effect, "
         "by a lock time-out", statements, fail_statement),
    Part("disk", "the disk is full", sizes, fill_disk, databases=(SQLITE,)),
)  # fmt: skip
