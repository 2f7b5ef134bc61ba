"""P&L and changes of real books in parts: ten books, six years, every sum.

Skipped unless RISKMARK_MARKET_DATA names the folder of the data, which is not ours to give.
"""

import random
from collections.abc import Iterator
from datetime import date

import pytest
from tests.acceptance.parts import assert_explained, assert_sums, attribute, explain
from tests.acceptance.real_books import BOOKS, MARKET_NEUTRAL, TODAY
from tests.acceptance.real_market import FOLDER, read_market
from tests.acceptance.real_world import RealWorld, open_world

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="RISKMARK_MARKET_DATA names no folder with market data"
)

MONEY = 1e6
PAIRS = 6
"""Pairs of sessions of each book between which changes are explained."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealWorld]:
    """Import everything, and run."""
    folder = tmp_path_factory.mktemp("parts")
    made = open_world(f"sqlite:///{folder / 'real.db'}", TODAY)
    made.import_symbols(folder / "symbols.csv")
    made.import_market()
    for book in BOOKS:
        made.add(book)
    made.run()
    yield made
    made.close()


def _sessions(world: RealWorld, name: str) -> list[date]:
    return list(world.series(name, "nav"))


@pytest.mark.parametrize("name", [book.name for book in BOOKS])
def test_every_way_sums_to_the_pnl_of_a_session_a_year_and_all_of_them(world: RealWorld, name: str):
    sessions = _sessions(world, name)

    assert_sums(attribute(world, name), size=MONEY)
    assert_sums(attribute(world, name, session=sessions[1]), size=MONEY)
    assert_sums(attribute(world, name, first=sessions[-252]), size=MONEY)
    whole = attribute(world, name, first=sessions[0])
    assert_sums(whole, size=MONEY)
    assert whole.sessions == len(sessions)
    assert whole.missing == 0


def test_a_fund_of_the_market_is_explained_by_the_market(world: RealWorld):
    found = attribute(world, "index", first=date(2025, 1, 1)).by_factor

    market = found.factors[0]
    assert market.factor == "Market"
    assert market.pnl is not None
    assert found.specific is not None
    assert abs(found.specific) < 0.001 * abs(market.pnl)
    assert found.unexplained == 0.0


@pytest.mark.parametrize("name", [book.name for book in BOOKS])
def test_changes_are_the_sum_of_their_parts(world: RealWorld, name: str):
    sessions = _sessions(world, name)
    chosen = random.Random(name)
    pairs = [sorted(chosen.sample(sessions, 2)) for _ in range(PAIRS)]
    pairs += [sessions[-2:], [sessions[0], sessions[-1]]]

    for first, last in pairs:
        found = explain(world, name, first=first, last=last)

        assert_explained(found, size=MONEY)
        for line in (*found.numbers, *found.factors):
            assert line.parts["restatements"].value in {0.0, None}, (first, last, line.name)


def test_what_trades_gained_is_what_they_gained_against_the_closes(world: RealWorld):
    lots, _ = MARKET_NEUTRAL.read()
    market = read_market({lot.symbol for lot in lots}, world.target)
    sessions = _sessions(world, MARKET_NEUTRAL.name)
    first = sessions[0]

    found = explain(world, MARKET_NEUTRAL.name, first=first, last=sessions[-1])

    gained = 0.0
    for lot in lots:
        entry = next(day for day in sessions if day >= lot.entry_date)
        if entry > first:
            gained += float(lot.quantity * (market.closes[lot.symbol][entry] - lot.entry_price))
        if lot.exit_date is not None and lot.exit_price is not None:
            quantity = lot.quantity
            for day, ratio in market.splits.get(lot.symbol, {}).items():
                if lot.entry_date < day <= lot.exit_date:
                    quantity *= ratio
            leaving = next(day for day in sessions if day >= lot.exit_date)
            gained += float(quantity * (lot.exit_price - market.closes[lot.symbol][leaving]))
    nav = found.numbers[0]
    assert nav.parts["trades"].value == pytest.approx(gained, abs=0.01)
    flows = sum(float(flow.amount) for flow in MARKET_NEUTRAL.flows_until(world.today))
    assert nav.parts["flows"].value == pytest.approx(flows, abs=0.01)
