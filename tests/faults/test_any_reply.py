"""Whatever stands in a reply, an adapter answers, and believes no price that is none."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.faults.provider_faults import Fault
from tests.faults.provider_lab import FIRST, MARKET, PROVIDERS, TARGET, make_provider
from tests.faults.quota import FastTime
from tests.faults.server import ProviderServer
from tests.support import DATABASE_EXAMPLES

from riskmark.providers.limits import Budget
from riskmark.providers.port import Wanted

pytestmark = pytest.mark.filterwarnings("ignore")

numbers = st.one_of(
    st.floats(),
    st.integers(-(2**70), 2**70),
    st.sampled_from([0, -1, 1e308, 1e-308, 253_402_300_799, 253_402_300_799_000, 10**18]),
)
texts = st.one_of(
    st.text(max_size=10),
    st.sampled_from(["0001-01-01", "9999-12-31", "2024-02-30", "Asia/Tokyo", "NaN", "1e5"]),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=4,
)
# Where in the reply, by the way down to it, and what stands there instead.
changes = st.lists(st.tuples(st.lists(st.integers(0, 60), max_size=7), values), max_size=3)


@pytest.fixture(scope="module")
def server():
    """Serve the small market as long as this file's tests last."""
    with ProviderServer(MARKET) as opened:
        yield opened


def changed(tree, way, value):
    """Put ``value`` in the place of one node."""
    if not way or not isinstance(tree, (dict, list)) or not tree:
        return value
    keys = list(tree) if isinstance(tree, dict) else range(len(tree))
    key = keys[way[0] % len(keys)]
    tree[key] = changed(tree[key], way[1:], value)
    return tree


@pytest.mark.parametrize("name", PROVIDERS)
# Each example is a conversation over HTTP.
@settings(max_examples=DATABASE_EXAMPLES)
@given(st.sampled_from(["bars", "splits", "dividends"]), changes)
def test_any_reply_gets_an_answer_of_finite_positive_prices(name, server, target, listed):
    def payload(tree, _dialect):
        tree = json.loads(json.dumps(tree))
        for way, value in listed:
            tree = changed(tree, way, value)
        return tree

    server.play(Fault("anything", payload=payload, target=target), None)
    provider = make_provider(name, server.url, budget=Budget(60.0, FastTime()))

    answer = provider.fetch(Wanted("SSS", FIRST, TARGET))
    profile, outcome = provider.fetch_profile("SSS")

    provider.close()
    assert answer.outcome.reason
    assert all(math.isfinite(close) and close > 0 for close in answer.bars.close)
    assert all(FIRST <= day <= TARGET for day in answer.bars.session.tolist())
    assert "it cannot be read" not in answer.outcome.detail
    assert outcome.reason == "ok"
    assert profile.kind is not None
