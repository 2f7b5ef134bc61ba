"""Child processes that die, and children of a process that does."""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from functools import partial
from multiprocessing import forkserver
from pathlib import Path

import pytest
from tests.acceptance import computing
from tests.acceptance.conftest import sqlite_template  # noqa: F401 - a fixture
from tests.acceptance.world import World, assert_equal_results
from tests.faults.children import die_at, run_at, run_with

from riskmark.domain.reasons import RunStatus, Source
from riskmark.domain.runs import VALUATION
from riskmark.engine import claims
from riskmark.engine.child_processes import ChildProcesses
from riskmark.engine.compute import Team
from riskmark.engine.interrupts import Draining
from riskmark.engine.recorder import Progress, Recorder
from riskmark.engine.run import carry_out
from riskmark.errors import ComputeError

ROOT = Path(__file__).parents[2]
GONE_S = 10
"""Seconds in which children have to be gone."""


@pytest.fixture
def world(sqlite_template: Path, tmp_path: Path) -> Iterator[World]:  # noqa: F811 - the fixture
    """Give a world with books, on a database of its own."""
    path = tmp_path / "riskmark.db"
    path.write_bytes(sqlite_template.read_bytes())
    made = World(f"sqlite:///{path}")
    computing.build(made)
    yield made
    made.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_child_that_is_killed_costs_nothing_but_time(world: World, tmp_path: Path, workers: int):
    result = run_with(world, workers, partial(die_at, (2,), tmp_path / "passes"))

    assert result.status is RunStatus.PARTIAL  # one symbol has no prices
    assert result.cells.failed == 0
    stored = world.dump()
    world.run(force=True)
    assert_equal_results(stored, world.dump())
    ((message,),) = world.rows("SELECT message FROM run_event WHERE message LIKE 'a worker died%'")
    assert "tried again one by one" in message


def test_only_the_portfolio_that_killed_two_children_fails(world: World, tmp_path: Path):
    # The shard of the newest sessions dies; its portfolios come last, after the other two
    # shards: the second of them dies again.
    result = run_with(world, 1, partial(die_at, (1, 5), tmp_path / "passes"))

    failures = world.rows(
        "SELECT p.name, f.reason, f.cells FROM run_failure f JOIN portfolio p "
        "ON p.id = f.portfolio_id"
    )
    assert [(reason, cells) for _, reason, cells in failures] == [("crashed", 1)]
    assert result.cells.failed == 1
    assert result.cells.computed == result.cells.planned - 1
    assert world.run().cells.planned == 1  # the next run tries it again


def test_children_that_always_die_fail_every_cell_and_end_the_run(world: World, tmp_path: Path):
    every = tuple(range(1, 100))

    result = run_with(world, 2, partial(die_at, every, tmp_path / "passes"))

    assert result.status is RunStatus.FAILED
    assert result.cells.failed == result.cells.planned
    assert {reason for (reason,) in world.rows("SELECT reason FROM run_failure")} == {"crashed"}


@pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="children start otherwise"
)
@pytest.mark.parametrize("passes", [(), (1,)], ids=["alone", "and a child"])
def test_a_run_survives_the_process_that_starts_its_children(
    world: World, tmp_path: Path, passes: tuple[int, ...]
):
    killed: list[int] = []

    def kill_once(progress: Progress) -> None:
        pid = forkserver._forkserver._forkserver_pid
        if progress.phase == VALUATION and progress.done and not killed:
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    prepare = partial(die_at, passes, tmp_path / "passes")
    result = run_with(world, 2, prepare, observe=kill_once)

    assert killed
    assert (result.status, result.cells.failed) == (RunStatus.PARTIAL, 0)  # one lacks prices
    assert result.cells.computed == result.cells.planned
    stored = world.dump()
    world.run(force=True)
    assert_equal_results(stored, world.dump())


class OutOfReach(ChildProcesses):
    """Children of which nothing more is heard after the first shard."""

    def lanes(self) -> list[tuple[Executor, int]]:
        """Return lanes that refuse the second shard."""
        return [(Refusing(one), ahead) for one, ahead in super().lanes()]


class Refusing(Executor):
    """Passes one shard on, and is then out of reach."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._was_asked = False

    def submit(self, function, /, *arguments, **options):
        """Pass on or refuse."""
        if self._was_asked:
            raise ConnectionRefusedError(111, "nobody listens")
        self._was_asked = True
        return self._executor.submit(function, *arguments, **options)


def test_workers_out_of_reach_are_started_anew_once(world: World):
    places = iter([OutOfReach(1), ChildProcesses(1)])

    result = run_at(world, Team("", lambda _: next(places)))

    assert (result.status, result.cells.failed) == (RunStatus.PARTIAL, 0)
    assert result.cells.computed == result.cells.planned
    ((message,),) = world.rows("SELECT message FROM run_event WHERE message LIKE '%started anew'")
    assert message.startswith("the workers are out of reach: ConnectionRefusedError: ")


def test_a_queued_run_waits_for_another_try_when_workers_stay_out_of_reach(world: World):
    world.app.submit(Source.CRON)
    database, lease = world.app.database, world.app.settings.lease
    claimed = claims.claim_next(database, lease, at=world.app.clock.now())
    assert claimed is not None
    claim, request = claimed
    record = Recorder(
        database,
        world.app.settings,
        world.app.clock,
        request=request,
        claim=claim,
        observe=lambda _: None,
        stops=Draining(threading.Event()),
    )

    with pytest.raises(ComputeError, match="out of reach"):
        carry_out(record, team=Team("", lambda _: OutOfReach(1)))

    ((status, attempt),) = world.rows("SELECT status, attempt FROM run")
    assert (status, attempt) == ("queued", 1)
    assert claims.claim_next(database, lease, at=world.app.clock.now()) is None  # not yet
    assert world.rows(
        "SELECT COUNT(*) FROM run_event WHERE message LIKE '%the next attempt begins after%'"
    ) == [(1,)]


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Give a folder with a short name: a socket's path has little room."""
    with tempfile.TemporaryDirectory(prefix="rm-") as folder:
        yield Path(folder)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_child_outlives_the_process_that_started_it(
    world: World, tmp_path: Path, scratch: Path, how: signal.Signals
):
    begun = tmp_path / "begun"
    begun.mkdir()
    parent = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.children", world.url, begun],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(scratch)},
        stderr=subprocess.DEVNULL,
    )
    _until(lambda: len(list(begun.iterdir())) == 2)

    parent.send_signal(how)

    assert parent.wait(GONE_S) != 0
    children = [int(one.name) for one in begun.iterdir()]
    _until(lambda: not any(_is_alive(pid) for pid in children))
    _until(lambda: not list(scratch.glob("riskmark-compute-*")))
    ((status,),) = world.rows("SELECT status FROM run")
    assert status == ("running" if how is signal.SIGKILL else "cancelled")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _until(happened) -> None:
    deadline = time.monotonic() + 3 * GONE_S
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)
