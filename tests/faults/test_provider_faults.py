"""Every fault of every provider, through its real client: see ``provider_lab``."""

import re
import time

import pytest
from tests.faults.provider_faults import FAULTS, Fault, too_many
from tests.faults.provider_lab import (
    BUDGET_S,
    MARKET,
    PAGE,
    PROVIDERS,
    SYMBOLS,
    cases,
    observe,
    table,
)
from tests.faults.server import ProviderServer

CASES = cases()
NAMES = [f"{provider}-{fault.name}" for fault, provider in CASES]
LONGEST_RUN_S = 20.0

# The clients' own modules warn as they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def server():
    """Serve the small market as long as this file's tests last."""
    with ProviderServer(MARKET) as server:
        yield server


@pytest.fixture(scope="module")
def page():
    """Read the lines of the page that is kept."""
    return PAGE.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(("fault", "provider"), CASES, ids=NAMES)
def test_no_fault_lets_a_wrong_price_through_and_each_has_the_outcome_on_the_page(
    fault, provider, server, page
):
    started = time.monotonic()

    once = observe(server, provider, fault, {0})
    always = observe(server, provider, fault, None)

    assert once.wrong == always.wrong == ()
    assert time.monotonic() - started < LONGEST_RUN_S
    assert max(once.seconds, always.seconds) < BUDGET_S
    assert table([(fault, provider, once.words, always.words)])[-1] in page


@pytest.mark.deep
@pytest.mark.parametrize("at", [{1}, {2}], ids=["middle", "last"])
@pytest.mark.parametrize(("fault", "provider"), CASES, ids=NAMES)
def test_a_fault_in_the_middle_or_at_the_end_harms_no_symbol_before_it(fault, provider, at, server):
    seen = observe(server, provider, fault, at)

    assert seen.wrong == ()
    assert fault.target != "bars" or seen.words[0].startswith("ok")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_there_are_at_least_25_faults_of_each_provider(provider):
    assert sum(name == provider for _, name in CASES) >= 25


def test_the_page_has_no_line_of_a_fault_that_is_none(page):
    names = {fault.name for fault in FAULTS}

    listed = {re.match(r"\| (.+?) \|", line)[1] for line in page if line.startswith("| ")}

    assert listed - {"fault", "---"} == names


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("headers", [{}, {"Retry_After": "1"}, {"Retry_After": "0"}], ids=str)
def test_a_provider_that_refuses_everything_is_asked_at_most_five_times_a_run(
    provider, headers, server
):
    everything = Fault("429 everywhere", reply=too_many(**headers), target="*")

    seen = observe(server, provider, everything, None)

    assert seen.words == ("rate_limited",) * len(SYMBOLS)
    assert seen.requests <= 5


@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_faults_everything_arrives_as_traded(provider, server):
    seen = observe(server, provider, None, None)

    assert seen.words == ("ok",) * len(SYMBOLS)
    assert seen.wrong == ()
