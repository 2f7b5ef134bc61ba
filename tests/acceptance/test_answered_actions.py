"""Actions that providers correct: which sessions are computed again, and what is restated."""

from dataclasses import replace

import pytest
from tests.acceptance.provided import connect, next_night, provide, sold
from tests.acceptance.world import FIRST, LAST

from riskmark.domain.reasons import RunStatus
from riskmark.intake.market_data import ActionKind
from riskmark.storage.action_edits import delete_action

# The clients' own modules warn as they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def nights(world):
    """Sell AAA and BBB, each held in a book of its own, and give the last sessions."""
    sessions = world.sessions(FIRST, LAST)
    market = sold(world, "AAA", "BBB")
    for symbol, book in (("AAA", "book"), ("BBB", "other")):
        world.add_book(book, (symbol,), sessions[-30])
    with provide(world, market) as server:
        connect(world, server, order=("yfinance",))
        yield world, server, sessions


def pay(server, *dividends):
    server.shop.market["AAA"] = replace(server.shop.market["AAA"], dividends=dividends)


def income(world):
    rows = world.rows("SELECT session, income FROM snapshot WHERE income <> 0 ORDER BY session")
    return [(str(day), pytest.approx(cash)) for day, cash in rows]


def restated(world):
    rows = world.rows("SELECT DISTINCT session FROM restatement ORDER BY session")
    return [str(day) for (day,) in rows]


def test_a_moved_dividend_is_paid_once_and_restates_from_its_earlier_date_on(nights):
    world, server, sessions = nights
    pay(server, (sessions[-8], 1.25))
    next_night(world, server, sessions[-4]).run()
    pay(server, (sessions[-7], 1.25))

    done = next_night(world, server, sessions[-3]).run()
    again = world.run()

    # From the eighth session on of the one book, and the new session of both.
    assert (done.cells.computed, again.cells.computed) == (5 + 2, 0)
    assert income(world) == [(str(sessions[-7]), 12.5)]
    (books,) = world.rows("SELECT count(DISTINCT portfolio_id) FROM restatement")[0]
    assert books == 1
    assert restated(world)[0] == str(sessions[-8])


def test_a_withdrawn_dividend_is_paid_no_more(nights):
    world, server, sessions = nights
    pay(server, (sessions[-8], 9.0))
    next_night(world, server, sessions[-4]).run()
    pay(server)

    done = next_night(world, server, sessions[-3]).run()

    assert done.cells.computed == 5 + 2
    assert income(world) == []


def test_an_absurd_dividend_pays_nothing_and_computes_nothing_again(nights):
    world, server, sessions = nights
    next_night(world, server, sessions[-4]).run()
    pay(server, (sessions[-8], 60_000.0))

    done = next_night(world, server, sessions[-3]).run()

    assert done.cells.computed == 2
    assert income(world) == []
    assert restated(world) == []


def test_a_split_that_is_dated_anew_leaves_every_snapshot_complete(nights):
    world, server, sessions = nights
    series, wrong, right = server.shop.market["AAA"], sessions[-8], sessions[-7]
    names = ("open", "high", "low", "close")
    rows = tuple(
        row._replace(**{name: getattr(row, name) / 2 for name in names})
        if row.day >= right
        else row
        for row in series.rows
    )
    true = replace(series, rows=rows, splits=((right, 2.0, 1.0),))
    server.shop.market["AAA"] = replace(true, splits=((wrong, 2.0, 1.0),))
    first = next_night(world, server, sessions[-4]).run()
    server.shop.market["AAA"] = true

    done = next_night(world, server, sessions[-3]).run()

    assert (first.status, done.status) == (RunStatus.PARTIAL, RunStatus.SUCCEEDED)
    ((day, value),) = world.rows("SELECT ex_date, value FROM action")
    assert (str(day), value) == (str(right), 2.0)
    assert world.rows("SELECT DISTINCT state FROM snapshot") == [("complete",)]
    assert world.rows("SELECT * FROM quarantine") == []


def test_a_deleted_dividend_is_paid_no_more_though_the_provider_still_names_it(nights):
    world, server, sessions = nights
    pay(server, (sessions[-8], 9.0))
    next_night(world, server, sessions[-4]).run()
    with world.app.database.write() as connection:
        delete_action(
            connection,
            "AAA",
            sessions[-8],
            ActionKind.DIVIDEND,
            calendar=world.calendar,
            at=world.app.clock.now(),
        )

    done = next_night(world, server, sessions[-3]).run()

    assert done.cells.computed == 5 + 2
    assert income(world) == []
