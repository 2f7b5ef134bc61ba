from datetime import date
from decimal import Decimal

import pytest
from tests.acceptance.world import LAST
from tests.unit.reports.worlds import MON, TUE, WED

from riskmark.domain.instruments import InstrumentKind
from riskmark.errors import InputError, UnknownSymbol
from riskmark.reports.snapshot import NotValued
from riskmark.reports.what_if import StatedTrade, Wanted, what_if
from riskmark.reports.what_if_book import NoClose
from riskmark.storage.symbol_files import SymbolRow
from riskmark.storage.symbols import import_symbols, value_private

LONG_AGO = date(2025, 3, 3)


@pytest.fixture
def book(world):
    world.add_prices("AAA", "BBB", "CCC")
    world.add_book("book", ("AAA", "BBB", "SPY"), date(2025, 12, 1), quantity=200)
    world.run()
    return world


def tried(world, *trades, name="book", session=None, **wanted):
    stated = [StatedTrade(symbol, Decimal(str(quantity))) for symbol, quantity in trades]
    with world.app.database.read() as connection:
        return what_if(
            connection,
            world.app.principal,
            name,
            Wanted(stated, **wanted),
            calendar=world.calendar,
            settings=world.app.settings,
            session=session,
        )


def quantities(found):
    return {line.symbol: line.quantity for line in found.after.positions}


def test_cash_pays_for_a_trade_in_equity_mode(book):
    found = tried(book, ("CCC", 10))

    change = found.change().document["snapshot"]
    assert change["cash"] == pytest.approx(-10 * book.closes("CCC")[LAST])
    assert change["nav"] == pytest.approx(0, abs=1e-9)
    assert found.trades[0].money == pytest.approx(change["cash"])


def test_a_trade_is_a_flow_in_holdings_mode(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), MON, equity=None)
    world.run()

    change = tried(world, ("SPY", 3)).change().document["snapshot"]

    assert change["flow"] == change["nav"] == pytest.approx(3 * world.closes("SPY")[LAST])


def test_a_volatility_is_reached_with_whole_shares(book):
    found = tried(book, ("CCC", 7.5), target_vol=0.05)

    (proposal,) = found.proposals
    assert proposal.factor != 1
    assert found.after.measures["vol_63"] == pytest.approx(0.05, rel=0.01)
    assert all(quantity == int(quantity) for quantity in quantities(found).values())
    assert proposal.left_alone == ()


def test_a_hedge_and_a_scaling_hold_together(book):
    found = tried(book, target_vol=0.08, hedge_beta="SPY")

    hedge, scaling = found.proposals
    assert (hedge.kind, scaling.kind) == ("hedge_beta", "target_vol")
    assert found.after.measures["vol_63"] == pytest.approx(0.08, rel=0.01)
    assert abs(found.after.measures["beta"]) < 0.01
    assert found.trades[0].origin == "hedge_beta"


def test_what_no_risk_is_computed_from_is_left_alone_by_a_scaling(world):
    world.add_prices("AAA", last=date(2025, 12, 3))
    world.add_book("book", ("AAA", "ZZZ", "SPY"), date(2025, 12, 1), quantity=200)
    world.run()

    found = tried(world, target_vol=0.05)

    assert found.proposals[0].left_alone == (("AAA", "stale"), ("ZZZ", "cost"))
    assert {trade.symbol for trade in found.trades} == {"SPY"}
    assert found.after.measures["vol_63"] == pytest.approx(0.05, rel=0.01)


def test_a_book_of_holdings_cannot_be_scaled_to_a_volatility(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), MON, equity=None)
    world.run()

    with pytest.raises(InputError, match="keeps no cash"):
        tried(world, target_vol=0.1)


def test_a_private_asset_is_traded_at_its_last_value(book):
    with book.app.database.write() as connection:
        at = book.app.clock.now()
        row = SymbolRow("f", 1, "FLAT", None, InstrumentKind.PRIVATE, None, None)
        import_symbols(connection, [row], currency="USD", at=at)
        value_private(connection, "FLAT", LONG_AGO, Decimal(500), calendar=book.calendar, at=at)

    (trade,) = tried(book, ("FLAT", 2)).trades

    assert (trade.price, trade.mark_kind, trade.money) == (500.0, "manual", -1000.0)


@pytest.mark.parametrize(
    ("symbol", "why"), [("OLD", "sessions old"), ("NEW", "is stored"), ("EUX", "is stored")]
)
def test_what_has_no_close_cannot_be_traded(book, symbol, why):
    book.add_prices("OLD", last=date(2025, 12, 1))
    book.add_bars("NEW", {LAST: 10.0})
    book.add_book("other", ("EUX",), TUE)

    with pytest.raises(NoClose, match=f"{symbol} .*{WED}.*{why}"):
        tried(book, (symbol, 5), session=WED)


def test_a_carried_mark_is_traded_at_and_named(book):
    book.add_prices("DDD", last=WED)

    (trade,) = tried(book, ("DDD", 5)).trades

    assert (trade.mark_kind, trade.price) == ("carried", book.closes("DDD")[WED])


def test_requests_that_make_no_sense_say_why(book):
    book.add_bars("NEW", {LAST: 10.0})
    with pytest.raises(InputError, match="nothing to try"):
        tried(book)
    with pytest.raises(UnknownSymbol, match="QQQQ"):
        tried(book, ("QQQQ", 5))
    with pytest.raises(InputError, match="NEW cannot hedge beta: its own is null"):
        tried(book, hedge_beta="NEW")
    with pytest.raises(NotValued, match="the newest is of"):
        tried(book, ("SPY", 5), session=date(2025, 11, 3))


def test_a_book_that_was_never_valued_says_so(world):
    world.add_book("book", ("SPY",), MON)

    with pytest.raises(NotValued, match="riskmark run"):
        tried(world, ("SPY", 5))


def test_everything_sold_leaves_cash_and_reasons(book):
    found = tried(book, ("AAA", -200), ("BBB", -200), ("SPY", -200))

    document = found.document()
    assert document["after"]["snapshot"]["gross"] == 0
    assert document["after"]["risk"]["vol_63"] == 0
    assert document["nulls"]["after.risk.vol_trend"] == "no_holdings"
    assert document["nulls"]["after.positions.AAA.beta"] == "closed"


def test_every_null_of_the_document_has_a_reason(book):
    document = tried(book, ("CCC", 5), ("AAA", -200)).document()

    for side in ("before", "after", "change"):
        for name in nulls_in(document[side], side):
            assert name in document["nulls"], name


def nulls_in(value, name):
    """Yield the names of nulls; items of lists go by their first texts."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from nulls_in(inner, f"{name}.{key}")
    elif isinstance(value, list):
        for item in value:
            own = [
                item[key]
                for key in ("model", "factor", "sector", "scenario", "symbol")
                if isinstance(item.get(key), str) and not (key == "sector" and "symbol" in item)
            ]
            yield from nulls_in(item, ".".join([name, *own]))
    elif value is None:
        yield name
