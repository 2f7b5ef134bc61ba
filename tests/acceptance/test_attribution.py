"""P&L sums to the total by position, sector and factor: on random books, and on real ones."""

import itertools

import pytest
from hypothesis import given, settings
from tests.acceptance.random_books import RandomBook, add_market, add_random_book, random_books
from tests.acceptance.world import FACTORS, LAST, World
from tests.support import DATABASE_EXAMPLES

from riskmark.reports.attribution import Attribution, load_attribution

numbers = itertools.count()


def load(world: World, name: str, **how) -> Attribution:
    with world.app.database.read() as connection:
        return load_attribution(
            connection,
            world.app.principal,
            name,
            calendar=world.calendar,
            settings=world.app.settings,
            **how,
        )


def assert_sums(found: Attribution, *, size: float) -> None:
    """Assert that every way gives the P&L, to 1e-9 of it and of what it is made of."""
    by = found.by_factor
    parts = [line.pnl or 0.0 for line in by.factors] + [by.unexplained]
    parts += [by.specific or 0.0, by.trading or 0.0]
    ways = {
        "positions": [line.pnl for line in found.positions],
        "sectors": [line.pnl for line in found.sectors],
        "factors": parts,
        "gains": [found.realized, found.unrealized, found.income],
    }
    for name, each in ways.items():
        allowed = 1e-9 * abs(found.pnl) + 1e-12 * (size + sum(map(abs, each)))
        assert abs(sum(each) - found.pnl) <= allowed, (name, found.first, found.last)


@settings(max_examples=DATABASE_EXAMPLES)
@given(book=random_books())
def test_every_way_sums_to_the_pnl_of_any_range_of_a_random_book(market: World, book: RandomBook):
    name = f"book {next(numbers)}"
    add_random_book(market, name, book)
    market.run(name)

    sessions = market.stored_sessions(name)

    size = sum(float(abs(lot.quantity)) * 200 for lot in book.lots)
    middle = sessions[len(sessions) // 2]
    assert_sums(load(market, name), size=size)
    assert_sums(load(market, name, session=sessions[0]), size=size)
    assert_sums(load(market, name, first=middle), size=size)
    whole = load(market, name, first=sessions[0])
    assert_sums(whole, size=size)
    assert whole.sessions == len(sessions)


@pytest.fixture
def market(world: World) -> World:
    add_market(world)
    return world


def test_without_factor_prices_the_pnl_is_unexplained_and_says_why(world: World):
    before, last = world.sessions(LAST.replace(day=1), LAST)[-2:]
    world.add_prices("AAA")
    world.add_prices(*FACTORS[1:])
    world.add_prices("SPY", last=before)
    world.add_book("book", ("AAA",), before)
    world.run()

    found = load(world, "book", session=last)

    (why,) = found.by_factor.reasons
    assert (why.reason, why.sessions) == ("no_factor_data", 1)
    assert found.pnl != 0
    assert found.by_factor.unexplained == why.pnl == found.pnl
    assert {line.pnl for line in found.by_factor.factors} == {None}
    nulls = found.document()["nulls"]
    assert nulls["factors.Market.pnl"] == nulls["factors.specific"] == "no_factor_data"
