"""What providers can do to actions, through each real client: a lie one night, the truth next.

Judged are the stored actions: never one twice, never one out of proportion, and after the
true answer the truth.
"""

from dataclasses import replace

import pytest
from sqlalchemy import select
from tests.faults.provider_lab import (
    BUDGET_S,
    CHECKER,
    FIRST,
    MARKET,
    PROVIDERS,
    RULES,
    TARGET,
    forget_yahoo,
    know_some,
    laboratory,
    make_provider,
)
from tests.faults.quota import FastTime
from tests.market import CALENDAR

from riskmark.engine.price_collection import fetch_symbol
from riskmark.providers.limits import Budget
from riskmark.providers.sources import Sources
from riskmark.storage import schema
from riskmark.storage.held_actions import list_held

# The clients' own modules warn as they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")

PLACE = CALENDAR.on_or_before(TARGET) - 15
DAY, NEXT, LATER = CALENDAR.sessions[PLACE : PLACE + 3]
TRUTH = ((DAY, 0.4),)
LIES = {
    "moved": ((NEXT, 0.4),),
    "doubled": ((DAY, 0.4), (NEXT, 0.4)),
    "of another size": ((DAY, 0.41),),
    "absurd": ((DAY, 60_000.0),),
    "absurd beside the true one": ((DAY, 0.4), (LATER, 60_000.0)),
    "invented": ((DAY, 0.4), (LATER, 7.0)),
    "forgotten": (),
}


@pytest.fixture(scope="module")
def lab():
    """Serve the small market, with a database, as long as this file's tests last."""
    with laboratory() as opened:
        yield opened


def fetch(lab, name, dividends):
    """Fetch a symbol from one provider that names these dividends; return what is stored."""
    lab.server.play(None)
    lab.server.shop.market = MARKET | {"BBB": replace(MARKET["BBB"], dividends=dividends)}
    forget_yahoo()
    budget = Budget(BUDGET_S, FastTime())
    provider = make_provider(name, lab.server.url, budget=budget)
    sources = Sources((provider,), CHECKER, budget)
    found = fetch_symbol(lab.database, sources, "BBB", dates=(FIRST, TARGET), rules=RULES)
    sources.close()
    lab.server.shop.market = MARKET
    assert [said.outcome.reason for said in found.said] == ["ok"]
    action = schema.action
    with lab.database.read() as connection:
        rows = connection.execute(select(action.c.ex_date, action.c.value)).all()
        return sorted(map(tuple, rows)), list_held(connection)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("lie", LIES)
def test_a_lie_about_a_dividend_is_undone_by_the_true_answer(lab, lie, provider):
    know_some(lab.database, provider)
    first, held = fetch(lab, provider, LIES[lie])

    after, held_after = fetch(lab, provider, TRUTH)

    assert all(value < MARKET["BBB"].closes[day] / 2 for day, value in first)
    assert len(held) == lie.startswith(("absurd", "doubled"))
    assert len(first) <= len(LIES[lie]) - len(held)
    assert after == list(TRUTH)
    assert held_after == ()


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_about_a_dividend_that_is_known_is_undone_by_the_true_answer(lab, lie):
    know_some(lab.database, "yfinance")
    fetch(lab, "yfinance", TRUTH)
    between, _ = fetch(lab, "yfinance", LIES[lie])

    after, held_after = fetch(lab, "yfinance", TRUTH)

    assert all(value < MARKET["BBB"].closes[day] / 2 for day, value in between)
    assert after == list(TRUTH)
    assert held_after == ()


@pytest.mark.parametrize("other", ["yahooquery", "massive", "fmp"])
def test_another_provider_that_dates_a_dividend_differently_doubles_nothing(lab, other):
    know_some(lab.database, "yfinance")
    fetch(lab, "yfinance", TRUTH)

    after, _ = fetch(lab, other, LIES["moved"])

    assert after == list(TRUTH)
