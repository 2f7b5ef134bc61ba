"""The shard's transaction: fence, locks, what others did meanwhile, results, progress.

Nothing else writes results. Whatever is written carries the revision at which its inputs
were read, so a number can never hide that it is out of date, and an older run never
overwrites what a newer one wrote.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from sqlalchemy import Connection, insert

from riskmark import faults
from riskmark.calc.arrays import FloatArray
from riskmark.domain.reasons import PlanReason, SnapshotState
from riskmark.domain.runs import CellCounts
from riskmark.engine.restatements import differences, old_values_json, summaries
from riskmark.engine.rows import ShardRows
from riskmark.planning.facts import Version
from riskmark.storage import results, schema
from riskmark.storage.results import Progress, StoredSnapshot


@dataclass(frozen=True, slots=True)
class Writing:
    """What a transaction needs to know of its round.

    ``miscounted`` are portfolios whose progress rows did not say how many snapshots there are.
    """

    run_id: str
    revision: int
    version: Version
    force: bool
    at: datetime
    first_sessions: Mapping[str, date]
    miscounted: frozenset[str] = frozenset()


def save_shard(
    connection: Connection,
    writing: Writing,
    rows: ShardRows,
    reasons: Sequence[PlanReason],
    *,
    finished: Collection[str],
) -> CellCounts:
    """Write a shard's rows; the fence is held already.

    ``reasons`` say why each cell was planned. ``finished`` are the portfolios whose plan
    this shard completes: their progress moves to the round's revision. Returns what was
    written; cells that another run wrote at least as new are left out.
    """
    portfolio_ids = sorted(set(rows.portfolios))
    progress = results.lock_progress(connection, portfolio_ids)
    stored = results.load_stored(connection, portfolio_ids, min(rows.sessions), max(rows.sessions))
    cells = list(zip(rows.portfolios, rows.sessions, strict=True))
    keep = np.array(
        [cell[0] in progress and _may_write(writing, stored.get(cell)) for cell in cells],
        dtype=bool,
    )
    replaced = [k for k in np.flatnonzero(keep).tolist() if cells[k] in stored]
    if replaced:
        _save_restatements(connection, writing, rows, reasons, stored=stored, replaced=replaced)
    kept = np.flatnonzero(keep).tolist()
    results.save_cells(
        connection,
        [cells[k] for k in kept],
        [rows.snapshot[k] for k in kept],
        [rows.pack[k] for k in kept],
    )
    faults.point("shard.written")
    added = [k for k in kept if cells[k] not in stored]
    _save_progress(connection, writing, progress, [cells[k][0] for k in added], finished)
    partial = sum(rows.states[k] == SnapshotState.PARTIAL for k in kept)
    return CellCounts(complete=len(kept) - partial, partial=partial)


def delete_surplus(
    connection: Connection, writing: Writing, surplus: Mapping[str, Sequence[date]]
) -> CellCounts:
    """Delete snapshots that should not exist, and keep what they said as restatements."""
    progress = results.lock_progress(connection, surplus)
    deleted: dict[str, int] = {}
    for portfolio_id in sorted(progress):
        sessions = surplus[portfolio_id]
        stored = results.load_stored(connection, [portfolio_id], min(sessions), max(sessions))
        cells = [
            (portfolio_id, session)
            for session in sessions
            if (one := stored.get((portfolio_id, session))) is not None
            and one.inputs_revision <= writing.revision
        ]
        if cells:
            connection.execute(
                insert(schema.restatement),
                [
                    _restatement(
                        writing,
                        cell,
                        PlanReason.SURPLUS,
                        old_values_json(stored[cell].values),
                        new_values=None,
                    )
                    for cell in cells
                ],
            )
            results.delete_cells(connection, cells)
        results.delete_orphans(connection, portfolio_id)
        deleted[portfolio_id] = len(cells)
    moved = {
        key: Progress(one.snapshots - deleted[key], one.inputs_revision, one.version)
        for key, one in progress.items()
    }
    results.save_progress_rows(connection, moved, writing.first_sessions)
    return CellCounts(deleted=sum(deleted.values()))


def _may_write(writing: Writing, stored: StoredSnapshot | None) -> bool:
    if stored is None:
        return True
    if stored.inputs_revision != writing.revision:
        return stored.inputs_revision < writing.revision
    return writing.force or stored.version != writing.version


def _save_progress(
    connection: Connection,
    writing: Writing,
    progress: Mapping[str, Progress],
    added: Sequence[str],
    finished: Collection[str],
) -> None:
    counts = {key: one.snapshots for key, one in progress.items()}
    for key in added:
        counts[key] += 1
    miscounted = writing.miscounted & progress.keys()
    if miscounted:
        counts |= results.count_snapshots(connection, miscounted)
    moved = {}
    for key, one in progress.items():
        is_finished = key in finished and one.inputs_revision <= writing.revision
        moved[key] = Progress(
            counts[key],
            writing.revision if is_finished else one.inputs_revision,
            writing.version if is_finished else one.version,
        )
    results.save_progress_rows(connection, moved, writing.first_sessions)


def _save_restatements(
    connection: Connection,
    writing: Writing,
    rows: ShardRows,
    reasons: Sequence[PlanReason],
    *,
    stored: Mapping[results.Cell, StoredSnapshot],
    replaced: Sequence[int],
) -> None:
    cells = [(rows.portfolios[k], rows.sessions[k]) for k in replaced]
    old = np.array([stored[cell].values for cell in cells], dtype=np.float64)
    new = rows.values[list(replaced)]
    summarised = (PlanReason.ENGINE, PlanReason.SETTINGS)
    rebuilt = np.array([reasons[k] in summarised for k in replaced], dtype=bool)
    for reason in summarised:
        chosen = np.array([reasons[k] is reason for k in replaced], dtype=bool)
        if chosen.any():
            _add_summaries(connection, writing, reason, old[chosen], new[chosen])
    places = [int(k) for k in np.flatnonzero(~rebuilt)]
    found = differences(
        old[places],
        new[places],
        [stored[cells[k]].state for k in places],
        [rows.states[replaced[k]] for k in places],
    )
    if found:
        connection.execute(
            insert(schema.restatement),
            [
                _restatement(
                    writing,
                    cells[places[one.place]],
                    reasons[replaced[places[one.place]]],
                    one.old_values,
                    new_values=one.new_values,
                )
                for one in found
            ],
        )


def _restatement(
    writing: Writing,
    cell: results.Cell,
    reason: PlanReason,
    old_values: str,
    *,
    new_values: str | None,
) -> dict[str, object]:
    return {
        "portfolio_id": cell[0],
        "session": cell[1],
        "reason": reason,
        "old_values": old_values,
        "new_values": new_values,
        "run_id": writing.run_id,
        "at": writing.at,
    }


def _add_summaries(
    connection: Connection,
    writing: Writing,
    reason: PlanReason,
    old: FloatArray,
    new: FloatArray,
) -> None:
    results.add_summaries(
        connection,
        writing.run_id,
        reason,
        [(one.measure, one.snapshots, one.largest_change) for one in summaries(old, new)],
    )
