"""What comes late from providers is taken when it comes, and changes what depends on it alone."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from tests.acceptance.simulation_market import before_the_close
from tests.acceptance.simulation_nights import connect_by_night, move
from tests.acceptance.world import FACTORS, FIRST, LAST
from tests.faults.provider_faults import FAULTS
from tests.faults.provider_lab import forget_yahoo
from tests.faults.quotes import make_series
from tests.faults.server import ProviderServer

from riskmark.domain.reasons import RunStatus
from riskmark.planning.price_ranges import RECHECKED
from riskmark.storage.engines import as_date
from riskmark.storage.price_needs import LOOK_BACK

# The clients' own modules warn as they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")

EVENING = time(18, 30)
A_DAY = timedelta(days=1)
"""By which Yahoo is asked for more, whatever zone it takes its dates in."""
HALF_DAY = date(2025, 11, 28)


@pytest.fixture
def server(world):
    """Sell two symbols, a fund and the factors' symbols as long as the test lasts."""
    sessions = world.sessions(FIRST, LAST)
    kinds = {"VFIAX": "MUTUALFUND"}
    market = {
        symbol: make_series(sessions, seed=place, kind=kinds.get(symbol, "EQUITY"))
        for place, symbol in enumerate(("AAA", "BBB", "VFIAX", *FACTORS))
    }
    forget_yahoo()
    with ProviderServer(market) as server:
        yield server


def three_books(world, server, evening, *, order=("yfinance",)):
    """Open a book of AAA, one of BBB, and one that bought AAA later; run on that evening."""
    sessions = world.sessions(evening - timedelta(days=60), evening)
    world.add_book("early", ("AAA",), sessions[-20])
    world.add_book("other", ("BBB",), sessions[-20])
    world.add_book("later", ("AAA",), sessions[-4])
    connect_by_night(world, server, order=order)
    move(world, server, evening, EVENING)
    assert world.run().status in {RunStatus.SUCCEEDED, RunStatus.PARTIAL}
    return sessions


def prices(world, symbol):
    rows = world.rows(
        "SELECT p.session, p.close FROM price p JOIN instrument i ON i.id = p.instrument_id "
        "WHERE i.symbol = ?",
        symbol,
    )
    return {as_date(day): close for day, close in rows}


def states(world, name):
    rows = world.rows(
        "SELECT s.session, s.state FROM snapshot s JOIN portfolio p ON p.id = s.portfolio_id "
        "WHERE p.name = ?",
        name,
    )
    return {as_date(day): state for day, state in rows}


def restated(world):
    rows = world.rows(
        "SELECT p.name, r.session FROM restatement r JOIN portfolio p ON p.id = r.portfolio_id"
    )
    return sorted((name, as_date(day)) for name, day in rows)


def evenings(world, count, last=LAST):
    return world.sessions(last - timedelta(days=60), last)[-count:]


def _corrected(series, day):
    rows = tuple(
        row._replace(close=row.close * 1.001) if row.day == day else row for row in series.rows
    )
    return series, replace(series, rows=rows)


def _split(series, day):
    after = tuple(
        row._replace(**{name: getattr(row, name) / 2 for name in ("open", "high", "low", "close")})
        if row.day >= day
        else row
        for row in series.rows
    )
    unknown = replace(series, rows=after)
    return unknown, replace(unknown, splits=((day, 2.0, 1.0),))


def _dividend(series, day):
    return series, replace(series, dividends=((day, 1.25),))


@pytest.mark.parametrize(
    ("news", "back"), [(_corrected, 7), (_corrected, 2), (_split, 7), (_dividend, 7)]
)
def test_news_of_a_symbol_recomputes_what_depends_on_it_and_nothing_else(world, server, news, back):
    before, evening = evenings(world, 2)
    day = world.sessions(FIRST, before)[-back]
    server.shop.market["AAA"], known = news(server.shop.market["AAA"], day)
    sessions = three_books(world, server, before)
    server.shop.market["AAA"] = known
    move(world, server, evening, EVENING)

    result = world.run()

    since = {"early": day, "later": max(day, sessions[-4])}
    expected = [(name, one) for name in since for one in sessions if one >= since[name]]
    assert result.status is RunStatus.SUCCEEDED
    assert restated(world) == sorted(expected)
    assert result.cells.computed == len(expected) + 3
    assert set(states(world, "early").values()) == {"complete"}


@pytest.mark.parametrize("fault", ["500", "429, retry after a year"])
def test_sessions_of_an_outage_are_filled_by_the_next_run_that_is_answered(world, server, fault):
    first, *out, back = evenings(world, 5)
    sessions = three_books(world, server, first)
    down = next(one for one in FAULTS if one.name == fault)
    statuses = []
    for day in out:
        move(world, server, day, EVENING)
        server.play(down)
        statuses.append(world.run().status)
    move(world, server, back, EVENING)
    server.play()

    result = world.run()

    assert statuses == [RunStatus.PARTIAL] * 3
    assert result.status is RunStatus.SUCCEEDED
    assert set(prices(world, "AAA")) >= {*sessions, *out, back}
    assert set(states(world, "early").values()) == {"complete"}
    assert sorted({day for _, day in restated(world)}) == out


def test_a_correction_that_an_outage_hid_is_learned_after_it(world, server):
    first, *out, back = evenings(world, RECHECKED - 2)
    sessions = three_books(world, server, first, order=("yfinance", "fmp"))
    down = replace(next(one for one in FAULTS if one.name == "500"), dialects=("yahoo",))
    _, server.shop.market["AAA"] = _corrected(server.shop.market["AAA"], sessions[-5])
    for day in out:
        move(world, server, day, EVENING)
        server.play(down)
        assert world.run().status is RunStatus.SUCCEEDED
    move(world, server, back, EVENING)
    server.play()

    world.run()

    assert prices(world, "AAA")[sessions[-5]] == pytest.approx(
        server.shop.market["AAA"].closes[sessions[-5]], rel=1e-12
    )


def test_the_newest_sessions_are_asked_for_again_and_older_ones_are_not(world, server):
    before, evening = evenings(world, 2)
    three_books(world, server, before)
    server.play()
    move(world, server, evening, EVENING)

    world.run()

    every = world.sessions(FIRST, LAST)
    asked = [one for one in server.shop.asked if one.target == "bars"]
    assert len(asked) == len(FACTORS) + 2
    assert {one.first for one in asked} == {every[-RECHECKED] - A_DAY}


def test_a_new_symbol_is_asked_for_from_the_longest_window_before_its_entry(world, server):
    evening = evenings(world, 1)[0]
    calendar = world.calendar

    three_books(world, server, evening)

    entry = calendar.on_or_before(evening) - 19
    (asked,) = [one for one in server.shop.asked if one[1:3] == ("bars", "BBB")]
    assert asked.first == calendar.sessions[entry - LOOK_BACK] - A_DAY


def test_a_bar_is_final_half_an_hour_after_the_close_of_its_session_and_not_before(world, server):
    world.add_book("book", ("AAA",), date(2025, 10, 20))
    connect_by_night(world, server)
    true = server.shop.market
    moments = {
        date(2025, 10, 31): (time(16, 20), time(16, 35)),  # the last session of summer time
        date(2025, 11, 3): (time(16, 20), time(16, 35)),
        HALF_DAY - timedelta(days=2): (time(13, 35), EVENING),
        HALF_DAY: (time(13, 20), time(13, 35)),
    }
    for day, (early, late) in moments.items():
        before, today = world.sessions(FIRST, day)[-2:]

        server.shop.market = {name: before_the_close(one, day) for name, one in true.items()}
        move(world, server, day, early)
        first = world.run()
        newest = max(prices(world, "AAA"))
        server.shop.market = true
        move(world, server, day, late)
        second = world.run()

        assert (first.status, second.status) == (RunStatus.SUCCEEDED, RunStatus.SUCCEEDED)
        assert (newest, max(prices(world, "AAA"))) == (before, today)
        assert max(states(world, "book")) == today
    closes = true["AAA"].closes
    assert prices(world, "AAA") == pytest.approx(
        {day: close for day, close in closes.items() if day in prices(world, "AAA")}
    )
    assert restated(world) == []


def test_a_fund_s_late_value_is_carried_until_it_comes_and_asked_of_nobody_else_before_it_is_due(
    world, server
):
    before, evening = evenings(world, 2)
    world.add_book("funds", ("VFIAX",), before - timedelta(days=20))
    connect_by_night(world, server)
    move(world, server, before, EVENING)
    world.run()
    whole = server.shop.market["VFIAX"]
    late = tuple(row for row in whole.rows if row.day < evening)
    server.shop.market["VFIAX"] = replace(whole, rows=late)
    server.play()
    move(world, server, evening, EVENING)
    carried = world.run()
    asked = [one.dialect for one in server.shop.asked if one.symbol == "VFIAX"]
    server.shop.market["VFIAX"] = whole
    move(world, server, evening + timedelta(days=1), time(7))

    result = world.run()

    assert (carried.status, result.status) == (RunStatus.PARTIAL, RunStatus.SUCCEEDED)
    assert asked == ["yahoo"]
    assert prices(world, "VFIAX")[evening] == pytest.approx(whole.closes[evening])
    assert states(world, "funds")[evening] == "complete"
    assert restated(world) == [("funds", evening)]


def test_a_fund_s_value_that_is_overdue_is_asked_of_the_next_provider(world, server):
    before, evening, after = evenings(world, 3)
    world.add_book("funds", ("VFIAX",), before - timedelta(days=20))
    connect_by_night(world, server)
    move(world, server, before, EVENING)
    world.run()
    lost = next(fault for fault in FAULTS if fault.name == "the last row missing")
    for day in (evening, after):
        move(world, server, day, EVENING)
        server.play(replace(lost, dialects=("yahoo",)))
        world.run()

    asked = [one.dialect for one in server.shop.asked if one.symbol == "VFIAX"]

    assert set(asked) > {"yahoo"}
    assert evening in prices(world, "VFIAX")
