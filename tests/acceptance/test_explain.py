"""Changes are the sum of their parts: on random books, before and after corrections are run."""

import itertools
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.acceptance.parts import assert_explained, explain
from tests.acceptance.random_books import (
    RandomBook,
    add_market,
    add_random_book,
    edit,
    random_books,
)
from tests.acceptance.world import LAST, World
from tests.support import DATABASE_EXAMPLES

numbers = itertools.count()
places = st.integers(0, 30)


@pytest.fixture
def market(world: World) -> World:
    add_market(world)
    return world


@settings(max_examples=DATABASE_EXAMPLES)
@given(book=random_books(), first=places, last=places)
def test_the_changes_of_a_random_book_are_the_sum_of_their_parts(
    market: World, book: RandomBook, first: int, last: int
):
    name = f"book {next(numbers)}"
    add_random_book(market, name, book)
    market.run(name)
    sessions = market.stored_sessions(name)
    chosen = sorted({sessions[first % len(sessions)], sessions[last % len(sessions)]})
    if len(chosen) == 1:
        return

    found = explain(market, name, first=chosen[0], last=chosen[1])

    size = sum(float(abs(lot.quantity)) * 200 for lot in book.lots)
    assert_explained(found, size=size)
    for line in found.numbers:
        assert line.parts["restatements"].value in {0.0, None}, line.name


@settings(max_examples=DATABASE_EXAMPLES // 2)
@given(book=random_books(), back=st.integers(0, 15), move=st.sampled_from([0.9, 1.004, 1.03]))
def test_what_was_corrected_since_is_in_the_parts_before_it_is_run(
    market: World, book: RandomBook, back: int, move: float
):
    name = f"book {next(numbers)}"
    add_random_book(market, name, book)
    market.run(name)
    sessions = market.stored_sessions(name)
    session = sessions[max(len(sessions) - 1 - back, 0)]
    close = market.closes("S00")[session]
    if len(sessions) == 1:
        return

    market.add_bars("S00", {session: round(close * move, 4)})
    if book.equity is not None:
        with edit(market, name) as editor:
            editor.add_flow(LAST, Decimal("77.7"))
    found = explain(market, name, first=sessions[0])

    market.add_bars("S00", {session: close})
    size = sum(float(abs(lot.quantity)) * 200 for lot in book.lots)
    assert_explained(found, size=size)
