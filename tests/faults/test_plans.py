"""What smaller plans leave out is a gap that the next provider fills, and no more."""

from datetime import UTC, date, datetime, timedelta

import pytest
from tests.faults.provider_faults import FAULTS, Fault, Raw
from tests.faults.provider_lab import MARKET, forget_yahoo
from tests.faults.quota import FastTime, MemoryQuota
from tests.faults.server import ProviderServer
from tests.market import CALENDAR

from riskmark.domain.rate_limits import Limits
from riskmark.domain.reasons import AnswerReason
from riskmark.providers.adapter import Access
from riskmark.providers.chain import collect
from riskmark.providers.checking import Checker
from riskmark.providers.fmp import Fmp
from riskmark.providers.limits import Budget, Gate
from riskmark.providers.massive import Massive
from riskmark.providers.port import Wanted
from riskmark.providers.yfinance import YFinance

NOW = datetime(2024, 12, 31, 22, tzinfo=UTC)
CHECKER = Checker(CALENDAR, timedelta(minutes=30), lambda: NOW)
REACH = date(2023, 1, 6)
WANTED = Wanted("AAA", CALENDAR.sessions[0], date(2024, 12, 30))
_R = AnswerReason

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def server():
    forget_yahoo()
    with ProviderServer(MARKET, now=NOW) as opened:
        opened.shop.reach = REACH
        yield opened


@pytest.fixture
def opened(server):
    """Return a way to open providers, which are closed at the end."""
    providers = []

    def make(kind, budget, *, per_day=None):
        gate = Gate(kind.domain, Limits(per_day=per_day), MemoryQuota(), budget)
        providers.append(kind(Access(gate, CHECKER, server.url, "a-key-that-is-one")))
        return providers[-1]

    yield make
    for provider in providers:
        provider.close()


@pytest.mark.parametrize("kind", [Massive, Fmp])
def test_of_a_range_that_the_plan_does_not_reach_the_rest_comes_and_the_next_fills_it(kind, opened):
    budget = Budget(60.0, FastTime())
    chain = [opened(kind, budget), opened(YFinance, budget)]

    found = collect(WANTED, chain, checker=CHECKER, budget=budget)

    assert [said.outcome.reason for said in found.said] == [_R.PARTIAL, _R.OK]
    gaps = found.said[0].outcome.gaps
    assert found.is_complete
    assert gaps[0] == WANTED.first
    assert found.parts[1].bars.session.tolist() == list(gaps)
    closes = {
        day: close
        for part in found.parts
        for day, close in zip(part.bars.session.tolist(), part.bars.close.tolist(), strict=True)
    }
    true = MARKET["AAA"].closes
    assert closes == pytest.approx({day: true[day] for day in closes}, rel=1e-9)


def test_how_far_the_plan_reaches_is_found_out_once_a_run(server, opened):
    provider = opened(Massive, Budget(60.0, FastTime()))

    for symbol in ("AAA", "BBB", "TTT"):
        assert provider.fetch(Wanted(symbol, WANTED.first, WANTED.last)).outcome.has_data

    bars = [asked for asked in server.shop.asked if asked.target == "bars"]
    assert sum(asked.first < REACH for asked in bars) == 1
    assert len(bars) == 4


def test_a_range_that_lies_before_the_plan_is_no_fault_of_the_symbol(opened):
    provider = opened(Massive, Budget(60.0, FastTime()))

    outcome = provider.fetch(Wanted("AAA", WANTED.first, date(2023, 1, 4))).outcome

    assert outcome.reason is _R.NO_DATA_IN_RANGE
    assert outcome.consequence.believed_h == 0


@pytest.mark.parametrize(
    ("per_day", "reason"), [(250, _R.QUOTA_EXHAUSTED), (None, _R.RATE_LIMITED)]
)
def test_the_limit_that_fmp_names_is_of_the_day_only_in_a_plan_that_has_one(
    per_day, reason, server, opened
):
    server.play(next(fault for fault in FAULTS if fault.name == "429 of the day"))
    provider = opened(Fmp, Budget(60.0, FastTime()), per_day=per_day)

    outcome = provider.fetch(WANTED).outcome

    assert outcome.reason is reason
    wait = outcome.until - datetime.now(UTC)
    assert (wait > timedelta(minutes=2)) == (per_day is not None) or wait < timedelta(days=1)


@pytest.mark.parametrize("body", [b"{}", b"[]"])
def test_a_profile_that_fmp_does_not_have_is_of_an_unknown_symbol(body, server, opened):
    nothing = Raw(404, body, {"Content-Type": "application/json"})
    server.play(Fault("404 and nothing", reply=nothing, target="profile"))
    provider = opened(Fmp, Budget(60.0, FastTime()))

    _, outcome = provider.fetch_profile("ZZZ")

    assert outcome.reason is _R.UNKNOWN_SYMBOL
