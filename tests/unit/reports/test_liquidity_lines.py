from datetime import date

import pytest
from sqlalchemy import insert
from tests.acceptance.world import LAST
from tests.unit.reports.shown_books import close_all, nulls_under, show
from tests.unit.reports.worlds import MON, TUE, WED

from riskmark.storage import schema


def sessions_of(found, symbol="AAA"):
    return next(one["sessions_to_sell"] for one in found["positions"] if one["symbol"] == symbol)


def valued(world, **book):
    world.add_bars("AAA", world.closes("AAA"), volume=500)
    world.add_book("book", ("AAA",), MON, **book)
    world.run()


@pytest.mark.parametrize("quantity", [1000, -1000])
def test_a_position_takes_its_size_over_a_fifth_of_the_volume(world, quantity):
    valued(world, quantity=quantity)

    found = show(world)

    assert sessions_of(found) == pytest.approx(10)
    assert found["risk"]["sessions_to_sell_95"] == pytest.approx(9.5)


def test_only_volumes_up_to_the_session_count(world):
    valued(world)
    world.add_bars("AAA", world.closes("AAA", first=WED), volume=1)

    assert sessions_of(show(world, session=TUE)) == pytest.approx(0.1)


def test_without_volumes_nothing_is_known_of_selling(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), MON)
    world.run()

    found = show(world)

    assert sessions_of(found) is None
    assert found["nulls"]["positions.AAA.sessions_to_sell"] == "too_few_observations"
    assert found["nulls"]["risk.sessions_to_sell_95"] == "too_few_observations"


def test_what_is_never_traded_cannot_be_sold(world):
    world.add_bars("AAA", world.closes("AAA"), volume=0)
    world.add_book("book", ("AAA",), MON)
    world.run()

    nulls = show(world)["nulls"]

    assert nulls["positions.AAA.sessions_to_sell"] == "undefined_denominator"


def test_bars_in_quarantine_do_not_count(world):
    valued(world)
    with world.app.database.write() as connection:
        key = world.rows("SELECT id FROM instrument WHERE symbol = 'AAA'")[0][0]
        connection.execute(
            insert(schema.quarantine).values(
                instrument_id=key,
                from_session=date(2025, 12, 15),
                reason="jump",
                created_at=world.app.clock.now(),
            )
        )

    found = show(world)

    assert nulls_under(found, "positions.AAA.")["sessions_to_sell"] == "too_few_observations"


def test_a_closed_position_and_an_empty_book_need_no_selling(world):
    valued(world)
    close_all(world, TUE)
    world.run()

    closed, empty = show(world, session=TUE), show(world, session=LAST)

    assert closed["nulls"]["positions.AAA.sessions_to_sell"] == "closed"
    assert empty["nulls"]["risk.sessions_to_sell_95"] == "no_holdings"
