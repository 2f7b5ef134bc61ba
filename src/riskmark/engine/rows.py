"""Numbers to rows: arrays of a shard become tuples of driver values, column by column."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from riskmark.calc.arrays import CodeArray, FloatArray, IntArray, Measure, reason_of
from riskmark.domain.measures import SECTION_OF, STORED
from riskmark.domain.reasons import SnapshotState
from riskmark.valuation.numbers import MARK_KINDS, SYMBOL_REASONS, ShardNumbers
from riskmark.valuation.panels import Panel

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every snapshot of a shard says of where it comes from; ``at`` as the driver has it."""

    run_id: str
    at: Any
    inputs_revision: int
    engine_version: int
    settings_hash: str


@dataclass(frozen=True, slots=True)
class ShardRows:
    """The rows of a shard; ``…_cell`` says to which cell each row belongs."""

    portfolios: list[str]
    sessions: list[date]
    states: list[str]
    values: FloatArray
    snapshot: Rows
    position: Rows
    position_cell: IntArray
    exposure: Rows
    exposure_cell: IntArray
    sector: Rows
    sector_cell: IntArray


def shard_rows(
    numbers: ShardNumbers,
    panel: Panel,
    portfolio_ids: Sequence[str],
    *,
    stamp: Stamp,
    text_sessions: bool,
) -> ShardRows:
    """Make the rows of every table; ``text_sessions``: sessions as ISO text (SQLite)."""
    portfolios = [portfolio_ids[place] for place in numbers.portfolio.tolist()]
    sessions = [panel.sessions[k] for k in (numbers.ordinal - panel.first).tolist()]
    bound: list[Any] = [day.isoformat() for day in sessions] if text_sessions else list(sessions)
    states = [
        (SnapshotState.PARTIAL if partial else SnapshotState.COMPLETE).value
        for partial in numbers.partial.tolist()
    ]
    values = np.column_stack([numbers.measures[name].values for name in STORED])
    position_cell = numbers.position_rows.cell
    exposure, exposure_cell = _exposure_rows(numbers, portfolios, bound)
    return ShardRows(
        portfolios=portfolios,
        sessions=sessions,
        states=states,
        values=values,
        snapshot=_snapshot_rows(
            numbers, panel, portfolios, bound, states, values, stamp, text_sessions=text_sessions
        ),
        position=_position_rows(numbers, panel, portfolios, bound),
        position_cell=position_cell,
        exposure=exposure,
        exposure_cell=exposure_cell,
        sector=_sector_rows(numbers, panel, portfolios, bound),
        sector_cell=numbers.sector_rows.cell,
    )


def _snapshot_rows(
    numbers: ShardNumbers,
    panel: Panel,
    portfolios: list[str],
    bound: list[Any],
    states: list[str],
    values: FloatArray,
    stamp: Stamp,
    *,
    text_sessions: bool,
) -> Rows:
    annualized = [None if code < 0 else bool(code) for code in numbers.mwr_annualized.tolist()]
    dates = [
        _session_column(panel, ordinals, as_text=text_sessions)
        for ordinals in (
            numbers.drawdown_peak,
            numbers.drawdown_trough,
            numbers.drawdown_recovery,
        )
    ]
    reasons = _reason_texts(numbers, panel)
    nulls = null_texts(np.column_stack([numbers.measures[name].nulls for name in STORED]))
    windows = [json.dumps({"returns": {"n": n}}) for n in numbers.observations.tolist()]
    tail = (
        stamp.run_id,
        stamp.at,
        stamp.inputs_revision,
        stamp.engine_version,
        stamp.settings_hash,
    )
    return [
        (portfolio, day, state, count, *measures, *rest, *tail)
        for portfolio, day, state, count, measures, *rest in zip(
            portfolios,
            bound,
            states,
            numbers.positions.tolist(),
            _with_none(values),
            annualized,
            *dates,
            reasons,
            nulls,
            windows,
            strict=True,
        )
    ]


def null_texts(nulls: CodeArray) -> list[str]:
    """Write each row of null codes (cells × STORED) as JSON; equal rows share one text."""
    patterns, which = np.unique(nulls, axis=0, return_inverse=True)
    texts = [
        json.dumps(
            {
                f"{SECTION_OF[STORED[k]]}.{STORED[k]}": reason_of(int(pattern[k]))
                for k in np.flatnonzero(pattern)
            }
        )
        for pattern in patterns
    ]
    return [texts[place] for place in which.ravel().tolist()]


def _reason_texts(numbers: ShardNumbers, panel: Panel) -> list[str]:
    found: list[list[dict[str, Any]]] = [[] for _ in range(len(numbers))]
    rows = numbers.reasons
    for cell, column, reason, accepted in zip(
        rows.cell.tolist(),
        rows.column.tolist(),
        rows.reason.tolist(),
        rows.accepted.tolist(),
        strict=True,
    ):
        found[cell].append(
            {
                "symbol": panel.instruments[column].symbol,
                "reason": SYMBOL_REASONS[reason].value,
                "accepted": accepted,
            }
        )
    return [
        json.dumps(sorted(listed, key=lambda one: one["symbol"])) if listed else "[]"
        for listed in found
    ]


def _session_column(panel: Panel, ordinals: IntArray, *, as_text: bool) -> list[Any]:
    sessions = [None if k < 0 else panel.sessions[k - panel.first] for k in ordinals.tolist()]
    if as_text:
        return [None if day is None else day.isoformat() for day in sessions]
    return list(sessions)


def _position_rows(
    numbers: ShardNumbers, panel: Panel, portfolios: list[str], bound: list[Any]
) -> Rows:
    rows = numbers.position_rows
    cells = rows.cell.tolist()
    ids = np.array([one.instrument_id for one in panel.instruments], dtype=np.int64)
    kinds = [*(kind.value for kind in MARK_KINDS), None]  # the last is that of −1
    return list(
        zip(
            [portfolios[cell] for cell in cells],
            [bound[cell] for cell in cells],
            ids[rows.column].tolist(),
            rows.quantity.tolist(),
            _with_none(rows.mark),
            [kinds[code] for code in rows.kind.tolist()],
            [None if age < 0 else age for age in rows.age.tolist()],
            rows.market_value.tolist(),
            _with_none(rows.weight),
            rows.pnl.tolist(),
            _with_none(rows.beta.values),
            _reasons(rows.beta.nulls),
            strict=True,
        )
    )


def _exposure_rows(
    numbers: ShardNumbers, portfolios: list[str], bound: list[Any]
) -> tuple[Rows, IntArray]:
    rows: Rows = []
    cells: list[IntArray] = []
    for model in numbers.exposures:
        for place, factor in enumerate(model.factors):
            columns = [_pick(one, place) for one in (model.exposure, model.money, model.coverage)]
            rows.extend(
                zip(
                    portfolios,
                    bound,
                    [model.model] * len(portfolios),
                    [factor] * len(portfolios),
                    *(part for pair in columns for part in pair),
                    strict=True,
                )
            )
            cells.append(np.arange(len(portfolios)))
    return rows, np.concatenate(cells) if cells else np.zeros(0, dtype=np.int64)


def _pick(measure: Measure, place: int) -> tuple[list[Any], list[Any]]:
    return _with_none(measure.values[:, place]), _reasons(measure.nulls[:, place])


def _sector_rows(
    numbers: ShardNumbers, panel: Panel, portfolios: list[str], bound: list[Any]
) -> Rows:
    rows = numbers.sector_rows
    cells = rows.cell.tolist()
    return list(
        zip(
            [portfolios[cell] for cell in cells],
            [bound[cell] for cell in cells],
            [panel.sectors[code] for code in rows.sector.tolist()],
            _with_none(rows.long),
            _with_none(rows.short),
            _with_none(rows.net),
            _with_none(rows.gross),
            strict=True,
        )
    )


def _with_none(values: FloatArray) -> list[Any]:
    """Return the values as a list (of lists), NaN as None."""
    missing = np.isnan(values)
    if not missing.any():
        found: list[Any] = values.tolist()
        return found
    boxed = values.astype(object)
    boxed[missing] = None
    listed: list[Any] = boxed.tolist()
    return listed


def _reasons(nulls: CodeArray) -> list[str | None]:
    texts = {0: None} | {int(code): str(reason_of(int(code))) for code in np.unique(nulls) if code}
    return [texts[code] for code in nulls.tolist()]
