"""The worker: a process that takes runs from the queue and carries them out.

It has a slot for each large run that it may work on at once, and one more that takes small
runs only, so that a new portfolio never waits for the night. Each run has a thread of its
own, which is the run's only reader and writer; its heartbeat is another thread's. While it
looks for work the worker also queues the runs again whose owners have died.

What a run computes is computed in a child process at least, so that a portfolio over which a
process dies takes no run with it, and nobody's heartbeat.

Asked to stop, it takes nothing more; what it works on is given back after the shard in
hand, or dropped there if that takes too long.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from riskmark import logs
from riskmark.domain.runs import ALL, RunRequest
from riskmark.domain.sessions import Clock
from riskmark.engine import claims, queue
from riskmark.engine.compute import Team, isolated
from riskmark.engine.interrupts import Draining
from riskmark.engine.price_collection import OpenSources
from riskmark.engine.recorder import Observer, Recorder
from riskmark.engine.run import RunResult, carry_out
from riskmark.errors import LeaseLost
from riskmark.settings import Settings
from riskmark.storage.engines import DATABASE_FAULTS, Database
from riskmark.storage.runs import Claim

SMALL = 10
"""Portfolios that a run for the extra slot may have."""
POLL_S = 0.5
"""How often the queue is looked at: two short reads."""
LONGEST_PAUSE_S = 30.0
"""Between two looks at a database that cannot be reached."""
GRACE_S = 7.0
"""How long a shard may go on after a stop: with what follows, less than ten seconds."""
LAST_WORD_S = 1.5
"""How long giving back what was dropped may take."""


@dataclass(frozen=True, slots=True)
class _Job:
    claim: Claim
    request: RunRequest

    @property
    def is_large(self) -> bool:
        size = self.request.scope_size
        return size is None or size > SMALL


@dataclass(slots=True)
class Worker:
    """Carries out queued runs until it is asked to stop.

    Without ``is_isolated``, ``compute = "inline"`` means this very process.
    """

    database: Database
    settings: Settings
    clock: Clock
    sources: OpenSources | None = None
    concurrency: int = 1
    poll_s: float = POLL_S
    is_isolated: bool = True
    observe: Observer = lambda _: None
    _jobs: dict[Future[RunResult], _Job] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)

    def work(self, stop: threading.Event) -> bool:
        """Work until ``stop`` is set; False if a shard had to be dropped and still computes.

        The process then has to end: what that shard writes is refused.
        """
        pool = ThreadPoolExecutor(self.concurrency + 1, thread_name_prefix="run")
        pause_s = self.poll_s
        logs.info("worker started", runs_at_once=self.concurrency)
        while not stop.is_set():
            self._ended.clear()
            try:
                self._note_ends()
                self._settle_the_dead()
                self._take_runs(pool, stop)
                pause_s = self.poll_s
            except DATABASE_FAULTS as error:
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                logs.warning(
                    "database does not answer; trying again", error=getattr(error, "orig", error)
                )
            self._pause(stop, pause_s)
        return self._drain(pool)

    def _pause(self, stop: threading.Event, pause_s: float) -> None:
        """Wait, but no longer than until a run ends or the worker is to stop."""
        if self._jobs:
            self._ended.wait(min(pause_s, POLL_S))
        else:
            stop.wait(pause_s)

    def _settle_the_dead(self) -> None:
        found = claims.settle_dead_runs(
            self.database, at=self.clock.now(), lease=self.settings.lease, is_worker=True
        )
        for one in found:
            logs.warning(
                "dead run settled", run_id=one.run_id, status=one.status.value, why=one.message
            )

    def _take_runs(self, pool: ThreadPoolExecutor, stop: threading.Event) -> None:
        while len(self._jobs) <= self.concurrency and not stop.is_set():
            large = sum(job.is_large for job in self._jobs.values())
            taken = claims.claim_next(
                self.database,
                self.settings.lease,
                at=self.clock.now(),
                largest=SMALL if large >= self.concurrency else None,
            )
            if taken is None:
                return
            self._start(_Job(*taken), pool, stop)

    def _start(self, job: _Job, pool: ThreadPoolExecutor, stop: threading.Event) -> None:
        size = job.request.scope_size
        logs.info(
            "run taken",
            run_id=job.claim.run_id,
            source=job.request.source.value,
            portfolios=ALL if size is None else size,
            target=job.request.target,
            attempt=job.claim.attempt,
        )
        record = Recorder(
            self.database,
            self.settings,
            self.clock,
            request=job.request,
            claim=job.claim,
            observe=self.observe,
            stops=Draining(stop),
        )
        compute = self.settings.compute
        team = Team(isolated(compute) if self.is_isolated else compute)
        future = pool.submit(carry_out, record, sources=self.sources, team=team)
        self._jobs[future] = job
        future.add_done_callback(lambda _: self._ended.set())

    def _note_ends(self) -> None:
        for future in [one for one in self._jobs if one.done()]:
            run_id = self._jobs.pop(future).claim.run_id
            error = future.exception()
            if isinstance(error, LeaseLost):
                logs.warning("lease lost", run_id=run_id)
            elif error is not None:
                logs.error("run broke off", cause=error, run_id=run_id)
            else:
                result = future.result()
                logs.info(
                    "run done",
                    run_id=run_id,
                    status=result.status.value,
                    computed=result.cells.computed,
                    failed=result.cells.failed,
                )

    def _drain(self, pool: ThreadPoolExecutor) -> bool:
        if self._jobs:
            logs.info("worker stops after the shards in hand", runs=len(self._jobs))
        pool.shutdown(wait=False)
        wait(self._jobs, timeout=GRACE_S)
        self._note_ends()
        if not self._jobs:
            logs.info("worker stopped")
            return True
        _within(LAST_WORD_S, self._drop)
        return False

    def _drop(self) -> None:
        for job in self._jobs.values():
            given_back = queue.give_back(self.database, job.claim, at=self.clock.now())
            logs.warning("shard dropped", run_id=job.claim.run_id, given_back=given_back)


def _within(seconds: float, work: Callable[[], None]) -> None:
    """Do ``work``, but wait for its end no longer than ``seconds``."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
