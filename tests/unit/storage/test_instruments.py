"""Instruments: found, made when first met, private beside public."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, insert, select
from tests.market import AT, CALENDAR, add_lot, add_portfolio, instrument_id, load
from tests.support import START

from riskmark.domain.instruments import InstrumentKind, OptionTerms, OptionType
from riskmark.domain.reasons import ChangeKind
from riskmark.errors import InputError, UnknownSymbol
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.storage import schema
from riskmark.storage.instruments import (
    ensure_instruments,
    find_instrument,
    find_instruments,
    first_use,
    hint_of,
    load_instruments,
)

OPTION = "AAPL  260116C00200000"
MON, TUE = CALENDAR.sessions[260:262]


def ensure(connection, *hints, **options):
    arguments = {"currency": "USD", "at": AT} | options
    return ensure_instruments(connection, hints, **arguments)


def private(symbol):
    return InstrumentHint(symbol, InstrumentKind.PRIVATE)


def stated(symbol, kind):
    return InstrumentHint(symbol, kind, is_stated=True)


def test_a_share_class_is_one_instrument_in_either_spelling(database):
    with database.write() as connection:
        first = ensure(connection, hint_of("BRK.B"), hint_of("VOD.L"))
        second = ensure(connection, hint_of("BRK-B"), hint_of("VOD-L"))

        assert second.instruments[0] == first.instruments[0]
        assert second.created == ("VOD-L",)
        assert find_instrument(connection, "brk-b").symbol == "BRK.B"


def test_new_symbols_become_instruments_and_known_ones_are_found(database):
    with database.write() as connection:
        first = ensure(connection, hint_of("AAA"), hint_of("^VIX"))
        second = ensure(connection, hint_of("^VIX"), hint_of("BBB"), hint_of("AAA"))

    assert first.created == ("AAA", "^VIX")
    assert second.created == ("BBB",)
    assert second.instruments[0] == first.instruments[1]
    assert second.instruments[2] == first.instruments[0]
    assert [i.kind for i in second.instruments] == ["index", "stock", "stock"]
    assert all(i.owner_id is None and i.currency == "USD" for i in second.instruments)


def test_an_option_symbol_brings_its_terms(database):
    with database.write() as connection:
        (option,) = ensure(connection, hint_of(OPTION)).instruments

    assert option.kind is InstrumentKind.OPTION
    assert option.terms == OptionTerms("AAPL", date(2026, 1, 16), OptionType.CALL, Decimal(200))


def test_a_private_asset_belongs_to_its_owner_and_stands_beside_a_public_namesake(database):
    with database.write() as connection:
        public = ensure(connection, hint_of("AAA")).instruments[0]
        own = ensure(connection, private("AAA")).instruments[0]
        again = ensure(connection, private("AAA"), stated("AAA", InstrumentKind.STOCK))

        assert find_instruments(connection, ["AAA"]) == {"AAA": own}
        assert find_instruments(connection, ["AAA"], owner_id=None) == {"AAA": public}
    assert own.owner_id == schema.LOCAL_ACCOUNT
    assert again.instruments == (own, public)
    assert again.created == ()


def test_the_private_assets_of_others_are_not_seen(database):
    with database.write() as connection:
        connection.execute(
            insert(schema.account).values(id="other", name="x", role="owner", created_at=START)
        )
        theirs = ensure(connection, private("AAA"), owner_id="other").instruments[0]
        ours = ensure(connection, private("AAA")).instruments[0]

        assert theirs.instrument_id != ours.instrument_id
        assert find_instruments(connection, ["AAA"]) == {"AAA": ours}
        assert load_instruments(connection, [theirs.instrument_id]) == {}


def test_an_alias_finds_the_instrument_that_has_another_symbol_now(database):
    with database.write() as connection:
        (stored,) = ensure(connection, hint_of("META")).instruments
        connection.execute(
            insert(schema.instrument_alias).values(
                symbol="FB", instrument_id=stored.instrument_id, renamed_on=MON
            )
        )

        assert find_instruments(connection, ["FB", "XX"]) == {"FB": stored}
        assert find_instrument(connection, " fb".strip()) == stored
        assert ensure(connection, hint_of("FB")).created == ()


@pytest.mark.parametrize("symbol", ["NOPE", "not a symbol", ""])
def test_a_symbol_that_nothing_has_is_an_error(database, symbol):
    with database.read() as connection, pytest.raises(UnknownSymbol):
        find_instrument(connection, symbol)


def test_a_malformed_symbol_makes_no_instrument(database):
    with database.write() as connection, pytest.raises(InputError, match="is not a symbol"):
        ensure(connection, InstrumentHint("a b", InstrumentKind.STOCK))


def test_a_stated_fund_corrects_a_guessed_stock_and_says_so(database):
    with database.write() as connection:
        load(connection, [("SPY", MON, 100)])
        add_lot(connection, add_portfolio(connection), "SPY", TUE)

        ensured = ensure(connection, stated("SPY", InstrumentKind.ETF))

        assert find_instrument(connection, "SPY").kind is InstrumentKind.ETF
        (change,) = ensured.changes
    assert (change.kind, change.from_session) == (ChangeKind.PRICE, TUE)
    assert ensured.instruments[0].kind is InstrumentKind.ETF


def test_a_guess_corrects_nothing(database):
    with database.write() as connection:
        ensure(connection, stated("SPY", InstrumentKind.ETF))

        ensured = ensure(connection, InstrumentHint("SPY", InstrumentKind.STOCK))

        assert ensured.instruments[0].kind is InstrumentKind.ETF
        assert ensured.changes == ()


def test_first_use_is_the_earliest_entry_of_any_lot(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 100)])
        key = instrument_id(connection, "AAA")
        assert first_use(connection, key) is None

        add_lot(connection, add_portfolio(connection, "one"), "AAA", TUE)
        add_lot(connection, add_portfolio(connection, "two"), "AAA", MON)

        assert first_use(connection, key) == MON


def test_thousands_of_symbols_are_one_statement(database):
    hints = [hint_of(f"S{n}") for n in range(3000)]

    with database.write() as connection:
        created = ensure(connection, *hints).created

        found = find_instruments(connection, [hint.symbol for hint in hints])
        count = connection.execute(select(func.count()).select_from(schema.instrument)).scalar()
    assert len(created) == len(found) == count == 3000
