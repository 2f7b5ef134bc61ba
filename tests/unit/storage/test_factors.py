"""Importing factor returns: only differences are written, and all numbers become stale."""

from datetime import date

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sqlalchemy import func, select
from tests.market import AT, CALENDAR, HOLIDAY, LAST, changes, closes_of, load

from riskmark.storage import schema, symbol_scope
from riskmark.storage.factor_files import FactorReturns
from riskmark.storage.factors import import_factors, load_factor_returns, stored_columns

MON, TUE, WED = CALENDAR.sessions[260:263]


def factors(dates, **columns):
    values = np.array([*columns.values()], dtype=float).T
    return FactorReturns(tuple(columns), np.array(dates, dtype="datetime64[D]"), values)


def bring(connection, dates, **columns):
    return import_factors(connection, factors(dates, **columns), calendar=CALENDAR, at=AT)


def test_new_returns_are_stored_and_touch_everything_from_the_first_on(database):
    with database.write() as connection:
        done = bring(connection, [MON, TUE], hml=[0.01, 0.02], smb=[np.nan, -0.01])

        found = load_factor_returns(connection, [MON, TUE, WED], ["smb", "hml"])
        assert changes(connection) == [(1, "price", None, MON)]
        assert stored_columns(connection) == ("hml", "smb")
    assert_array_equal(found["hml"], [0.01, 0.02, np.nan])
    assert_array_equal(found["smb"], [np.nan, -0.01, np.nan])
    assert (done.received, done.stored, done.from_session) == (3, 3, MON)


def test_the_same_returns_again_change_nothing(database):
    with database.write() as connection:
        bring(connection, [MON, TUE], hml=[0.01, 0.02])

    with database.write() as connection:
        done = bring(connection, [MON, TUE], hml=[0.01 * (1 + 1e-12), 0.02])

        assert len(changes(connection)) == 1
    assert (done.stored, done.corrected, done.unchanged) == (0, 0, 2)
    assert (done.from_session, done.revision) == (None, 1)


def test_a_corrected_return_takes_the_place_of_the_old_and_others_stay(database):
    with database.write() as connection:
        bring(connection, [MON, TUE], hml=[0.01, 0.02], smb=[0.03, 0.04])

    with database.write() as connection:
        done = bring(connection, [TUE, WED], hml=[0.05, np.nan], umd=[np.nan, 0.0])

        found = load_factor_returns(connection, [MON, TUE, WED], ["hml", "smb", "umd"])
        assert changes(connection)[-1] == (2, "price", None, TUE)
    assert_array_equal(found["hml"], [0.01, 0.05, np.nan])
    assert_array_equal(found["smb"], [0.03, 0.04, np.nan])
    assert_array_equal(found["umd"], [np.nan, np.nan, 0.0])
    assert (done.stored, done.corrected, done.unchanged) == (1, 1, 0)


def test_the_reason_names_the_factors_that_changed(database):
    with database.write() as connection:
        bring(connection, [MON], hml=[0.01], smb=[0.01])
        bring(connection, [MON], hml=[0.01], smb=[0.02])

        reasons = connection.execute(select(schema.input_change.c.reason)).scalars().all()
    assert reasons == [
        f"factor returns changed from {MON} on: hml, smb",
        f"factor returns changed from {MON} on: smb",
    ]


@pytest.mark.parametrize("day", [HOLIDAY, date(2024, 1, 6), date(1990, 1, 2), date(2031, 1, 2)])
def test_a_date_that_is_no_session_is_refused_and_counted(database, day):
    with database.write() as connection:
        done = bring(connection, sorted([day, MON]), hml=[0.01, 0.01], smb=[np.nan, np.nan])

        count = connection.execute(select(func.count()).select_from(schema.factor_return)).scalar()
    assert (done.received, done.stored, done.not_a_session, count) == (2, 1, 1, 1)


def test_without_returns_nothing_is_recorded(database):
    with database.write() as connection:
        done = bring(connection, [], hml=[])

        assert changes(connection) == []
    assert (done.received, done.from_session, done.revision) == (0, None, 0)


def test_without_columns_or_sessions_there_is_nothing_to_load(database):
    with database.read() as connection:
        assert load_factor_returns(connection, [MON], []) == {}
        assert load_factor_returns(connection, [], ["hml"])["hml"].shape == (0,)


def test_fits_of_symbols_are_out_of_date_after_an_import(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [1, 2, 3]))
        (key,) = connection.execute(select(schema.instrument.c.id)).scalars()
        connection.execute(
            schema.symbol_metric.insert().values(
                instrument_id=key,
                session=LAST,
                data_revision=1,
                settings_hash="s",
                mark_kind="close",
                observed_252=3,
            )
        )
        before = due(connection, key)

        bring(connection, [MON], hml=[0.01])

        assert (before, due(connection, key)) == ((), (key,))


def due(connection, key):
    return symbol_scope.due_symbols(
        connection, [key], factor_ids=[], target=LAST, settings_hash="s"
    )
