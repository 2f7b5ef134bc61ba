"""P&L sums to the total by position, sector and factor: on random books, and on real ones."""

import itertools

import pytest
from hypothesis import given, settings
from tests.acceptance.parts import assert_sums, attribute
from tests.acceptance.random_books import RandomBook, add_market, add_random_book, random_books
from tests.acceptance.world import FACTORS, LAST, World
from tests.support import DATABASE_EXAMPLES

numbers = itertools.count()


@settings(max_examples=DATABASE_EXAMPLES)
@given(book=random_books())
def test_every_way_sums_to_the_pnl_of_any_range_of_a_random_book(market: World, book: RandomBook):
    name = f"book {next(numbers)}"
    add_random_book(market, name, book)
    market.run(name)

    sessions = market.stored_sessions(name)

    size = sum(float(abs(lot.quantity)) * 200 for lot in book.lots)
    middle = sessions[len(sessions) // 2]
    assert_sums(attribute(market, name), size=size)
    assert_sums(attribute(market, name, session=sessions[0]), size=size)
    assert_sums(attribute(market, name, first=middle), size=size)
    whole = attribute(market, name, first=sessions[0])
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

    found = attribute(world, "book", session=last)

    (why,) = found.by_factor.reasons
    assert (why.reason, why.sessions) == ("no_factor_data", 1)
    assert found.pnl != 0
    assert found.by_factor.unexplained == why.pnl == found.pnl
    assert {line.pnl for line in found.by_factor.factors} == {None}
    nulls = found.document()["nulls"]
    assert nulls["factors.Market.pnl"] == nulls["factors.specific"] == "no_factor_data"
