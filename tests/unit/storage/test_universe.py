"""The universe: what is said of each instrument."""

from decimal import Decimal

import pytest
from tests.market import (
    AT,
    CALENDAR,
    add_lot,
    add_portfolio,
    closes_of,
    dividend,
    load,
)

from riskmark.domain.instruments import InstrumentKind
from riskmark.errors import UnknownSymbol
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.storage.aliases import rename
from riskmark.storage.instruments import ensure_instruments
from riskmark.storage.symbols import accept, value_private
from riskmark.storage.universe import describe_symbol, list_universe

MON, TUE, WED = CALENDAR.sessions[260:263]


def test_an_empty_database_has_no_instruments(database):
    with database.read() as connection:
        assert list_universe(connection) == ()


def test_instruments_are_listed_by_symbol_with_what_is_stored(database):
    with database.write() as connection:
        load(
            connection,
            [*closes_of("BBB", MON, [100, 50, 51]), *closes_of("AAA", TUE, [1])],
            [dividend("BBB", TUE, 1), dividend("BBB", WED, 1)],
        )
        rename(connection, "OLD", "BBB", TUE, calendar=CALENDAR, at=AT)
        for portfolio in ("one", "two"):
            add_lot(connection, add_portfolio(connection, portfolio), "BBB", MON)
            add_lot(connection, portfolio, "BBB", TUE)
        accept(connection, "BBB", "known", at=AT)

        first, second = list_universe(connection)

    assert (first.instrument.symbol, first.bars, first.first_session) == ("AAA", 1, TUE)
    assert (first.portfolios, first.accepted, first.quarantined_from) == (0, None, None)
    assert (second.bars, second.first_session, second.last_session) == (3, MON, WED)
    assert (second.actions, second.portfolios, second.aliases) == (2, 2, ("OLD",))
    assert (second.accepted, second.quarantined_from) == ("known", TUE)
    assert second.quarantine_reason.startswith("close fell to 0.5000")


def test_a_private_asset_has_valuations(database):
    with database.write() as connection:
        hint = InstrumentHint("HOUSE", InstrumentKind.PRIVATE)
        ensure_instruments(connection, [hint], currency="USD", at=AT)
        value_private(connection, "HOUSE", MON, Decimal(10), calendar=CALENDAR, at=AT)

        described = describe_symbol(connection, "house")

    assert (described.valuations, described.bars) == (1, 0)


def test_a_symbol_that_nothing_has_cannot_be_described(database):
    with database.read() as connection, pytest.raises(UnknownSymbol):
        describe_symbol(connection, "NOPE")
