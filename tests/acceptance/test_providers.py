"""Runs that ask providers: the real clients, and a server on this machine that is all of them."""

import time
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from tests.acceptance.provided import ORDER, asked, connect, provide
from tests.acceptance.world import FACTORS, FIRST, LAST
from tests.faults.provider_faults import FAULTS, Fault, too_many
from tests.faults.provider_lab import DIALECT
from tests.faults.quotes import make_series

from riskmark.domain.reasons import RunStatus
from riskmark.reports.runs import load_run
from riskmark.storage.engines import read_rows

# The clients' own modules warn as they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")

HELD = ("AAA", "BBB")
BEGIN = LAST - timedelta(days=30)


@pytest.fixture
def server(world):
    """Sell the symbols of the factors and two more, as long as the test lasts."""
    sessions = world.sessions(FIRST, LAST)
    late = sessions[-10]
    market = {
        symbol: make_series(sessions, seed=place, splits=((late, 2.0, 1.0),) if place == 0 else ())
        for place, symbol in enumerate((*HELD, *FACTORS))
    }
    with provide(world, market) as server:
        yield server


def stored(world, symbol):
    with world.app.database.read() as connection:
        rows = read_rows(
            connection,
            "SELECT p.session, p.close, p.provider FROM price p "
            "JOIN instrument i ON i.id = p.instrument_id WHERE i.symbol = ? ORDER BY 1",
            (symbol,),
        )
    return {str(day): (close, provider) for day, close, provider in rows}


def test_a_new_book_s_symbols_and_the_factors_are_asked_for_once_each_in_a_range(world, server):
    world.add_book("book", HELD, BEGIN)
    world.add_book("other", ("ZZZ",), BEGIN)
    connect(world, server)

    result = world.run("book")

    assert result.status is RunStatus.SUCCEEDED
    assert sorted(asked(server, "bars")) == sorted((*HELD, *FACTORS))
    series = server.shop.market["AAA"]
    assert {day: close for day, (close, _) in stored(world, "AAA").items()} == pytest.approx(
        {str(day): close for day, close in series.closes.items()}
    )


def test_the_same_night_twice_asks_nobody_the_second_time(world, server):
    world.add_book("book", HELD, BEGIN)
    connect(world, server).run()
    server.play()

    result = world.run()

    assert result.status is RunStatus.SUCCEEDED
    assert server.shop.asked == []


def test_a_symbol_that_nobody_has_is_asked_for_once_a_night_and_named_each_time(world, server):
    world.add_book("book", ("AAA", "ZZZ"), BEGIN)
    connect(world, server)
    first = world.run()
    server.play()

    again = world.run()

    assert server.shop.asked == []
    reports = []
    with world.app.database.read() as connection:
        for result in (first, again):
            found = load_run(connection, world.app.principal, result.run_id).document()
            reports.append(found)
    assert [one["symbol"] for one in reports[0]["unavailable"]] == ["ZZZ"]
    said = [
        {reason["provider"]: reason["reason"] for reason in report["unavailable"][0]["reasons"]}
        for report in reports
    ]
    assert said[0] == said[1]
    told = [one["detail"] for one in reports[1]["unavailable"][0]["reasons"]]
    assert sum("remembered" in detail for detail in told) == len(ORDER)
    for report in reports:
        (prices,) = [phase for phase in report["phases"] if phase["phase"] == "prices"]
        assert report["symbols"]["asked"] == prices["total"] == prices["done"]
        assert report["symbols"]["unavailable"] == 1


def test_offline_asks_nobody(world, server):
    world.add_book("book", HELD, BEGIN)
    connect(world, server)

    results = [world.run(offline=True), world.run(offline=True)]

    assert server.shop.asked == []
    with world.app.database.read() as connection:
        for result in results:
            found = load_run(connection, world.app.principal, result.run_id).document()
            said = {
                one["symbol"]: [reason["reason"] for reason in one["reasons"]]
                for one in found["unavailable"]
            }
            assert said["AAA"] == said["BBB"] == ["never_priced"]


def test_a_symbol_that_nobody_has_is_named_with_a_reason_of_each_and_the_rest_is_complete(
    world, server
):
    world.add_book("book", ("AAA", "ZZZ"), BEGIN)
    connect(world, server)

    result = world.run()

    assert result.status is RunStatus.PARTIAL
    with world.app.database.read() as connection:
        report = load_run(connection, world.app.principal, result.run_id).document()
    (named,) = report["unavailable"]
    said = {one["provider"]: one["reason"] for one in named["reasons"]}
    assert named["symbol"] == "ZZZ"
    assert set(said) == {*ORDER, "stored"}
    assert said["yfinance"] == "unknown_symbol"
    assert "AAA" not in [one["symbol"] for one in report["unavailable"]]


def test_a_corrected_close_is_taken_on_the_next_session_and_restates(world, server):
    sessions = world.sessions(BEGIN, LAST)
    world.at(sessions[-2])
    server.shop.now = world.app.clock.now()
    world.add_book("book", HELD, BEGIN)
    connect(world, server).run()
    series = server.shop.market["BBB"]
    old = series.closes[sessions[-4]]
    rows = tuple(
        row._replace(close=old * 1.001) if row.day == sessions[-4] else row for row in series.rows
    )
    server.shop.market["BBB"] = replace(series, rows=rows)
    world.at(sessions[-1])
    server.shop.now = world.app.clock.now()

    world.run()

    assert stored(world, "BBB")[str(sessions[-4])][0] == pytest.approx(old * 1.001)
    (count,) = world.rows("SELECT count(*) FROM restatement")[0]
    assert count >= 2


def test_a_night_of_nothing_but_refusals_asks_each_host_at_most_five_times(world, server):
    world.add_book("book", HELD, BEGIN)
    connect(world, server)
    server.play(Fault("429 everywhere", reply=too_many(), target="*"))

    result = world.run()

    asked = [one.dialect for one in server.shop.asked]
    assert result.status is RunStatus.PARTIAL
    assert max(asked.count(dialect) for dialect in DIALECT.values()) <= 5


def test_providers_that_only_keep_silent_do_not_hold_a_run_beyond_its_time_for_them(world, server):
    world.add_book("book", HELD, BEGIN)
    connect(world, server)
    settings = world.app.settings
    hurried = msgspec.structs.replace(settings.providers, run_budget_seconds=3.0)
    loaded = replace(
        world.app.loaded, settings=msgspec.structs.replace(settings, providers=hurried)
    )
    world.app = replace(world.app, loaded=loaded)
    server.play(next(fault for fault in FAULTS if fault.name == "a long silence"))
    started = time.monotonic()

    result = world.run()

    assert result.status is RunStatus.PARTIAL
    assert time.monotonic() - started < 15.0


def test_only_the_provider_that_gave_a_close_corrects_it(world, server):
    sessions = world.sessions(BEGIN, LAST)
    world.at(sessions[-2])
    server.shop.now = world.app.clock.now()
    world.add_book("book", HELD, BEGIN)
    connect(world, server, order=("yfinance",)).run()
    before = stored(world, "BBB")
    series = server.shop.market["BBB"]
    rows = tuple(
        row._replace(close=row.close * 1.0005) if row.day in sessions[-6:-2] else row
        for row in series.rows
    )
    server.shop.market["BBB"] = replace(series, rows=rows)
    world.at(sessions[-1])
    server.shop.now = world.app.clock.now()

    connect(world, server, order=("fmp",)).run()

    after = stored(world, "BBB")
    assert after.items() >= before.items()
    assert after[str(sessions[-1])][1] == "fmp"


def test_a_split_that_is_named_late_ends_its_quarantine_and_completes_the_sessions(world, server):
    sessions = world.sessions(BEGIN, LAST)
    known = server.shop.market["AAA"]
    server.shop.market["AAA"] = replace(known, splits=())
    world.at(sessions[-8])
    server.shop.now = world.app.clock.now()
    world.add_book("book", HELD, BEGIN)
    first = connect(world, server).run()
    server.shop.market["AAA"] = known
    world.at(sessions[-7])
    server.shop.now = world.app.clock.now()

    second = world.run()

    assert (first.status, second.status) == (RunStatus.PARTIAL, RunStatus.SUCCEEDED)
    assert stored(world, "AAA")[str(sessions[-11])][0] == pytest.approx(known.closes[sessions[-11]])
    (splits,) = world.rows("SELECT count(*) FROM action WHERE kind = 'split'")[0]
    states = world.rows("SELECT DISTINCT state FROM snapshot")
    assert splits == 1
    assert [state for (state,) in states] == ["complete"]
