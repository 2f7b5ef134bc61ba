"""The schedule: wall-clock time in a zone, each firing once, whatever the clock does."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmark.planning.schedule import (
    Firing,
    Schedule,
    counts_until,
    decide,
    firings,
    latest_firing,
    problem_of,
)

NEW_YORK = ZoneInfo("America/New_York")
ZONES = ("America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC")
NIGHTLY = Schedule(("30 18 * * 1-5", "0 7 * * 2-6"), NEW_YORK)

zones = st.sampled_from(ZONES).map(ZoneInfo)
instants = st.datetimes(
    datetime(2010, 1, 1), datetime(2029, 12, 1), timezones=st.just(UTC)  # noqa: DTZ001
)  # fmt: skip
daily = st.tuples(st.integers(0, 59), st.integers(0, 23))
expressions = st.one_of(
    daily.map(lambda at: f"{at[0]} {at[1]} * * *"),
    daily.map(lambda at: f"{at[0]} {at[1]} * * 1-5"),
    st.sampled_from(("*/15 * * * *", "0 * * * *", "0,30 1-3 * * *", "0 0 1 * *", "5 2 * * 0")),
)
schedules = st.builds(Schedule, st.lists(expressions, min_size=1, max_size=3).map(tuple), zones)


def instants_of(schedule, after, until):
    found = []
    for one in firings(schedule, after):
        if one.instant > until:
            return found
        found.append(one.instant)
    return found


def by_hand(day, minute, hour, zone):
    """Say when a wall-clock time comes on a date: the first time, or the first that exists."""
    wall = datetime.combine(day, time(hour, minute))
    while True:
        instant = wall.replace(tzinfo=zone).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == wall:
            return instant
        wall += timedelta(minutes=1)


@given(daily, zones, instants)
def test_a_time_of_day_comes_once_a_day_also_where_clocks_change(at, zone, begin):
    minute, hour = at
    end = begin + timedelta(days=20)
    schedule = Schedule((f"{minute} {hour} * * *",), zone)

    found = instants_of(schedule, begin, end)

    first = begin.astimezone(zone).date() - timedelta(days=1)
    days = [by_hand(first + timedelta(days=n), minute, hour, zone) for n in range(24)]
    assert found == [instant for instant in days if begin < instant <= end]


@pytest.mark.parametrize(
    ("day", "hour", "expected"),
    [
        (date(2026, 3, 8), 2, datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),  # 02:30 does not exist
        (date(2026, 11, 1), 1, datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),  # 01:30 comes twice
    ],
)
def test_the_nights_in_which_clocks_change_have_one_firing(day, hour, expected):
    schedule = Schedule((f"30 {hour} * * *",), NEW_YORK)
    begin = datetime.combine(day, time(0), NEW_YORK).astimezone(UTC)

    found = instants_of(schedule, begin, begin + timedelta(hours=23))

    assert found == [expected]


@given(schedules, instants, st.integers(1, 100), st.integers(1, 100))
def test_firings_do_not_depend_on_where_one_begins_to_look(schedule, begin, first, second):
    middle = begin + timedelta(hours=first)
    end = middle + timedelta(hours=second)

    whole = instants_of(schedule, begin, end)

    parts = instants_of(schedule, begin, middle) + instants_of(schedule, middle, end)
    assert whole == parts
    assert all(one < two for one, two in pairwise(whole))


@given(schedules, instants, st.integers(0, 500))
def test_the_latest_firing_is_the_last_of_all(schedule, begin, hours):
    end = begin + timedelta(hours=hours)

    found = latest_firing(schedule, after=begin, until=end)

    every = instants_of(schedule, begin, end)
    assert (None if found is None else found.instant) == (every[-1] if every else None)


def test_expressions_that_coincide_fire_once():
    schedule = Schedule(("0 7 * * *", "0 7 * * 1-5"), NEW_YORK)

    found = list(islice(firings(schedule, datetime(2026, 3, 2, tzinfo=UTC)), 3))

    assert [one.instant.day for one in found] == [2, 3, 4]


def test_a_year_without_a_scheduler_is_made_up_for_by_one_firing():
    last = datetime(2025, 3, 3, 12, tzinfo=UTC)
    now = datetime(2026, 3, 3, 13, tzinfo=UTC)

    found = decide(NIGHTLY, last, now)

    assert found.due == Firing(datetime(2026, 3, 3, 12, tzinfo=UTC), "0 7 * * 2-6")
    assert found.upcoming.instant == datetime(2026, 3, 3, 23, 30, tzinfo=UTC)


def test_what_was_before_the_beginning_was_not_missed():
    found = decide(NIGHTLY, None, datetime(2026, 3, 3, 13, tzinfo=UTC))

    assert found.due is None
    assert found.upcoming.instant == datetime(2026, 3, 3, 23, 30, tzinfo=UTC)


def recorded(schedule, times):
    """Carry the schedule out at each of ``times``; return what was recorded, in order."""
    found = [times[0]]
    for now in times:
        counted = [one for one in found if one <= counts_until(now)]
        due = decide(schedule, max(counted, default=None), now).due
        if due is not None:
            assert due.instant not in found, "fired twice"
            found.append(due.instant)
    return found[1:]


@given(
    instants,
    st.lists(st.sampled_from((20, 20, 20, 45, -60, 60)), min_size=10, max_size=30),
)
def test_a_clock_that_is_set_by_an_hour_fires_each_night_once(begin, steps):
    times = [begin]
    for minutes in steps:
        times.append(times[-1] + timedelta(minutes=minutes))

    found = recorded(NIGHTLY, times)

    # Its firings are hours apart, so that none is made up for by another.
    assert found == instants_of(NIGHTLY, begin, max(times))


def test_a_clock_that_was_a_year_ahead_stops_nothing():
    now = datetime(2026, 3, 3, 13, tzinfo=UTC)
    times = [now, now + timedelta(days=365), now, now + timedelta(hours=11)]

    found = recorded(NIGHTLY, times)

    assert datetime(2026, 3, 3, 23, 30, tzinfo=UTC) in found


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("30 18 * *", "five fields"),
        ("0 30 18 * * *", "five fields"),
        ("@daily", "five fields"),
        ("61 18 * * 1-5", "bad minute"),
        ("30 24 * * 1-5", "bad hour"),
        ("30 18 31 2 *", "bad day-of-month"),
        ("30 18 * 13 *", "bad month"),
        ("30 18 * * X", "bad day-of-week"),
        ("30 18 * * 5-1", "bad day-of-week"),
    ],
)
def test_a_bad_expression_says_which_field_is_wrong(expression, problem):
    assert problem in problem_of(expression)
    assert repr(expression) in problem_of(expression)


@pytest.mark.parametrize("expression", ["30 18 * * 1-5", "0 7 * * MON-FRI", "0 0 L * *"])
def test_a_good_expression_has_no_problem(expression):
    assert problem_of(expression) is None
