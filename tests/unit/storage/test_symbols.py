"""What people say of instruments, and what of it enters the ledger."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select
from tests.market import (
    AT,
    CALENDAR,
    LAST,
    add_lot,
    add_portfolio,
    changes,
    closes_of,
    load,
)

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.sessions import FIRST_DATE, OutsideCalendar
from riskmark.errors import InputError, UnknownSymbol
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.storage import schema
from riskmark.storage.file_issues import MarketFileErrors
from riskmark.storage.instruments import ensure_instruments, find_instrument, find_instruments
from riskmark.storage.quarantine import open_quarantines
from riskmark.storage.symbol_files import read_symbol_rows
from riskmark.storage.symbols import (
    NotPrivate,
    accept,
    import_symbols,
    unaccept,
    value_private,
)

MON, TUE, WED = CALENDAR.sessions[260:263]


@pytest.fixture
def imported(tmp_path):
    """Give a function that imports a file of symbols."""

    def run(connection, *lines, header="symbol,name,kind,sector"):
        path = tmp_path / "symbols.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return import_symbols(connection, read_symbol_rows(path), currency="USD", at=AT)

    return run


def issues_of(caught):
    return [(i.row, i.column, i.value) for i in caught.value.issues]


def held(connection, symbol, entry=MON):
    """Store a price of a symbol and a lot of it."""
    load(connection, [(symbol, MON, 100)])
    add_lot(connection, add_portfolio(connection), symbol, entry)


def test_new_symbols_are_made_as_they_are_described(database, imported):
    with database.write() as connection:
        done = imported(
            connection,
            "aapl,Apple,stock,Information Technology",
            "SPY,SPDR,ETF,",
            "HOUSE,,private,",
            "^VIX,,,",
        )

        found = find_instruments(connection, ["AAPL", "SPY", "HOUSE", "^VIX"])
        assert changes(connection) == []
    assert done.created == ("AAPL", "SPY", "HOUSE", "^VIX")
    assert (found["AAPL"].name, found["AAPL"].sector) == ("Apple", "Information Technology")
    assert [found[s].kind for s in ("SPY", "HOUSE", "^VIX")] == ["etf", "private", "index"]
    assert (found["HOUSE"].owner_id, found["SPY"].owner_id) == (schema.LOCAL_ACCOUNT, None)


def test_the_same_file_again_changes_nothing(database, imported):
    line = "AAPL,Apple,stock,Information Technology"
    with database.write() as connection:
        held(connection, "AAPL")
        imported(connection, line)

    with database.write() as connection:
        done = imported(connection, line)

    assert (done.created, done.changed, done.revision) == ((), (), 2)


def test_an_empty_field_keeps_what_is_stored(database, imported):
    with database.write() as connection:
        imported(connection, "AAPL,Apple,stock,Tech")

        done = imported(connection, "AAPL,,,")

        assert done.changed == ()
        assert find_instrument(connection, "AAPL").name == "Apple"


@pytest.mark.parametrize("line", ["AAPL,,stock,Tech", "AAPL,,etf,"])
def test_a_new_sector_or_kind_changes_numbers_from_the_first_lot_on(database, imported, line):
    with database.write() as connection:
        held(connection, "AAPL", TUE)

        done = imported(connection, line)

        assert done.changed == ("AAPL",)
        assert changes(connection)[1:] == [(2, "price", "AAPL", TUE)]


def test_a_new_name_changes_no_number(database, imported):
    with database.write() as connection:
        held(connection, "AAPL")

        done = imported(connection, "AAPL,Apple,,")

        assert done.changed == ("AAPL",)
        assert len(changes(connection)) == 1


def test_what_becomes_an_index_leaves_quarantine_and_what_stops_being_one_enters(
    database, imported
):
    with database.write() as connection:
        load(connection, [*closes_of("AAA", MON, [10, 20]), *closes_of("^BBB", MON, [10, 20])])

        imported(connection, "AAA,,index,", "^BBB,,other,")

        assert [move.symbol for move in open_quarantines(connection)] == ["^BBB"]
        assert changes(connection)[2:] == [(2, "price", "AAA", TUE), (2, "price", "^BBB", TUE)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["AAPL,,share,", "B B,,,"], [(2, "kind", "share"), (3, "symbol", "B B")]),
        (["AAPL,,option,"], [(2, "kind", "option")]),
        (["AAPL  260116C00200000,,stock,"], [(2, "kind", "stock")]),
        (["AAPL,A,,", "aapl,B,,"], [(3, "symbol", "AAPL")]),
        ([f"AAPL,{'x' * 201},,"], [(2, "name", "x" * 201)]),
        (["AAPL,,private,"], [(2, "kind", "private")]),
    ],
)
def test_everything_wrong_with_a_file_comes_at_once_and_nothing_is_stored(
    database, imported, lines, expected
):
    with database.write() as connection:
        load(connection, [("AAPL", MON, 100)])

        with pytest.raises(MarketFileErrors) as caught:
            imported(connection, "NEW,,,", *(line for line in lines))

        assert "NEW" not in find_instruments(connection, ["NEW"])
    assert issues_of(caught) == [(row + 1, column, value) for row, column, value in expected]


def test_a_currency_is_taken_unless_prices_are_stored(database, imported):
    header = "symbol,currency"
    with database.write() as connection:
        load(connection, [("AAA", MON, 100)])
        imported(connection, "BBB,GBp", header=header)

        with pytest.raises(MarketFileErrors) as caught:
            imported(connection, "AAA,EUR", header=header)
        with pytest.raises(MarketFileErrors):
            imported(connection, "AAA,Euro", header=header)

        assert find_instrument(connection, "BBB").currency == "GBp"
    assert issues_of(caught) == [(2, "currency", "EUR")]


def test_a_symbol_without_prices_can_become_private_and_public_again(database, imported):
    with database.write() as connection:
        imported(connection, "HOUSE,,stock,")
        key = find_instrument(connection, "HOUSE").instrument_id

        imported(connection, "HOUSE,,private,")
        own = find_instrument(connection, "HOUSE")
        imported(connection, "HOUSE,,fund,")
        public = find_instrument(connection, "HOUSE")

    assert (own.instrument_id, own.owner_id) == (key, schema.LOCAL_ACCOUNT)
    assert (public.instrument_id, public.owner_id) == (key, None)


def test_a_valued_private_asset_stays_private(database, imported):
    with database.write() as connection:
        imported(connection, "HOUSE,,private,")
        value_private(connection, "HOUSE", MON, Decimal(10), calendar=CALENDAR, at=AT)

        with pytest.raises(MarketFileErrors) as caught:
            imported(connection, "HOUSE,,stock,")

    assert issues_of(caught) == [(2, "kind", "stock")]


def test_a_former_symbol_is_named_by_its_present_one(database, imported):
    with database.write() as connection:
        load(connection, [("META", MON, 100)])
        key = find_instrument(connection, "META").instrument_id
        connection.execute(
            schema.instrument_alias.insert().values(symbol="FB", instrument_id=key, renamed_on=MON)
        )

        with pytest.raises(MarketFileErrors, match="META, as it is called now"):
            imported(connection, "FB,Facebook,,")


def test_acceptance_is_stored_once_and_counts_from_the_first_lot(database):
    with database.write() as connection:
        held(connection, "AAA", TUE)

        assert accept(connection, "aaa", "delisted", at=AT)
        assert not accept(connection, "AAA", "delisted in May", at=AT)

        row = connection.execute(select(schema.acceptance)).one()
        assert changes(connection)[1:] == [(2, "acceptance", "AAA", TUE)]
    assert (row.note, row.accepted_at) == ("delisted in May", AT)


def test_an_acceptance_can_be_taken_back(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 100)])
        accept(connection, "AAA", "delisted", at=AT)

        assert unaccept(connection, "AAA", at=AT)
        assert not unaccept(connection, "AAA", at=AT)

        assert connection.execute(select(schema.acceptance)).all() == []
        assert changes(connection)[1:] == [
            (2, "acceptance", "AAA", FIRST_DATE),
            (3, "acceptance", "AAA", FIRST_DATE),
        ]


def test_an_unknown_symbol_cannot_be_accepted(database):
    with database.write() as connection, pytest.raises(UnknownSymbol):
        accept(connection, "NOPE", "x", at=AT)


def make_private(connection, symbol):
    hint = InstrumentHint(symbol, InstrumentKind.PRIVATE)
    ensure_instruments(connection, [hint], currency="USD", at=AT)


def value(connection, symbol, day, price):
    return value_private(connection, symbol, day, Decimal(price), calendar=CALENDAR, at=AT)


def test_a_valuation_changes_numbers_from_its_session_on(database):
    with database.write() as connection:
        make_private(connection, "HOUSE")

        assert value(connection, "HOUSE", date(2024, 1, 6), "100.25")
        assert not value(connection, "HOUSE", date(2024, 1, 6), "100.250")
        assert value(connection, "HOUSE", date(2024, 1, 6), 99)

        rows = connection.execute(select(schema.valuation)).all()
        assert changes(connection) == [
            (1, "price", "HOUSE", date(2024, 1, 8)),
            (2, "price", "HOUSE", date(2024, 1, 8)),
        ]
    assert [(row.date, row.price) for row in rows] == [(date(2024, 1, 6), Decimal(99))]


@pytest.mark.parametrize("price", ["-1", "NaN", "Infinity", "0.000000001", "1e12", "1e-400"])
def test_a_value_that_cannot_be_kept_exactly_is_refused(database, price):
    with database.write() as connection:
        make_private(connection, "HOUSE")

        with pytest.raises(InputError, match="at most 8 decimals"):
            value(connection, "HOUSE", MON, price)


@pytest.mark.parametrize("price", ["0", "0.00000001", "999999999999.99999999"])
def test_the_ends_of_the_range_are_kept(database, price):
    with database.write() as connection:
        make_private(connection, "HOUSE")

        value(connection, "HOUSE", MON, price)

        stored = connection.execute(select(schema.valuation.c.price)).scalar_one()
    assert stored == Decimal(price)


def test_only_private_assets_are_valued_and_only_within_the_calendar(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 100)])
        make_private(connection, "HOUSE")

        with pytest.raises(NotPrivate):
            value(connection, "AAA", MON, 1)
        with pytest.raises(UnknownSymbol):
            value(connection, "NOPE", MON, 1)
        with pytest.raises(InputError, match="lies before"):
            value(connection, "HOUSE", date(1900, 1, 1), 1)
        with pytest.raises(OutsideCalendar):
            value(connection, "HOUSE", LAST.replace(year=2030), 1)
