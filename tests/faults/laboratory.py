"""Trials: a run that something befalls, then a run, and what must hold after it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tests.faults.faulty import Fault
from tests.faults.happenings import KINDS
from tests.faults.installations import (
    NOW,
    Installations,
    Size,
    State,
    assert_equal_states,
    check_at_rest,
    read_state,
)
from tests.faults.nursery import Nursery
from tests.faults.orders import Order, Outcome
from tests.faults.provider_faults import FAULTS
from tests.faults.server import ProviderServer

from riskmark.storage.engines import open_database, read_rows

FAILURE = next(fault for fault in FAULTS if fault.name == "500")
"""What the provider says to the first request of an eventful run."""
ENDED_WELL = {"succeeded", "partial"}


@dataclass(frozen=True)
class Undisturbed:
    """What a run does that nothing befalls."""

    state: State
    outcome: Outcome

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.outcome.seconds

    @property
    def passes(self) -> dict[str, int]:
        """How often it passed each crash point."""
        found: dict[str, int] = self.outcome.report["passes"]
        return found

    @property
    def statements(self) -> list[str]:
        """The statements that it sent up to its end."""
        return self._sent[: self.outcome.report["sent_by_the_end"]]

    @property
    def statements_of_pruning(self) -> range:
        """The numbers of the statements that were sent after it had ended."""
        return range(len(self.statements) + 1, len(self._sent) + 1)

    @property
    def _sent(self) -> list[str]:
        found: list[str] = self.outcome.report["statements"]
        return found


class Laboratory:
    """Makes trials on copies of staged installations."""

    def __init__(self, nursery: Nursery, folder: Path, server: str | None) -> None:
        self.nursery = nursery
        self.is_sqlite = server is None
        self._installations = Installations(folder, server)
        self._undisturbed: dict[Size, Undisturbed] = {}
        self._watched: dict[tuple[Size, str], Outcome] = {}
        self._second: Nursery | None = None
        self._shop: ProviderServer | None = None

    @contextmanager
    def trial(self, size: Size, happening: str = "") -> Iterator["Trial"]:
        """Give a fresh copy of the staged installation, for the time of the block."""
        with self._installations.copy(size) as url:
            trial = Trial(self, size, url)
            if happening:
                self.shop.play(FAILURE, at=[0])
                trial.meet(happening, self.shop.url)
            yield trial

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Give the address of a new installation, for the time of the block."""
        with self._installations.empty() as url:
            yield url

    @property
    def second(self) -> Nursery:
        """A nursery for runs that go on beside those of the first."""
        if self._second is None:
            self._second = Nursery()
        return self._second

    @property
    def shop(self) -> ProviderServer:
        """A provider on this machine that sells nothing."""
        if self._shop is None:
            self._shop = ProviderServer({}).__enter__()
        return self._shop

    def close(self) -> None:
        """End the processes and threads of its own; the nursery is somebody else's."""
        if self._second is not None:
            self._second.close()
        if self._shop is not None:
            self._shop.__exit__()

    def watched(self, size: Size, happening: str) -> Outcome:
        """Make a run that meets something once, and keep what it passed and sent."""
        key = (size, happening)
        if key not in self._watched:
            with self.trial(size, happening) as trial:
                self._watched[key] = self.nursery.run(replace(trial.order, count=True))
        return self._watched[key]

    def place_of(self, size: Size, point: str) -> tuple[str, int]:
        """Return what a run must meet to pass a crash point, and how often it then does.

        A heart beats as often as time allows: twice, at least.
        """
        for happening in KINDS:
            passes = self.watched(size, happening).report["passes"][point]
            if passes:
                return happening, min(passes, 2) if point.startswith("heartbeat.") else passes
        raise AssertionError(f"no run passes {point!r}")

    def undisturbed(self, size: Size) -> Undisturbed:
        """Make the run once without any fault, and keep what it did."""
        if size not in self._undisturbed:
            with self.trial(size) as trial:
                outcome = self.nursery.run(replace(trial.order, count=True))
                assert outcome.status in ENDED_WELL, outcome
                check_at_rest(trial.url)
                self._undisturbed[size] = Undisturbed(read_state(trial.url), outcome)
        return self._undisturbed[size]


class Trial:
    """One installation, and a run on it."""

    def __init__(self, laboratory: Laboratory, size: Size, url: str) -> None:
        self._laboratory = laboratory
        self._size = size
        self.url = url
        self.order = Order(url, NOW)

    def meet(self, happening: str, shop: str) -> None:
        """Let the disturbed run meet something; ``run`` is never disturbed."""
        environment = {"RISKMARK_PROVIDERS__FMP__BASE_URL": shop}
        self.order = replace(self.order, happening=happening, environment=environment)

    def run(self) -> Outcome:
        """Run the batch, with nothing in its way."""
        return self._laboratory.nursery.run(Order(self.url, NOW))

    def run_and_check(self) -> Outcome:
        """Run at once in a new process: it ends well, and all is as if nothing had happened."""
        outcome = self.run()
        assert outcome.status in ENDED_WELL, outcome
        assert not outcome.report["joined"]
        check_at_rest(self.url)
        assert_equal_states(read_state(self.url), self._laboratory.undisturbed(self._size).state)
        return outcome

    def run_to_crash(self, name: str, hit: int) -> None:
        """Run until the process dies at a crash point."""
        outcome = self._laboratory.nursery.run(replace(self.order, crash=(name, hit)))
        assert outcome.signal == signal.SIGKILL, outcome

    def run_with(self, fault: Fault) -> Outcome:
        """Run on a database that fails."""
        return self._laboratory.nursery.run(replace(self.order, fault=asdict(fault)))

    def rows(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Run a SELECT."""
        database = open_database(self.url)
        try:
            with database.read() as connection:
                return [tuple(row) for row in read_rows(connection, statement, values)]
        finally:
            database.close()

    def live_runs(self) -> list[tuple[object, ...]]:
        """Return the runs that are queued or running."""
        return self.rows("SELECT id, status FROM run WHERE status IN ('queued', 'running')")

    def newest_run(self) -> object:
        """Return the status of the newest run, if it was made after the staging."""
        rows = self.rows("SELECT status FROM run ORDER BY id")
        return rows[-1][0] if len(rows) > 1 else None
