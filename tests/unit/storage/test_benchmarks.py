"""Importing benchmark weights: whole dates, and what a benchmark's sectors are."""

from datetime import date

import pytest
from sqlalchemy import update
from tests.market import AT, CALENDAR, changes, closes_of, load

from riskmark.errors import InputError
from riskmark.storage import schema
from riskmark.storage.benchmarks import (
    BenchmarkWeight,
    MemberKind,
    SectorWeights,
    import_weights,
    load_sector_weights,
)
from riskmark.storage.instruments import find_instrument

MON, TUE = CALENDAR.sessions[260:262]
SATURDAY, AFTER_IT = date(2024, 1, 6), date(2024, 1, 8)


def of_symbols(day, **weights):
    return [BenchmarkWeight(day, MemberKind.SYMBOL, name, one) for name, one in weights.items()]


def of_sectors(day, **weights):
    return [BenchmarkWeight(day, MemberKind.SECTOR, name, one) for name, one in weights.items()]


def bring(connection, *weights):
    benchmark = find_instrument(connection, "SPY")
    listed = [one for part in weights for one in part]
    return import_weights(connection, benchmark, listed, calendar=CALENDAR, at=AT)


@pytest.fixture
def market(database):
    with database.write() as connection:
        rows = [row for name in ("SPY", "AAA", "BBB") for row in closes_of(name, MON, [1])]
        load(connection, rows)
        for symbol, said in (("AAA", {"sector": "Energy"}), ("SPY", {"kind": "etf"})):
            here = schema.instrument.c.symbol == symbol
            connection.execute(update(schema.instrument).where(here).values(said))
    return database


def sectors(connection):
    return load_sector_weights(connection, find_instrument(connection, "SPY").instrument_id)


def test_symbols_count_in_the_sectors_that_they_have_now(market):
    with market.write() as connection:
        done = bring(
            connection,
            of_symbols(MON, AAA=0.5, BBB=0.2, SPY=0.1, GONE=0.1),
            of_sectors(MON, Energy=0.1),
        )

        found = sectors(connection)
        assert changes(connection)[-1] == (2, "price", None, MON)
    (only,) = found
    assert only.date == MON
    assert only.weights == pytest.approx({"Energy": 0.6, "Unclassified": 0.3, "ETF": 0.1})
    assert (done.received, done.new) == (5, (MON,))


def test_the_same_weights_again_change_nothing(market):
    with market.write() as connection:
        bring(connection, of_symbols(MON, AAA=0.5, BBB=0.5))
        recorded = len(changes(connection))

        done = bring(connection, of_symbols(MON, BBB=0.5, AAA=0.5))

        assert len(changes(connection)) == recorded
    assert (done.new, done.changed, done.unchanged) == ((), (), (MON,))


def test_a_date_is_replaced_as_a_whole_and_others_stay(market):
    with market.write() as connection:
        bring(connection, of_sectors(MON, Energy=1), of_sectors(TUE, Energy=0.5, Utilities=0.5))

        done = bring(connection, of_sectors(TUE, Materials=1))

        assert sectors(connection) == (
            SectorWeights(MON, {"Energy": 1}),
            SectorWeights(TUE, {"Materials": 1}),
        )
        assert changes(connection)[-1] == (3, "price", None, TUE)
    assert (done.new, done.changed) == ((), (TUE,))


def test_weights_of_a_weekend_count_from_the_next_session(market):
    with market.write() as connection:
        bring(connection, of_sectors(SATURDAY, Energy=1))

        assert changes(connection)[-1] == (2, "price", None, AFTER_IT)


@pytest.mark.parametrize("day", [date(1924, 1, 2), date(2031, 1, 2)])
def test_weights_outside_the_calendar_are_refused(market, day):
    with market.write() as connection, pytest.raises(InputError, match="outside the calendar"):
        bring(connection, of_sectors(day, Energy=1))


def test_a_benchmark_without_weights_has_none(market):
    with market.read() as connection:
        assert sectors(connection) == ()
