"""How often a provider may be asked, and when it is left alone.

Every HTTP request passes ``Gate.admit`` first: it waits for the provider's limits, which a
``QuotaStore`` keeps for all processes and through restarts, and refuses while the circuit is
open or the run's time is over. What comes of requests goes back through ``Gate.report``.

A provider that says "too many" is asked again in the same run at most twice, each time by
one request: under nothing but refusals a run makes three requests.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from riskmark.domain.rate_limits import Admission, Limits
from riskmark.domain.reasons import AnswerReason
from riskmark.providers.outcomes import Circuit, Outcome, Stopped

FAILURES_TO_OPEN = 5
"""Failures in a row, of any symbols, after which a provider is left alone."""
COOL_DOWN = timedelta(minutes=5)
"""For how long it is then left alone, by every run."""
TOLD_FROM_S = 2.0
"""Waits of at least this are told."""
REFUSALS_A_RUN = 3
"""How often a provider may say "too many" before a run gives it up."""


class Time(Protocol):
    """The real clock: limits and budgets know no other."""

    def now(self) -> datetime:
        """Return the present instant."""
        ...

    def monotonic(self) -> float:
        """Return seconds from some fixed instant."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class RealTime:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)  # noqa: TID251 - limits are other people's: real time alone

    def monotonic(self) -> float:
        """Return seconds from some fixed instant."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Interruptible:
    """A clock whose waiting ends when somebody wants the run to stop."""

    def __init__(self, time: Time, check: Callable[[], None]) -> None:
        self._time = time
        self._check = check

    def now(self) -> datetime:
        """Return the present instant."""
        return self._time.now()

    def monotonic(self) -> float:
        """Return seconds from some fixed instant."""
        return self._time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait a second at a time, and ask before each; what ``check`` raises ends it."""
        end = self._time.monotonic() + seconds
        while (left := end - self._time.monotonic()) > 0:
            self._check()
            self._time.sleep(min(1.0, left))


class QuotaStore(Protocol):
    """What all processes know of the limits and the circuit of each failure domain."""

    def take(self, domain: str, limits: Limits, *, at: datetime) -> Admission:
        """Count one request if it may be made at this instant."""
        ...

    def succeeded(self, domain: str) -> None:
        """Close the circuit."""
        ...

    def failed(
        self, domain: str, reason: AnswerReason, *, detail: str, until: datetime, opens_at: int
    ) -> None:
        """Count a failure; from ``opens_at`` in a row the circuit is open until then."""
        ...


def _go_on() -> None:
    """Nobody wants anything to stop."""


@dataclass
class Budget:
    """The time that all providers together have in a run.

    ``check`` is called while a request is waited for; what it raises abandons the request.
    ``tell`` hears of long waits.
    """

    seconds: float
    time: Time
    check: Callable[[], None] = _go_on
    tell: Callable[[str], None] = lambda _: None
    _start: float = field(init=False)

    def __post_init__(self) -> None:
        self._start = self.time.monotonic()

    @property
    def left_s(self) -> float:
        """Seconds that are left; 0 when it is over."""
        return max(0.0, self._start + self.seconds - self.time.monotonic())

    @contextmanager
    def at_most(self, seconds: float) -> Iterator[None]:
        """Let what is asked in the block take no more than this of what is left."""
        whole = self.seconds
        self.seconds = min(whole, whole - self.left_s + seconds)
        try:
            yield
        finally:
            self.seconds = whole


@dataclass
class Gate:
    """The way through which one failure domain is asked in one run."""

    domain: str
    limits: Limits
    store: QuotaStore
    budget: Budget
    timeout_s: float = 20.0
    requests: int = 0
    _refusals: int = 0
    _closed: Outcome | None = None
    _own: Outcome | None = None

    @property
    def now(self) -> datetime:
        """The present instant."""
        return self.budget.time.now()

    def admit(self) -> float:
        """Wait until one request may be made; return the seconds that it may take."""
        if self._closed is not None:
            raise Stopped(self._closed.reason, self._closed.detail, until=self._closed.until)
        try:
            return self._admit()
        except Stopped as stop:
            self._own = stop.outcome
            raise

    def _admit(self) -> float:
        while True:
            if self.budget.left_s <= 0:
                raise Stopped(AnswerReason.TRANSIENT, "the run's time for providers is over")
            admission = self.store.take(self.domain, self.limits, at=self.now)
            if admission.is_admitted:
                self.requests += 1
                return min(self.timeout_s, max(self.budget.left_s, 0.001))
            self._wait(admission)

    def _wait(self, admission: Admission) -> None:
        until = admission.until or self.now
        wait_s = (until - self.now).total_seconds()
        is_worth_it = admission.reason is AnswerReason.OK and wait_s < self.budget.left_s
        if not is_worth_it:
            reason = admission.reason
            if reason is AnswerReason.OK:
                reason = AnswerReason.RATE_LIMITED
            raise Stopped(reason, admission.detail or "our own limit", until=until)
        if wait_s >= TOLD_FROM_S:
            self.budget.tell(f"waiting for {self.domain}'s limit until {until:%H:%M:%S} UTC")
        self.budget.time.sleep(max(wait_s, 0.001))

    def report(self, outcome: Outcome) -> None:
        """Let an outcome have its effect on the circuit.

        One that is the gate's own, between two requests for a symbol, tells nothing of the
        provider: our limit leaves the circuit as it is, for all processes.
        """
        if outcome == self._own:
            return
        circuit = outcome.consequence.circuit
        if circuit is Circuit.CLOSES:
            self.store.succeeded(self.domain)
            self._refusals = 0
        elif circuit is Circuit.OPENS_FOR_RUN:
            self._closed = outcome
            # The next run asks again, as a key may be mended; the status shows what it was.
            self._fail(outcome, until=self.now, opens_at=1)
        elif circuit is Circuit.OPENS_UNTIL:
            self._refusals += 1
            if self._refusals >= REFUSALS_A_RUN:
                self._closed = outcome
            until = outcome.until or self.now + COOL_DOWN
            self._fail(outcome, until=until, opens_at=1)
        elif circuit is Circuit.COUNTS and self.budget.left_s > 0:
            self._fail(outcome, until=self.now + COOL_DOWN, opens_at=FAILURES_TO_OPEN)

    def _fail(self, outcome: Outcome, *, until: datetime, opens_at: int) -> None:
        self.store.failed(
            self.domain, outcome.reason, detail=outcome.detail, until=until, opens_at=opens_at
        )
