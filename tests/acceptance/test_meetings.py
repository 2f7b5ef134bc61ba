"""Two runs that meet at the same point: both do their work, and nothing is doubled or lost."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from tests.acceptance.world import FACTORS, LAST, World, assert_equal_results

from riskmark import faults
from riskmark.domain.reasons import RunStatus

ENTRY = date(2025, 12, 1)
SYMBOLS = ("S00", "S01", "S02")


@pytest.fixture(autouse=True)
def _no_hook() -> Iterator[None]:
    yield
    faults.set_hook(None)


class Meeting:
    """Holds each of two threads at its first pass of a point until the other is there too."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._barrier = threading.Barrier(2, timeout=20)
        self._seen = threading.local()
        self.met = 0
        faults.set_hook(self._pass)

    def _pass(self, name: str) -> None:
        if name == self._name and not getattr(self._seen, "passed", False):
            self._seen.passed = True
            self._barrier.wait()
            self.met += 1


@pytest.mark.parametrize(
    "point",
    ["run.created", "run.planned", "prices.read", "symbols.computed", "shard.computed",
     "run.before_finish"],
)  # fmt: skip
def test_two_runs_that_meet_both_end_well(world: World, point: str):
    world.add_prices(*FACTORS, *SYMBOLS)
    for name in ("one", "shared", "two"):
        world.add_book(name, SYMBOLS, ENTRY)
    meeting = Meeting(point)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(world.run, "one", "shared")
        second = pool.submit(world.run, "shared", "two")
        results = [first.result(), second.result()]

    faults.set_hook(None)
    cells = len(world.sessions(ENTRY, LAST))
    assert meeting.met == 2
    assert [one.status for one in results] == [RunStatus.SUCCEEDED] * 2
    assert sum(one.cells.computed for one in results) == 3 * cells
    assert world.run().cells.planned == 0
    seen = world.dump()
    world.run(force=True)
    assert_equal_results(seen, world.dump())
