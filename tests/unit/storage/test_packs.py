"""Packed closes: whatever was imported and packed when, they are the closes that are stored."""

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from tests.market import CALENDAR, LAST, closes_of, instrument_id, load, split
from tests.support import DATABASE_EXAMPLES, fresh_schema

from riskmark.domain.sessions import Calendar
from riskmark.storage import schema
from riskmark.storage.packs import load_closes, save_packs

MON = date(2024, 3, 4)
PLACE = CALENDAR.on_or_after(MON)


def load_and_save(database, symbols, start, *, calendar=CALENDAR):
    """Do what a run does: read in one transaction, keep what was packed anew in another."""
    with database.read() as connection:
        ids = [instrument_id(connection, symbol) for symbol in symbols]
        found = load_closes(connection, calendar, ids, start=start)
    with database.write() as connection:
        save_packs(connection, calendar, found.rebuilt)
    return found


def as_dict(series):
    """Turn a series into closes by session."""
    places = np.flatnonzero(~np.isnan(series.closes))
    return {
        CALENDAR.sessions[series.first + place]: series.closes[place] for place in places.tolist()
    }


def test_the_second_reading_builds_nothing(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [10, 11, 12]))

    first = load_and_save(database, ["AAA"], PLACE)
    second = load_and_save(database, ["AAA"], PLACE)

    assert len(first.rebuilt) == 1
    assert second.rebuilt == ()
    (one,), (other,) = first.series.values(), second.series.values()
    assert as_dict(one) == as_dict(other)


def test_a_series_begins_at_the_last_close_before_the_start(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [10, 11]) + closes_of("AAA", LAST, [12]))

    found = load_and_save(database, ["AAA"], PLACE + 20)
    again = load_and_save(database, ["AAA"], PLACE + 20)

    for closes in (found, again):
        (series,) = closes.series.values()
        assert series.first == PLACE + 1
        assert list(as_dict(series).values()) == [11, 12]


def test_a_series_that_ended_before_the_start_is_its_last_close(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [10, 11]))

    for _ in range(2):
        (series,) = load_and_save(database, ["AAA"], PLACE + 20).series.values()
        assert (series.first, series.closes.tolist()) == (PLACE + 1, [11])


def test_an_instrument_without_a_close_is_left_out(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [10]), [split("BBB", MON, 2.0)])

    for _ in range(2):
        found = load_and_save(database, ["AAA", "BBB"], PLACE)
        assert len(found.series) == 1


def test_a_correction_is_patched_into_the_pack(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [10, 11, 12, 13]))
    load_and_save(database, ["AAA"], PLACE)
    with database.write() as connection:
        load(connection, closes_of("AAA", CALENDAR.sessions[PLACE + 2], [99]))

    found = load_and_save(database, ["AAA"], PLACE)

    (series,) = found.series.values()
    assert series.closes.tolist() == [10, 11, 99, 13]
    assert len(found.rebuilt) == 1
    assert load_and_save(database, ["AAA"], PLACE).rebuilt == ()


def test_packs_of_another_calendar_are_not_used(database):
    moved = Calendar(CALENDAR.sessions[1:], CALENDAR.closes[1:], revision=1)
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [10, 11]))
    load_and_save(database, ["AAA"], PLACE)

    found = load_and_save(database, ["AAA"], PLACE - 1, calendar=moved)

    (series,) = found.series.values()
    assert len(found.rebuilt) == 1
    assert moved.sessions[series.first] == MON


def test_a_pack_that_is_lost_is_made_again(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [10, 11]))
    before = load_and_save(database, ["AAA"], PLACE)
    with database.write() as connection:
        connection.execute(text("DELETE FROM price_pack"))

    after = load_and_save(database, ["AAA"], PLACE)

    assert list(map(as_dict, before.series.values())) == list(map(as_dict, after.series.values()))


edits = st.lists(
    st.tuples(
        st.sampled_from(["AAA", "BBB", "CCC"]),
        st.dictionaries(st.integers(0, 15), st.sampled_from([9.0, 10.0, 10.5, 11.0]), max_size=4),
        st.booleans(),
    ),
    max_size=8,
)


@settings(max_examples=DATABASE_EXAMPLES)
@given(edits=edits, start=st.integers(0, 18))
def test_packs_are_the_stored_closes_after_any_imports(database, edits, start):
    fresh_schema(database)
    for symbol, closes, packs_after in edits:
        rows = [(symbol, CALENDAR.sessions[PLACE + n], close) for n, close in closes.items()]
        with database.write() as connection:
            load(connection, rows)
        if packs_after:
            known = _stored_symbols(database)
            load_and_save(database, known, PLACE + start)

    symbols = _stored_symbols(database)
    found = load_and_save(database, symbols, PLACE + start)

    with database.read() as connection:
        for symbol in symbols:
            key = instrument_id(connection, symbol)
            expected = _stored_from(connection, key, PLACE + start)
            series = found.series.get(key)
            assert (as_dict(series) if series else {}) == expected


def _stored_symbols(database):
    with database.read() as connection:
        return list(connection.execute(select(schema.instrument.c.symbol)).scalars())


def _stored_from(connection, key, start):
    """Return the closes from ``start`` on, and the last one before if there is none at it."""
    table = schema.price
    rows = connection.execute(
        select(table.c.session, table.c.close)
        .where(table.c.instrument_id == key)
        .order_by(table.c.session)
    ).all()
    closes = dict(map(tuple, rows))
    begin = CALENDAR.sessions[start]
    earlier = [day for day in closes if day < begin]
    kept = {day: close for day, close in closes.items() if day >= begin}
    if earlier and begin not in closes:
        kept[earlier[-1]] = closes[earlier[-1]]
    return kept
