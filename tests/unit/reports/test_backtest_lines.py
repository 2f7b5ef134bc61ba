from datetime import date

import pytest
from sqlalchemy import delete, update
from tests.acceptance.world import LAST
from tests.unit.reports.shown_books import nulls_under, show
from tests.unit.reports.worlds import MON, TUE

from riskmark.storage import schema

ENTRY = date(2025, 9, 2)
TESTS = {
    "kupiec", "kupiec_p", "independence", "independence_p", "conditional", "conditional_p",
    "traffic_light",
}  # fmt: skip


@pytest.fixture
def book(world):
    world.add_prices("AAA", "BBB")
    world.add_book("book", ("AAA", "BBB"), ENTRY)
    world.run()
    return world


def change(world, statement):
    with world.app.database.write() as connection:
        connection.execute(statement)


def var_95(found):
    return next(one for one in found["backtests"]["var"] if one["measure"] == "var_95")


def test_a_young_book_is_tested_on_the_sessions_that_it_has(book):
    found = var_95(show(book))

    assert found["sessions"] == len(book.sessions(ENTRY, LAST)) - 1
    assert found["skipped"] == 0
    assert found["expected"] == pytest.approx(0.05 * found["sessions"])
    assert len(found["exception_sessions"]) == found["exceptions"]
    assert found["traffic_light"] in {"green", "yellow", "red"}


def test_the_first_session_has_nothing_to_test(book):
    found = show(book, session=ENTRY)

    assert var_95(found)["sessions"] == var_95(found)["skipped"] == 0
    nulls = nulls_under(found, "backtests.var.var_95.")
    assert nulls == dict.fromkeys(TESTS, "too_few_observations")
    volatility = nulls_under(found, "backtests.volatility.vol_ewma.")
    assert volatility == dict.fromkeys(("qlike", "mse"), "too_few_observations")


def test_a_hole_skips_its_session_and_the_one_after_it(book):
    whole = var_95(show(book))
    table = schema.snapshot
    change(book, delete(table).where(table.c.session == date(2025, 11, 3)))

    found = var_95(show(book))

    assert (found["sessions"], found["skipped"]) == (whole["sessions"] - 2, 2)


def test_a_hole_where_the_250_sessions_begin_is_counted(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), date(2024, 11, 1))
    world.run()
    sessions = world.sessions(date(2024, 11, 1), LAST)
    window = sessions[-251:]
    change(world, delete(schema.snapshot).where(schema.snapshot.c.session.in_(window[:3])))

    found = var_95(show(world))

    assert len(sessions) > 260
    assert (found["sessions"], found["skipped"]) == (247, 3)


def test_a_session_without_a_var_is_skipped(book):
    whole = var_95(show(book))
    table = schema.snapshot
    change(book, update(table).where(table.c.session == MON).values(var_95_money=None))

    found = show(book)

    assert (var_95(found)["sessions"], var_95(found)["skipped"]) == (whole["sessions"] - 1, 1)
    other = next(one for one in found["backtests"]["var"] if one["measure"] == "var_99")
    assert other["skipped"] == 0


def test_the_actual_pnl_has_exceptions_of_its_own(book):
    whole = var_95(show(book))
    table = schema.snapshot
    change(book, update(table).where(table.c.session == TUE).values(pnl=-1e9))

    found = var_95(show(book))

    assert found["actual_exceptions"] == whole["actual_exceptions"] + 1
    assert found["exceptions"] == whole["exceptions"]


def test_a_session_before_is_not_touched_by_what_came_later(book):
    table = schema.snapshot
    before = show(book, session=MON)["backtests"]
    change(book, delete(table).where(table.c.session > MON))

    assert show(book)["backtests"] == before


def test_other_books_are_not_mixed_in(book):
    alone = show(book)["backtests"]
    book.add_prices("CCC")
    book.add_book("other", ("CCC",), ENTRY, quantity=100)
    book.run()

    assert show(book)["backtests"] == alone
