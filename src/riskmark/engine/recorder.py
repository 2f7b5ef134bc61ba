"""A run's record: what it has counted, and the only way in which its work is written.

Every transaction of a run begins with its fence; what the run has planned, computed and
spent is stored in the same transactions as the results.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from riskmark import logs
from riskmark.domain.runs import PHASES, CellCounts, Phase, RunRequest, SymbolCounts
from riskmark.domain.sessions import Clock
from riskmark.engine.interrupts import Stops
from riskmark.engine.rounds import Round
from riskmark.engine.writing import Writing
from riskmark.settings import Settings
from riskmark.storage import runs
from riskmark.storage.engines import DATABASE_FAULTS, Database
from riskmark.storage.runs import Claim, UnavailableSymbol
from riskmark.storage.types import instant_text


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is, for whoever watches it."""

    run_id: str
    phase: Phase
    done: int
    total: int
    message: str | None = None


LOOK_S = 2.0
"""Seconds between two looks whether somebody has asked for the run to be cancelled."""

Observer = Callable[[Progress], None]
_LEVEL_OF: Mapping[str, logs.Level] = {"warning": "warning", "error": "error"}


class Cancelled(Exception):
    """Somebody asked for the run to stop."""


class Recorder:
    """One claim's work on a run: its counters, its log and its transactions.

    ``failed`` are the cells, by portfolio, that this run does not plan again; ``answers`` what
    each provider said of the symbols that lack bars.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        *,
        request: RunRequest,
        claim: Claim,
        observe: Observer,
        stops: Stops,
    ) -> None:
        self.database = database
        self.settings = settings
        self.clock = clock
        self.request = request
        self.claim = claim
        self.cells = CellCounts()
        self.symbols = SymbolCounts()
        self.failed: dict[str, set[int]] = {}
        self.answers: dict[str, list[UnavailableSymbol]] = {}
        self._observe = observe
        self._stops = stops
        self._is_cancelled = False
        self._look_again = 0.0
        self._seconds = {phase.key: 0.0 for phase in PHASES}
        self._amounts = {phase.key: (0, 0) for phase in PHASES}

    @contextmanager
    def transaction(self, name: str) -> Iterator[Connection]:
        """Open a write transaction that begins with the fence.

        A request to cancel, seen by the fence, and a signal take effect after the commit.
        """
        with self.database.write(name) as connection:
            is_cancelled = runs.hold(connection, self.claim)
            yield connection
        if is_cancelled:
            raise Cancelled
        self._stops.check()

    def check(self) -> None:
        """Take a signal to heart, if there was one, while nothing is being written."""
        self._stops.check()

    def look(self) -> None:
        """Take a signal or a request to cancel to heart, while nothing is being written.

        For whoever waits long for others: the next transaction may be far away.
        """
        self._stops.check()
        now = time.monotonic()
        if not self._is_cancelled and now >= self._look_again:
            self._look_again = now + LOOK_S
            with suppress(*DATABASE_FAULTS), self.database.read() as connection:
                self._is_cancelled = runs.is_cancel_requested(connection, self.claim)
        if self._is_cancelled:
            raise Cancelled

    def writing(self, current: Round) -> Writing:
        """Return what a shard's transaction needs to know of the round."""
        return Writing(
            run_id=self.claim.run_id,
            revision=current.plan.revision,
            version=current.version,
            force=self.request.force,
            at=self.now(),
            first_sessions=current.first_sessions,
            miscounted=current.miscounted,
        )

    def now(self) -> datetime:
        """Return the clock's present instant."""
        return self.clock.now()

    def bound_now(self) -> object:
        """Return the clock's present instant as the database stores it."""
        return instant_text(self.now()) if self.database.is_sqlite else self.now()

    def name_of(self, current: Round, portfolio_id: str) -> str:
        """Return a planned portfolio's name."""
        names = (one.name for one in current.plan.portfolios if one.portfolio_id == portfolio_id)
        return next(names, portfolio_id)

    def spend(self, phase: Phase, seconds: float, *, done: int = 0, total: int = 0) -> None:
        """Add to what a phase has taken and done."""
        self._seconds[phase.key] += seconds
        before = self._amounts[phase.key]
        self._amounts[phase.key] = (before[0] + done, before[1] + total)

    def count(self, phase: Phase, size: int) -> None:
        """Let all of a phase, which is of this size, be done."""
        self._amounts[phase.key] = (size, size)

    def save_phase(self, connection: Connection, phase: Phase, *, status: str = "running") -> None:
        """Store how far a phase is."""
        done, total = self._amounts[phase.key]
        seconds = self._seconds[phase.key]
        runs.save_phase(
            connection, self.claim, phase, status=status, seconds=seconds, done=done, total=total
        )
        if status == "done":
            told = {"phase": phase.key, "seconds": round(seconds, 3), "done": done, "total": total}
            logs.info("phase done", **told)

    def save(self, connection: Connection, phase: Phase) -> None:
        """Store the run's counts and present phase."""
        done, total = self._amounts[phase.key]
        runs.save_progress(
            connection,
            self.claim,
            phase=phase,
            done=done,
            total=total,
            cells=self.cells,
            symbols=self.symbols,
        )

    def log(
        self,
        connection: Connection,
        message: str,
        *,
        phase: Phase | None = None,
        level: str = "info",
    ) -> None:
        """Add a line to the run's activity log, and to the process's."""
        logs.log(_LEVEL_OF.get(level, "info"), message, phase=None if phase is None else phase.key)
        runs.add_event(
            connection, self.claim.run_id, message, at=self.now(), phase=phase, level=level
        )

    def tell(self, phase: Phase, message: str | None = None) -> None:
        """Tell whoever watches in this process."""
        done, total = self._amounts[phase.key]
        logs.debug("progress", phase=phase.key, done=done, total=total, message=message)
        self._observe(Progress(self.claim.run_id, phase, done, total, message))
