"""What-if with options: greeks and sectors as ``show`` has them, and what cannot be a hedge."""

import json
from datetime import date
from decimal import Decimal

import pytest
from tests.acceptance.test_options import add, lot, market, occ, positions  # noqa: F401
from tests.acceptance.test_what_if import foretell
from tests.unit.reports.shown_books import nulls_under, show

from riskmark.domain.instruments import InstrumentKind
from riskmark.errors import InputError, UnknownSymbol
from riskmark.reports.documents import to_json
from riskmark.reports.what_if_book import NoClose
from riskmark.storage.symbol_files import SymbolRow
from riskmark.storage.symbols import import_symbols, value_private

EXPIRY = date(2026, 3, 20)
PUT = occ("AAA", EXPIRY, "put", 155)
BLIND = occ("ZZZ", EXPIRY, "call", 10)
"""An option whose underlying has no closes."""


@pytest.fixture
def book(market):  # noqa: F811
    """Give a book with an option on a share of a sector, and one without greeks."""
    add(market, "book", lot("AAA", 200, 100), lot(PUT, 1, 4.5), lot(BLIND, 1, 2))
    row = SymbolRow("symbols.csv", 2, "AAA", None, None, "Energy", None)
    with market.app.database.write() as connection:
        import_symbols(connection, [row], currency="USD", at=market.app.clock.now())
    market.run()
    return market


def tried(world, *trades, **wanted):
    return json.loads(to_json(foretell(world, None, *trades, **wanted).document()))


def assert_near(mine, theirs):
    assert set(mine) == set(theirs)
    for name, value in theirs.items():
        is_number = isinstance(value, float)
        assert mine[name] == (pytest.approx(value, rel=1e-9) if is_number else value), name


def test_what_if_has_the_greeks_and_sectors_that_show_has(book):
    shown = show(book)

    found = tried(book, ("AAA", 1))

    mine, theirs = positions(found["before"]), positions(shown)
    assert set(mine) == set(theirs) == {"AAA", PUT, BLIND}
    for symbol, line in theirs.items():
        assert mine[symbol]["sector"] == line["sector"]
        assert_near(mine[symbol].get("greeks", {}), line.get("greeks", {}))
    assert mine[PUT]["sector"] == "Energy"
    assert found["before"]["greeks"] == pytest.approx(shown["greeks"], rel=1e-9)
    for symbol in theirs:
        name = f"positions.{symbol}"
        assert nulls_under(found, f"before.{name}") == nulls_under(shown, name)


def test_what_a_trade_changes_in_the_greeks_is_told(book):
    found = tried(book, (PUT, 2))

    before, after = (found[side]["greeks"] for side in ("before", "after"))
    for greek, change in found["change"]["greeks"].items():
        assert after[greek] == pytest.approx(3 * before[greek], rel=1e-9)
        assert change == pytest.approx(2 * before[greek], rel=1e-9)


def test_an_option_is_refused_as_a_hedge_of_beta(book):
    with pytest.raises(InputError, match="an option cannot be the hedge; name its underlying AAA"):
        tried(book, hedge_beta=PUT)

    with pytest.raises(InputError, match="an option cannot be the hedge; name its underlying"):
        tried(book, hedge_beta=BLIND)


def test_a_scaling_leaves_alone_what_is_not_in_the_volatility(book):
    with book.app.database.write() as connection:
        at = book.app.clock.now()
        row = SymbolRow("f", 1, "FLAT", None, InstrumentKind.PRIVATE, None, None)
        import_symbols(connection, [row], currency="USD", at=at)
        day = date(2025, 11, 3)
        value_private(connection, "FLAT", day, Decimal(50), calendar=book.calendar, at=at)
    late = book.sessions(date(2025, 12, 20), date(2026, 1, 8))
    book.add_bars("NEW", dict.fromkeys(late, 20.0))

    found = tried(book, ("FLAT", 3), ("NEW", 5), target_vol=0.06)

    (proposal,) = found["proposals"]
    assert {one["symbol"]: one["reason"] for one in proposal["left_alone"]} == {
        "FLAT": "manual",
        "NEW": "too_few_observations",
        BLIND: "cost",
    }
    scaled = {one["symbol"] for one in found["trades"] if one["origin"] == "target_vol"}
    assert scaled <= {"AAA", PUT}
    assert found["after"]["risk"]["vol_63"] == pytest.approx(0.06, rel=0.1)


def test_an_option_that_is_not_stored_is_tried_as_a_stored_one_is(book):
    call = occ("AAA", EXPIRY, "call", 165)

    new = tried(book, (call, -2))
    add(book, "other", lot(call, 1, 5))
    stored = tried(book, (call, -2))

    assert new["trades"][0]["mark_kind"] == "model"
    assert positions(new["after"])[call]["sector"] == "Energy"
    for part in ("trades", "before", "after"):
        assert new[part] == stored[part]


def test_an_option_on_an_unknown_underlying_is_not_tried(book):
    with pytest.raises(InputError, match="no instrument has the symbol of its underlying 'QQQX'"):
        tried(book, (occ("QQQX", EXPIRY, "call", 10), 1))
    with pytest.raises(UnknownSymbol):
        tried(book, ("QQQX", 1))


def test_an_option_that_has_expired_is_not_tried(book):
    with pytest.raises(NoClose, match="it has expired"):
        tried(book, (occ("AAA", date(2025, 12, 19), "call", 165), 1))
