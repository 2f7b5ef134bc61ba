"""Result tables: snapshots and what stands beside them, written by a shard's transaction.

Rows are tuples of driver values (``engines.bind_date``); the column lists below give their
order. The caller holds the run's fence and then the progress rows of the portfolios.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from riskmark.domain.measures import STORED
from riskmark.planning.facts import Version
from riskmark.storage import schema
from riskmark.storage.engines import as_date, bind_date, lock_rows, read_rows, write_rows
from riskmark.storage.key_lists import among, run_many, run_statement

SNAPSHOT_COLUMNS = (
    "portfolio_id",
    "session",
    "state",
    "positions",
    *STORED,
    "mwr_annualized",
    "drawdown_peak",
    "drawdown_trough",
    "drawdown_recovery",
    "reasons",
    "nulls",
    "windows",
    "run_id",
    "computed_at",
    "inputs_revision",
    "engine_version",
    "settings_hash",
)
PACK_COLUMNS = ("portfolio_id", "session", "positions", "exposures", "stress", "sectors")

CELL_TABLES = (schema.snapshot, schema.cell_pack)
"""Every table with rows of one portfolio and session; they are written and deleted together."""

Cell = tuple[str, date]


@dataclass(frozen=True, slots=True)
class Progress:
    """A portfolio's progress row, as it stands under its lock."""

    snapshots: int
    inputs_revision: int
    version: Version


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """A snapshot that is about to be replaced or deleted."""

    inputs_revision: int
    version: Version
    state: str
    values: tuple[float | None, ...]


def lock_progress(connection: Connection, portfolio_ids: Iterable[str]) -> dict[str, Progress]:
    """Lock the progress rows of live portfolios, in the order of ids, and return them.

    A row that somebody took away is made anew: it then says that nothing is up to date.
    """
    listed = among(connection, sorted(portfolio_ids))
    run_statement(
        connection,
        "INSERT INTO portfolio_progress "
        "(portfolio_id, snapshots, inputs_revision, engine_version, settings_hash) "
        "SELECT p.id, (SELECT COUNT(*) FROM snapshot WHERE portfolio_id = p.id), 0, 0, '' "
        "FROM portfolio p WHERE p.deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM "
        f"portfolio_progress WHERE portfolio_id = p.id) AND p.id {listed.sql}",
        listed.values,
    )
    lock = lock_rows(connection)
    rows = read_rows(
        connection,
        "SELECT g.portfolio_id, g.snapshots, g.inputs_revision, g.engine_version, "
        "g.settings_hash FROM portfolio_progress g JOIN portfolio p ON p.id = g.portfolio_id "
        f"WHERE p.deleted_at IS NULL AND g.portfolio_id {listed.sql} "
        f"ORDER BY g.portfolio_id{lock and lock + ' OF g'}",
        listed.values,
    )
    return {
        key: Progress(snapshots, revision, Version(engine, settings))
        for key, snapshots, revision, engine, settings in rows
    }


def load_stored(
    connection: Connection, portfolio_ids: Collection[str], first: date, last: date
) -> dict[Cell, StoredSnapshot]:
    """Read the snapshots of the portfolios within two sessions, inclusive."""
    listed = among(connection, portfolio_ids)
    names = ", ".join(f'"{name}"' for name in STORED)
    rows = read_rows(
        connection,
        "SELECT portfolio_id, session, inputs_revision, engine_version, settings_hash, state, "
        f"{names} FROM snapshot WHERE portfolio_id {listed.sql} AND session BETWEEN ? AND ?",
        (*listed.values, bind_date(connection, first), bind_date(connection, last)),
    )
    return {
        (row[0], as_date(row[1])): StoredSnapshot(row[2], Version(row[3], row[4]), row[5], row[6:])
        for row in rows
    }


def delete_cells(connection: Connection, cells: Sequence[Cell]) -> None:
    """Delete everything stored of ``cells``."""
    if not cells:
        return
    for table in CELL_TABLES:
        if connection.dialect.name == "sqlite":
            run_many(
                connection,
                f'DELETE FROM "{table.name}" WHERE portfolio_id = ? AND session = ?',
                [(portfolio, session.isoformat()) for portfolio, session in cells],
            )
        else:
            run_statement(
                connection,
                f'DELETE FROM "{table.name}" t USING unnest(?::text[], ?::date[]) '
                "AS cell (portfolio_id, session) "
                "WHERE t.portfolio_id = cell.portfolio_id AND t.session = cell.session",
                ([portfolio for portfolio, _ in cells], [session for _, session in cells]),
            )


def delete_orphans(connection: Connection, portfolio_id: str) -> None:
    """Delete details of sessions whose snapshot somebody took away by hand."""
    for table in CELL_TABLES[1:]:
        run_statement(
            connection,
            f'DELETE FROM "{table.name}" WHERE portfolio_id = ? AND session NOT IN '
            "(SELECT session FROM snapshot WHERE portfolio_id = ?)",
            (portfolio_id, portfolio_id),
        )


def save_cells(
    connection: Connection,
    cells: Sequence[Cell],
    snapshots: Sequence[Sequence[Any]],
    packs: Sequence[Sequence[Any]],
) -> None:
    """Write the snapshots of ``cells`` and their lines, in the place of what is stored of them."""
    if not cells:
        return
    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite:
        # To delete and copy is faster there than to copy over.
        delete_cells(connection, cells)
    write_rows(connection, schema.snapshot, SNAPSHOT_COLUMNS, snapshots, replace=is_sqlite)
    write_rows(connection, schema.cell_pack, PACK_COLUMNS, packs, replace=is_sqlite)


def count_snapshots(connection: Connection, portfolio_ids: Collection[str]) -> dict[str, int]:
    """Count the snapshots of each of the portfolios that has any."""
    listed = among(connection, portfolio_ids)
    rows = read_rows(
        connection,
        f"SELECT portfolio_id, COUNT(*) FROM snapshot WHERE portfolio_id {listed.sql} "
        "GROUP BY portfolio_id",
        listed.values,
    )
    return dict(rows)


def save_progress_rows(
    connection: Connection,
    rows: Mapping[str, Progress],
    first_sessions: Mapping[str, date],
) -> None:
    """Store progress rows whose locks are held."""
    run_many(
        connection,
        "UPDATE portfolio_progress SET first_session = ?, snapshots = ?, inputs_revision = ?, "
        "engine_version = ?, settings_hash = ? WHERE portfolio_id = ?",
        [
            (
                bind_date(connection, first_sessions.get(key)),
                one.snapshots,
                one.inputs_revision,
                one.version.engine,
                one.version.settings,
                key,
            )
            for key, one in rows.items()
        ],
    )


def advance_settled(connection: Connection, portfolio_ids: Collection[str], revision: int) -> int:
    """Note that nothing up to ``revision`` touches these portfolios; return how many moved."""
    listed = among(connection, sorted(portfolio_ids))
    return run_statement(
        connection,
        "UPDATE portfolio_progress SET inputs_revision = ? "
        f"WHERE inputs_revision < ? AND portfolio_id {listed.sql}",
        (revision, revision, *listed.values),
    )


def to_advance(
    connection: Connection, portfolio_ids: Collection[str], revision: int
) -> tuple[str, ...]:
    """Return which of these portfolios were last compared at an older revision."""
    listed = among(connection, portfolio_ids)
    rows = read_rows(
        connection,
        "SELECT portfolio_id FROM portfolio_progress "
        f"WHERE inputs_revision < ? AND portfolio_id {listed.sql} ORDER BY portfolio_id",
        (revision, *listed.values),
    )
    return tuple(row[0] for row in rows)


def add_summaries(
    connection: Connection,
    run_id: str,
    reason: str,
    found: Iterable[tuple[str, int, float | None]],
) -> None:
    """Add (measure, snapshots changed, largest change) to a run's restatement summary."""
    run_many(
        connection,
        "INSERT INTO restatement_summary (run_id, measure, reason, snapshots, largest_change) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (run_id, measure, reason) DO UPDATE SET "
        "snapshots = restatement_summary.snapshots + excluded.snapshots, largest_change = "
        "CASE WHEN COALESCE(restatement_summary.largest_change, 0) > "
        "COALESCE(excluded.largest_change, 0) THEN restatement_summary.largest_change "
        "ELSE excluded.largest_change END",
        [(run_id, measure, reason, count, largest) for measure, count, largest in found],
    )
