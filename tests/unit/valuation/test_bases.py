"""Base sessions of periods against the calendar, day by day, in plain Python."""

import calendar
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmark.valuation.bases import MONTHS, base_rows

EPOCH = date(1970, 1, 1)


def bases_of(sessions, rows):
    days = np.array([(session - EPOCH).days for session in sessions])
    to_date, rolling = base_rows(days, rows)
    names = ("mtd", "qtd", "ytd", "1m", "3m", "6m", "1y")
    return {
        name: [None if place < 0 else sessions[place] for place in found.tolist()]
        for name, found in zip(names, [*to_date, *rolling], strict=True)
    }


def back(day, months):
    """The same day so many months before, or the last day of that month."""
    number = day.year * 12 + day.month - 1 - months
    year, month = divmod(number, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def last_session(sessions, day, *, before):
    found = [s for s in sessions if (s < day if before else s <= day)]
    return found[-1] if found else None


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2024, 3, 31), date(2024, 2, 29)),
        (date(2023, 3, 31), date(2023, 2, 28)),
        (date(2024, 2, 29), date(2024, 1, 29)),
        (date(2024, 1, 31), date(2023, 12, 31)),
    ],
)
def test_a_month_before_the_end_of_a_month_is_clipped(day, expected):
    sessions = [expected, day]

    assert bases_of(sessions, range(1, 2))["1m"] == [expected]


def test_a_year_before_a_leap_day_is_the_day_before_march():
    sessions = [date(2023, 2, 28), date(2023, 3, 1), date(2024, 2, 29)]

    assert bases_of(sessions, range(2, 3))["1y"] == [date(2023, 2, 28)]


def test_to_date_begins_at_the_last_session_of_the_period_before():
    sessions = [date(2023, 12, 29), date(2024, 1, 2), date(2024, 3, 28), date(2024, 4, 1)]

    found = bases_of(sessions, range(4))

    assert found["mtd"] == [None, date(2023, 12, 29), date(2024, 1, 2), date(2024, 3, 28)]
    assert found["qtd"] == [None, date(2023, 12, 29), date(2023, 12, 29), date(2024, 3, 28)]
    assert found["ytd"] == [None, *[date(2023, 12, 29)] * 3]


@given(
    first=st.dates(date(1999, 1, 1), date(2030, 1, 1)),
    steps=st.lists(st.integers(1, 40), min_size=1, max_size=40),
    data=st.data(),
)
def test_bases_are_those_of_the_calendar(first, steps, data):
    sessions = [first]
    for step in steps:
        sessions.append(sessions[-1] + timedelta(days=step))
    start = data.draw(st.integers(0, len(sessions) - 1))
    rows = range(start, data.draw(st.integers(start + 1, len(sessions))))

    found = bases_of(sessions, rows)

    for place, row in enumerate(rows):
        day = sessions[row]
        quarter = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
        for name, begin in (
            ("mtd", day.replace(day=1)), ("qtd", quarter), ("ytd", date(day.year, 1, 1)),
        ):  # fmt: skip
            assert found[name][place] == last_session(sessions, begin, before=True)
        for name, months in zip(("1m", "3m", "6m", "1y"), MONTHS, strict=True):
            wanted = last_session(sessions, back(day, months), before=False)
            assert found[name][place] == wanted
