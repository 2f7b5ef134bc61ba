"""``prices quality`` and the origin of what ``symbols`` shows, on a server of this machine."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.acceptance.provided import connect, provide, sold
from tests.acceptance.world import FIRST, LAST

# The clients' own modules warn as they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def fetched(riskmark):
    """Run once with AAA, of which a close in the middle is wrong, and a second provider."""
    world = riskmark.world
    sessions = world.sessions(FIRST, LAST)
    market = sold(world, "AAA")
    series = market["AAA"]
    wrong = sessions[-30]
    names = ("open", "high", "low", "close")
    rows = tuple(
        row._replace(**{name: getattr(row, name) * 1.3 for name in names})
        if row.day == wrong
        else row
        for row in series.rows
    )
    market["AAA"] = replace(series, rows=rows, name="Acme Inc.")
    world.add_book("book", ("AAA",), LAST - timedelta(days=10))
    with provide(world, market) as server:
        connect(world, server, order=("yfinance", "fmp"), cross_check_symbols=1).run()
    return wrong


def test_quality_names_outliers_and_comparisons_of_the_symbols_that_are_asked_for(
    riskmark, fetched
):
    found = riskmark("prices", "quality", "AAA", "--json").json

    (symbol,), (odd,), (compared,) = found["symbols"], found["outliers"], found["comparisons"]
    assert (symbol["symbol"], symbol["expected"]) == ("AAA", symbol["received"])
    assert (odd["symbol"], odd["session"]) == ("AAA", str(fetched))
    assert odd["move"] == pytest.approx(0.3, abs=0.05)
    assert (compared["provider"], compared["sessions"], compared["differing"]) == ("fmp", 20, 0)
    assert found["differences"] == found["conflicts"] == []


def test_quality_says_it_in_tables_for_people(riskmark, fetched):
    shown = riskmark("prices", "quality").out

    assert "Jumped, and back a session later" in shown
    assert "Compared with another provider" in shown
    assert str(fetched) in shown


@pytest.mark.usefixtures("fetched")
def test_symbols_show_who_said_what_and_when_they_were_last_seen(riskmark):
    one = riskmark("symbols", "show", "AAA", "--json").json
    listed = riskmark("symbols", "list").out

    assert (one["name"], one["kind"], one["sector"]) == (
        "Acme Inc.", "stock", "Information Technology",
    )  # fmt: skip
    assert (one["kind_by"], one["name_by"], one["sector_by"]) == ("yfinance",) * 3
    assert (one["last_session"], one["delisted_since"]) == (str(LAST), None)
    assert "yfinance" in listed
    assert "Last seen" in listed
    shown = riskmark("symbols", "show", "AAA").out
    assert "sector by" in shown
    assert "last seen" in shown
