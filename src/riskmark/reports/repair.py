"""Repair: delete what breaks an invariant, so that the next run computes it again.

Nothing is corrected in place: a snapshot is a pure function of inputs, so whatever is wrong
with one is cured by computing it. What was published is kept as a restatement.
"""

import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert

from riskmark.domain.measures import STORED
from riskmark.reports.violations import Violation
from riskmark.storage import results, schema
from riskmark.storage.key_lists import run_many

REPAIRED_BY = "verify"
"""Stands for the run in a restatement that no run made."""

_NOTHING_TO_DELETE = frozenset({"every_session_has_a_snapshot", "progress_counts_snapshots"})
"""Invariants that are broken by what is not there, or by the count alone."""


class Repaired(NamedTuple):
    """What was deleted, and the live portfolios that a run has to complete."""

    snapshots: int
    portfolios: tuple[str, ...]


def repair(connection: Connection, violations: Iterable[Violation], *, at: datetime) -> Repaired:
    """Delete every cell that a violation names, within the caller's transaction.

    Violations without a cell (of prices) are left alone.
    """
    reasons: dict[results.Cell, str] = {}
    touched: set[str] = set()
    for one in violations:
        if one.portfolio_id is None:
            continue
        touched.add(one.portfolio_id)
        if one.session is not None and one.invariant not in _NOTHING_TO_DELETE:
            reasons.setdefault((one.portfolio_id, one.session), one.invariant)
    progress = results.lock_progress(connection, touched)
    cells = sorted(reasons)
    deleted = _keep_old_values(connection, cells, reasons, at=at)
    results.delete_cells(connection, cells)
    counts = results.count_snapshots(connection, sorted(progress))
    run_many(
        connection,
        "UPDATE portfolio_progress SET snapshots = ? WHERE portfolio_id = ?",
        [(counts.get(key, 0), key) for key in sorted(progress)],
    )
    return Repaired(deleted, tuple(sorted(progress)))


def _keep_old_values(
    connection: Connection,
    cells: list[results.Cell],
    reasons: dict[results.Cell, str],
    *,
    at: datetime,
) -> int:
    """Store a restatement for each snapshot that goes; return how many there are."""
    by_portfolio: dict[str, list[date]] = {}
    for portfolio, session in cells:
        by_portfolio.setdefault(portfolio, []).append(session)
    rows = []
    for portfolio, sessions in by_portfolio.items():
        stored = results.load_stored(connection, [portfolio], min(sessions), max(sessions))
        for session in sessions:
            one = stored.get((portfolio, session))
            if one is not None:
                rows.append(
                    {
                        "portfolio_id": portfolio,
                        "session": session,
                        "reason": f"repair:{reasons[portfolio, session]}",
                        "old_values": _finite_json(one.values),
                        "new_values": None,
                        "run_id": REPAIRED_BY,
                        "at": at,
                    }
                )
    if rows:
        connection.execute(insert(schema.restatement), rows)
    return len(rows)


def _finite_json(values: tuple[float | None, ...]) -> str:
    """Write every value of a snapshot; one that is not finite as text, as JSON has none."""
    written = [
        value if value is None or abs(value) < float("inf") else str(value) for value in values
    ]
    return json.dumps(dict(zip(STORED, written, strict=True)), allow_nan=False)
