"""Factor returns that come from a file, stored only where they differ from what is known.

What an import no longer names stays. A date that is no session is refused and counted.
Every number of a session depends on them through the factor models, so a change is recorded
for everything, from the first session that it touches on.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from riskmark.domain.reasons import ChangeKind
from riskmark.domain.sessions import Calendar
from riskmark.intake.market_data import BoolArray, FloatArray
from riskmark.storage import schema
from riskmark.storage.bars import SAME
from riskmark.storage.engines import bind_date, read_rows, write_rows
from riskmark.storage.factor_files import FactorReturns
from riskmark.storage.key_lists import among
from riskmark.storage.ledger import InputChange, record_changes

_COLUMNS = ("factor", "session", "return")


class FactorImport(NamedTuple):
    """What an import of factor returns did.

    ``received`` counts the returns stated, those refused on dates that are no session too.
    """

    columns: tuple[str, ...]
    received: int
    stored: int
    corrected: int
    unchanged: int
    not_a_session: int
    from_session: date | None
    """The first session with another number."""
    revision: int


def import_factors(
    connection: Connection, returns: FactorReturns, *, calendar: Calendar, at: datetime
) -> FactorImport:
    """Store new and different factor returns and record what changed."""
    stated = np.isfinite(returns.values)
    sessions = np.array(calendar.sessions, dtype="datetime64[D]")
    usable = np.isin(returns.dates, sessions)
    dates: list[date] = returns.dates[usable].tolist()
    values, wanted = returns.values[usable], stated[usable]
    stored = load_factor_returns(connection, dates, returns.columns)
    known = np.column_stack([stored[name] for name in returns.columns])
    new = wanted & np.isnan(known)
    corrected = wanted & ~new & ~_equal(values, known)
    changed = new | corrected
    _write(connection, returns.columns, dates, values, changed)
    rows = np.flatnonzero(changed.any(axis=1))
    first = dates[int(rows[0])] if rows.size else None
    return FactorImport(
        columns=returns.columns,
        received=int(stated.sum()),
        stored=int(new.sum()),
        corrected=int(corrected.sum()),
        unchanged=int((wanted & ~changed).sum()),
        not_a_session=int(stated[~usable].sum()),
        from_session=first,
        revision=_record(connection, returns.columns, changed, first, at=at),
    )


def load_factor_returns(
    connection: Connection, sessions: Sequence[date], columns: Sequence[str]
) -> dict[str, FloatArray]:
    """Read the returns of ``columns`` on ``sessions``, ascending; NaN where none is stored."""
    found = {name: np.full(len(sessions), np.nan) for name in columns}
    if not sessions or not columns:
        return found
    listed = among(connection, columns)
    rows = read_rows(
        connection,
        f'SELECT factor, session, "return" FROM factor_return WHERE factor {listed.sql} '
        "AND session >= ? AND session <= ?",
        (
            *listed.values,
            bind_date(connection, sessions[0]),
            bind_date(connection, sessions[-1]),
        ),
    )
    place = {bind_date(connection, day): row for row, day in enumerate(sessions)}
    for name, day, value in rows:
        if day in place:
            found[name][place[day]] = value
    return found


def stored_columns(connection: Connection) -> tuple[str, ...]:
    """Return the names of the factors that were imported, in order."""
    rows = read_rows(connection, "SELECT DISTINCT factor FROM factor_return ORDER BY factor")
    return tuple(row[0] for row in rows)


def _equal(values: FloatArray, known: FloatArray) -> BoolArray:
    """Whether numbers are equal; a NaN, which is compared with nothing, counts as different."""
    scale = np.maximum(np.abs(values), np.abs(known))
    found: BoolArray = np.abs(values - known) <= SAME * scale
    return found


def _write(
    connection: Connection,
    columns: Sequence[str],
    dates: Sequence[date],
    values: FloatArray,
    changed: BoolArray,
) -> None:
    days = [bind_date(connection, day) for day in dates]
    rows = [
        (name, days[row], float(values[row, place]))
        for place, name in enumerate(columns)
        for row in np.flatnonzero(changed[:, place]).tolist()
    ]
    write_rows(connection, schema.factor_return, _COLUMNS, rows, replace=True)


def _record(
    connection: Connection,
    columns: Sequence[str],
    changed: BoolArray,
    first: date | None,
    *,
    at: datetime,
) -> int:
    if first is None:
        return record_changes(connection, [], at=at)
    touched = [columns[place] for place in np.flatnonzero(changed.any(axis=0)).tolist()]
    reason = f"factor returns changed from {first} on: {', '.join(touched)}"
    return record_changes(connection, [InputChange(ChangeKind.PRICE, first, reason)], at=at)
