"""What all runs add up to, kept when their rows are not: added where a run ends.

The additions are part of the transaction that ends the run, so a run counts once, and no
process has to be asked. Rows are written in the order of their keys: two runs that end at
once wait for each other, and never in a circle.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, func, select, text

from riskmark.storage import schema

RUNS, CELLS, ANSWERS, SYMBOLS, TAKE_OVERS, PHASE_RUNS, PHASE_SECONDS = (
    "runs",
    "cells",
    "answers",
    "symbols",
    "take_overs",
    "phase_runs",
    "phase_seconds",
)
PHASE_BUCKETS_S = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
"""Upper bounds of the classes in which phases' durations are counted."""
BEYOND = "+Inf"


class Total(NamedTuple):
    """The name of a total: what is counted, and by what."""

    measure: str
    label: str
    second: str = ""


def add_run(connection: Connection, run_id: str) -> None:
    """Add a run that has just ended to the totals."""
    additions = {
        **_of_run(connection, run_id),
        **_of_answers(connection, run_id),
        **_of_phases(connection, run_id),
    }
    rows = [
        {"measure": total.measure, "label": total.label, "second": total.second, "value": value}
        for total, value in sorted(additions.items())
        if value
    ]
    statement = text(
        "INSERT INTO run_total (measure, label, second, value) "
        "VALUES (:measure, :label, :second, :value) ON CONFLICT (measure, label, second) "
        "DO UPDATE SET value = run_total.value + excluded.value"
    )
    if rows:
        connection.execute(statement, rows)


def load_totals(connection: Connection) -> Mapping[Total, float]:
    """Return every total."""
    table = schema.run_total
    rows = connection.execute(select(table.c.measure, table.c.label, table.c.second, table.c.value))
    return {Total(measure, label, second): value for measure, label, second, value in rows}


def bucket_of(seconds: float) -> str:
    """Return the class of durations that ``seconds`` belongs to, by its upper bound."""
    return next((str(bound) for bound in PHASE_BUCKETS_S if seconds <= bound), BEYOND)


def _of_run(connection: Connection, run_id: str) -> dict[Total, float]:
    table = schema.run
    run = connection.execute(select(table).where(table.c.id == run_id)).one()
    return {
        Total(RUNS, run.source, run.status): 1,
        Total(CELLS, "complete"): run.cells_complete,
        Total(CELLS, "partial"): run.cells_partial,
        Total(CELLS, "failed"): run.cells_failed,
        Total(CELLS, "deleted"): run.cells_deleted,
        Total(SYMBOLS, "received"): run.symbols_received,
        Total(SYMBOLS, "unavailable"): run.symbols_unavailable,
        Total(TAKE_OVERS, ""): max(run.attempt - 1, 0),
    }


def _of_answers(connection: Connection, run_id: str) -> dict[Total, float]:
    table = schema.run_symbol
    rows = connection.execute(
        select(table.c.provider, table.c.reason, func.count())
        .where(table.c.run_id == run_id)
        .group_by(table.c.provider, table.c.reason)
    )
    return {Total(ANSWERS, provider, reason): count for provider, reason, count in rows}


def _of_phases(connection: Connection, run_id: str) -> dict[Total, float]:
    table = schema.run_phase
    rows = connection.execute(
        select(table.c.phase, table.c.seconds).where(
            table.c.run_id == run_id, table.c.status != "pending"
        )
    )
    found: dict[Total, float] = {}
    for phase, seconds in rows:
        found[Total(PHASE_RUNS, phase, bucket_of(seconds))] = 1
        found[Total(PHASE_SECONDS, phase)] = seconds
    return found
