from datetime import date

import pytest
from tests.unit.reports.shown_books import close_all, nulls_under, show
from tests.unit.reports.worlds import MON, TUE, WED

from riskmark.domain.scenarios import Scenario

SPRING = date(2025, 6, 2)


def crash_of(found):
    return next(one for one in found["stress"] if one["scenario"] == "market_down_20")


def test_a_position_that_stress_leaves_out_says_why_and_the_others_sum(world):
    world.add_book("book", ("AAA", "BBB", "GONE", "NONE", "YOUNG"), SPRING)
    world.add_prices("AAA", "BBB")
    world.add_prices("GONE", last=date(2025, 12, 1))
    world.add_prices("YOUNG", first=date(2025, 12, 15))
    world.run()

    found = show(world)

    crash = crash_of(found)
    amounts = {one["symbol"]: one["predictive"] for one in crash["positions"]}
    nulls = nulls_under(found, "stress.market_down_20.positions.")
    assert nulls == {
        "GONE.direct": "stale", "GONE.predictive": "stale",
        "NONE.direct": "never_priced", "NONE.predictive": "never_priced",
        "YOUNG.direct": "too_few_observations", "YOUNG.predictive": "too_few_observations",
    }  # fmt: skip
    known = [one for one in amounts.values() if one is not None]
    assert len(known) == 2
    assert sum(known) == pytest.approx(crash["predictive"], rel=1e-9)
    values = {one["symbol"]: abs(one["market_value"]) for one in found["positions"]}
    assert list(amounts) == sorted(amounts, key=lambda symbol: -values[symbol])


def test_what_was_closed_in_the_session_has_no_part_in_stress(world):
    world.add_prices("AAA", "BBB")
    world.add_book("other", ("BBB",), MON)
    world.add_book("book", ("AAA",), MON)
    close_all(world, TUE)
    world.run()

    crash = crash_of(show(world, session=TUE))

    assert (crash["direct"], crash["positions"]) == (0.0, [])
    assert {one["direct"] for one in crash["factors"]} == {0.0}


def test_without_holdings_in_holdings_mode_the_parts_are_null_with_the_whole(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), MON, equity=None)
    close_all(world, TUE)
    world.run()

    nulls = nulls_under(show(world, session=WED), "stress.market_down_20.")

    assert {"direct", "factors.Market.direct", "factors.Rates.predictive"} <= nulls.keys()
    assert set(nulls.values()) == {"no_holdings"}


def test_parts_of_a_scenario_that_the_settings_no_longer_know_are_not_defined(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), MON)
    world.run()

    found = show(world, scenario=(Scenario("mine", {"Market": -0.1}),))

    crash = crash_of(found)
    assert crash["direct"] is not None
    assert (crash["factors"], crash["positions"]) == (None, None)
    assert found["nulls"]["stress.market_down_20.factors"] == "not_defined"


def test_a_short_gains_where_the_market_falls(world):
    world.add_bars("HEDGE", world.closes("SPY"))
    world.add_book("book", ("HEDGE",), MON, quantity=-10)
    world.run()

    (short,) = crash_of(show(world))["positions"]

    assert short["direct"] == pytest.approx(0.2 * 10 * [*world.closes("SPY").values()][-1])
