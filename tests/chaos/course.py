"""The course: trials handed out to lanes, up to the first that fails."""

import math
import multiprocessing
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import util
from random import Random
from types import TracebackType
from typing import NamedTuple, Self

from tests.chaos.lane import Lane, Part, draw
from tests.chaos.page import Figures
from tests.chaos.parts import PARTS

TOLD_EVERY_S = 20.0


class Failure(NamedTuple):
    """A trial that failed, and how it can be had again."""

    part: str
    database: str
    number: int
    trace: str


class _Said(NamedTuple):
    number: int
    happened: str
    trace: str = ""


class Course:
    """Lanes at work while the block lasts."""

    def __init__(self, seed: int, lanes: int) -> None:
        self._seed = seed
        # A fork would take over locks that the pool's own threads hold.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(lanes, mp_context=context, initializer=_open_lane)

    def __enter__(self) -> Self:
        """Nothing is started before the first part."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the lanes."""
        self._pool.shutdown(cancel_futures=True)

    def run(
        self, part: Part, database: str, *, share: float, only: int | None
    ) -> Figures | Failure:
        """Try a share of a part's trials, chosen by the seed, or one of them."""
        started = time.monotonic()
        count = self._pool.submit(_count, part.name, database).result()
        numbers = [only] if only is not None else _chosen(count, share, self._seed)
        futures = [
            self._pool.submit(_attempt, part.name, database, self._seed, number)
            for number in numbers
        ]
        happened: Counter[str] = Counter()
        told = started
        for future in as_completed(futures):
            said = future.result()
            if said.trace:
                for other in futures:
                    other.cancel()
                return Failure(part.name, database, said.number, said.trace)
            happened[said.happened] += 1
            if time.monotonic() - told > TOLD_EVERY_S:
                told = time.monotonic()
                done = happened.total()
                print(f"  {part.name} {database}: {done:,} of {len(numbers):,}", flush=True)
        seconds = time.monotonic() - started
        return Figures(part.name, part.title, database, happened, seconds, whole=count)


def _chosen(count: int, share: float, seed: int) -> Sequence[int]:
    if share >= 1:
        return range(count)
    return sorted(Random(seed).sample(range(count), max(1, math.ceil(count * share))))


_lane: Lane | None = None


def _open_lane() -> None:
    global _lane  # noqa: PLW0603 - a process of the pool is a lane
    _lane = Lane()
    # The pool ends its processes without the usual way out.
    util.Finalize(None, _lane.close, exitpriority=10)


def _count(part: str, database: str) -> int:
    assert _lane is not None
    return PARTS[part].count(_lane, database)


def _attempt(part: str, database: str, seed: int, number: int) -> _Said:
    assert _lane is not None
    try:
        chosen = draw(_lane, part, database, seed=seed, number=number)
        return _Said(number, PARTS[part].attempt(chosen))
    except Exception:  # noqa: BLE001 - whatever it is, the trial failed
        print(f"  {part} {database}: trial {number} failed", file=sys.stderr, flush=True)
        return _Said(number, "failed", traceback.format_exc())
