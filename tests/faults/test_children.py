"""Child processes that die, and children of a process that does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.acceptance import computing
from tests.acceptance.conftest import sqlite_template  # noqa: F401 - a fixture
from tests.acceptance.world import World, assert_equal_results
from tests.faults.children import die_at, run_with

from riskmark.domain.reasons import RunStatus

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


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_child_outlives_the_process_that_started_it(
    world: World, tmp_path: Path, how: signal.Signals
):
    begun, scratch = tmp_path / "begun", tmp_path / "scratch"
    begun.mkdir()
    scratch.mkdir()
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
