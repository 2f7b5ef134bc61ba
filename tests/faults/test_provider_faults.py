"""Every fault of every provider, through its real client: see ``provider_lab``."""

import time

import pytest
from sqlalchemy import delete
from tests.faults.provider_faults import FAULTS, Fault, too_many
from tests.faults.provider_lab import (
    BUDGET_S,
    CHECKER,
    FIRST,
    MARKET,
    PAGE,
    POSITIONS,
    PROVIDERS,
    RULES,
    SYMBOLS,
    TARGET,
    cases,
    cell,
    know_some,
    laboratory,
    make_provider,
    observe,
    places,
)
from tests.faults.quota import FastTime
from tests.market import CALENDAR, load, split, stored_closes

from riskmark.engine.price_collection import fetch_symbol
from riskmark.providers.limits import Budget
from riskmark.providers.sources import Sources
from riskmark.storage import schema

CASES = cases()
PLACED = [(*case, POSITIONS[number % len(POSITIONS)]) for number, case in enumerate(CASES)]
"""Every fault of each provider, met in one of the positions."""
OTHERS = [
    (*case, position)
    for number, case in enumerate(CASES)
    for position in POSITIONS
    if position != POSITIONS[number % len(POSITIONS)]
]
LONGEST_RUN_S = 30.0

# The clients' own modules warn as they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")


def named(case):
    fault, provider, position = case
    return f"{provider}-{fault.name}-{position}"


@pytest.fixture(scope="module")
def lab():
    """Serve the small market, with a database, as long as this file's tests last."""
    with laboratory() as opened:
        yield opened


@pytest.fixture(scope="module")
def page():
    """Read the table of the page that is kept: cells by fault and provider."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [text.strip("| ").split(" | ") for text in lines if text.startswith("| ")]
    return {(row[0], row[1]): dict(zip(POSITIONS, row[2:], strict=True)) for row in rows[2:]}


def check(lab, page, case):
    """Assert what must hold of any fault, anywhere."""
    fault, provider, position = case
    at = places(lab, provider, fault.target)[position]
    started = time.monotonic()

    seen = observe(lab, provider, fault, at)

    assert seen.wrong == ()
    assert seen.unnamed == ()
    assert seen.seconds < BUDGET_S
    assert time.monotonic() - started < LONGEST_RUN_S
    assert cell(seen.words) == page[fault.name, provider][position]


@pytest.mark.parametrize("case", PLACED, ids=named)
def test_no_fault_stores_a_wrong_price_and_each_symbol_has_the_outcome_on_the_page(lab, page, case):
    check(lab, page, case)


@pytest.mark.deep
@pytest.mark.parametrize("case", OTHERS, ids=named)
def test_no_fault_on_another_request_stores_a_wrong_price_either(lab, page, case):
    check(lab, page, case)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_there_are_at_least_25_faults_of_each_provider(provider):
    assert sum(name == provider for _, name in CASES) >= 25


def test_the_page_has_each_fault_and_no_other(page):
    assert list(page) == [(fault.name, provider) for fault, provider in CASES]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("headers", [{}, {"Retry_After": "1"}, {"Retry_After": "0"}], ids=str)
def test_a_provider_that_refuses_everything_is_asked_at_most_five_times_a_run(
    provider, headers, lab
):
    everything = Fault("429 everywhere", reply=too_many(**headers), target="*")

    seen = observe(lab, provider, everything, None)

    assert seen.words == ("rate_limited",) * len(SYMBOLS)
    assert seen.requests <= 5


@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_faults_everything_arrives_as_traded(provider, lab):
    seen = observe(lab, provider, None, None)

    assert seen.words == ("ok",) * len(SYMBOLS)
    assert seen.wrong == ()


def test_faults_have_names_of_their_own():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_what_lies_before_a_stored_split_that_a_provider_forgets_is_not_filled(lab):
    ((split_day, _, _),) = MARKET["SSS"].splits
    know_some(lab.database, "yfinance")
    with lab.database.write() as connection:
        connection.execute(delete(schema.price).where(schema.price.c.session < split_day))
        load(connection, actions=[split("SSS", split_day, 3.0)])
    forgotten = next(fault for fault in FAULTS if fault.name == "a split is forgotten")
    lab.server.play(forgotten)
    budget = Budget(BUDGET_S, FastTime())
    provider = make_provider("yfinance", lab.server.url, budget=budget)
    sources = Sources((provider,), CHECKER, budget)

    found = fetch_symbol(lab.database, sources, "SSS", dates=(FIRST, TARGET), rules=RULES)

    sources.close()
    with lab.database.read() as connection:
        closes = stored_closes(connection, "SSS")
    assert found.said[0].outcome.reason == "partial"
    assert min(closes) == split_day
    assert closes == {day: MARKET["SSS"].closes[day] for day in closes}
    assert found.missing == tuple(day for day in CALENDAR.sessions if FIRST <= day < split_day)
