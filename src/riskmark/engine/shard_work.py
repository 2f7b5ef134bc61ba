"""Carrying out shards: compute without a database, check, write in one transaction.

The one catch-all of Riskmark is here: whatever goes wrong in the arithmetic of a shard
becomes a record, never a number. A shard of several portfolios that fails is retried one
portfolio at a time, last, so that only the guilty one stays without numbers.
"""

import time
import traceback
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, insert

from riskmark import faults
from riskmark.calc.accounting import Books, Flows
from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.calc.lots import Lots
from riskmark.calc.model_fits import ModelFits, fit_model
from riskmark.domain.reasons import PlanReason
from riskmark.domain.runs import ANALYTICS, SYMBOL_FACTORS, VALUATION, VERIFY, CellCounts
from riskmark.engine.recorder import Recorder
from riskmark.engine.rounds import Round, held_columns, market_returns
from riskmark.engine.rows import ShardRows, Stamp, shard_rows
from riskmark.engine.shards import Shard
from riskmark.engine.writing import save_shard
from riskmark.storage import schema
from riskmark.valuation.analytics import analyse
from riskmark.valuation.checks import violations
from riskmark.valuation.factors import SessionFactors, session_factors
from riskmark.valuation.holdings import BookArrays
from riskmark.valuation.panels import Panel
from riskmark.valuation.shard import ShardInputs, value

MAX_DETAIL = 8_000
"""Characters of a traceback that are kept."""


@dataclass(frozen=True, slots=True)
class _Computed:
    rows: ShardRows
    reasons: list[PlanReason]
    violations: dict[str, str]


class ShardWork:
    """Carries out the shards of one round."""

    def __init__(self, record: Recorder, current: Round, panel: Panel, books: BookArrays) -> None:
        self._record = record
        self._round = current
        self._panel = panel
        self._books = books
        self._place = {key: index for index, key in enumerate(current.portfolio_ids)}
        self._fits = _FitCache(record, panel, held_columns(books))
        self._market = market_returns(panel, record.settings)
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
        inputs = self._inputs(shard)
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

    def _inputs(self, shard: Shard) -> ShardInputs:
        places = np.array([self._place[key] for key in shard.portfolios], dtype=np.int64)
        rows = range(shard.first - self._panel.first, shard.last - self._panel.first + 1)
        chosen = _ranges(self._books.lot_start, places)
        flows = _ranges(self._books.flow_start, places)
        owner = np.repeat(np.arange(places.size), _sizes(self._books.lot_start, places))
        flow_owner = np.repeat(np.arange(places.size), _sizes(self._books.flow_start, places))
        columns, instrument = np.unique(self._books.lots.instrument[chosen], return_inverse=True)
        first = shard.first
        planned = np.zeros((places.size, len(rows)), dtype=bool)
        for index, cells in enumerate(shard.cells):
            planned[index, [ordinal - first for ordinal, _ in cells]] = True
        books = self._books.books
        return ShardInputs(
            panel=self._panel,
            columns=columns,
            rows=rows,
            planned=planned,
            books=Books(books.first_row[places], books.opening_equity[places]),
            lots=Lots._make(part[chosen] for part in self._books.lots)._replace(
                portfolio=owner, instrument=instrument
            ),
            flows=Flows._make(part[flows] for part in self._books.flows)._replace(
                portfolio=flow_owner
            ),
            fits=self._fits.of(rows, columns),
            market=self._market,
            factors=self._fits.factors(rows),
            risk_free=self._record.settings.risk_free,
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
        with self._record.transaction() as connection:
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
        faults.point("shard.committed")
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
        with self._record.transaction() as connection:
            self._record.log(connection, message, phase=VALUATION, level="warning")

    def _fail(self, shard: Shard, reason: str, detail: str) -> None:
        """Record that a portfolio's cells failed; they are not planned again in this record."""
        (portfolio,), (cells,) = shard.portfolios, shard.cells
        sessions = self._panel.sessions
        self._record.failed.setdefault(portfolio, set()).update(ordinal for ordinal, _ in cells)
        self._record.cells += CellCounts(failed=len(cells))
        with self._record.transaction() as connection:
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


class _FitCache:
    """Factor fits of the held instruments, made once for shards on the same sessions."""

    def __init__(self, record: Recorder, panel: Panel, columns: IntArray) -> None:
        self._panel = panel
        self._columns = columns
        self._settings = record.settings
        self._models = record.settings.factor_model
        self._rows = range(0)
        self._factors: dict[range, SessionFactors] = {}
        self._fits: dict[str, ModelFits] = {}

    def factors(self, rows: range) -> SessionFactors:
        """Return the factors, measured for ``rows``."""
        if rows not in self._factors:
            self._factors = {rows: session_factors(self._panel, self._settings, rows=rows)}
        return self._factors[rows]

    def of(self, rows: range, columns: IntArray) -> dict[str, ModelFits]:
        """Return the fits of every model for ``rows`` and panel ``columns``."""
        if rows != self._rows:
            # One symbol with absurd prices must not take the fits of all others with it.
            with np.errstate(over="ignore", invalid="ignore"):
                self._fits = {
                    model.name: fit_model(
                        _take(self._panel.marks.returns, self._columns),
                        self._panel.factor_returns(model),
                        model=model,
                        rows=rows,
                        risk_free=self._panel.risk_free(model),
                    )
                    for model in self._models
                }
            self._rows = rows
        places = np.searchsorted(self._columns, columns)
        if places.size == self._columns.size:
            return dict(self._fits)
        return {name: fits.of(places) for name, fits in self._fits.items()}


def _take(values: FloatArray, columns: IntArray) -> FloatArray:
    return values if columns.size == values.shape[1] else values[:, columns]


def _sizes(starts: IntArray, places: IntArray) -> IntArray:
    found: IntArray = starts[places + 1] - starts[places]
    return found


def _ranges(starts: IntArray, places: IntArray) -> IntArray:
    """Return the places of all entries of some portfolios, one portfolio after another."""
    sizes = _sizes(starts, places)
    offsets = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    found: IntArray = np.repeat(starts[places], sizes) + offsets
    return found
