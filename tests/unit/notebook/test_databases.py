"""A notebook reads either database, and an installation in which there is little to read."""

import pytest
from tests.acceptance.world import LAST, at_close
from tests.unit.notebook.test_portfolio import QUESTIONS
from tests.unit.reports.conftest import calendar_rows, world  # noqa: F401 - fixtures
from tests.unit.reports.worlds import MON

import riskmark as rm
from riskmark.reports.snapshot import NotValued


@pytest.fixture
def book(world, monkeypatch):  # noqa: F811 - a fixture is asked for by its name
    """Open an installation with one portfolio that is valued, and one that is not."""
    monkeypatch.setenv("RISKMARK_NOW", at_close(LAST).isoformat())
    world.add_book("valued", ("SPY",), MON)
    world.run()
    world.add_book("new", ("SPY",), MON)
    with rm.open(world.url) as opened:
        yield opened


def test_every_question_has_an_answer_on_either_database(book):
    portfolio = book.portfolio("valued")

    for ask in QUESTIONS:
        assert len(getattr(portfolio, ask)()) or ask in {"correlation", "greeks"}, ask
    for draw in ("nav", "drawdown", "var", "exposures", "stress", "sectors", "correlation"):
        getattr(portfolio.plot, draw)().to_dict()
    assert len(portfolio.what_if({"SPY": 1}).measures) > 50


def test_a_portfolio_that_is_not_valued_says_so(book):
    portfolio = book.portfolio("new")

    assert portfolio.history().empty
    assert portfolio.plot.nav().to_dict()["title"]["subtitle"] == "USD, no snapshots"
    assert book.portfolios().loc["new", "state"] == "behind"
    with pytest.raises(NotValued, match="run: riskmark run"):
        portfolio.risk()


def test_a_question_writes_nothing(book, world):  # noqa: F811 - a fixture
    before = world.dump()

    book.portfolio("valued").what_if({"SPY": 5})
    book.portfolio("valued").explain()

    assert world.dump() == before
