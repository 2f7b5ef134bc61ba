"""The ledger of inputs: what changed, from which session on, in the order of commits.

A transaction that changes an input calls ``record_changes`` once, as the last thing it
does. Its revision comes from the one row of ``input_clock``, and that row stays locked
until the commit, so whoever sees a revision sees every lower one too. Nobody marks a
portfolio as stale: the planner compares the revisions of its numbers with the ledger.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from riskmark.domain.reasons import ChangeKind
from riskmark.errors import StoreError
from riskmark.storage import schema
from riskmark.storage.engines import bind_date, bind_instant, read_rows, write_rows
from riskmark.storage.key_lists import among, run_statement

MARKET_KINDS = frozenset({ChangeKind.PRICE, ChangeKind.ACTION})
"""The changes after which what was cached of an instrument's prices is out of date."""


@dataclass(frozen=True, slots=True)
class InputChange:
    """An input changed: numbers of sessions from ``from_session`` on may differ.

    Without a portfolio and an instrument it concerns everything.
    """

    kind: ChangeKind
    from_session: date
    reason: str
    portfolio_id: str | None = None
    instrument_id: int | None = None


def current_revision(connection: Connection) -> int:
    """Return the revision of the newest change that this transaction sees."""
    return _revision(read_rows(connection, "SELECT revision FROM input_clock WHERE id = 1"))


def record_changes(connection: Connection, changes: Sequence[InputChange], *, at: datetime) -> int:
    """Write ``changes`` under one new revision and return it.

    Nothing may be written after this in the transaction. ``at`` is the wall clock. Without
    a change nothing is written and the present revision is returned.
    """
    if not changes:
        return current_revision(connection)
    moved = _instruments_with_new_prices(changes)
    # Locked before the clock: whoever holds the clock must not wait for an instrument.
    lock_instruments(connection, moved)
    revision = _next_revision(connection)
    _write(connection, changes, revision, at)
    if moved:
        listed = among(connection, moved)
        run_statement(
            connection,
            f"UPDATE instrument SET data_revision = ? WHERE id {listed.sql}",
            (revision, *listed.values),
        )
    return revision


def one_of_each(changes: Iterable[InputChange]) -> list[InputChange]:
    """Join changes of one kind of one thing: from the earliest session, with every reason."""
    joined: dict[tuple[ChangeKind, str | None, int | None], InputChange] = {}
    for change in changes:
        key = (change.kind, change.portfolio_id, change.instrument_id)
        earlier = joined.setdefault(key, change)
        if earlier is not change:
            joined[key] = replace(
                earlier,
                from_session=min(earlier.from_session, change.from_session),
                reason=f"{earlier.reason}; {change.reason}",
            )
    return list(joined.values())


def lock_instruments(connection: Connection, instrument_ids: Iterable[int]) -> None:
    """Hold the rows of these instruments until the transaction ends, in one order for all.

    Two transactions that compare with what is stored and then write take turns. Lots can
    still be entered meanwhile.
    """
    wanted = sorted(set(instrument_ids))
    if not wanted or connection.dialect.name == "sqlite":
        return
    listed = among(connection, wanted)
    read_rows(
        connection,
        f"SELECT id FROM instrument WHERE id {listed.sql} ORDER BY id FOR NO KEY UPDATE",
        listed.values,
    )


def _instruments_with_new_prices(changes: Iterable[InputChange]) -> list[int]:
    found = {
        change.instrument_id
        for change in changes
        if change.kind in MARKET_KINDS and change.instrument_id is not None
    }
    return sorted(found)


def _next_revision(connection: Connection) -> int:
    statement = "UPDATE input_clock SET revision = revision + 1 WHERE id = 1 RETURNING revision"
    return _revision(connection.exec_driver_sql(statement).all())


def _revision(rows: Sequence[Any]) -> int:
    if not rows:
        raise StoreError("the database has no input clock; it was not made by riskmark init")
    return int(rows[0][0])


def _write(
    connection: Connection, changes: Iterable[InputChange], revision: int, at: datetime
) -> None:
    columns = ("revision", "kind", "portfolio_id", "instrument_id", "from_session", "reason", "at")
    instant = bind_instant(connection, at)
    rows = [
        (
            revision,
            change.kind.value,
            change.portfolio_id,
            change.instrument_id,
            bind_date(connection, change.from_session),
            change.reason,
            instant,
        )
        for change in changes
    ]
    write_rows(connection, schema.input_change, columns, rows)
