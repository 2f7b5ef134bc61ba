"""The run: one function for every caller, scope and source.

    claim → (plan → symbols → shards → plan again) until there is nothing to do → end

A run that dies anywhere leaves only whole transactions behind; what they lack is planned
again by whichever run comes next. A run may end only when no request has joined it since
its last plan.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from riskmark import faults, logs
from riskmark.domain.reasons import RunStatus
from riskmark.domain.runs import (
    ANALYTICS,
    PHASES,
    VALUATION,
    VERIFY,
    CellCounts,
    RunRequest,
    SymbolCounts,
)
from riskmark.domain.sessions import Calendar, Clock
from riskmark.engine import (
    claims,
    collection,
    cross_check,
    price_collection,
    profiles,
    pruning,
    rounds,
    shard_work,
    standing_gaps,
    symbol_work,
)
from riskmark.engine.claims import Heartbeat, Joined
from riskmark.engine.compute import Team
from riskmark.engine.ending import Ending
from riskmark.engine.interrupts import Interrupts
from riskmark.engine.price_collection import OpenSources
from riskmark.engine.recorder import Observer, Recorder
from riskmark.engine.rounds import Round
from riskmark.engine.shards import Shard, cut_plan
from riskmark.engine.writing import delete_surplus
from riskmark.errors import ComputeError, LeaseLost
from riskmark.settings import Settings
from riskmark.storage import results, runs
from riskmark.storage.calendar import load_calendar
from riskmark.storage.engines import Database

MAX_ROUNDS = 5
"""Plans a run makes; inputs that change faster than this are left to the next run."""

_WORKED_TO_THE_END = frozenset({RunStatus.SUCCEEDED, RunStatus.PARTIAL, RunStatus.FAILED})


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended; ``joined``: it was somebody else's, and is still going on."""

    run_id: str
    status: RunStatus
    cells: CellCounts
    symbols: SymbolCounts
    joined: bool = False


def run_batch(
    database: Database,
    settings: Settings,
    clock: Clock,
    request: RunRequest,
    *,
    calendar: Calendar | None = None,
    sources: OpenSources | None = None,
    observe: Observer = lambda _: None,
    team: Team | None = None,
) -> RunResult:
    """Bring every portfolio in the request's scope up to its target session.

    Runs of dead processes are ended or, if they are for the same work, continued. If a live
    run does the same work already, the request joins it and the result says so.
    ``calendar`` is the stored one, if the caller has read it already. ``sources`` opens the
    providers that are asked first, unless the request is offline. ``team`` computes, instead of
    one that the run opens as the settings say.
    """
    at = clock.now()
    with Interrupts() as interrupts:
        claims.end_dead_runs(database, at=at, but=request.scope_key, lease=settings.lease)
        claim = claims.claim(database, request, settings.lease, at=at)
        if isinstance(claim, Joined):
            status = RunStatus.RUNNING
            return RunResult(claim.run_id, status, CellCounts(), SymbolCounts(), joined=True)
        faults.point("run.created")
        record = Recorder(
            database,
            settings,
            clock,
            request=request,
            claim=claim,
            observe=observe,
            stops=interrupts,
        )
        return carry_out(record, calendar=calendar, sources=sources, team=team)


def carry_out(
    record: Recorder,
    *,
    calendar: Calendar | None = None,
    sources: OpenSources | None = None,
    team: Team | None = None,
) -> RunResult:
    """Carry out a claimed run to its end, or until the record's ``stops`` say so.

    At the end of a run of every portfolio, what is old is pruned.
    """
    with (
        logs.bound(run_id=record.claim.run_id),
        Heartbeat(record.database, record.claim, record.settings.lease),
    ):
        work = _Run(record, calendar, sources, team)
        result = work.work()
    is_over = result.status in _WORKED_TO_THE_END
    if is_over and record.request.scope is None and work.calendar is not None:
        end = work.calendar.on_or_before(record.request.target) + 1
        pruning.prune_after_run(record, sessions=work.calendar.sessions[:end])
    return result


class _Run:
    """The rounds of a run, and its end."""

    def __init__(
        self,
        record: Recorder,
        calendar: Calendar | None,
        sources: OpenSources | None,
        team: Team | None,
    ) -> None:
        self._record = record
        self._sources = sources
        self.calendar = calendar
        budget = record.settings.rebuild_budget_seconds
        self._rebuild_until = time.monotonic() + budget
        self._is_renewed = False
        self._team = team or Team(record.settings.compute)

    def work(self) -> RunResult:
        """Work until nothing is left to do, and record the end whatever it is."""
        ending = Ending(self._record)
        with ending, self._team, collection.held_off():
            self._collect_prices()
            self._rounds()
            while not self._finish():
                self._serve_requests()
                self._rounds()
        faults.point("run.finished")
        status = ending.status or _status(self._record.cells)
        return RunResult(
            self._record.claim.run_id, status, self._record.cells, self._record.symbols
        )

    def _collect_prices(self) -> None:
        if self._sources is None or self._record.request.offline:
            return
        with self._record.database.read() as connection:
            calendar = self.calendar = load_calendar(connection, self.calendar)
        sources = self._sources(calendar)
        try:
            price_collection.collect_prices(self._record, calendar, sources)
            profiles.collect_profiles(self._record, sources)
            cross_check.check_prices(self._record, calendar, sources)
        finally:
            sources.close()

    def _serve_requests(self) -> None:
        with self._record.transaction("run.requests") as connection:
            runs.serve_requests(connection, self._record.claim.run_id)

    def _rounds(self) -> None:
        request = self._record.request
        for number in range(MAX_ROUNDS):
            with self._record.database.read() as connection:
                calendar = self.calendar = load_calendar(connection, self.calendar)
                current = rounds.read_round(
                    connection,
                    calendar,
                    self._record.settings,
                    request,
                    left_out=self._record.failed,
                )
            faults.point("run.planned")
            self._note_plan(current, is_first=number == 0)
            if not current:
                if number == 0 and not self._record.symbols.asked:
                    standing_gaps.note_standing(self._record, calendar)
                return
            if not self._carried_out(current, calendar):
                continue  # the next round plans what is left
            request = replace(request, force=False)  # what is forced is computed once

    def _carried_out(self, current: Round, calendar: Calendar) -> bool:
        """Carry out a round; False if it broke off as those who compute were lost, once."""
        before = self._record.cells
        try:
            self._carry_out(current, calendar)
        except ComputeError as error:
            if self._is_renewed or not self._team.let_go():
                raise
            self._is_renewed = True
            now = self._record.cells
            done = now.computed + now.failed - before.computed - before.failed
            self._record.cells += CellCounts(planned=done - current.plan.size)
            with self._record.transaction("run.postpone") as connection:
                message = f"{error}; the workers are started anew"
                self._record.log(connection, message, level="warning")
            return False
        return True

    def _note_plan(self, current: Round, *, is_first: bool) -> None:
        plan = current.plan
        if not (is_first or plan or current.to_advance):
            return
        self._record.cells += CellCounts(planned=plan.size)
        if plan:
            message = (
                f"{_counted(plan.size, 'session')} of "
                f"{_counted(len(plan.portfolios), 'portfolio')} to compute"
            )
        else:
            message = "nothing to compute: every portfolio is up to date"
        for phase in (VALUATION, ANALYTICS, VERIFY):
            self._record.spend(phase, 0.0, total=plan.size)
        with self._record.transaction("run.plan") as connection:
            if is_first or plan:
                self._record.log(connection, message)
            self._record.save(connection, VALUATION)
            if current.to_advance:
                results.advance_settled(connection, current.to_advance, plan.revision)
        self._record.tell(VALUATION, message)

    def _carry_out(self, current: Round, calendar: Calendar) -> None:
        if current.plan:
            self._team.start()
        symbol_work.note_prices(self._record, current, calendar)
        symbol_work.save_symbols(self._record, current)
        self._delete_surplus(current)
        inputs = current.inputs
        if inputs is None or not inputs.portfolio_ids:
            return
        work = shard_work.ShardWork(self._record, current, inputs, team=self._team)
        work.carry_out(self._in_time(cut_plan(current.plan, inputs.lots_of)))

    def _in_time(self, shards: Iterable[Shard]) -> Iterator[Shard]:
        for shard in shards:
            if shard.is_rebuild and time.monotonic() > self._rebuild_until:
                self._postpone(shard)
            else:
                yield shard

    def _postpone(self, shard: Shard) -> None:
        """Leave a rebuild to the next run: this one has used up its time for them."""
        for portfolio, cells in zip(shard.portfolios, shard.cells, strict=True):
            self._record.failed.setdefault(portfolio, set()).update(ordinal for ordinal, _ in cells)
        with self._record.transaction("run.postpone") as connection:
            message = f"{_counted(shard.size, 'session')} to rebuild are left to the next run"
            self._record.log(connection, message)

    def _delete_surplus(self, current: Round) -> None:
        surplus = {one.portfolio_id: one.surplus for one in current.plan.portfolios if one.surplus}
        if not surplus:
            return
        with self._record.transaction("surplus") as connection:
            counts = delete_surplus(connection, self._record.writing(current), surplus)
            self._record.cells += counts
            self._record.log(
                connection, f"{_counted(counts.deleted, 'snapshot')} that should not exist deleted"
            )
            self._record.save(connection, VALUATION)

    def _finish(self) -> bool:
        faults.point("run.before_finish")
        status = _status(self._record.cells)
        with self._record.database.write("run.finish") as connection:
            runs.hold(connection, self._record.claim)
            if runs.has_unserved_requests(connection, self._record.claim.run_id):
                return False
            for phase in PHASES:
                self._record.save_phase(connection, phase, status="done")
            self._record.log(connection, _summary(status, self._record.cells))
            self._record.save(connection, VALUATION)
            if not runs.end_run(
                connection, self._record.claim.run_id, self._record.claim.fence, status
            ):
                raise LeaseLost(self._record.claim.run_id)
        return True


def _status(cells: CellCounts) -> RunStatus:
    if cells.failed and not cells.computed:
        return RunStatus.FAILED
    if cells.failed or cells.partial:
        return RunStatus.PARTIAL
    return RunStatus.SUCCEEDED


def _summary(status: RunStatus, cells: CellCounts) -> str:
    parts = [f"{_counted(cells.complete, 'session')} complete", f"{cells.partial:,} partial"]
    if cells.failed:
        parts.append(f"{cells.failed:,} failed")
    if cells.deleted:
        parts.append(f"{cells.deleted:,} deleted")
    return f"{status.value}: {', '.join(parts)}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
