"""What options make beyond their delta: a part of its own, and never called trading."""

import io
from datetime import date

import pytest
from rich.console import Console
from tests.acceptance.options_by_hand import by_hand, own_volatility
from tests.acceptance.parts import assert_sums, attribute
from tests.acceptance.test_options import ENTRY, EXPIRY, SOON, add, lot, occ, years
from tests.acceptance.world import FACTORS, LAST

from riskmark.cli.attribution_view import attribution_view
from riskmark.domain.reasons import SymbolReason
from riskmark.reports.ways import By


def screen(found):
    console = Console(width=100, file=io.StringIO())
    console.print(*attribution_view(found, By.FACTOR, every_position=False), sep="\n")
    return console.file.getvalue()


@pytest.fixture
def market(world):
    world.add_prices("AAA", *FACTORS)
    return world


def test_a_put_beyond_its_delta_is_its_price_less_delta_times_the_move(market):
    put = occ("AAA", EXPIRY, "put", 155)
    add(market, "book", lot("AAA", 100, 100), lot(put, 1, 4.5))
    market.run()

    whole = attribute(market, "book", session=LAST)

    found = whole.by_factor
    closes = market.closes("AAA")
    before = max(day for day in closes if day < LAST)
    price, delta = (
        [
            by_hand("put", closes[day], 155, years(day), own_volatility(market, "AAA", day))[place]
            for day in (before, LAST)
        ]
        for place in (0, 1)
    )
    wanted = 100 * (price[1] - price[0] - delta[0] * (closes[LAST] - closes[before]))
    assert found.beyond_delta == pytest.approx(wanted, rel=1e-9)
    assert found.document()["beyond_delta"] == found.beyond_delta
    assert found.document()["beyond_delta_reasons"] == []
    assert "\nBeyond delta " in screen(whole)
    assert "curvature, time and volatility" in screen(whole)


@pytest.mark.parametrize("equity", [100_000, None])
def test_sessions_without_a_trade_have_no_trading_even_through_expiry_and_split(world, equity):
    split = date(2025, 10, 15)
    world.add_prices("AAA", *FACTORS)
    closes = {day: price / (2 if day >= split else 1) for day, price in world.closes("AAA").items()}
    world.add_bars("BBB", closes)
    world.add_action("BBB", split, "split", 2.0)
    legs = [occ("AAA", SOON, right, 150) for right in ("call", "put")]
    own = [occ("AAA", EXPIRY, "put", 155), occ("BBB", EXPIRY, "call", 150)]
    lots = [*(lot(leg, -2, 5) for leg in legs), *(lot(one, 1, 4.5) for one in own)]
    add(world, "book", lot("AAA", 100, 100), *lots, equity=equity)
    world.run()

    after = [day for day in world.sessions(ENTRY, LAST) if day > ENTRY]
    each = [attribute(world, "book", session=day) for day in (after[0], split, SOON, LAST)]
    whole = attribute(world, "book", first=after[0])

    for found in (*each, whole):
        assert_sums(found, size=1e5)
        assert found.by_factor.trading == pytest.approx(0, abs=1e-6)
        assert abs(found.by_factor.beyond_delta) > 1
        assert (found.by_factor.reasons, found.by_factor.inseparable) == ((), ())


def test_a_trade_in_shares_beside_an_option_is_all_that_trading_has(market):
    put, mid = occ("AAA", EXPIRY, "put", 155), date(2025, 10, 1)
    closes = market.closes("AAA")
    bought = lot("AAA", 10, round(closes[mid] - 2, 4), mid)
    add(market, "book", lot("AAA", 100, 100), lot(put, 1, 4.5), bought)
    market.run()

    found = attribute(market, "book", first=mid, last=LAST)

    gained = 10 * (closes[mid] - float(bought.entry_price))
    assert found.by_factor.trading == pytest.approx(gained, abs=1e-6)
    assert_sums(found, size=1e5)


def test_where_the_underlying_has_no_return_its_option_stays_in_trading_with_a_reason(market):
    sessions = market.sessions(ENTRY, LAST)
    market.add_bars("CCC", {d: p for d, p in market.closes("AAA").items() if d != sessions[-3]})
    put = occ("CCC", EXPIRY, "put", 155)
    add(market, "book", lot(put, 1, 4.5))
    market.run()

    found = attribute(market, "book", first=sessions[-4])

    (one,) = found.by_factor.inseparable
    assert (one.reason, one.sessions) == (SymbolReason.UNDERLYING_UNPRICED, 2)
    assert found.by_factor.document()["beyond_delta_reasons"][0]["pnl"] == one.pnl
    assert abs(found.by_factor.trading) > 0
    assert_sums(found, size=1e5)
    assert "on 2 sessions, its underlying has no price\n" in screen(found)
