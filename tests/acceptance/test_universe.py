"""Runs and the universe: who is asked for what, under which symbol, and what is never asked."""

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.acceptance.provided import asked, connect, next_night, provide, sold
from tests.acceptance.world import FACTORS, FIRST, LAST
from tests.faults.dialects import FMP, MASSIVE, YAHOO
from tests.faults.provider_faults import Fault, Raw, too_many
from tests.faults.quotes import make_series
from tests.faults.server import Script

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.reasons import RunStatus, Source
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.intake.market_data import make_bars
from riskmark.reports.runs import load_run
from riskmark.storage.aliases import rename
from riskmark.storage.delistings import load_delisted
from riskmark.storage.instruments import ensure_instruments
from riskmark.storage.prices import import_prices
from riskmark.storage.universe import describe_symbol

# The clients' own modules warn as they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")

BEGIN = LAST - timedelta(days=30)
UNIVERSE = 1_163
REFUSED = "NONE"


def described(world, symbol):
    with world.app.database.read() as connection:
        return describe_symbol(connection, symbol)


def store(world, market, first):
    """Import the closes of a market from a session on, in one go."""
    rows = [
        (symbol, day, close)
        for symbol, series in market.items()
        for day, close in series.closes.items()
        if day >= first
    ]
    with world.app.database.write() as connection:
        import_prices(
            connection,
            make_bars(rows),
            provider="yfinance",
            calendar=world.calendar,
            target=LAST,
            base_currency="USD",
            at=world.app.clock.now(),
        )


def test_among_many_symbols_a_new_book_s_and_the_factors_are_asked_once_each_in_a_range(world):
    names = tuple(f"S{number:04}" for number in range(UNIVERSE - len(FACTORS)))
    sessions = world.sessions(FIRST, LAST)
    held = names[100:113]
    market = sold(world, *held)
    some = make_series(sessions[-5:], seed=99)
    store(world, dict.fromkeys(names, some) | market, sessions[-5])
    world.add_book("book", held, BEGIN)
    with provide(world, market) as server:
        connect(world, server)

        result = world.run("book", source=Source.ONBOARDING)

        bars = [one for one in server.shop.asked if one.target == "bars"]
        profiles = asked(server, "profile")
    assert result.status is RunStatus.SUCCEEDED
    assert world.rows("SELECT count(*) FROM instrument")[0][0] == UNIVERSE
    assert sorted(one.symbol for one in bars) == sorted((*held, *FACTORS))
    assert all((one.last - one.first).days > 365 for one in bars)
    assert sorted(profiles) == sorted(held)


class _EachItsOwn(Script):
    """Refuses one symbol in a way of its own at each provider; the two Yahoos by turns."""

    def __init__(self):
        super().__init__()
        self.turns = 0

    def meets(self, asked):
        if asked.symbol != REFUSED or asked.target != "bars":
            return False
        if asked.dialect == YAHOO:
            self.turns += 1
        self.fault = Fault("its own", reply=self._reply(asked.dialect))
        return True

    def _reply(self, dialect):
        if dialect == MASSIVE:
            said = {
                "status": "NOT_AUTHORIZED",
                "message": "Your plan doesn't include this data timeframe.",
            }
            return Raw(403, json.dumps(said).encode())
        if dialect == FMP:
            said = "Premium Query Parameter: this value set for 'symbol' is not available"
            return Raw(402, said.encode())
        if self.turns == 1:
            error = {"code": "Not Found", "description": "No data found"}
            return Raw(404, json.dumps({"chart": {"result": None, "error": error}}).encode())
        return Raw(200, b"{]")


def test_a_symbol_that_four_providers_refuse_for_four_reasons_leaves_the_rest_complete(world):
    world.add_book("mixed", ("AAA", REFUSED), BEGIN)
    world.add_book("sound", ("AAA", "BBB"), BEGIN)
    with provide(world, sold(world, "AAA", "BBB")) as server:
        server.shop.script = _EachItsOwn()
        connect(world, server)

        result = world.run()

    with world.app.database.read() as connection:
        report = load_run(connection, world.app.principal, result.run_id).document()
    (named,) = report["unavailable"]
    said = {one["provider"]: one["reason"] for one in named["reasons"]}
    assert result.status is RunStatus.PARTIAL
    assert named["symbol"] == REFUSED
    assert said == {
        "yfinance": "unknown_symbol",
        "yahooquery": "bad_payload",
        "massive": "no_data_in_range",
        "fmp": "symbol_not_in_plan",
        "stored": "never_priced",
    }
    states = dict(
        world.rows(
            "SELECT DISTINCT p.name, s.state FROM snapshot s "
            "JOIN portfolio p ON p.id = s.portfolio_id"
        )
    )
    assert states == {"mixed": "partial", "sound": "complete"}


def test_a_run_learns_kind_name_and_sector_and_asks_no_second_time(world):
    market = sold(world, "AAA", "BBB")
    market["BBB"] = replace(market["BBB"], kind="ETF", name="A fund")
    world.add_book("book", ("AAA", "BBB"), BEGIN)
    with provide(world, market) as server:
        connect(world, server).run()
        first = asked(server, "profile")
        next_night(world, server, LAST)
        world.run()
        second = asked(server, "profile")

    stock, fund = described(world, "AAA"), described(world, "BBB")
    assert (first, second) == (["AAA"], [])
    assert (stock.instrument.name, stock.instrument.kind) == ("A company", "stock")
    assert stock.instrument.sector == "Information Technology"
    assert (stock.said.name_by, stock.said.sector_by) == ("yfinance", "yfinance")
    assert (fund.instrument.kind, fund.instrument.sector) == (InstrumentKind.ETF, None)
    assert world.rows("SELECT DISTINCT sector FROM sector_exposure ORDER BY 1") == [
        ("ETF",),
        ("Information Technology",),
    ]


@pytest.mark.parametrize("provider", ["yfinance", "yahooquery", "fmp"])
def test_every_provider_that_knows_sectors_is_understood(world, provider):
    world.add_book("book", ("AAA",), BEGIN)
    with provide(world, sold(world, "AAA")) as server:
        connect(world, server, order=(provider,)).run()

    assert described(world, "AAA").instrument.sector == "Information Technology"
    assert described(world, "AAA").said.sector_by == provider


def test_massive_tells_kind_and_name_and_the_next_the_sector(world):
    world.add_book("book", ("AAA",), BEGIN)
    with provide(world, sold(world, "AAA")) as server:
        connect(world, server, order=("massive", "fmp")).run()

    said = described(world, "AAA").said
    assert (said.kind_by, said.name_by, said.sector_by) == ("massive", "massive", "fmp")


def test_no_more_profiles_are_asked_for_in_a_night_than_settings_say(world):
    names = tuple(f"S{number}" for number in range(5))
    world.add_book("book", names, BEGIN)
    with provide(world, sold(world, *names)) as server:
        connect(world, server, profiles_a_run=3).run()
        first = asked(server, "profile")
        next_night(world, server, LAST)
        world.run()
        second = asked(server, "profile")

    assert (len(first), len(second)) == (3, 2)
    assert sorted(first + second) == sorted(names)


def test_private_assets_and_options_are_asked_of_nobody(world):
    option = "AAA   260116C00100000"
    with world.app.database.write() as connection:
        hints = [InstrumentHint("HOUSE", InstrumentKind.PRIVATE)]
        ensure_instruments(connection, hints, currency="USD", at=world.app.clock.now())
    world.add_book("book", ("AAA", "HOUSE", option), BEGIN)
    with provide(world, sold(world, "AAA")) as server:
        connect(world, server, cross_check_symbols=50).run()

        named = {one.symbol for one in server.shop.asked} - {""}

    assert named == {"AAA", *FACTORS}


def test_a_share_class_is_asked_of_each_provider_in_its_own_spelling(world):
    world.add_book("book", ("BRK.B",), BEGIN)
    with provide(world, sold(world, "BRK.B")) as server:
        spelled = {}
        for provider in ("yfinance", "yahooquery", "massive", "fmp"):
            server.shop.asked.clear()
            connect(world, server, order=(provider,)).run()
            with world.app.database.write() as connection:
                connection.exec_driver_sql("DELETE FROM price")
                connection.exec_driver_sql("DELETE FROM price_check")
            spelled[provider] = {one for one in asked(server, "bars") if one.startswith("BRK")}

    hyphen = {"BRK-B"}
    assert spelled == {
        "yfinance": hyphen, "yahooquery": hyphen, "massive": {"BRK.B"}, "fmp": hyphen,
    }  # fmt: skip


def renamed(world, day):
    with world.app.database.write() as connection:
        rename(
            connection,
            "SQ",
            "XYZ",
            day,
            calendar=world.calendar,
            at=world.app.clock.now(),
        )


def test_a_renamed_symbol_is_asked_under_the_one_of_the_time_where_a_provider_needs_that(world):
    sessions = world.sessions(FIRST, LAST)
    day = sessions[-40]
    market = sold(world, "XYZ")
    whole = market["XYZ"]
    market["SQ"] = replace(whole, rows=tuple(row for row in whole.rows if row.day < day))
    market["XYZ"] = replace(whole, rows=tuple(row for row in whole.rows if row.day >= day))
    world.add_book("book", ("SQ",), BEGIN)
    renamed(world, day)
    with provide(world, market) as server:
        result = connect(world, server, order=("massive",)).run()
        ranges = {
            one.symbol: (one.first, one.last)
            for one in server.shop.asked
            if one.target == "bars" and one.symbol in {"SQ", "XYZ"}
        }

    assert result.status is RunStatus.SUCCEEDED
    assert ranges["SQ"][1] < day == ranges["XYZ"][0]
    assert described(world, "XYZ").bars == len(whole.rows)


def test_a_renamed_symbol_is_asked_under_its_present_one_where_that_has_the_whole_history(world):
    world.add_book("book", ("SQ",), BEGIN)
    with provide(world, sold(world, "XYZ")) as server:
        connect(world, server, order=("yfinance", "fmp"))
        before = world.run()
        renamed(world, world.sessions(FIRST, LAST)[-40])
        server.shop.asked.clear()

        after = world.run()

        named = set(asked(server, "bars"))
    assert (before.status, after.status) == (RunStatus.PARTIAL, RunStatus.SUCCEEDED)
    assert named & {"SQ", "XYZ"} == {"XYZ"}


def test_a_symbol_that_nobody_knows_is_asked_for_more_and_more_seldom(world):
    sessions = world.sessions(BEGIN, LAST)[-6:]
    world.add_book("book", ("AAA", "ZZZ"), BEGIN)
    nights = []
    with provide(world, sold(world, "AAA")) as server:
        connect(world, server, order=("yfinance",))
        for session in sessions:
            next_night(world, server, session)
            world.app = replace(world.app, wall=world.app.clock)
            world.run()
            nights.append("ZZZ" in asked(server, "bars"))

    assert nights[:2] == [True, True]
    assert 2 < sum(nights) < len(nights)


def test_a_symbol_without_bars_that_providers_know_no_more_is_called_delisted_and_stays(world):
    sessions = world.sessions(FIRST, LAST)
    market = sold(world, "AAA", "OLD")
    world.add_book("book", ("AAA", "OLD"), BEGIN)
    seen = []
    with provide(world, market) as server:
        connect(world, server, order=("yfinance",))
        for session in (sessions[place] for place in (-16, -14, -12, -7, -1)):
            next_night(world, server, session)
            world.app = replace(world.app, wall=world.app.clock)
            world.run()
            server.shop.market.pop("OLD", None)
            with world.app.database.read() as connection:
                target = world.calendar.on_or_before(session)
                seen.append(load_delisted(connection, world.calendar, target).get("OLD"))

    assert seen == [None, None, None, None, sessions[-15]]
    assert described(world, "OLD").portfolios == 1


def test_a_symbol_that_another_company_has_taken_over_gets_no_bar_of_it(world):
    sessions = world.sessions(FIRST, LAST)
    cut = sessions[-30]
    market = sold(world, "AAA", "OLD")
    series = replace(market["OLD"], name="Old Railway Inc.")
    market["OLD"] = replace(series, rows=tuple(row for row in series.rows if row.day < cut))
    world.at(sessions[-31])
    world.add_book("book", ("AAA", "OLD"), sessions[-60])
    with provide(world, market) as server:
        server.shop.now = world.app.clock.now()
        connect(world, server, order=("yfinance",)).run()
        fresh = make_series(sessions[-5:], seed=77, price=12.0, name="Young Pharma Plc")
        server.shop.market["OLD"] = fresh
        next_night(world, server, LAST)

        result = world.run()

    with world.app.database.read() as connection:
        report = load_run(connection, world.app.principal, result.run_id).document()
    old = described(world, "OLD")
    answers = {
        one["provider"]: one["detail"]
        for named in report["unavailable"]
        if named["symbol"] == "OLD"
        for one in named["reasons"]
    }
    assert (old.instrument.name, old.last_session) == ("Old Railway Inc.", sessions[-31])
    assert "Young Pharma Plc" in answers["yfinance"]
    assert "Young Pharma Plc" in old.said.conflict


def test_a_sample_is_compared_with_another_host_each_night_and_no_price_changes(world):
    sessions = world.sessions(FIRST, LAST)
    dearer = Fault("dearer", rows=lambda rows, _: [_dearer(r) for r in rows], dialects=(MASSIVE,))
    world.at(sessions[-2])
    world.add_book("book", ("AAA", "BBB"), BEGIN)
    with provide(world, sold(world, "AAA", "BBB")) as server:
        server.shop.now = world.app.clock.now()
        connect(world, server, cross_check_symbols=5).run()
        first = _asked_elsewhere(server)
        before = _closes(world)
        server.shop.script = Script(dearer)
        world.run()
        again = _asked_elsewhere(server)
        next_night(world, server, sessions[-1])
        world.run()
        second = _asked_elsewhere(server)

    rows = world.rows(
        "SELECT DISTINCT i.symbol, d.provider, d.stored_provider FROM price_difference d "
        "JOIN instrument i ON i.id = d.instrument_id"
    )
    assert (len(first), len(second), again) == (5, 5, first)
    assert not set(first) & set(second)
    assert {tuple(row) for row in rows} == {(one, "massive", "yfinance") for one in second}
    assert _closes(world).items() >= before.items()


def _dearer(row):
    names = ("open", "high", "low", "close")
    return row._replace(**{name: getattr(row, name) * 1.01 for name in names})


def _asked_elsewhere(server):
    """Return the symbols whose bars others than Yahoo were asked for."""
    asked = server.shop.asked
    return [one.symbol for one in asked if one.dialect != YAHOO and one.target == "bars"]


def _closes(world):
    rows = world.rows("SELECT instrument_id, session, close, provider FROM price")
    return {(key, str(day)): (close, provider) for key, day, close, provider in rows}


def test_distributed_gains_of_a_fund_are_distributions_like_dividends(world):
    sessions = world.sessions(FIRST, LAST)
    apart, both = sessions[-12], sessions[-6]
    for provider in ("yfinance", "yahooquery"):
        market = sold(world, "FND")
        market["FND"] = replace(
            market["FND"], dividends=((both, 0.5),), gains=((apart, 2.0), (both, 1.5))
        )
        if provider == "yfinance":
            world.add_book("book", ("FND",), BEGIN)
        with world.app.database.write() as connection:
            for table in ("action", "price", "price_check"):
                connection.exec_driver_sql(f"DELETE FROM {table}")
        with provide(world, market) as server:
            connect(world, server, order=(provider,)).run()

        found = world.rows("SELECT ex_date, value FROM action ORDER BY 1")
        assert [(str(day), value) for day, value in found] == [(str(apart), 2.0), (str(both), 2.0)]


@pytest.mark.parametrize("fault", ["429", "500", "html"])
def test_profiles_that_are_refused_cost_a_night_little_and_its_numbers_nothing(world, fault):
    replies = {
        "429": too_many(),
        "500": Raw(500, b"Internal Server Error"),
        "html": Raw(200, b"<html>Come back later</html>"),
    }
    world.add_book("book", tuple(f"S{number}" for number in range(7)), BEGIN)
    with provide(world, sold(world, *(f"S{number}" for number in range(7)))) as server:
        server.play(Fault("refused", reply=replies[fault], target="profile"))

        result = connect(world, server).run()

        each = Counter(one.dialect for one in server.shop.asked if one.target == "profile")
    assert result.status is RunStatus.SUCCEEDED
    assert max(each.values()) <= 5
    assert described(world, "S0").said.misses == (0 if fault == "429" else 1)


def test_a_name_that_contradicts_is_told_in_the_run_s_activity(world):
    world.add_book("book", ("AAA",), BEGIN)
    market = sold(world, "AAA")
    sessions = world.sessions(BEGIN, LAST)
    world.at(sessions[-2])
    with provide(world, market) as server:
        server.shop.now = world.app.clock.now()
        connect(world, server).run()
        market["AAA"] = replace(market["AAA"], name="Young Pharma Plc")
        next_night(world, server, sessions[-1])
        result = world.run()

    lines = world.rows("SELECT message FROM run_event WHERE run_id = ?", result.run_id)
    assert result.status is RunStatus.SUCCEEDED
    assert any("Young Pharma Plc" in line for (line,) in lines)
    assert described(world, "AAA").instrument.name == "A company"
    assert described(world, "AAA").last_session == sessions[-1]


def test_where_only_clients_of_one_host_are_asked_nothing_is_compared(world):
    world.add_book("book", ("AAA",), BEGIN)
    with provide(world, sold(world, "AAA")) as server:
        connect(world, server, order=("yfinance", "yahooquery"), cross_check_symbols=2).run()

        assert len(asked(server, "bars")) == 1 + len(FACTORS)
    assert [tuple(row) for row in world.rows("SELECT DISTINCT reason FROM cross_check")] == [
        ("not_asked",)
    ]
