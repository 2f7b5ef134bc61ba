"""``prices actions`` and ``prices delete-action``, and where dividends held back are shown."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.acceptance.provided import connect, provide, sold
from tests.acceptance.world import FIRST, LAST

# The clients' own modules warn as they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")

ACTIONS = "symbol,ex_date,type,value\nAAA,2026-01-06,dividend,0.5\nAAA,2026-01-05,split,2\n"


@pytest.fixture
def filled(riskmark):
    """Import two actions."""
    riskmark("prices", "import", "--actions", riskmark.file("actions.csv", ACTIONS))
    return riskmark


@pytest.fixture
def fetched(riskmark):
    """Run once with AAA, which is said to pay 60,000 on a close of about a hundred."""
    world = riskmark.world
    absurd = world.sessions(FIRST, LAST)[-5]
    market = sold(world, "AAA")
    market["AAA"] = replace(market["AAA"], dividends=((absurd, 60_000.0),))
    world.add_book("book", ("AAA",), LAST - timedelta(days=10))
    with provide(world, market) as server:
        connect(world, server, order=("yfinance",)).run()
    return str(absurd)


def test_the_actions_of_a_symbol_are_listed_with_their_source(filled):
    found = filled("prices", "actions", "aaa", "--json").json
    shown = filled("prices", "actions", "AAA").out

    assert found == {
        "symbol": "AAA",
        "actions": [
            {"ex_date": "2026-01-05", "kind": "split", "value": 2.0, "provider": "file"},
            {"ex_date": "2026-01-06", "kind": "dividend", "value": 0.5, "provider": "file"},
        ],
        "held": [],
    }
    assert "dividend" in shown
    assert "file" in shown


def test_a_deleted_action_is_gone_and_listed_as_not_used(filled):
    done = filled("prices", "delete-action", "AAA", "2026-01-06", "dividend")

    found = filled("prices", "actions", "AAA", "--json").json
    assert done.code == 0
    assert "deleted the dividend of 0.5 of AAA on 2026-01-06" in done.err
    assert [one["kind"] for one in found["actions"]] == ["split"]
    assert [(one["kind"], one["reason"]) for one in found["held"]] == [("dividend", "deleted")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("AAA", "2026-01-06", "bonus"), "must be split, dividend or spinoff"),
        (("AAA", "2026-01-06", "split"), "stored are: split on 2026-01-05"),
        (("AAA", "soon", "split"), "DATE"),
        (("ZZZ", "2026-01-06", "split"), "ZZZ"),
    ],
)
def test_what_cannot_be_deleted_is_refused_with_what_would_be_right(filled, words, said):
    done = filled("prices", "delete-action", *words)

    assert done.code == 2
    assert said in done.err


def test_a_symbol_without_actions_says_so(riskmark):
    riskmark("prices", "import", riskmark.file("b.csv", "date,symbol,close\n2026-01-05,AAA,10\n"))

    assert "no action of AAA is stored" in riskmark("prices", "actions", "AAA").err


def test_a_dividend_held_back_is_shown_by_quality_by_the_run_and_among_the_actions(
    riskmark, fetched
):
    (held,) = riskmark("prices", "quality", "--json").json["held_actions"]
    (listed,) = riskmark("prices", "actions", "AAA", "--json").json["held"]

    assert (held["symbol"], held["ex_date"], held["value"]) == ("AAA", fetched, 60_000.0)
    assert (held["reason"], held["provider"]) == ("out_of_proportion", "yfinance")
    assert "times the close before it" in held["detail"]
    assert (listed["ex_date"], listed["reason"]) == (fetched, "out_of_proportion")
    assert "Dividends held back" in riskmark("prices", "quality").out
    (run,) = riskmark("runs", "list", "--json").json
    assert "is held back" in riskmark("runs", "show", run["id"]).out
