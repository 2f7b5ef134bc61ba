"""The stored calendar: the sessions of one exchange, once built, read by every command.

It reaches from ``FIRST_DATE`` to more than a year ahead, so that building it, which is
slow, is needed about once a year, or when its name, the closures or the library change.
Prices on dates that a later version no longer counts as sessions stay stored and unused.
"""

import json
import warnings
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from importlib import metadata
from typing import Any, NamedTuple, overload
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, delete, insert, update

from riskmark.domain.reasons import ChangeKind
from riskmark.domain.sessions import FIRST_DATE, Calendar
from riskmark.errors import SettingsError, StoreError
from riskmark.settings import CalendarSettings
from riskmark.storage import schema
from riskmark.storage.engines import (
    Database,
    as_date,
    bind_date,
    bind_instant,
    read_rows,
    write_rows,
)
from riskmark.storage.ledger import InputChange, record_changes

AHEAD = timedelta(days=400)
"""How far beyond *now* a calendar is built."""

LEAST_AHEAD = timedelta(days=30)
"""A calendar that ends sooner than this after *now* is built again."""


class SyncedCalendar(NamedTuple):
    """What ``sync_calendar`` changed: nothing if ``added`` and ``removed`` are 0."""

    added: int
    removed: int
    first_difference: date | None
    """The first session that was inserted or taken away before the old end."""


class _Instants(Sequence[datetime]):
    """Instants as the driver gave them, read when looked at.

    A search touches about fifteen of 26,000.
    """

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    @overload
    def __getitem__(self, place: int) -> datetime: ...
    @overload
    def __getitem__(self, place: slice) -> "_Instants": ...
    def __getitem__(self, place: int | slice) -> "datetime | _Instants":
        if isinstance(place, slice):
            return _Instants(self._values[place])
        return _as_instant(self._values[place])


def load_calendar(connection: Connection, known: Calendar | None = None) -> Calendar:
    """Read the stored calendar; raise ``StoreError`` if there is none.

    ``known`` is returned if the stored one has not changed since it was read, apart from
    sessions that were added at its end.
    """
    state = _state(connection)
    if state is None:
        raise StoreError("the database holds no calendar yet")
    if known is not None and known.revision == state.revision:
        return known
    # All that decides it: reading 26,000 rows would be most of the work of many an answer.
    key = (state, *read_rows(connection, "SELECT max(ordinal), max(session) FROM calendar_session"))
    kept = _kept.get(connection.engine)
    if kept is not None and kept[0] == key:
        return kept[1]
    rows = _stored(connection)
    found = Calendar(
        sessions=_dates([row[0] for row in rows]),
        closes=_Instants([row[1] for row in rows]),
        revision=state.revision,
    )
    _kept[connection.engine] = (key, found)
    return found


_kept: "WeakKeyDictionary[Engine, tuple[object, Calendar]]" = WeakKeyDictionary()
"""The calendar of each database as this process read it last."""


def _dates(values: list[Any]) -> tuple[date, ...]:
    """Read dates, all of them text or none."""
    if values and isinstance(values[0], str):
        return tuple(map(date.fromisoformat, values))
    return tuple(values)


def calendar_is_current(connection: Connection, chosen: CalendarSettings, now: datetime) -> bool:
    """Whether the stored calendar is the chosen one and reaches far enough beyond ``now``."""
    state = _state(connection)
    if state is None:
        return False
    if (state.name, state.closures, state.library_version) != _wanted_state(chosen):
        return False
    rows = read_rows(connection, "SELECT max(session) FROM calendar_session")
    return rows[0][0] is not None and as_date(rows[0][0]) >= (now + LEAST_AHEAD).date()


def keep_calendar(database: Database, chosen: CalendarSettings, now: datetime) -> None:
    """Make the stored calendar the chosen one, and long enough; write only if it is not."""
    with database.read() as connection:
        is_current = calendar_is_current(connection, chosen, now)
    if not is_current:
        with database.write() as connection:
            sync_calendar(connection, chosen, now)


def sync_calendar(
    connection: Connection,
    chosen: CalendarSettings,
    now: datetime,
    *,
    at: datetime | None = None,
) -> SyncedCalendar:
    """Make the stored calendar the chosen one, and reach ``AHEAD`` beyond ``now``.

    It never becomes shorter. A session that comes or goes before the old end moves the
    ordinals after it and enters the ledger: every number from there on may differ. A close
    at another time of day changes no stored number. ``at`` is the wall clock, if it is not
    ``now``.
    """
    stored = [(as_date(row[0]), _as_instant(row[1])) for row in _stored(connection)]
    end = (now + AHEAD).date()
    if stored:
        end = max(end, stored[-1][0])
    wanted = _build(chosen, end)
    first = _first_difference(stored, wanted)
    _replace_from(connection, first, len(stored), wanted)
    shifted = _first_difference([row[0] for row in stored], [row[0] for row in wanted])
    moved = None
    if shifted < len(stored):
        moved = min(row[shifted][0] for row in (stored, wanted) if shifted < len(row))
    _write_state(connection, chosen, shifts=moved is not None)
    if moved is not None:
        reason = f"the calendar differs from {moved} on"
        record_changes(connection, [InputChange(ChangeKind.CALENDAR, moved, reason)], at=at or now)
    before, after = {row[0] for row in stored}, {row[0] for row in wanted}
    return SyncedCalendar(len(after - before), len(before - after), moved)


def _build(chosen: CalendarSettings, end: date) -> list[tuple[date, datetime]]:
    """Build the sessions to ``end``, from ``FIRST_DATE`` or the calendar's own beginning."""
    with warnings.catch_warnings():
        # What pandas tells the library's authors is nothing to tell our users.
        warnings.simplefilter("ignore", DeprecationWarning)
        closes = _library_closes(chosen.name, end)
    closed = frozenset(chosen.closures)
    return [(day, close) for day, close in closes if day not in closed]


def _library_closes(name: str, end: date) -> list[tuple[date, datetime]]:
    import exchange_calendars  # noqa: PLC0415 - half a second, needed about once a year

    try:
        factory = type(exchange_calendars.get_calendar(name))
    except exchange_calendars.errors.InvalidCalendarName as error:
        raise SettingsError("calendar.name", f"there is no calendar {name!r}") from error
    least, most = factory.bound_min(), factory.bound_max()
    start = FIRST_DATE if least is None else max(FIRST_DATE, least.date())
    end = end if most is None else min(end, most.date())
    closes = exchange_calendars.get_calendar(name, start=start, end=end).closes
    sessions = closes.index.to_numpy().astype("datetime64[D]").tolist()
    instants = closes.dt.tz_convert(None).to_numpy().astype("datetime64[s]").tolist()
    return [
        (session, instant.replace(tzinfo=UTC))
        for session, instant in zip(sessions, instants, strict=True)
    ]


def _first_difference(stored: Sequence[Any], wanted: Sequence[Any]) -> int:
    """Return the place of the first item that differs; the shorter's length if none does."""
    for place, (old, new) in enumerate(zip(stored, wanted, strict=False)):
        if old != new:
            return place
    return min(len(stored), len(wanted))


def _replace_from(
    connection: Connection, first: int, stored: int, wanted: Sequence[tuple[date, datetime]]
) -> None:
    if first < stored:
        connection.execute(
            delete(schema.calendar_session).where(schema.calendar_session.c.ordinal >= first)
        )
    rows = [
        (bind_date(connection, session), ordinal, bind_instant(connection, close))
        for ordinal, (session, close) in enumerate(wanted[first:], start=first)
    ]
    write_rows(connection, schema.calendar_session, ("session", "ordinal", "closes_at"), rows)


class _State(NamedTuple):
    name: str
    closures: str
    library_version: str
    revision: int


def _state(connection: Connection) -> _State | None:
    rows = read_rows(
        connection,
        "SELECT name, closures, library_version, revision FROM calendar_state WHERE id = 1",
    )
    return _State(*rows[0]) if rows else None


def _wanted_state(chosen: CalendarSettings) -> tuple[str, str, str]:
    closures = json.dumps(sorted(day.isoformat() for day in set(chosen.closures)))
    return chosen.name, closures, metadata.version("exchange_calendars")


def _write_state(connection: Connection, chosen: CalendarSettings, *, shifts: bool) -> None:
    name, closures, version = _wanted_state(chosen)
    values = {"name": name, "closures": closures, "library_version": version}
    state = _state(connection)
    if state is None:
        connection.execute(insert(schema.calendar_state).values(id=1, revision=1, **values))
    else:
        revision = state.revision + shifts
        connection.execute(update(schema.calendar_state).values(revision=revision, **values))


def _stored(connection: Connection) -> list[Any]:
    return read_rows(connection, "SELECT session, closes_at FROM calendar_session ORDER BY ordinal")


def _as_instant(value: str | datetime) -> datetime:
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value.astimezone(UTC)
