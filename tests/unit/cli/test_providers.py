"""``prices fetch`` and ``providers status``, on a server of this machine."""

import os
from dataclasses import replace
from datetime import date

import pytest
from tests.acceptance.world import FIRST, LAST
from tests.faults.provider_faults import FAULTS
from tests.faults.provider_lab import forget_yahoo
from tests.faults.quotes import small_market
from tests.faults.server import ProviderServer

from riskmark.storage.provider_limits import ProviderLimits

# The clients' own modules warn as they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def server(riskmark, monkeypatch):
    forget_yahoo()
    monkeypatch.setenv("RISKMARK_PROVIDERS__ORDER", "yfinance,massive,fmp")
    monkeypatch.setenv("RISKMARK_PROVIDERS__FMP__API_KEY", "hidden")
    market = small_market(riskmark.world.sessions(FIRST, LAST))
    with ProviderServer(market, now=riskmark.world.app.clock.now()) as server:
        for name in ("YFINANCE", "MASSIVE", "FMP"):
            monkeypatch.setenv(f"RISKMARK_PROVIDERS__{name}__BASE_URL", server.url)
        yield server


@pytest.mark.usefixtures("server")
def test_fetch_stores_bars_and_says_what_each_provider_answered(riskmark):
    done = riskmark("prices", "fetch", "-s", "AAA", "-s", "ZZZ", "--from", "2025-12-01", "--json")

    (found, lacking) = done.json
    assert done.code == 3
    assert (found["symbol"], found["missing"]) == ("AAA", [])
    assert found["bars"]["yfinance"] == len(riskmark.world.sessions(date(2025, 12, 1), LAST))
    assert [one["provider"] for one in lacking["answers"]] == ["yfinance", "fmp"]
    assert riskmark("prices", "gaps", "AAA").code == 0


def test_fetch_ends_with_one_where_no_provider_could_answer_at_all(riskmark, server):
    server.play(fault("401"))

    done = riskmark("prices", "fetch", "-s", "AAA", "--from", "2025-12-01")

    assert done.code == 1


@pytest.mark.usefixtures("server")
def test_a_run_and_the_gaps_tell_by_name_why_each_provider_has_nothing(riskmark):
    riskmark.world.add_book("book", ("AAA", "ZZZ"), date(2025, 12, 1))

    ran = riskmark("run")
    found = riskmark("prices", "gaps", "ZZZ", "--json").json
    shown = riskmark("prices", "gaps", "ZZZ")

    (gap,) = found["gaps"]
    said = {one["provider"]: one["reason"] for one in gap["answers"]}
    assert said["yfinance"] == "unknown_symbol"
    assert "fmp" in said
    assert "yfinance: unknown symbol" in " ".join(ran.err.split())
    assert "yfinance: unknown symbol" in " ".join(shown.out.split())


def test_a_range_that_ends_before_it_begins_is_refused(riskmark, server):
    done = riskmark("prices", "fetch", "-s", "AAA", "--from", "2025-12-02", "--to", "2025-12-01")

    assert done.code == 2
    assert "lies after" in done.err
    assert server.shop.asked == []


def test_a_range_without_a_session_is_refused(riskmark, server):
    done = riskmark("prices", "fetch", "-s", "AAA", "--from", "2025-12-06", "--to", "2025-12-07")

    assert done.code == 2
    assert "no session between" in done.err
    assert server.shop.asked == []


def test_the_quality_of_a_symbol_that_nobody_knows_is_an_error(riskmark):
    done = riskmark("prices", "quality", "NOPE")

    assert done.code == 2
    assert "NOPE" in done.err


def test_without_a_provider_fetch_says_where_to_look(riskmark):
    done = riskmark("prices", "fetch", "-s", "AAA")

    assert done.code == 2
    assert "providers status" in done.err


def test_status_tells_requests_and_missing_keys(riskmark, server):
    riskmark("prices", "fetch", "-s", "AAA")

    done = riskmark("providers", "status", "--json")

    states = {one["provider"]: (one["state"], one["requests"]) for one in done.json}
    assert states["massive"] == ("no key", 0)
    assert states["fmp"] == ("ready", 0)
    assert states["yfinance"] == ("ready", len(server.shop.asked))


def test_status_tells_who_is_left_alone_who_is_on_trial_and_whose_day_is_used_up(
    riskmark, server, monkeypatch
):
    monkeypatch.setenv("RISKMARK_PROVIDERS__MASSIVE__API_KEY", "hidden")
    monkeypatch.setenv("RISKMARK_PROVIDERS__MASSIVE__REQUESTS_PER_DAY", "1")
    server.play(fault("429"))
    riskmark("prices", "fetch", "-s", "AAA")
    server.play(fault("401"))
    monkeypatch.setenv("RISKMARK_PROVIDERS__ORDER", "fmp")
    ProviderLimits(riskmark.world.app.database).succeeded("fmp")
    riskmark("prices", "fetch", "-s", "AAA")
    monkeypatch.setenv("RISKMARK_PROVIDERS__ORDER", "yfinance,massive,fmp")

    lines = {one["provider"]: one for one in riskmark("providers", "status", "--json").json}

    assert {name: (one["state"], one["reason"]) for name, one in lines.items()} == {
        "yfinance": ("left alone", "rate_limited"),
        "massive": ("used up", "rate_limited"),
        "fmp": ("on trial", "auth"),
    }
    assert lines["yfinance"]["until"] is not None
    assert lines["massive"]["requests_per_day"] == lines["massive"]["requests"] == 1
    assert "60 a minute" in riskmark("providers", "status").out


def test_a_provider_that_is_left_alone_is_asked_again_when_somebody_says_so(riskmark, server):
    server.play(fault("429"))
    riskmark("prices", "fetch", "-s", "AAA")
    server.play()
    shown = riskmark("providers", "status")

    done = riskmark("providers", "reset", "yfinance")
    unknown = riskmark("providers", "reset", "files")

    lines = riskmark("providers", "status", "--json").json
    states = {one["provider"]: one["state"] for one in lines}
    assert "riskmark providers reset yfinance" in " ".join((shown.out + shown.err).split())
    assert (done.code, unknown.code) == (0, 2)
    assert states["yfinance"] == "ready"


def test_status_names_files_that_cannot_be_read(riskmark, monkeypatch, tmp_path):
    (tmp_path / "bad.csv").write_text("day,ticker\n2025-12-01,AAA\n", encoding="utf-8")
    os.utime(tmp_path / "bad.csv", (0, 0))
    monkeypatch.setenv("RISKMARK_PROVIDERS__ORDER", "files")
    monkeypatch.setenv("RISKMARK_PROVIDERS__FILES__FOLDER", str(tmp_path))
    riskmark("prices", "fetch", "-s", "AAA")

    (line,) = riskmark("providers", "status", "--json").json

    assert (line["state"], line["reason"]) == ("bad files", "bad_payload")
    assert "bad.csv" in line["detail"]


def fault(name):
    return next(one for one in FAULTS if one.name == name)


@pytest.mark.usefixtures("server")
def test_no_key_is_ever_shown(riskmark):
    shown = riskmark("config", "show", "--json").out + riskmark("providers", "status").out

    assert "hidden" not in shown
    assert "***" in shown


def test_nobody_outside_hears_of_a_private_asset(riskmark, server):
    file = riskmark.file("symbols.csv", "symbol,name,kind,sector\nHOUSE,Our house,private,\n")
    assert riskmark("symbols", "import", file).code == 0

    done = riskmark("prices", "fetch", "-s", "HOUSE")

    assert done.code == 2
    assert "private" in done.err
    assert server.shop.asked == []


def test_quality_names_who_gave_the_bars_and_who_lacks_a_symbol(riskmark, server):
    riskmark("prices", "fetch", "-s", "AAA", "-s", "ZZZ", "--from", "2025-12-01")
    series = server.shop.market["AAA"]
    rows = tuple(
        row._replace(close=row.close * 1.001) if row.day == date(2026, 1, 5) else row
        for row in series.rows
    )
    server.shop.market["AAA"] = replace(series, rows=rows)
    riskmark("prices", "fetch", "-s", "AAA", "--from", "2025-12-01")

    found = riskmark("prices", "quality", "--json").json
    shown = riskmark("prices", "quality")

    (of_aaa,) = [one for one in found["symbols"] if one["symbol"] == "AAA"]
    assert of_aaa["providers"] == {"yfinance": of_aaa["expected"]}
    assert [(one["symbol"], one["session"]) for one in found["corrections"]] == [
        ("AAA", "2026-01-05")
    ]
    denied = [(one["symbol"], one["provider"]) for one in found["denials"]]
    assert ("ZZZ", "yfinance") in denied
    assert {symbol for symbol, _ in denied} == {"ZZZ"}
    assert found["quarantine"] == []
    assert shown.code == 0
    assert "Corrections" in shown.out
