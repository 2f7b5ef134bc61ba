from datetime import date

import pytest
from tests.acceptance.world import FIRST, LAST
from tests.unit.reports.shown_books import close_all, episode, nulls_under, show
from tests.unit.reports.worlds import MON, TUE, WED

NUMBERS = ("pnl", "own_share", "proxied_share", "replayed_share")
AUTUMN = episode("2025-10-01", "2025-11-03")


def all_null(reason):
    return dict.fromkeys(NUMBERS, reason)


def valued(world, symbols=("AAA",), **book):
    world.add_prices(*(one for one in symbols if one != "NONE"))
    world.add_book("book", symbols, MON, **book)
    world.run()


@pytest.mark.parametrize(
    ("first", "last", "reason"),
    [
        ("1901-01-02", "1901-02-02", "before_data"),
        ("2020-02-19", "2021-03-23", "before_data"),
        ("2022-01-03", "2022-10-12", "before_data"),
        ("2025-12-01", "2026-01-09", "not_over_yet"),
        ("2026-02-02", "2126-03-02", "not_over_yet"),
    ],
)
def test_an_episode_that_is_not_in_the_data_is_null(world, first, last, reason):
    valued(world)

    found = show(world, **episode(first, last))

    assert nulls_under(found, "replays.episode.") == all_null(reason)
    assert (found["replays"][0]["first"], found["replays"][0]["last"]) == (first, last)


def test_an_episode_is_over_on_its_last_session(world):
    valued(world)
    october = episode("2025-10-01", str(TUE))

    assert nulls_under(show(world, session=MON, **october), "replays.")["episode.pnl"] == (
        "not_over_yet"
    )
    assert show(world, session=TUE, **october)["replays"][0]["pnl"] is not None


def test_an_episode_may_begin_with_the_very_first_close(world):
    valued(world)
    closes = world.closes("AAA")

    (found,) = show(world, **episode(str(FIRST), "2024-09-03"))["replays"]

    grown = closes[date(2024, 9, 3)] / closes[FIRST] - 1
    assert found["pnl"] == pytest.approx(10 * closes[LAST] * grown)


def test_a_date_that_is_no_session_stands_for_the_one_before(world):
    valued(world)
    friday = show(world, **episode("2025-10-03", "2025-11-07"))["replays"]

    weekend = show(world, **episode("2025-10-05", "2025-11-08"))["replays"]

    assert weekend[0]["pnl"] == friday[0]["pnl"]


def test_what_has_no_price_is_not_replayed(world):
    valued(world, ("AAA", "NONE"))
    closes = world.closes("AAA")

    (found,) = show(world, **AUTUMN)["replays"]

    grown = closes[date(2025, 11, 3)] / closes[date(2025, 10, 1)] - 1
    assert found["pnl"] == pytest.approx(10 * closes[LAST] * grown)
    assert 0 < found["replayed_share"] == found["own_share"] < 1


def test_where_nothing_can_be_replayed_there_is_no_number(world):
    valued(world, ("NONE",))

    found = show(world, **AUTUMN)

    assert nulls_under(found, "replays.episode.") == {"pnl": "all_excluded"}
    assert found["replays"][0]["replayed_share"] == 0.0


def test_a_book_that_holds_only_cash_loses_nothing(world):
    valued(world)
    close_all(world, TUE)
    world.run()

    found = show(world, session=WED, **AUTUMN)

    assert found["replays"][0]["pnl"] == 0.0
    shares = dict.fromkeys(NUMBERS[1:], "no_holdings")
    assert nulls_under(found, "replays.episode.") == shares


def test_a_book_in_holdings_mode_that_holds_nothing_has_no_replays(world):
    valued(world, equity=None)
    close_all(world, TUE)
    world.run()

    found = show(world, session=WED, **AUTUMN)

    assert nulls_under(found, "replays.episode.") == all_null("no_holdings")
