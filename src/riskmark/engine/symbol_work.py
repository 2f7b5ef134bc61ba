"""The symbol phases: what is stored of prices, and the newest numbers of each symbol."""

import time
from itertools import repeat
from math import isfinite
from typing import Any, TypeAlias

import numpy as np

from riskmark import faults
from riskmark.calc.arrays import FloatArray, IntArray, reason_of
from riskmark.calc.model_fits import detail_model, fit_model
from riskmark.domain.factor_models import FactorModel
from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.reasons import STALE_AFTER, FitQuality, MarkKind, SymbolReason
from riskmark.domain.runs import PRICES, STORED, SYMBOL_FACTORS, SYMBOL_METRICS
from riskmark.domain.sessions import Calendar
from riskmark.engine import standing_gaps
from riskmark.engine.recorder import Recorder
from riskmark.engine.rounds import Round
from riskmark.storage import schema
from riskmark.storage.engines import write_rows
from riskmark.storage.ledger import lock_instruments
from riskmark.storage.lines import pack_columns
from riskmark.storage.packs import save_packs
from riskmark.storage.runs import UnavailableSymbol
from riskmark.valuation.inputs import with_underlyings
from riskmark.valuation.panels import Panel

Lines: TypeAlias = list[tuple[Any, ...]]

YEAR = 252

_FIT_COLUMNS = ("instrument_id", "session", "fits")
_METRIC_COLUMNS = (
    "instrument_id",
    "session",
    "data_revision",
    "settings_hash",
    "close",
    "mark_kind",
    "mark_age",
    "return",
    "vol_21",
    "vol_63",
    "vol_252",
    "high_252",
    "low_252",
    "observed_252",
)


def note_prices(record: Recorder, current: Round, calendar: Calendar) -> None:
    """Record which symbols the plan needs, which of them lack a close, and why; keep packs."""
    panel = current.inputs.panel if current.inputs is not None else None
    if panel is None:
        return
    started = time.perf_counter()
    needed = _needed(record, current, panel)
    unavailable = _unavailable(panel, needed)
    faults.point("prices.read")
    with record.transaction("prices.note") as connection:
        if panel.rebuilt:
            save_packs(connection, calendar, panel.rebuilt)
        standing_gaps.note(record, connection, unavailable, size=len(needed), started=started)
    record.tell(PRICES)


def _needed(record: Recorder, current: Round, panel: Panel) -> list[int]:
    """Return the columns of the symbols held in a planned cell or later, and of the factors.

    An option needs the closes of its underlying, and none of its own.
    """
    found = {
        panel.symbol_column[symbol]
        for symbol in record.settings.factor_symbols
        if symbol in panel.symbol_column
    }
    planned = [one.cells[0][0] for one in current.plan.portfolios if one.cells]
    if current.inputs is not None and planned:
        lots = current.inputs.books.lots
        held = lots.exit_row > min(planned) - panel.first
        found.update(with_underlyings(panel, lots.instrument[held]).tolist())
    return sorted(
        column
        for column in found
        if not panel.manual[column] and panel.instruments[column].kind is not InstrumentKind.OPTION
    )


def _unavailable(panel: Panel, columns: list[int]) -> list[UnavailableSymbol]:
    found = []
    last = len(panel.sessions) - 1
    for column in columns:
        one = panel.instruments[column]
        age = int(panel.marks.age[-1, column])
        if age == 0 and not panel.cost_only[column]:
            continue
        if one.is_foreign:
            reason, detail = SymbolReason.FOREIGN_CURRENCY, "its prices are in another currency"
        elif panel.quarantine_row[column] <= last:
            since = panel.sessions[int(panel.quarantine_row[column])]
            reason, detail = SymbolReason.QUARANTINED, f"bars from {since} on are in quarantine"
        elif age < 0:
            reason, detail = SymbolReason.NEVER_PRICED, "no close is stored"
        else:
            reason = SymbolReason.CARRIED if age <= STALE_AFTER else SymbolReason.STALE
            detail = f"the last close is of {panel.sessions[last - age]}, {age} sessions ago"
        if one.is_accepted:
            detail += " (accepted)"
        found.append(UnavailableSymbol(one.symbol, STORED, reason, detail))
    return sorted(found, key=lambda one: one.symbol)


def save_symbols(record: Recorder, current: Round) -> None:
    """Compute and store the newest fits and metrics of the symbols that are due."""
    if current.inputs is None or not current.symbols_due:
        return
    panel = current.inputs.panel
    columns = np.array([panel.column_of[key] for key in current.symbols_due], dtype=np.int64)
    session = _bound_session(record, panel)
    started = time.perf_counter()
    lines: list[Lines] = []
    # One symbol with absurd prices must not stop the others; what overflows becomes null.
    with np.errstate(over="ignore", invalid="ignore"):
        for model in record.settings.factor_model:
            lines.extend(_fit_lines(panel, columns, model))
        fitted = time.perf_counter()
        metrics = _metric_rows(
            panel,
            columns,
            session,
            revision=current.plan.revision,
            settings_hash=record.settings.numbers_hash,
        )
    measured = time.perf_counter()
    faults.point("symbols.computed")
    with record.transaction("symbols") as connection:
        # Runs of other scopes have symbols in common with this one: they take turns.
        lock_instruments(connection, current.symbols_due)
        packs = pack_columns(lines, count=len(columns))
        fits = zip(current.symbols_due, repeat(session), packs, strict=False)
        write_rows(connection, schema.fit_pack, _FIT_COLUMNS, fits, replace=True)
        write_rows(connection, schema.symbol_metric, _METRIC_COLUMNS, metrics, replace=True)
        size = len(current.symbols_due)
        record.spend(SYMBOL_FACTORS, fitted - started, done=size, total=size)
        record.spend(SYMBOL_METRICS, measured - fitted, done=size, total=size)
        for phase in (SYMBOL_FACTORS, SYMBOL_METRICS):
            record.save_phase(connection, phase)
        record.save(connection, SYMBOL_METRICS)
    record.tell(SYMBOL_METRICS)


def _bound_session(record: Recorder, panel: Panel) -> Any:
    session = panel.sessions[-1]
    return session.isoformat() if record.database.is_sqlite else session


def _fit_lines(panel: Panel, columns: IntArray, model: FactorModel) -> list[Lines]:
    """Return, for each factor, a line of each symbol."""
    last = len(panel.sessions) - 1
    returns, factors = panel.marks.returns[:, columns], panel.factor_returns(model)
    risk_free = panel.risk_free(model)
    last_row = range(last, last + 1)
    fits = fit_model(returns, factors, model=model, rows=last_row, risk_free=risk_free)
    details = detail_model(returns, factors, fits, row=last, risk_free=risk_free)
    found: list[Lines] = []
    for index, factor in enumerate(model.factors):
        part, inside = fits.part_of(index)
        n = part.n[0].tolist()
        reasons = [reason_of(code) for code in part.nulls[0].tolist()]
        quality = [
            None if reason else FitQuality.FULL if count == model.window else FitQuality.LIMITED
            for reason, count in zip(reasons, n, strict=True)
        ]
        numbers = (
            part.alpha[0],
            part.beta[0, :, inside],
            part.stderr[0, :, inside],
            part.r2[0],
            part.residual_sd[0],
        )
        more = (details.stderr_hac[:, index], details.vif[:, index])
        line = zip(
            repeat(model.name),
            repeat(factor.name),
            n,
            *(one.tolist() for one in numbers),
            quality,
            reasons,
            *(one.tolist() for one in more),
            strict=False,
        )
        found.append(list(line))
    return found


def _metric_rows(
    panel: Panel, columns: IntArray, session: Any, *, revision: int, settings_hash: str
) -> list[tuple[Any, ...]]:
    marks = panel.marks
    returns = marks.returns[-YEAR:, columns]
    index = marks.split_index[-YEAR:, columns]
    closes = np.where(marks.age[-YEAR:, columns] == 0, marks.mark[-YEAR:, columns], np.nan)
    comparable = closes * index / index[-1]
    observed = np.isfinite(comparable).sum(axis=0)
    some = observed > 0
    high = np.where(some, np.nanmax(np.where(some, comparable, 0.0), axis=0), np.nan)
    low = np.where(some, np.nanmin(np.where(some, comparable, 0.0), axis=0), np.nan)
    volatility = [_volatility(returns, n) for n in (21, 63, YEAR)]
    rows = []
    for place, column in enumerate(columns.tolist()):
        age = int(marks.age[-1, column])
        rows.append(
            (
                panel.instruments[column].instrument_id,
                session,
                revision,
                settings_hash,
                _number(marks.mark[-1, column]),
                _mark_kind(age).value,
                None if age < 0 else age,
                _number(returns[-1, place]),
                *(_number(one[place]) for one in volatility),
                _number(high[place]),
                _number(low[place]),
                int(observed[place]),
            )
        )
    return rows


def _volatility(returns: FloatArray, n: int) -> FloatArray:
    """Return the annual volatility of the last n returns of each column; all are needed."""
    if len(returns) < n:
        return np.full(returns.shape[1], np.nan)
    tail = returns[-n:]
    found: FloatArray = np.std(tail, axis=0, ddof=1) * np.sqrt(YEAR)
    return found


def _mark_kind(age: int) -> MarkKind:
    if age < 0:
        return MarkKind.COST
    if age == 0:
        return MarkKind.CLOSE
    return MarkKind.CARRIED if age <= STALE_AFTER else MarkKind.STALE


def _numbers(values: FloatArray) -> list[float | None]:
    return [_number(value) for value in values.tolist()]


def _number(value: float) -> float | None:
    return float(value) if isfinite(value) else None
