"""Combined books: what may be combined, how members change, and what the ledger says of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from threading import Event

import pytest
from sqlalchemy import func, insert, select
from tests.market import CALENDAR, add_lot, closes_of, load
from tests.support import START
from tests.unit.storage.cells import NOW, write_cells

from riskmark.domain.portfolio import Mode, PortfolioKind
from riskmark.domain.reasons import ChangeKind
from riskmark.errors import InputError, UnknownPortfolio
from riskmark.planning.facts import Holding
from riskmark.storage import schema
from riskmark.storage.books import (
    LOCAL_OPERATOR,
    Account,
    HasLotsOfMembers,
    MemberOfCombined,
    PortfolioExists,
    Principal,
    create_portfolio,
    delete_portfolio,
    find_portfolio,
    list_portfolios,
)
from riskmark.storage.combining import change_members, combine_books
from riskmark.storage.ledger import InputChange, record_changes
from riskmark.storage.lots import BookEditor
from riskmark.storage.members import books_in, load_first_entry, load_members
from riskmark.storage.positions import Positions, compare_book
from riskmark.storage.progress import load_facts
from riskmark.storage.symbol_scope import in_scope

AT = datetime(2024, 3, 8, 23, tzinfo=UTC)
MON, TUE, WED, THU = (date(2024, 3, day) for day in (4, 5, 6, 7))
SATURDAY = date(2024, 3, 2)
ANN = Principal("ann")


def create(connection, name, *, equity=1000, principal=LOCAL_OPERATOR, currency="USD"):
    opening = None if equity is None else Decimal(equity)
    account = Account(name, opening_equity=opening)
    return create_portfolio(connection, principal, account, currency=currency, at=AT).portfolio_id


def combine(connection, name, *members, principal=LOCAL_OPERATOR):
    return combine_books(connection, principal, name, members, calendar=CALENDAR, at=AT)


def change(connection, name, *members):
    return change_members(connection, LOCAL_OPERATOR, name, members, calendar=CALENDAR, at=AT)


def ledger_of(connection, portfolio_id):
    table = schema.input_change
    rows = connection.execute(
        select(table.c.kind, table.c.from_session, table.c.reason)
        .where(table.c.portfolio_id == portfolio_id)
        .order_by(table.c.revision)
    )
    return [tuple(row) for row in rows]


@pytest.fixture
def ids(database):
    """Three books in equity mode by name: the first two hold something, the third nothing."""
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [10, 11]) + closes_of("BBB", MON, [20]))
        found = {name: create(connection, name) for name in ("growth", "income", "empty")}
        add_lot(connection, found["growth"], "AAA", SATURDAY, WED)
        add_lot(connection, found["income"], "AAA", TUE)
        add_lot(connection, found["income"], "BBB", WED, THU)
    return found


def test_a_combined_book_has_the_equity_the_mode_and_the_entries_of_its_members(database, ids):
    with database.write() as connection:
        done = combine(connection, "all", ids["income"], "growth")

    one = done.portfolio
    assert (one.kind, one.mode, one.opening_equity) == (PortfolioKind.COMBINED, Mode.EQUITY, 2000)
    assert [book.name for book in done.members] == list(done.added) == ["growth", "income"]
    with database.read() as connection:
        assert load_members(connection) == {
            one.portfolio_id: tuple(sorted((ids["growth"], ids["income"])))
        }
        assert load_first_entry(connection, [one.portfolio_id]) == SATURDAY
        assert ledger_of(connection, one.portfolio_id) == [
            (ChangeKind.HOLDINGS, MON, "books combined")
        ]
        assert find_portfolio(connection, LOCAL_OPERATOR, "all") == one


def test_books_without_opening_equity_make_a_combined_book_without(database):
    with database.write() as connection:
        create(connection, "a", equity=None)
        done = combine(connection, "all", "a")

    assert (done.portfolio.mode, done.portfolio.opening_equity) == (Mode.HOLDINGS, None)
    with database.read() as connection:
        assert ledger_of(connection, done.portfolio.portfolio_id) == []
        assert load_first_entry(connection, [done.portfolio.portfolio_id]) is None


def test_what_does_not_fit_together_is_refused_and_nothing_is_stored(database, ids):
    with database.write() as connection:
        connection.execute(
            insert(schema.account).values(id="ann", name="ann", role="owner", created_at=START)
        )
        create(connection, "bare", equity=None)
        create(connection, "euro", currency="EUR")
        create(connection, "hers", principal=ANN)
        combine(connection, "both", "growth", "income")

    for members, message in (
        ((), "at least one"),
        (("growth", ids["growth"]), "'growth' is named twice"),
        (("growth", "both"), "'both' is a combined book"),
        (("growth", "bare"), "'bare' is in holdings mode and 'growth' in equity mode"),
        (("growth", "euro"), "'euro' is in EUR and 'growth' in USD"),
        (("growth", "hers"), "belong to different accounts"),
        (("growth", "nobody"), "nobody"),
    ):
        for edit, name in ((combine, "new"), (change, "both")):
            with pytest.raises(InputError, match=message), database.write() as connection:
                edit(connection, name, *members)
    with database.read() as connection:
        assert len(list_portfolios(connection, LOCAL_OPERATOR)) == 7
        assert len(load_members(connection)) == 1


@pytest.mark.usefixtures("ids")
def test_members_of_a_changed_combined_book_are_like_those_before(database):
    with database.write() as connection:
        create(connection, "bare", equity=None)
        combine(connection, "all", "growth")

    with pytest.raises(InputError, match="mode"), database.write() as connection:
        change(connection, "all", "bare")


@pytest.mark.usefixtures("ids")
def test_a_name_is_taken_once_and_a_book_has_no_members(database):
    with (
        pytest.raises(PortfolioExists, match="changes its members"),
        database.write() as connection,
    ):
        combine(connection, "income", "growth")
    with pytest.raises(InputError, match="a book with lots"), database.write() as connection:
        change(connection, "income", "growth")
    with pytest.raises(UnknownPortfolio), database.write() as connection:
        change(connection, "nothing", "growth")


@pytest.mark.usefixtures("ids")
def test_somebody_else_sees_neither_the_books_nor_what_they_are_combined_to(database):
    with database.write() as connection:
        combine(connection, "all", "growth")

    for name in ("growth", "all"):
        with pytest.raises(UnknownPortfolio), database.write() as connection:
            combine(connection, "mine", name, principal=ANN)


@pytest.mark.usefixtures("ids")
def test_a_combined_book_has_no_lots_and_flows_to_edit(database):
    with database.write() as connection:
        combined = combine(connection, "all", "growth").portfolio

    with database.write() as connection:
        with pytest.raises(HasLotsOfMembers, match="change its members'"):
            BookEditor(connection, combined, CALENDAR, today=THU, at=AT)
        with pytest.raises(HasLotsOfMembers):
            compare_book(connection, LOCAL_OPERATOR, "all", Positions((), ()))


def test_a_member_stays_while_it_is_in_a_live_combined_book(database, ids):
    with database.write() as connection:
        combine(connection, "all", "growth")
        combine(connection, "more", "growth", "income")

    with database.write() as connection:
        with pytest.raises(MemberOfCombined, match="'growth' is a member of 'all', 'more'"):
            delete_portfolio(connection, LOCAL_OPERATOR, "growth", at=AT)
        change(connection, "more", "income")
        delete_portfolio(connection, LOCAL_OPERATOR, "all", at=AT)
        delete_portfolio(connection, LOCAL_OPERATOR, "growth", at=AT)

    with database.read() as connection:
        assert [one.name for one in list_portfolios(connection, LOCAL_OPERATOR)] == [
            "empty", "income", "more",
        ]  # fmt: skip
        assert list(load_members(connection).values()) == [(ids["income"],)]


@pytest.mark.usefixtures("ids")
def test_a_change_of_members_says_from_which_session_on_it_touches_numbers(database):
    with database.write() as connection:
        key = combine(connection, "all", "growth").portfolio.portfolio_id

    with database.write() as connection:
        came = change(connection, "all", "growth", "income")
        nothing = change(connection, "all", "income", "growth")
        empty = change(connection, "all", "income", "growth", "empty")
        went = change(connection, "all", "income", "empty")

    assert (came.added, came.removed, bool(nothing)) == (("income",), (), False)
    assert (empty.added, went.removed) == (("empty",), ("growth",))
    assert (came.portfolio.opening_equity, went.portfolio.opening_equity) == (2000, 2000)
    assert empty.portfolio.opening_equity == 3000
    with database.read() as connection:
        assert [day for _, day, _ in ledger_of(connection, key)] == [MON, TUE, MON]


def test_a_book_that_goes_leaves_its_edits_to_the_combined_book(database, ids):
    with database.write() as connection:
        key = combine(connection, "all", "growth", "income").portfolio.portfolio_id
        own = InputChange(ChangeKind.HOLDINGS, MON, "a lot deleted", portfolio_id=ids["income"])
        record_changes(connection, [own], at=AT)

    with database.write() as connection:
        change(connection, "all", "growth")

    with database.read() as connection:
        assert ledger_of(connection, key)[-1][:2] == (ChangeKind.HOLDINGS, MON)


def test_facts_of_a_combined_book_are_its_members(database, ids):
    with database.write() as connection:
        key = combine(connection, "all", "growth", "income").portfolio.portfolio_id
        write_cells(connection, (key, THU))
        load(connection, closes_of("AAA", MON, [10.5]) + closes_of("BBB", MON, [21]))
        instruments = dict(
            connection.execute(select(schema.instrument.c.symbol, schema.instrument.c.id)).all()
        )

    with database.read() as connection:
        how = {"target": CALENDAR.on_or_after(THU), "version": NOW, "factor_symbols": ()}
        every = load_facts(connection, CALENDAR, **how)
        alone = load_facts(connection, CALENDAR, scope=[key], **how)
        symbols = in_scope(connection, [key], ())
    place = CALENDAR.on_or_after(MON)
    (one,) = alone.portfolios
    assert (one.first, one.members) == (place, tuple(sorted((ids["growth"], ids["income"]))))
    assert one in every.portfolios
    assert len(every.portfolios) == 4
    assert alone.holdings[key] == {
        instruments["AAA"]: Holding(place, None),
        instruments["BBB"]: Holding(place + 2, place + 3),
    }
    assert symbols == tuple(sorted((instruments["AAA"], instruments["BBB"])))


def test_the_books_in_portfolios_are_listed_once():
    members = {"all": ("a", "b"), "most": ("b",)}

    assert books_in(["c", "most", "all"], members) == ["a", "b", "c"]


def test_a_book_that_is_deleted_meanwhile_is_not_combined(database, ids):
    deleted, waiting = Event(), Event()

    def delete_growth():
        with database.write() as connection:
            delete_portfolio(connection, LOCAL_OPERATOR, "growth", at=AT)
            deleted.set()
            waiting.wait(timeout=30)

    def combine_it():
        deleted.wait(timeout=30)
        waiting.set()
        with database.write() as connection:
            combine(connection, "all", ids["growth"], ids["income"])

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(delete_growth), pool.submit(combine_it)
        first.result()
        assert isinstance(second.exception(), UnknownPortfolio)
    with database.read() as connection:
        count = select(func.count()).select_from(schema.portfolio_member)
        assert connection.execute(count).scalar() == 0
