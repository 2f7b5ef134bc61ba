"""Carrying out the shards of a round: handed to whoever computes, written by this process.

While one shard is written others are computed, where there is more than one process. A shard
of several portfolios that fails, or over which a worker dies, is retried one portfolio at a
time, last, so that only the guilty one stays without numbers.
"""

import time
import uuid
from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection, insert

from riskmark import faults
from riskmark.domain.runs import ANALYTICS, SYMBOL_FACTORS, VALUATION, VERIFY, CellCounts
from riskmark.engine.compute import Lost, Team
from riskmark.engine.recorder import Recorder
from riskmark.engine.rounds import Round
from riskmark.engine.rows import Stamp
from riskmark.engine.shard_compute import Computed, Failed, ShardTask, Shared
from riskmark.engine.shards import Shard
from riskmark.engine.writing import save_shard
from riskmark.storage import schema
from riskmark.valuation.inputs import BookCutter, Inputs, with_underlyings

CRASHED = "crashed"
"""Why cells failed whose worker died twice over them."""


class ShardWork:
    """Carries out the shards of one round."""

    def __init__(self, record: Recorder, current: Round, inputs: Inputs, *, team: Team) -> None:
        self._record = record
        self._round = current
        self._team = team
        self._panel = inputs.panel
        self._books = BookCutter(inputs)
        self._shared = Shared(
            key=uuid.uuid4().hex,
            panel=replace(inputs.panel, rebuilt=()),
            columns=with_underlyings(inputs.panel, inputs.books.lots.instrument),
            settings=record.settings,
            text_sessions=record.database.is_sqlite,
        )
        self._left = {one.portfolio_id: len(one.cells) for one in current.plan.portfolios}
        self._complete = {one.portfolio_id for one in current.plan.portfolios if one.is_complete}

    def carry_out(self, shards: Iterable[Shard]) -> None:
        """Compute and write the shards, and then once more, in pieces, those that failed."""
        retried: list[Shard] = []
        with self._team.sharing(self._shared) as workers:
            for shard, answer in workers.each(shards, self._task_of, check=self._record.check):
                if isinstance(answer, Computed) and not answer.violations:
                    self._write(shard, answer)
                elif isinstance(answer, Lost) or len(shard.portfolios) > 1:
                    self._note_retry(shard, answer)
                    retried.extend(shard.split())
                else:
                    self._fail(shard, answer)
            for shard, answer in workers.each(retried, self._task_of, check=self._record.check):
                if isinstance(answer, Computed) and not answer.violations:
                    self._write(shard, answer)
                else:
                    self._fail(shard, answer)

    def _task_of(self, shard: Shard) -> ShardTask:
        faults.point("shard.read")
        stamp = Stamp(
            run_id=self._record.claim.run_id,
            at=self._record.bound_now(),
            inputs_revision=self._round.plan.revision,
            engine_version=self._round.version.engine,
            settings_hash=self._round.version.settings,
        )
        books = self._books.cut(shard.portfolios)
        return ShardTask(shard.portfolios, shard.ordinals, books, stamp)

    def _write(self, shard: Shard, computed: Computed) -> None:
        faults.point("shard.computed")
        for phase, seconds in computed.seconds:
            self._record.spend(phase, seconds)
        left = {
            portfolio: self._left[portfolio] - len(cells)
            for portfolio, cells in zip(shard.portfolios, shard.cells, strict=True)
        }
        finished = {
            portfolio
            for portfolio, count in left.items()
            if count == 0 and portfolio in self._complete
        }
        started = time.perf_counter()
        with self._record.transaction("shard") as connection:
            counts = save_shard(
                connection,
                self._record.writing(self._round),
                computed.rows,
                [reason for cells in shard.cells for _, reason in cells],
                finished=finished,
            )
            self._record.cells += counts
            for phase in (VALUATION, ANALYTICS, VERIFY):
                self._record.spend(phase, 0.0, done=shard.size)
            self._record.spend(VALUATION, time.perf_counter() - started)
            self._save(connection)
        self._left.update(left)
        self._record.tell(VALUATION)

    def _save(self, connection: Connection) -> None:
        for phase in (SYMBOL_FACTORS, VALUATION, ANALYTICS, VERIFY):
            self._record.save_phase(connection, phase)
        self._record.save(connection, VALUATION)

    def _note_retry(self, shard: Shard, answer: Computed | Failed | Lost) -> None:
        """Say why a shard is tried again; what a violation is, its portfolio alone will say."""
        if isinstance(answer, Computed):
            return
        of = f"a shard of {len(shard.portfolios)} portfolios"
        if isinstance(answer, Failed):
            message = f"{answer.reason.partition(':')[0]} in {of}: tried again one by one"
        else:
            message = f"a worker died over {of}: tried again one by one"
        with self._record.transaction("shard.split") as connection:
            self._record.log(connection, message, phase=VALUATION, level="warning")

    def _fail(self, shard: Shard, answer: Computed | Failed | Lost) -> None:
        """Record that a portfolio's cells failed; they are not planned again in this record."""
        (portfolio,), (cells,) = shard.portfolios, shard.cells
        reason, detail = _reason_of(answer, portfolio)
        sessions = self._panel.sessions
        self._record.failed.setdefault(portfolio, set()).update(ordinal for ordinal, _ in cells)
        self._record.cells += CellCounts(failed=len(cells))
        with self._record.transaction("shard.fail") as connection:
            connection.execute(
                insert(schema.run_failure).values(
                    run_id=self._record.claim.run_id,
                    portfolio_id=portfolio,
                    from_session=sessions[cells[0][0] - self._panel.first],
                    to_session=sessions[cells[-1][0] - self._panel.first],
                    cells=len(cells),
                    reason=reason,
                    detail=detail,
                )
            )
            name = self._record.name_of(self._round, portfolio)
            self._record.log(
                connection,
                f"{name}: {len(cells):,} sessions failed: {reason}",
                phase=VALUATION,
                level="error",
            )
            self._save(connection)


def _reason_of(answer: Computed | Failed | Lost, portfolio: str) -> tuple[str, str]:
    """Return why there are no numbers, and what more there is to say of it."""
    if isinstance(answer, Computed):
        return f"invariant:{answer.violations[portfolio]}", ""
    if isinstance(answer, Lost):
        return CRASHED, f"the process that computed it died, twice: {answer.reason}"
    return answer.reason, answer.detail
