from datetime import date

import pytest
from tests.acceptance.world import LAST
from tests.unit.reports.shown_books import close_all, nulls_under, show
from tests.unit.reports.worlds import MON, TUE

ALL = {"symbols": "no_holdings", "matrix": "no_holdings", "clusters": "no_holdings",
       "left_out": "no_holdings", "mean": "no_holdings", "mean_abs": "no_holdings",
       "effective_rank": "no_holdings"}  # fmt: skip


def test_every_symbol_held_is_in_the_matrix_or_left_out_with_a_reason(world):
    world.add_book("book", ("AAA", "BBB", "GONE", "NONE", "YOUNG"), date(2025, 6, 2))
    world.add_prices("AAA", "BBB")
    world.add_prices("GONE", last=date(2025, 12, 1))
    world.add_prices("YOUNG", first=date(2025, 12, 15))
    world.run()

    found = show(world)["correlation"]

    assert sorted(found["symbols"]) == ["AAA", "BBB"]
    assert found["left_out"] == [
        {"symbol": "GONE", "reason": "stale"},
        {"symbol": "NONE", "reason": "never_priced"},
        {"symbol": "YOUNG", "reason": "too_few_observations"},
    ]


def test_symbols_that_move_as_one_stand_in_one_cluster(world):
    closes = world.closes("AAA")
    world.add_bars("AAA", closes)
    world.add_bars("TWIN", {day: 2 * close for day, close in closes.items()})
    world.add_prices("BBB")
    world.add_book("book", ("AAA", "BBB", "TWIN"), MON)
    world.run()

    found = show(world)["correlation"]

    assert found["symbols"][0] == "TWIN"
    assert sorted(map(sorted, found["clusters"])) == [["AAA", "TWIN"], ["BBB"]]
    twin = found["symbols"].index("TWIN")
    assert found["matrix"][twin][found["symbols"].index("AAA")] == pytest.approx(1.0)


@pytest.mark.parametrize("equity", [100_000, None])
def test_without_holdings_there_is_no_matrix(world, equity):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), MON, equity=equity)
    close_all(world, TUE)
    world.run()

    found = show(world)

    assert nulls_under(found, "correlation.") == ALL
    assert found["factor_correlation"]["matrix"] is not None


def test_a_book_of_unpriced_symbols_lists_them_all_and_has_no_matrix(world):
    world.add_book("book", ("NONE",), MON)
    world.run()

    found = show(world)

    assert found["correlation"]["symbols"] == []
    assert found["correlation"]["left_out"] == [{"symbol": "NONE", "reason": "never_priced"}]
    assert nulls_under(found, "correlation.")["matrix"] == "all_excluded"
    assert nulls_under(found, "correlation.")["clusters"] == "all_excluded"


def test_factors_without_data_have_no_matrix(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), MON)
    world.run()
    models = tuple(
        one for one in world.app.settings.factor_model if one.name in {"market", "market_1y"}
    )
    imported = world.app.settings.model("ff5m")

    found = show(
        world,
        session=LAST,
        default_model="ff5m",
        factor_model=(*models, world.app.settings.model("style"), imported),
    )

    assert found["factor_correlation"]["matrix"] is None
    assert found["nulls"]["factor_correlation.matrix"] == "no_factor_data"
