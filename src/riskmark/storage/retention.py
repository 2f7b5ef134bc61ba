"""Retention: what is old goes, a little at a time; inputs and snapshots never do.

A *pile* is rows of one table that are older than the settings keep. Logs of runs, the audit log
and what signing in leaves behind are deleted.
The lines of a cell's positions are taken out of its pack, which notes when: a snapshot's
numbers stay as they are, reports say ``pruned`` where the lines would stand, and nothing is
planned again. A cell that a run computes again has its lines again, until the next pruning.

Each transaction takes some hundred rows and is short. Rows that somebody else holds are left
to the next pruning, so that it waits for nobody and no two transactions wait for each other.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table

from riskmark.domain.retention_settings import RetentionSettings
from riskmark.storage import schema
from riskmark.storage.engines import Database, as_date, bind_date, bind_instant, read_rows
from riskmark.storage.key_lists import run_statement

FIRST_ROWS = 500
"""Rows that the first transaction takes."""
MOST_ROWS = 20_000
SECONDS = 0.5
"""How long a transaction should take; the next takes as many rows more or fewer."""
WITHIN = 2.0
"""How much the number of rows may grow by at once."""

_ENDED = "finished_at IS NOT NULL AND status NOT IN ('queued', 'running') AND finished_at < ?"
_DETAILS = ("run_event", "run_symbol", "run_failure")


class Pile(NamedTuple):
    """Rows of ``table`` to be pruned: by ``change``, or by being deleted if there is none."""

    name: str
    table: str
    condition: str
    values: tuple[Any, ...]
    change: str | None = None


def list_piles(
    connection: Connection,
    retention: RetentionSettings,
    *,
    sessions: Sequence[date],
    at: datetime,
) -> tuple[Pile, ...]:
    """Return what may be pruned at the instant ``at``, what refers to others first.

    ``sessions`` are those of the calendar up to the target.
    """
    piles: list[Pile] = []
    kept = retention.keep_positions_sessions
    if 0 < kept < len(sessions):
        first = bind_date(connection, sessions[-kept])
        set_to = f"positions = '[]', pruned_at = {_quoted(connection, at)}"
        condition = "session < ? AND pruned_at IS NULL"
        piles.append(Pile("positions", "cell_pack", condition, (first,), set_to))
    piles.extend(_of_runs(connection, retention, at))
    if retention.keep_provider_days:
        before = _before(connection, at, retention.keep_provider_days)
        piles.append(Pile("provider_symbol", "provider_symbol", "until < ?", (before,)))
    if retention.keep_sent_days:
        before = _before(connection, at, retention.keep_sent_days)
        condition = "status <> 'waiting' AND created_at < ?"
        piles.append(Pile("outbox", "outbox", condition, (before,)))
    piles.extend(_of_people(connection, retention, at))
    return tuple(piles)


def _of_runs(connection: Connection, retention: RetentionSettings, at: datetime) -> list[Pile]:
    piles = []
    if retention.keep_run_details_days:
        before = _before(connection, at, retention.keep_run_details_days)
        piles += [
            Pile(name, name, f"run_id IN (SELECT id FROM run WHERE {_ENDED})", (before,))
            for name in _DETAILS
        ]
    if retention.keep_runs_days:
        before = _before(connection, at, retention.keep_runs_days)
        # The newest stays, however old: it tells when something was done last.
        old = f"{_ENDED} AND id < (SELECT MAX(id) FROM run)"
        piles += [
            Pile(name, name, f"{column} IN (SELECT id FROM run WHERE {old})", (before,))
            for name, column in _referring_to(schema.run)
        ]
        piles.append(Pile("run", "run", old, (before,)))
    return piles


def _of_people(connection: Connection, retention: RetentionSettings, at: datetime) -> list[Pile]:
    """Return what people leave behind who sign in; tokens stay until they are revoked, and on."""
    piles = []
    if retention.keep_sign_in_days:
        before = _before(connection, at, retention.keep_sign_in_days)
        ended = (("web_session", "expires_at"), ("setup_link", "expires_at"), ("sign_in_try", "at"))
        piles += [Pile(name, name, f"{column} < ?", (before,)) for name, column in ended]
    if retention.keep_audit_days:
        before = _before(connection, at, retention.keep_audit_days)
        piles.append(Pile("audit_entry", "audit_entry", "at < ?", (before,)))
    return piles


def _referring_to(table: Table) -> list[tuple[str, str]]:
    """Return each table, and its column, with a foreign key to ``table``."""
    return [
        (one.name, key.parent.name)
        for one in schema.metadata.sorted_tables
        for key in sorted(one.foreign_keys, key=lambda key: key.parent.name)
        if key.column.table is table
    ]


def _before(connection: Connection, at: datetime, days: int) -> Any:
    return bind_instant(connection, at - timedelta(days=days))


def _quoted(connection: Connection, at: datetime) -> str:
    return f"'{bind_instant(connection, at)}'"


def count_piles(connection: Connection, piles: Iterable[Pile]) -> dict[str, int]:
    """Count the rows of each pile, by its name."""
    found: dict[str, int] = {}
    for pile in piles:
        statement = f'SELECT COUNT(*) FROM "{pile.table}" WHERE {pile.condition}'
        ((count,),) = read_rows(connection, statement, pile.values)
        # What is deleted for its age may also be deleted for that of its run.
        found[pile.name] = max(found.get(pile.name, 0), count)
    return found


def prune(
    database: Database,
    piles: Iterable[Pile],
    *,
    seconds: float | None = None,
    look: Callable[[], None] = lambda: None,
) -> Mapping[str, int]:
    """Prune ``piles`` in short transactions; return how many rows of each are gone.

    It ends after about so many ``seconds``; the next pruning goes on. ``look`` is called
    after each transaction, and may raise.
    """
    until = None if seconds is None else time.monotonic() + seconds
    found: dict[str, int] = {}
    size = FIRST_ROWS
    for pile in piles:
        found.setdefault(pile.name, 0)
        while until is None or time.monotonic() < until:
            began = time.monotonic()
            with database.write("prune") as connection:
                count = _take(connection, pile, size)
            found[pile.name] += count
            look()
            if count < size:
                break
            pace = SECONDS / max(time.monotonic() - began, 1e-3)
            size = int(min(MOST_ROWS, max(1, size * min(pace, WITHIN))))
    return found


def _take(connection: Connection, pile: Pile, size: int) -> int:
    """Prune at most ``size`` rows; return how many."""
    verb = f'DELETE FROM "{pile.table}"'
    if pile.change is not None:
        verb = f'UPDATE "{pile.table}" SET {pile.change}'
    chosen = f'FROM "{pile.table}" WHERE {pile.condition} LIMIT {size:d}'
    if connection.dialect.name == "sqlite":
        where = f"rowid IN (SELECT rowid {chosen})"
    else:
        where = f"ctid = ANY(ARRAY(SELECT ctid {chosen} FOR UPDATE SKIP LOCKED))"
    return run_statement(connection, f"{verb} WHERE {where}", pile.values)


def pruned_sessions(
    connection: Connection, portfolio_id: str, first: date | None, last: date | None
) -> frozenset[date]:
    """Return the sessions from ``first`` to ``last`` whose positions were pruned."""
    condition, values = "portfolio_id = ? AND pruned_at IS NOT NULL", [portfolio_id]
    for limit, sign in ((first, ">="), (last, "<=")):
        if limit is not None:
            condition += f" AND session {sign} ?"
            values.append(bind_date(connection, limit))
    rows = read_rows(connection, f"SELECT session FROM cell_pack WHERE {condition}", values)
    return frozenset(as_date(day) for (day,) in rows)
