"""Carrying out shards: compute without a database, check, write in one transaction.

The one catch-all of Riskmark is here: whatever goes wrong in the arithmetic of a shard
becomes a record, never a number. A shard of several portfolios that fails is retried one
portfolio at a time, last, so that only the guilty one stays without numbers.
"""

import time
import traceback
from dataclasses import dataclass

from sqlalchemy import Connection, insert

from riskmark import faults
from riskmark.domain.reasons import PlanReason
from riskmark.domain.runs import ANALYTICS, SYMBOL_FACTORS, VALUATION, VERIFY, CellCounts
from riskmark.engine.recorder import Recorder
from riskmark.engine.rounds import Round
from riskmark.engine.rows import ShardRows, Stamp, shard_rows
from riskmark.engine.shards import Shard
from riskmark.engine.writing import save_shard
from riskmark.storage import schema
from riskmark.valuation.analytics import analyse
from riskmark.valuation.checks import violations
from riskmark.valuation.inputs import InputCutter, Inputs
from riskmark.valuation.shard import value

MAX_DETAIL = 8_000
"""Characters of a traceback that are kept."""


@dataclass(frozen=True, slots=True)
class _Computed:
    rows: ShardRows
    reasons: list[PlanReason]
    violations: dict[str, str]


class ShardWork:
    """Carries out the shards of one round."""

    def __init__(self, record: Recorder, current: Round, inputs: Inputs) -> None:
        self._record = record
        self._round = current
        self._panel = inputs.panel
        self._cutter = InputCutter(inputs, record.settings)
        self._left = {one.portfolio_id: len(one.cells) for one in current.plan.portfolios}
        self._complete = {one.portfolio_id for one in current.plan.portfolios if one.is_complete}

    def carry_out(self, shard: Shard) -> tuple[Shard, ...]:
        """Compute and write a shard; return the pieces of it that should be tried again."""
        faults.point("shard.read")
        try:
            computed = self._compute(shard)
        except Exception as error:  # noqa: BLE001 - the one place where anything becomes a record
            if len(shard.portfolios) > 1:
                self._note_split(shard, error)
                return shard.split()
            detail = "".join(traceback.format_exception(error))[-MAX_DETAIL:]
            self._fail(shard, f"{type(error).__name__}: {error}", detail)
            return ()
        if computed.violations and len(shard.portfolios) > 1:
            return shard.split()
        if computed.violations:
            self._fail(shard, f"invariant:{computed.violations[shard.portfolios[0]]}", "")
            return ()
        faults.point("shard.computed")
        self._write(shard, computed)
        return ()

    def _compute(self, shard: Shard) -> _Computed:
        started = time.perf_counter()
        inputs = self._cutter.cut(shard.portfolios, shard.ordinals)
        fitted = time.perf_counter()
        valued = value(inputs)
        done = time.perf_counter()
        numbers = analyse(inputs, valued)
        analysed = time.perf_counter()
        broken = violations(inputs, valued, numbers)
        stamp = Stamp(
            run_id=self._record.claim.run_id,
            at=self._record.bound_now(),
            inputs_revision=self._round.plan.revision,
            engine_version=self._round.version.engine,
            settings_hash=self._round.version.settings,
        )
        rows = shard_rows(
            numbers,
            self._panel,
            shard.portfolios,
            stamp=stamp,
            text_sessions=self._record.database.is_sqlite,
        )
        verified = time.perf_counter()
        self._record.spend(SYMBOL_FACTORS, fitted - started)
        self._record.spend(VALUATION, done - fitted)
        self._record.spend(ANALYTICS, analysed - done)
        self._record.spend(VERIFY, verified - analysed)
        reasons = [reason for cells in shard.cells for _, reason in cells]
        return _Computed(
            rows, reasons, {shard.portfolios[place]: name for place, name in broken.items()}
        )

    def _write(self, shard: Shard, computed: _Computed) -> None:
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
                computed.reasons,
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

    def _note_split(self, shard: Shard, error: Exception) -> None:
        message = (
            f"{type(error).__name__} in a shard of {len(shard.portfolios)} portfolios: "
            "tried again one by one"
        )
        with self._record.transaction("shard.split") as connection:
            self._record.log(connection, message, phase=VALUATION, level="warning")

    def _fail(self, shard: Shard, reason: str, detail: str) -> None:
        """Record that a portfolio's cells failed; they are not planned again in this record."""
        (portfolio,), (cells,) = shard.portfolios, shard.cells
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
