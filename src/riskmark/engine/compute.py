"""Where shards are computed: in this process, in children of it, or on a Dask cluster.

``concurrent.futures.Executor`` is the only seam. A *lane* is an executor and what it was
given and has not answered yet. Each child process is a lane of its own, so that one that dies
takes nothing with it but what it was working on; a cluster is one lane, and sees to its
workers by itself.

Few shards are under way at a time, whatever the plan: memory does not grow with it.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

from riskmark.engine.shard_compute import Outcome, ShardComputer, ShardTask, Shared
from riskmark.errors import ComputeError, SettingsError

AHEAD = 2
"""Shards that a worker is given at a time: the one it works on, and the next."""
POLL_S = 0.2
"""Seconds after which whoever waits for a shard looks whether it should stop."""

_BROKEN = (OSError, EOFError, CancelledError)
"""What is raised where not a worker is gone but what starts the workers, or the way to them."""

T = TypeVar("T")


class Lost(NamedTuple):
    """The answer to a shard over which a worker died."""

    reason: str


@dataclass(slots=True)
class Lane(Generic[T]):
    """An executor, how many shards it is given at a time, and those not answered yet."""

    executor: Executor
    ahead: int
    pending: deque[tuple[T, Future[Outcome]]] = field(default_factory=deque)


class Handle(Protocol):
    """What a worker is given for what shards have in common."""

    @property
    def key(self) -> str:
        """The name of the round."""

    def load(self) -> Shared:
        """Return what they have in common."""


class Place(Protocol):
    """Somewhere to compute: opened once, used for any number of rounds.

    ``lost`` is what an executor raises over a shard whose worker died.
    """

    lost: tuple[type[BaseException], ...]

    def lanes(self) -> list[tuple[Executor, int]]:
        """Return the executors, and how many shards each is given at a time."""

    def share(self, shared: Shared) -> AbstractContextManager[Any]:
        """Hand over what shards have in common; yields what ``compute_shard`` is given for it."""

    def replace(self, executor: Executor) -> tuple[Executor, int]:
        """Return an executor in the place of one that is broken."""

    def close(self, *, at_once: bool) -> None:
        """Let the workers go; ``at_once``: in the middle of what they do."""


class Inline:
    """Computes in this process, when a shard is submitted."""

    lost: tuple[type[BaseException], ...] = ()

    def lanes(self) -> list[tuple[Executor, int]]:
        """Return the one executor, given a shard at a time."""
        return [(_Here(), 1)]

    @contextmanager
    def share(self, shared: Shared) -> Iterator[Shared]:
        """Hand over the thing itself."""
        yield shared
        forget()

    def replace(self, executor: Executor) -> tuple[Executor, int]:
        """Return the executor: it does not break without this process."""
        return executor, 1

    def close(self, *, at_once: bool) -> None:
        """There is nothing to let go."""


class _Here(Executor):
    def submit(self, function: Callable[..., T], /, *arguments: Any, **options: Any) -> Future[T]:
        """Call at once; what is raised is raised here."""
        found: Future[T] = Future()
        found.set_result(function(*arguments, **options))
        return found


class Team:
    """The workers of a run, at the place that ``compute`` names; they start when first needed."""

    def __init__(self, compute: str, open_place: Callable[[str], Place] | None = None) -> None:
        self._compute = compute
        self._open = open_place or place_of
        self._place: Place | None = None

    def __enter__(self) -> Self:
        """Nothing is started yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let the workers go; in the middle of what they do if something went wrong."""
        if self._place is not None:
            self._place.close(at_once=error is not None)
            self._place = None

    def start(self) -> Place:
        """Start the workers, if they are not there yet, without waiting for them."""
        if self._place is None:
            self._place = self._open(self._compute)
        return self._place

    def let_go(self) -> bool:
        """Let the workers go at once, so that new ones start next; False if there are none."""
        place, self._place = self._place, None
        if place is None:
            return False
        with suppress(*_BROKEN):
            place.close(at_once=True)
        return True

    @contextmanager
    def sharing(self, shared: Shared) -> Iterator["Workers"]:
        """Hand ``shared`` over to every worker for as long as the context lasts."""
        place = self.start()
        with place.share(shared) as handle:
            yield Workers(place, handle)


class Workers:
    """Workers that have what the shards of a round have in common."""

    def __init__(self, place: Place, handle: Any) -> None:
        self._place = place
        self._handle = handle

    def each(
        self,
        items: Iterable[T],
        task_of: Callable[[T], ShardTask],
        *,
        check: Callable[[], None],
    ) -> Iterator[tuple[T, Outcome | Lost]]:
        """Compute the task of each item; yield the answers as they come, few under way at a time.

        ``check`` is called while nothing comes, and may raise. ComputeError: there is nobody
        to compute any more.
        """
        with _machinery():
            lanes: list[Lane[T]] = [Lane(*one) for one in self._place.lanes()]
        returned: deque[T] = deque()
        source = iter(items)
        while True:
            while (lane := _with_room(lanes)) and (item := _next(returned, source)) is not None:
                self._submit(lane, item, task_of, returned)
            if not any(lane.pending for lane in lanes):
                return
            lane, item, future = _next_done(lanes, check)
            try:
                with _machinery():
                    answer: Outcome | Lost = future.result()
            except self._place.lost as error:
                answer = Lost(str(error) or type(error).__name__)
                if isinstance(error, BrokenExecutor):
                    self._renew(lane, returned)
            yield item, answer

    def _submit(
        self, lane: Lane[T], item: T, task_of: Callable[[T], ShardTask], returned: deque[T]
    ) -> None:
        task = task_of(item)
        try:
            with _machinery():
                future = lane.executor.submit(compute_shard, self._handle, task)
        except BrokenExecutor:
            returned.appendleft(item)
            if lane.pending:
                lane.ahead = len(lane.pending)  # no more until its answer tells of the death
            else:
                self._renew(lane, returned)
            return
        lane.pending.append((item, future))

    def _renew(self, lane: Lane[T], returned: deque[T]) -> None:
        """Put an executor in the place of a broken one; what stood in line was not begun."""
        returned.extendleft(item for item, _ in reversed(lane.pending))
        lane.pending.clear()
        with _machinery():
            lane.executor, lane.ahead = self._place.replace(lane.executor)


@contextmanager
def _machinery() -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        why = f"{type(error).__name__}: {error}"
        raise ComputeError(f"the workers are out of reach: {why}") from error


def _with_room(lanes: list[Lane[T]]) -> Lane[T] | None:
    """Return the lane with the least to do; None if every one has enough."""
    free = [lane for lane in lanes if len(lane.pending) < lane.ahead]
    return min(free, key=lambda lane: len(lane.pending), default=None)


def _next(returned: deque[T], source: Iterator[T]) -> T | None:
    return returned.popleft() if returned else next(source, None)


def _next_done(
    lanes: list[Lane[T]], check: Callable[[], None]
) -> tuple[Lane[T], T, Future[Outcome]]:
    """Wait for an answer; of several, return the one that was asked for first in its lane."""
    while True:
        for lane in lanes:
            for place, (item, future) in enumerate(lane.pending):
                if future.done():
                    del lane.pending[place]
                    return lane, item, future
        waiting = [future for lane in lanes for _, future in lane.pending]
        wait(waiting, timeout=POLL_S, return_when=FIRST_COMPLETED)
        check()


def place_of(compute: str) -> Place:
    """Open the place that the setting ``compute`` names."""
    kind, _, rest = compute.partition(":")
    if kind == "inline":
        return Inline()
    if kind == "processes":
        from riskmark.engine.child_processes import ChildProcesses  # noqa: PLC0415 - seldom needed

        return ChildProcesses(int(rest))
    if kind == "dask":
        from riskmark.engine.dask_cluster import DaskCluster  # noqa: PLC0415 - seldom installed

        return DaskCluster(rest.removeprefix("//"))
    raise SettingsError("compute", f"{compute!r} is not a place to compute at")


def isolated(compute: str) -> str:
    """Return the place for a process that has to outlive what it computes: never itself.

    ``inline`` becomes one child process; any other place is outside the process already.
    """
    return "processes:1" if compute == "inline" else compute


class _Memory(threading.local):
    """What a thread remembers: the computer of the present round."""

    computer: ShardComputer | None = None


_memory = _Memory()


def compute_shard(handle: Handle, task: ShardTask) -> Outcome:
    """Compute a shard where it is called; ``handle`` is what the place made of ``Shared``."""
    if _memory.computer is None or _memory.computer.key != handle.key:
        forget()
        _memory.computer = ShardComputer(handle.load())
    return _memory.computer.compute(task)


def forget() -> None:
    """Let go of what the last round had in common."""
    _memory.computer = None
