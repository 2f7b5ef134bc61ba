"""Gaps: sessions on which a close should be stored and is not."""

import pytest
from sqlalchemy import update
from tests.market import AT, CALENDAR, HOLIDAY, add_lot, add_portfolio, closes_of, load

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.reasons import SymbolReason
from riskmark.errors import UnknownSymbol
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.storage import schema
from riskmark.storage.gaps import price_gaps
from riskmark.storage.instruments import ensure_instruments

MON, TUE, WED, THU, FRI = CALENDAR.sessions[260:265]


def gaps(connection, target=FRI, **options):
    found = price_gaps(connection, CALENDAR, target, **options)
    return [(g.symbol, g.first, g.last, g.sessions) for g in found]


def test_a_held_symbol_lacks_what_no_bar_covers(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 1), ("AAA", THU, 1)])
        add_lot(connection, add_portfolio(connection), "AAA", TUE)

        assert gaps(connection) == [("AAA", TUE, WED, 2), ("AAA", FRI, FRI, 1)]


def test_a_complete_symbol_has_no_gap(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [1] * 5))
        add_lot(connection, add_portfolio(connection), "AAA", TUE)

        assert gaps(connection) == []


def test_sessions_are_counted_not_days(database):
    with database.write() as connection:
        start = CALENDAR.on_or_before(HOLIDAY)
        before, after = CALENDAR.sessions[start], CALENDAR.sessions[start + 1]
        load(connection, [("AAA", before, 1), ("AAA", CALENDAR.sessions[start + 2], 1)])

        found = gaps(connection, CALENDAR.sessions[start + 2], symbols=["AAA"])

    assert found == [("AAA", after, after, 1)]


def test_nothing_is_needed_from_the_exit_on(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 1)])
        add_lot(connection, add_portfolio(connection), "AAA", MON, WED)

        assert gaps(connection) == [("AAA", TUE, TUE, 1)]


def test_another_lot_that_is_held_needs_it_to_the_target(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 1)])
        add_lot(connection, add_portfolio(connection, "one"), "AAA", MON, WED)
        add_lot(connection, add_portfolio(connection, "two"), "AAA", WED)

        assert gaps(connection) == [("AAA", TUE, FRI, 4)]


def test_a_held_symbol_that_was_never_priced_is_listed_from_its_entry(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 1)])
        connection.execute(schema.price.delete())
        add_lot(connection, add_portfolio(connection), "AAA", WED)

        (gap,) = price_gaps(connection, CALENDAR, FRI)

    assert (gap.first, gap.last, gap.sessions) == (WED, FRI, 3)
    assert gap.reason is SymbolReason.NEVER_PRICED


def test_an_entry_before_the_first_bar_is_a_gap(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", WED, [1, 1, 1]))
        add_lot(connection, add_portfolio(connection), "AAA", MON)

        assert gaps(connection) == [("AAA", MON, TUE, 2)]


def test_factor_symbols_are_needed_though_nobody_holds_them(database):
    with database.write() as connection:
        load(connection, [("SPY", TUE, 1), ("BBB", TUE, 1)])

        assert gaps(connection) == []
        assert gaps(connection, factor_symbols=["SPY", "TLT"]) == [("SPY", WED, FRI, 3)]


def test_named_symbols_are_looked_at_alone(database):
    with database.write() as connection:
        load(connection, [("AAA", TUE, 1), ("BBB", WED, 1)])
        add_lot(connection, add_portfolio(connection), "AAA", TUE)

        assert gaps(connection, symbols=["bbb"]) == [("BBB", THU, FRI, 2)]
        with pytest.raises(UnknownSymbol):
            gaps(connection, symbols=["NOPE"])


def test_deleted_portfolios_and_private_assets_need_nothing(database):
    with database.write() as connection:
        hint = InstrumentHint("HOUSE", InstrumentKind.PRIVATE)
        ensure_instruments(connection, [hint], currency="USD", at=AT)
        load(connection, [("AAA", MON, 1)])
        add_lot(connection, add_portfolio(connection, "gone"), "AAA", MON)
        connection.execute(update(schema.portfolio).values(deleted_at=AT))
        add_lot(connection, add_portfolio(connection, "here"), "HOUSE", MON)

        assert gaps(connection) == []


def test_an_earlier_target_needs_less(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 1)])
        add_lot(connection, add_portfolio(connection), "AAA", MON)

        assert gaps(connection, WED) == [("AAA", TUE, WED, 2)]
        assert gaps(connection, MON.replace(year=2020)) == []
