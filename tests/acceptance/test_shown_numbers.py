"""What is computed when a snapshot is shown, against plain arithmetic on the same closes."""

import itertools
from datetime import date
from math import log

import numpy as np
import pytest
from tests.acceptance.test_risk_numbers import BOOK, MON, TUE, returns_of, style_factors
from tests.acceptance.world import FACTORS, FIRST, LAST
from tests.unit.reports.shown_books import episode, show

from riskmark.storage.engines import as_date

FIRST_ENTRY = date(2025, 1, 6)


@pytest.fixture
def shown(world):
    """What is shown of a book of three symbols, with all prices there are."""
    world.add_book("book", BOOK, MON)
    world.add_prices(*BOOK, *FACTORS)
    world.run()
    return show(world)


def by_symbol(lines):
    """Index lines by their symbols."""
    return {one["symbol"]: one for one in lines}


def test_the_matrix_is_that_of_the_last_90_sessions_and_of_the_stored_mean(world, shown):
    found = shown["correlation"]
    last = np.array([returns_of(world, symbol)[-90:] for symbol in found["symbols"]])

    np.testing.assert_allclose(found["matrix"], np.corrcoef(last), rtol=1e-9)
    off = np.array(found["matrix"])[np.triu_indices(3, 1)]
    assert off.mean() == pytest.approx(found["mean"], rel=1e-12)
    sizes = [by_symbol(shown["positions"])[symbol]["market_value"] for symbol in found["symbols"]]
    assert sizes == sorted(sizes, reverse=True)
    assert found["clusters"] == [[symbol] for symbol in found["symbols"]]
    assert found["left_out"] == []


def test_the_factors_correlate_as_over_their_window(world, shown):
    wanted = np.corrcoef(style_factors(world)[-252:], rowvar=False)

    np.testing.assert_allclose(shown["factor_correlation"]["matrix"], wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["direct", "predictive"])
def test_contributions_sum_to_what_is_stored(shown, kind):
    for one in shown["stress"]:
        for parts in ("factors", "positions"):
            total = sum(part[kind] for part in one[parts])
            assert total == pytest.approx(one[kind], rel=1e-9, abs=1e-9), one["scenario"]


def test_a_position_loses_its_own_betas_times_the_shocks(world, shown):
    crash = next(one for one in shown["stress"] if one["scenario"] == "market_down_20")
    design = np.column_stack([np.ones(252), style_factors(world)[-252:]])

    for symbol in BOOK:
        fit, *_ = np.linalg.lstsq(design, returns_of(world, symbol)[-252:], rcond=None)
        value = by_symbol(shown["positions"])[symbol]["market_value"]
        direct = by_symbol(crash["positions"])[symbol]["direct"]
        assert direct == pytest.approx(-0.2 * fit[1] * value, rel=1e-7)


def test_a_replay_compounds_the_closes_of_what_is_held(world, shown):
    first, last = date(2024, 10, 1), date(2025, 2, 3)
    wanted = 0.0
    for symbol in BOOK:
        closes = world.closes(symbol)
        wanted += 10 * closes[LAST] * (closes[last] / closes[first] - 1)

    (found,) = show(world, **episode(str(first), str(last)))["replays"]

    assert found["pnl"] == pytest.approx(wanted, rel=1e-9)
    assert (found["own_share"], found["proxied_share"]) == (1.0, 0.0)
    assert found["replayed_share"] == 1.0
    assert [one["pnl"] for one in shown["replays"]] == [None] * len(shown["replays"])


def test_what_was_not_listed_yet_is_replayed_by_its_factors(world):
    world.add_book("book", BOOK, MON)
    world.add_prices("AAA", "BBB", *FACTORS)
    listed = date(2025, 3, 3)
    world.add_prices("CCC", first=listed)
    world.run()
    n = len(world.closes("CCC", listed)) - 1
    factors = style_factors(world)
    design = np.column_stack([np.ones(n), factors[-n:]])
    fit, *_ = np.linalg.lstsq(design, returns_of(world, "CCC")[-n:], rcond=None)
    sessions = world.sessions(FIRST, LAST)
    start, stop = sessions.index(date(2024, 10, 1)), sessions.index(date(2025, 2, 3))
    grown = 1.0
    for row in range(start, stop):  # the return after session row
        grown *= 1 + factors[row] @ fit[1:]

    (found,) = show(world, **episode("2024-10-01", "2025-02-03"))["replays"]

    wanted = 10 * world.closes("CCC")[LAST] * (grown - 1)
    for symbol in ("AAA", "BBB"):
        closes = world.closes(symbol)
        wanted += 10 * closes[LAST] * (closes[sessions[stop]] / closes[sessions[start]] - 1)
    assert found["pnl"] == pytest.approx(wanted, rel=1e-7)
    value = {symbol: world.closes(symbol)[LAST] for symbol in BOOK}
    share = value["CCC"] / sum(value.values())
    assert found["proxied_share"] == pytest.approx(share, rel=1e-9)
    assert found["own_share"] == pytest.approx(1 - share, rel=1e-9)


def test_positions_sell_at_a_fifth_of_their_median_volume(world):
    world.add_book("book", ("AAA", "BBB"), MON, quantity=600)
    world.add_prices(*FACTORS)
    world.add_bars("AAA", world.closes("AAA"), volume=1000)
    world.add_bars("BBB", world.closes("BBB"), volume=100)
    world.add_action("AAA", LAST, "split", 2.0)
    world.run()

    found = show(world)

    # 1,200 shares after the split; the volumes before it count double.
    sessions = {one["symbol"]: one["sessions_to_sell"] for one in found["positions"]}
    assert sessions == pytest.approx({"AAA": 1200 / (0.2 * 2000), "BBB": 600 / (0.2 * 100)})
    value = {one["symbol"]: one["market_value"] for one in found["positions"]}
    gross = sum(value.values())
    # AAA is gone after 3 sessions; BBB goes on until 5 % of gross is left.
    wanted = 30 * (1 - 0.05 * gross / value["BBB"])
    assert found["risk"]["sessions_to_sell_95"] == pytest.approx(wanted)


def crashed(world):
    """Value a book over a year in which one of its two symbols loses 30 % in a session."""
    crash = date(2025, 11, 3)
    fallen = {
        day: close * (0.7 if day >= crash else 1.0) for day, close in world.closes("AAA").items()
    }
    world.add_book("book", ("AAA", "BBB"), FIRST_ENTRY)
    world.add_prices("BBB", *FACTORS)
    world.add_bars("AAA", fallen)
    world.run()
    return crash


def stored(world, *columns):
    """Return stored columns of the book, by session."""
    rows = world.rows(f"SELECT session, {', '.join(columns)} FROM snapshot ORDER BY session")
    return {as_date(day): values for day, *values in rows}


def test_a_crash_is_an_exception_on_its_session(world):
    crash = crashed(world)
    numbers = stored(world, "pnl_hypothetical", "var_99_money")
    days = list(numbers)[-251:]
    wanted = [
        str(day)
        for before, day in itertools.pairwise(days)
        if None not in {numbers[day][0], numbers[before][1]}
        and -numbers[day][0] > numbers[before][1]
    ]

    found = {one["measure"]: one for one in show(world)["backtests"]["var"]}

    for one in found.values():
        assert str(crash) in one["exception_sessions"]
    var = found["var_99"]
    assert var["exception_sessions"] == wanted
    assert (var["sessions"], var["skipped"]) == (250, 0)
    assert var["exceptions"] == var["actual_exceptions"] == len(wanted)
    n, x, p = 250, len(wanted), 0.01
    ratio = 2 * ((n - x) * log((1 - x / n) / (1 - p)) + (x * log(x / n / p) if x else 0.0))
    assert var["kupiec"] == pytest.approx(ratio, rel=1e-9)
    assert var["expected"] == pytest.approx(2.5)


def test_forecasts_are_scored_on_what_followed(world):
    crashed(world)
    numbers = stored(world, "pnl_hypothetical", "nav", "vol_ewma", "vol_har_1d")
    days = list(numbers)[-251:]
    losses = {"vol_ewma": [], "vol_har_1d": []}
    for before, day in itertools.pairwise(days):
        move = (numbers[day][0] / numbers[before][1]) ** 2
        for place, name in ((2, "vol_ewma"), (3, "vol_har_1d")):
            h = numbers[before][place] ** 2 / 252
            losses[name].append((log(h) + move / h, (move - h) ** 2))

    found = {one["measure"]: one for one in show(world)["backtests"]["volatility"]}

    for name, pairs in losses.items():
        qlike, mse = np.mean(pairs, axis=0)
        assert found[name]["qlike"] == pytest.approx(qlike, rel=1e-9)
        assert found[name]["mse"] == pytest.approx(mse, rel=1e-9)
        assert found[name]["sessions"] == 250


def test_an_old_session_is_shown_as_it_was_shown_then(world):
    world.at(TUE)
    world.add_book("book", BOOK, MON)
    world.add_prices(*BOOK, *FACTORS, last=TUE)
    world.run()
    replay = episode("2024-10-01", "2025-02-03")
    then = show(world, **replay)
    world.at(LAST)
    world.add_prices(*BOOK, *FACTORS, first=TUE)
    world.run()

    now = show(world, session=TUE, **replay)

    for part in ("stress", "replays", "correlation", "factor_correlation", "backtests"):
        assert now[part] == then[part], part
