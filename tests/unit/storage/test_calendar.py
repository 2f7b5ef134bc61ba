"""The stored calendar: what it holds, when it is built again, and what the ledger says."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from riskmark.domain.sessions import FIRST_DATE
from riskmark.errors import SettingsError, StoreError
from riskmark.settings import CalendarSettings
from riskmark.storage import schema
from riskmark.storage.calendar import calendar_is_current, load_calendar, sync_calendar
from riskmark.storage.ledger import current_revision

NYSE = CalendarSettings(name="XNYS", closures=())
NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
MOURNING = date(2025, 1, 9)
CLOSED_ONCE = date(2024, 6, 18)


def test_an_empty_database_has_no_calendar(database):
    with database.read() as connection:
        assert not calendar_is_current(connection, NYSE, NOW)
        with pytest.raises(StoreError, match="no calendar"):
            load_calendar(connection)


def test_the_calendar_reaches_from_the_first_date_to_more_than_a_year_ahead(database):
    with database.write() as connection:
        sync_calendar(connection, NYSE, NOW)

    with database.read() as connection:
        calendar = load_calendar(connection)
    assert calendar.sessions[0] == FIRST_DATE
    assert calendar.sessions[-1] > (NOW + timedelta(days=390)).date()
    assert len(calendar.closes) == len(calendar)
    assert not calendar.is_session(MOURNING)


def test_closes_are_aware_and_know_half_days_and_summer_time(database):
    with database.write() as connection:
        sync_calendar(connection, NYSE, NOW)

    with database.read() as connection:
        calendar = load_calendar(connection)
    closes = dict(zip(calendar.sessions[-1000:], calendar.closes[-1000:], strict=True))
    assert closes[date(2025, 11, 28)] == datetime(2025, 11, 28, 18, tzinfo=UTC)
    assert closes[date(2025, 7, 1)] == datetime(2025, 7, 1, 20, tzinfo=UTC)
    assert closes[date(2025, 12, 1)] == datetime(2025, 12, 1, 21, tzinfo=UTC)


def test_the_target_is_found_in_a_loaded_calendar(database):
    with database.write() as connection:
        sync_calendar(connection, NYSE, NOW)

    with database.read() as connection:
        calendar = load_calendar(connection)
    delay = timedelta(minutes=30)
    before = calendar.target(datetime(2026, 2, 27, 21, 29, tzinfo=UTC), delay)
    after = calendar.target(datetime(2026, 2, 27, 21, 30, tzinfo=UTC), delay)
    assert calendar.sessions[before] == date(2026, 2, 26)
    assert calendar.sessions[after] == date(2026, 2, 27)


def test_a_second_sync_changes_nothing(database):
    with database.write() as connection:
        first = sync_calendar(connection, NYSE, NOW)

    with database.write() as connection:
        second = sync_calendar(connection, NYSE, NOW)
        calendar = load_calendar(connection)

    assert first.added == len(calendar)
    assert second == (0, 0, None)
    assert calendar.revision == 1


def test_the_calendar_is_current_until_its_end_comes_near(database):
    with database.write() as connection:
        sync_calendar(connection, NYSE, NOW)

    with database.read() as connection:
        assert calendar_is_current(connection, NYSE, NOW)
        assert calendar_is_current(connection, NYSE, NOW + timedelta(days=360))
        assert not calendar_is_current(connection, NYSE, NOW + timedelta(days=380))
        other = CalendarSettings(name="XLON", closures=())
        assert not calendar_is_current(connection, other, NOW)


def test_a_longer_calendar_is_no_change_of_an_input(database):
    with database.write() as connection:
        sync_calendar(connection, NYSE, NOW)

    with database.write() as connection:
        synced = sync_calendar(connection, NYSE, NOW + timedelta(days=380))
        calendar = load_calendar(connection)
        revision = current_revision(connection)

    assert synced.added > 200
    assert calendar.revision == 1
    assert revision == 0


def test_a_calendar_is_read_once_until_it_changes(database):
    def loaded():
        with database.read() as connection:
            return load_calendar(connection)

    with database.write() as connection:
        sync_calendar(connection, NYSE, NOW)
    first, again = loaded(), loaded()
    with database.write() as connection:
        sync_calendar(connection, NYSE, NOW + timedelta(days=100))
    longer = loaded()
    with database.write() as connection:
        sync_calendar(connection, CalendarSettings("XNYS", (CLOSED_ONCE,)), NOW)
    shorter = loaded()

    assert again is first
    assert longer.sessions[: len(first)] == first.sessions
    assert len(longer) > len(first)
    assert not shorter.is_session(CLOSED_ONCE)


def test_an_earlier_now_does_not_shorten_the_calendar(database):
    with database.write() as connection:
        sync_calendar(connection, NYSE, NOW)
        calendar = load_calendar(connection)

    with database.write() as connection:
        synced = sync_calendar(connection, NYSE, NOW - timedelta(days=2000))
        again = load_calendar(connection)

    assert synced == (0, 0, None)
    assert again.sessions == calendar.sessions


def test_a_closure_takes_its_session_away_and_enters_the_ledger(database):
    closed = CalendarSettings(name="XNYS", closures=(CLOSED_ONCE, date(2024, 6, 22)))
    with database.write() as connection:
        sync_calendar(connection, NYSE, NOW)
        before = load_calendar(connection)

    with database.write() as connection:
        assert not calendar_is_current(connection, closed, NOW)
        synced = sync_calendar(connection, closed, NOW)
        after = load_calendar(connection)
        changes = connection.execute(select(schema.input_change)).all()

    assert synced == (0, 1, CLOSED_ONCE)
    assert set(before.sessions) - set(after.sessions) == {CLOSED_ONCE}
    assert after.revision == before.revision + 1
    assert [(row.kind, row.from_session) for row in changes] == [("calendar", CLOSED_ONCE)]


def test_a_closure_that_is_withdrawn_brings_its_session_back(database):
    closed = CalendarSettings(name="XNYS", closures=(CLOSED_ONCE,))
    with database.write() as connection:
        sync_calendar(connection, closed, NOW)

    with database.write() as connection:
        synced = sync_calendar(connection, NYSE, NOW)
        calendar = load_calendar(connection)

    assert synced == (1, 0, CLOSED_ONCE)
    assert calendar.is_session(CLOSED_ONCE)
    assert [calendar.on_or_after(day) for day in calendar.sessions[:3]] == [0, 1, 2]


def test_stored_ordinals_count_from_zero_without_holes(database):
    closed = CalendarSettings(name="XNYS", closures=(CLOSED_ONCE,))
    with database.write() as connection:
        sync_calendar(connection, NYSE, NOW)

    with database.write() as connection:
        sync_calendar(connection, closed, NOW)
        rows = connection.execute(
            select(schema.calendar_session.c.ordinal).order_by(schema.calendar_session.c.session)
        ).scalars()

        assert list(rows) == list(range(len(load_calendar(connection))))


def test_an_unknown_calendar_is_a_setting_that_cannot_be_used(database):
    nowhere = CalendarSettings(name="XXXX", closures=())

    with database.write() as connection, pytest.raises(SettingsError, match="XXXX"):
        sync_calendar(connection, nowhere, NOW)


def test_a_calendar_that_begins_later_begins_there(database):
    tokyo = CalendarSettings(name="XTKS", closures=())

    with database.write() as connection:
        sync_calendar(connection, tokyo, NOW)
        calendar = load_calendar(connection)

    assert calendar.sessions[0].year == 1997
