"""Who said what of instruments, who is asked about next, and what enters the ledger."""

from datetime import timedelta

import pytest
from tests.market import AT, CALENDAR, add_lot, add_portfolio, changes, instrument_id, load

from riskmark.domain.instruments import InstrumentKind
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.planning.profiles import PEOPLE, Said
from riskmark.storage.aliases import rename
from riskmark.storage.engines import read_rows
from riskmark.storage.instruments import ensure_instruments
from riskmark.storage.profiles import load_due, save_miss, save_said
from riskmark.storage.symbol_files import read_symbol_rows
from riskmark.storage.symbols import import_symbols
from riskmark.storage.universe import describe_symbol

MON = CALENDAR.sessions[260]
DAYS = timedelta(days=90)
APPLE = Said("fmp", InstrumentKind.STOCK, "Apple Inc.", "Technology", "USD")


@pytest.fixture
def held(database):
    """Store a price and a lot of AAPL."""
    with database.write() as connection:
        load(connection, [("AAPL", MON, 100), ("SPY", MON, 500)])
        add_lot(connection, add_portfolio(connection), "AAPL", MON)
    return database


def say(database, said, *, symbol="AAPL", at=AT, **options):
    with database.write() as connection:
        return save_said(connection, symbol, said, at=at, fresh=DAYS, **options)


def shown(database, symbol="AAPL"):
    with database.read() as connection:
        return describe_symbol(connection, symbol)


def due(database, *, at=AT, most=10):
    with database.read() as connection:
        found = load_due(connection, scope=None, factor_symbols=("SPY",), most=most, at=at)
    return [one.symbol for one in found]


def people_say(database, tmp_path, line):
    path = tmp_path / "symbols.csv"
    path.write_text(f"symbol,name,kind,sector\n{line}\n", encoding="utf-8")
    with database.write() as connection:
        import_symbols(connection, read_symbol_rows(path), currency="USD", at=AT)


def test_what_is_said_is_stored_with_who_said_it_and_recorded_where_it_changes_numbers(held):
    say(held, APPLE)

    found = shown(held)
    assert (found.instrument.name, found.instrument.sector) == (
        "Apple Inc.", "Information Technology",
    )  # fmt: skip
    assert (found.said.kind_by, found.said.name_by, found.said.sector_by) == ("fmp",) * 3
    with held.read() as connection:
        reasons = read_rows(connection, "SELECT reason FROM input_change")
    assert reasons[-1][0] == "AAPL: sector Information Technology, as fmp says"


def test_the_same_again_changes_nothing(held):
    say(held, APPLE)
    with held.read() as connection:
        before = changes(connection)

    say(held, APPLE, at=AT + timedelta(hours=1))

    with held.read() as connection:
        assert changes(connection) == before


def test_held_symbols_are_asked_about_first_and_none_again_before_it_is_old(held):
    assert due(held) == ["AAPL", "SPY"]
    assert due(held, most=1) == ["AAPL"]

    say(held, APPLE)

    assert due(held) == ["SPY"]
    assert due(held, at=AT + DAYS) == ["AAPL", "SPY"]


def test_what_comes_along_with_bars_counts_as_asked_only_where_nothing_is_lacking(held):
    say(held, APPLE._replace(sector=None), is_asked=False)
    say(held, Said("fmp", InstrumentKind.ETF, "A fund"), symbol="SPY", is_asked=False)

    assert due(held) == ["AAPL"]
    assert shown(held).instrument.name == "Apple Inc."


def test_a_symbol_of_which_nobody_says_anything_is_asked_about_more_and_more_seldom(held):
    waits = []
    at = AT
    for _ in range(7):
        with held.write() as connection:
            save_miss(connection, instrument_id(connection, "AAPL"), at=at)
        until = shown(held).said.until
        waits.append((until - at).total_seconds() / 3600)
        at = until

    assert waits == [20, 40, 80, 160, 320, 640, 720]


def test_private_assets_and_options_are_never_due(database):
    with database.write() as connection:
        hints = [
            InstrumentHint("HOUSE", InstrumentKind.PRIVATE),
            InstrumentHint("AAPL  260116C00100000", InstrumentKind.OPTION),
        ]
        ensure_instruments(connection, hints, currency="USD", at=AT)

    assert due(database) == ["AAPL"]
    assert say(database, APPLE, symbol="HOUSE") is None
    assert shown(database, "HOUSE").instrument.name is None


def test_what_people_imported_stays_and_is_asked_of_nobody(held, tmp_path):
    people_say(held, tmp_path, "AAPL,My apple,stock,Fruit")

    say(held, Said("fmp", InstrumentKind.STOCK, "Apple Inc.", "Technology"))

    found = shown(held)
    assert (found.instrument.name, found.instrument.sector) == ("My apple", "Fruit")
    assert found.said.name_by == found.said.sector_by == PEOPLE
    assert due(held, at=AT + 2 * DAYS) == ["SPY"]


def test_a_contradiction_is_noted_once_changes_nothing_and_goes_when_people_see_to_it(
    held, tmp_path
):
    say(held, APPLE)
    other = Said("fmp", InstrumentKind.STOCK, "Young Pharma Plc", "Healthcare")

    first, second = say(held, other), say(held, other)

    found = shown(held)
    assert "Young Pharma Plc" in first
    assert second is None
    assert (found.instrument.name, found.said.conflict) == ("Apple Inc.", first)
    people_say(held, tmp_path, "AAPL,Young Pharma,,")
    assert shown(held).said.conflict is None
    assert say(held, other) is None


def test_a_contradiction_goes_when_its_provider_agrees_again_and_not_before(held):
    say(held, APPLE)
    say(held, Said("fmp", name="Young Pharma Plc"))

    say(held, Said("massive", name="Apple"))
    assert shown(held).said.conflict is not None
    say(held, APPLE)

    assert shown(held).said.conflict is None


def test_after_a_rename_providers_are_asked_anew_and_may_tell_another_name(held):
    say(held, APPLE)
    with held.write() as connection:
        rename(connection, "AAPL", "PEAR", MON, calendar=CALENDAR, at=AT)

    assert due(held) == ["PEAR", "SPY"]
    assert say(held, Said("fmp", InstrumentKind.STOCK, "Pear Corp."), symbol="PEAR") is None
    assert shown(held, "PEAR").instrument.name == "Pear Corp."
