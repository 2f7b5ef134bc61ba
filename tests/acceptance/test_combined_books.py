"""A combined book is what one book with everything in it would be: the risk of the sum."""

from datetime import date
from decimal import Decimal

import pytest
from tests.acceptance.soundness import assert_sound
from tests.acceptance.world import FACTORS, LAST, Dump, World, assert_equal_results

from riskmark.domain.portfolio import Lot
from riskmark.engine.version import current_version
from riskmark.errors import InputError
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.reports.rules import Rules, load_plan
from riskmark.reports.status import load_status
from riskmark.reports.verify import verify
from riskmark.storage import books
from riskmark.storage.combining import change_members, combine_books
from riskmark.storage.instruments import guess_kind
from riskmark.storage.positions import Positions, add_lots

EARLY, LATE = date(2025, 10, 6), date(2025, 11, 1)
"""The second is a Saturday: what is stated then takes effect on the Monday."""
EQUITY = 100_000
LOTS = {
    "growth": (
        Lot("S00", Decimal(40), EARLY, Decimal(101)),
        Lot("S01", Decimal(-25), date(2025, 10, 14), Decimal(95), date(2025, 12, 3), Decimal(90)),
        Lot("NOBODY", Decimal(3), date(2025, 10, 20), Decimal(50)),
    ),
    "income": (
        Lot("S00", Decimal(-15), LATE, Decimal(99)),
        Lot("S02", Decimal(60), date(2025, 11, 10), Decimal(97), date(2025, 12, 22), Decimal(99)),
        Lot("S01", Decimal(10), date(2025, 11, 12), Decimal(94)),
    ),
}
FLOWS = {
    "growth": ((date(2025, 9, 3), Decimal(500)), (date(2025, 11, 20), Decimal(-7000))),
    "income": ((date(2025, 10, 21), Decimal(4000)), (date(2025, 12, 8), Decimal(2500))),
}


@pytest.fixture
def market(world: World) -> World:
    """Give a world with prices of everything that the books hold."""
    world.add_prices(*FACTORS, "S00", "S01", "S02")
    world.add_action("S00", date(2025, 11, 17), "split", 2.0)
    world.add_action("S01", date(2025, 11, 24), "dividend", 1.25)
    return world


def add_book(
    world: World,
    name: str,
    lots: tuple[Lot, ...],
    *,
    equity: int | None = EQUITY,
    flows: tuple[tuple[date, Decimal], ...] = (),
) -> str:
    """Create a book with all its lots and flows; return its id."""
    key = world.add_book(name, (), EARLY, equity=equity)
    hints = tuple(
        InstrumentHint(symbol, guess_kind(symbol), None) for symbol in {lot.symbol for lot in lots}
    )
    with world.app.database.write() as connection:
        editor = world.editor(connection, name)
        head = books.find_portfolio(connection, world.app.principal, name)
        add_lots(connection, editor, Positions(lots, hints), head)
        for day, amount in flows:
            editor.add_flow(day, amount)
        editor.finish()
    return key


def add_members(world: World, *, equity: int | None = EQUITY) -> None:
    """Create the two books, and both in one as ``all``."""
    for name, lots in LOTS.items():
        add_book(world, name, lots, equity=equity, flows=FLOWS[name] if equity else ())
    combine(world, "all", *LOTS)


def combine(world: World, name: str, *members: str, change: bool = False):
    """Combine books, or change which are combined."""
    with world.app.database.write() as connection:
        return (change_members if change else combine_books)(
            connection,
            world.app.principal,
            name,
            members,
            calendar=world.calendar,
            at=world.app.clock.now(),
        )


def numbers(world: World, name: str) -> Dump:
    """Return every stored row of a portfolio, without its name."""
    return rows_of(world.dump(), name)


def rows_of(dump: Dump, name: str) -> Dump:
    """Return the rows of one portfolio, without its name."""
    return {
        table: [
            {column: value for column, value in row.items() if column != "portfolio"}
            for row in rows
            if row["portfolio"] == name
        ]
        for table, rows in dump.items()
    }


def rules(world: World) -> Rules:
    """Return what the stored numbers must be."""
    return Rules(
        calendar=world.calendar,
        target=world.app.target(world.calendar),
        version=current_version(world.app.settings),
        factor_symbols=world.app.settings.factor_symbols,
    )


def planned(world: World) -> dict[str, set[date]]:
    """Return the sessions that a run would compute, by portfolio."""
    with world.app.database.read() as connection:
        _, plan = load_plan(connection, rules(world))
    return {
        one.name: {world.calendar.sessions[ordinal] for ordinal, _ in one.cells}
        for one in plan.portfolios
    }


def statuses(world: World) -> dict[str, tuple[str, int, int]]:
    """Return the state of every portfolio, its missing and its stale sessions."""
    with world.app.database.read() as connection:
        found = load_status(connection, world.app.principal, rules=rules(world))
    return {one.name: (one.state, one.missing, one.stale) for one in found.portfolios}


def test_two_books_that_begin_together_are_one_book_that_holds_both(market):
    for name, lots in LOTS.items():
        first = Lot("S02", Decimal(5), EARLY, Decimal(100))
        add_book(market, name, (*lots, first), flows=FLOWS[name])
    combine(market, "all", *LOTS)
    twice = (Lot("S02", Decimal(5), EARLY, Decimal(100)),) * 2
    every = (*LOTS["growth"], *LOTS["income"], *twice)
    flows = (*FLOWS["growth"], *FLOWS["income"])
    add_book(market, "one", every, equity=2 * EQUITY, flows=flows)

    result = market.run()

    assert result.cells.failed == 0
    assert len(market.stored_sessions("all")) == len(market.sessions(EARLY, LAST))
    assert_equal_results(numbers(market, "all"), numbers(market, "one"))
    assert_sound(market.rows)


def test_a_book_that_begins_later_brings_its_money_on_its_own_first_session(market):
    add_members(market)
    moved = ((LATE, Decimal(EQUITY)), (LATE, FLOWS["income"][0][1]), FLOWS["income"][1])
    every = (*LOTS["growth"], *LOTS["income"])
    add_book(market, "one", every, flows=(*FLOWS["growth"], *moved))

    market.run()

    assert_equal_results(numbers(market, "all"), numbers(market, "one"))


def test_books_without_cash_are_one_book_without_cash(market):
    add_members(market, equity=None)
    add_book(market, "one", (*LOTS["growth"], *LOTS["income"]), equity=None)

    market.run()

    assert_equal_results(numbers(market, "all"), numbers(market, "one"))


def test_one_member_alone_is_the_member(market):
    add_members(market)
    combine(market, "alone", "income")

    market.run()

    assert_equal_results(numbers(market, "alone"), numbers(market, "income"))


def test_a_member_without_lots_brings_nothing_until_it_has_one(market):
    add_members(market)
    add_book(market, "empty", (), flows=((EARLY, Decimal(900)),))
    combine(market, "more", "growth", "income", "empty")
    combine(market, "nothing", "empty")

    market.run()

    assert_equal_results(numbers(market, "more"), numbers(market, "all"))
    assert market.stored_sessions("nothing") == []
    assert statuses(market)["nothing"] == ("empty", 0, 0)
    assert "nothing" not in planned(market)


def test_every_sum_is_that_of_the_members(market):
    add_members(market)

    market.run()

    for column in ("nav", "cash", "net", "flow", "pnl", "income", "cum_realized", "cum_income"):
        rows = market.rows(
            f'SELECT p.name, s.session, s."{column}" FROM snapshot s '
            "JOIN portfolio p ON p.id = s.portfolio_id"
        )
        found = {(name, str(day)): value for name, day, value in rows}
        for (name, day), value in found.items():
            if name == "all":
                parts = [found.get((member, day), 0.0) for member in LOTS]
                assert value == pytest.approx(sum(parts), rel=1e-9, abs=1e-6), (column, day)


def test_what_changes_in_a_member_is_computed_again_in_it_and_in_the_combined_book(market):
    add_members(market)
    market.run()
    day = date(2025, 12, 15)

    with market.app.database.write() as connection:
        editor = market.editor(connection, "income")
        editor.add_flow(day, Decimal(100))
        editor.finish()

    since = set(market.sessions(day, LAST))
    assert planned(market) == {"income": since, "all": since}
    assert market.run().cells.planned == 2 * len(since)
    assert planned(market) == {}


def test_a_price_touches_the_combined_book_from_the_first_entry_of_any_member(market):
    add_members(market)
    market.run()
    day = date(2025, 1, 6)

    market.add_bars("S02", {day: 77.0})

    since = set(market.sessions(date(2025, 11, 10), LAST))
    assert planned(market) == {"income": since, "all": since}


def test_a_run_of_a_member_leaves_the_combined_book_behind_and_the_night_completes_it(market):
    add_members(market)
    sessions = len(market.sessions(EARLY, LAST))

    market.run("growth", "income")
    new = statuses(market)["all"]
    market.run()
    with market.app.database.write() as connection:
        editor = market.editor(connection, "growth")
        editor.add_flow(LAST, Decimal(5))
        editor.finish()
    market.run("growth")

    assert new == ("behind", sessions, 0)
    assert statuses(market)["all"] == ("behind", 0, 1)
    assert statuses(market)["growth"][0] != "behind"
    market.run()
    assert statuses(market)["all"][1:] == (0, 0)


def test_a_combined_book_is_valued_alone(market):
    add_members(market)

    result = market.run("all")

    assert result.cells.planned == len(market.sessions(EARLY, LAST))
    assert market.stored_sessions("growth") == []
    alone = numbers(market, "all")
    market.run()
    assert_equal_results(alone, numbers(market, "all"))


@pytest.mark.parametrize("steps", [("income",), ("growth",), ("income", "growth"), ("growth", "x")])
def test_members_that_come_and_go_leave_what_a_new_combined_book_would_have(market, steps):
    add_members(market)
    add_book(market, "x", (Lot("S02", Decimal(9), date(2025, 9, 22), Decimal(98)),))
    market.run()

    combine(market, "all", *steps, change=True)
    market.run()

    combine(market, "fresh", *steps)
    market.run()
    assert_equal_results(numbers(market, "all"), numbers(market, "fresh"))
    assert market.run().cells.planned == 0


def test_a_change_of_members_touches_the_sessions_of_those_that_came_or_went(market):
    add_members(market)
    market.run()

    combine(market, "all", "growth", change=True)

    assert planned(market) == {"all": set(market.sessions(LATE, LAST))}
    market.run()
    combine(market, "all", "growth", change=True)
    assert planned(market) == {}


def test_a_member_takes_its_edits_with_it_when_it_goes(market):
    add_members(market)
    market.run()
    with market.app.database.write() as connection:
        editor = market.editor(connection, "income")
        (first,) = market.rows("SELECT id FROM lot WHERE quantity IN ('-15', -15)")
        editor.delete_lot(first[0])
        editor.finish()

    combine(market, "all", "growth", change=True)

    assert planned(market)["all"] == set(market.sessions(LATE, LAST))


def test_verification_shown_and_deleted_as_any_other(market):
    add_members(market)
    market.run()

    with market.app.database.read() as connection:
        checked = verify(connection, rules=rules(market), settings=market.app.settings)
    assert checked.is_clean
    assert checked.portfolios == 3
    with market.app.database.write() as connection:
        with pytest.raises(InputError, match="'growth' is a member of 'all'"):
            books.delete_portfolio(
                connection, market.app.principal, "growth", at=market.app.clock.now()
            )
        for name in ("all", "growth"):
            books.delete_portfolio(
                connection, market.app.principal, name, at=market.app.clock.now()
            )
    assert statuses(market).keys() == {"income"}
