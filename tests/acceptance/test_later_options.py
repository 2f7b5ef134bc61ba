"""A lot of an option that is stated later changes nothing before it."""

from datetime import date

import pytest
from tests.acceptance.parts import explain
from tests.acceptance.test_options import add, assert_clean, lot, occ
from tests.acceptance.test_what_if import foretell
from tests.acceptance.world import FACTORS
from tests.unit.reports.shown_books import show

EXPIRY = date(2026, 6, 19)
SPLIT = date(2025, 12, 15)
BEFORE = date(2025, 12, 8)
LATER = date(2026, 1, 6)
OLD = occ("AAA", EXPIRY, "put", 155)
NEW = occ("AAA", EXPIRY, "call", 75)
BOOKS = {"plain": (), "later": (lot(NEW, 2, 8, LATER), lot(OLD, -1, 8, LATER))}


@pytest.fixture
def books(world):
    """Give two books that differ by later lots alone, a split before these."""
    world.add_prices("BBB", *FACTORS)
    plain = world.closes("AAA")
    world.add_bars("AAA", {d: p / (2 if d >= SPLIT else 1) for d, p in plain.items()})
    world.add_action("AAA", SPLIT, "split", 2.0)
    for name, more in BOOKS.items():
        add(world, name, lot("AAA", 100, 100), lot("BBB", 10, 90), lot(OLD, 1, 4.5), *more)
    # Its only option is stated after the split, as the same symbol is before it by another.
    add(world, "third", lot("BBB", 10, 90), lot(OLD, 1, 4.5, LATER))
    return world


def sections(found):
    """Return a snapshot without what names the portfolio and the run."""
    return {
        name: value
        for name, value in found.items()
        if name not in {"portfolio", "run", "status", "target", "computed_at"}
    }


@pytest.fixture
def early(books):
    """Give the books, computed as of a session before the later lots and the split."""
    books.run(as_of=BEFORE)
    return books


def test_a_run_before_a_later_option_lot_computes_a_book_without_it(early):
    plain, later, third = (show(early, name=name) for name in ("plain", "later", "third"))

    assert later["session"] == BEFORE.isoformat()
    assert sections(later) == sections(plain)
    assert [one["symbol"] for one in third["positions"]] == ["BBB"]
    assert_clean(early)


def test_a_session_before_a_later_option_lot_is_shown_and_explained_without_it(books):
    books.run()
    one = date(2025, 12, 5)

    shown = [sections(show(books, name=name, session=BEFORE)) for name in BOOKS]
    told = [explain(books, name, first=one, last=BEFORE) for name in BOOKS]

    assert shown[1] == shown[0]
    assert told[1].numbers == told[0].numbers
    assert told[1].factors == told[0].factors
    assert_clean(books)


@pytest.mark.parametrize("symbol", ["BBB", OLD, NEW])
def test_a_trade_before_a_later_option_lot_is_tried_without_it(books, symbol):
    books.run()

    tried = [foretell(books, BEFORE, (symbol, 3), name=name).document() for name in BOOKS]

    for part in ("trades", "before", "after", "change"):
        assert tried[1][part] == tried[0][part]
