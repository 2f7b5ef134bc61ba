"""Numbers to rows: arrays of a shard become tuples of driver values, column by column."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import repeat
from typing import Any

import numpy as np

from riskmark.calc.arrays import CodeArray, FloatArray, IntArray, Measure, reason_of
from riskmark.domain.measures import SECTION_OF, STORED
from riskmark.domain.reasons import SnapshotState
from riskmark.storage.lines import pack_by_cell, pack_columns
from riskmark.valuation.numbers import MARK_KINDS, SYMBOL_REASONS, OptionRows, ShardNumbers
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
    """The rows of a shard's cells: the snapshots, and the packs of the lines beside them."""

    portfolios: list[str]
    sessions: list[date]
    states: list[str]
    values: FloatArray
    snapshot: Rows
    pack: Rows


@dataclass(frozen=True, slots=True)
class _Cells:
    """Portfolio and session of each cell, the sessions as the driver has them."""

    portfolios: list[str]
    bound: list[Any]
    as_text: bool


def shard_rows(
    numbers: ShardNumbers,
    panel: Panel,
    portfolio_ids: Sequence[str],
    *,
    stamp: Stamp,
    text_sessions: bool,
) -> ShardRows:
    """Make the rows of every table; ``text_sessions``: sessions as ISO text (SQLite)."""
    sessions = [panel.sessions[k] for k in (numbers.ordinal - panel.first).tolist()]
    cells = _Cells(
        portfolios=[portfolio_ids[place] for place in numbers.portfolio.tolist()],
        bound=[day.isoformat() for day in sessions] if text_sessions else list(sessions),
        as_text=text_sessions,
    )
    states = [
        (SnapshotState.PARTIAL if partial else SnapshotState.COMPLETE).value
        for partial in numbers.partial.tolist()
    ]
    values = np.column_stack([numbers.measures[name].values for name in STORED])
    heads = list(
        zip(
            cells.portfolios,
            cells.bound,
            states,
            numbers.positions.tolist(),
            _with_none(values),
            strict=True,
        )
    )
    return ShardRows(
        portfolios=cells.portfolios,
        sessions=sessions,
        states=states,
        values=values,
        snapshot=_snapshot_rows(numbers, panel, cells, heads=heads, stamp=stamp),
        pack=list(
            zip(
                cells.portfolios,
                cells.bound,
                _positions(numbers, panel),
                _exposures(numbers),
                _stress(numbers),
                _sectors(numbers, panel),
                strict=True,
            )
        ),
    )


def _snapshot_rows(
    numbers: ShardNumbers, panel: Panel, cells: _Cells, *, heads: list[Any], stamp: Stamp
) -> Rows:
    annualized = [None if code < 0 else bool(code) for code in numbers.mwr_annualized.tolist()]
    dates = [
        _session_column(panel, ordinals, as_text=cells.as_text)
        for ordinals in (
            numbers.drawdown_peak,
            numbers.drawdown_trough,
            numbers.drawdown_recovery,
        )
    ]
    reasons = _reason_texts(numbers, panel)
    nulls = null_texts(np.column_stack([numbers.measures[name].nulls for name in STORED]))
    windows = [
        json.dumps({"returns": {"n": n}, "beta": {"n": fewest or None}})
        for n, fewest in zip(
            numbers.observations.tolist(), numbers.beta_observations.tolist(), strict=True
        )
    ]
    tail = (
        stamp.run_id,
        stamp.at,
        stamp.inputs_revision,
        stamp.engine_version,
        stamp.settings_hash,
    )
    return [
        (portfolio, day, state, count, *measures, *rest, *tail)
        for (portfolio, day, state, count, measures), *rest in zip(
            heads, annualized, *dates, reasons, nulls, windows, strict=True
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


def _positions(numbers: ShardNumbers, panel: Panel) -> Iterator[str]:
    rows = numbers.position_rows
    ids = np.array([one.instrument_id for one in panel.instruments], dtype=np.int64)
    kinds = [*(kind.value for kind in MARK_KINDS), None]  # the last is that of −1
    lines: list[tuple[Any, ...]] = list(
        zip(
            ids[rows.column].tolist(),
            rows.quantity.tolist(),
            rows.mark.tolist(),
            [kinds[code] for code in rows.kind.tolist()],
            [None if age < 0 else age for age in rows.age.tolist()],
            rows.market_value.tolist(),
            rows.weight.tolist(),
            rows.pnl.tolist(),
            rows.beta.values.tolist(),
            _reasons(rows.beta.nulls),
            rows.component_es_95.values.tolist(),
            _reasons(rows.component_es_95.nulls),
            strict=True,
        )
    )
    if rows.options is not None:
        added = _options(rows.options, ids)
        for place, more in zip(rows.options.position.tolist(), added, strict=True):
            lines[place] += more
    return pack_by_cell(lines, rows.cell, count=len(numbers))


def _options(rows: OptionRows, ids: IntArray) -> Iterator[tuple[Any, ...]]:
    """Return what the lines of options go on with."""
    columns = (
        [None if column < 0 else int(ids[column]) for column in rows.booked_to.tolist()],
        *(
            part.tolist()
            for part in (rows.exposure, rows.units, rows.spot, rows.volatility, *rows.greeks)
        ),
        _reasons(rows.nulls),
        rows.implied.values.tolist(),
        _reasons(rows.implied.nulls),
    )
    return zip(*columns, strict=True)


def _exposures(numbers: ShardNumbers) -> list[str]:
    columns = []
    for model in numbers.exposures:
        for place, factor in enumerate(model.factors):
            parts = (model.exposure, model.money, model.stderr, model.coverage, model.risk_share)
            pairs = [part for one in parts for part in _pick(one, place)]
            columns.append(list(zip(repeat(model.model), repeat(factor), *pairs)))
    return pack_columns(columns, count=len(numbers))


def _stress(numbers: ShardNumbers) -> list[str]:
    found = numbers.stress
    columns = []
    for place, scenario in enumerate(found.scenarios):
        pairs = [part for one in (found.direct, found.predictive) for part in _pick(one, place)]
        if found.beyond_delta is not None:
            pairs.append(_with_none(found.beyond_delta[:, place]))
        columns.append(list(zip(repeat(scenario), *pairs)))
    return pack_columns(columns, count=len(numbers))


def _pick(measure: Measure, place: int) -> tuple[list[Any], list[Any]]:
    return measure.values[:, place].tolist(), _reasons(measure.nulls[:, place])


def _sectors(numbers: ShardNumbers, panel: Panel) -> Iterator[str]:
    rows = numbers.sector_rows
    names = [panel.sectors[code] for code in rows.sector.tolist()]
    parts = (rows.long, rows.short, rows.net, rows.gross)
    lines = list(zip(names, *(part.tolist() for part in parts), strict=True))
    return pack_by_cell(lines, rows.cell, count=len(numbers))


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
