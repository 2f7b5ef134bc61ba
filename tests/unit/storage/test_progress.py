"""Facts for the planner: what is stored of each portfolio, and what changed since."""

from datetime import date

import pytest
from sqlalchemy import select, text, update
from tests.market import AT, CALENDAR, add_lot, closes_of, instrument_id, load
from tests.unit.storage.cells import NOW, add_progress, write_cells

from riskmark.domain.reasons import ChangeKind
from riskmark.planning.facts import Holding
from riskmark.storage import results, schema
from riskmark.storage.ledger import InputChange, record_changes
from riskmark.storage.progress import load_facts
from riskmark.storage.results import Progress

MON, TUE, WED, THU = (date(2024, 3, day) for day in (4, 5, 6, 7))
SATURDAY = date(2024, 3, 2)
PLACE = CALENDAR.on_or_after(MON)
TARGET = CALENDAR.on_or_after(THU)


def facts_of(connection, **how):
    arguments = {"target": TARGET, "version": NOW, "factor_symbols": ("SPY",)} | how
    return load_facts(connection, CALENDAR, **arguments)


@pytest.fixture
def two_books(database):
    """Two portfolios, of which the first holds AAA from a Saturday and has two snapshots."""
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [10, 11]) + closes_of("SPY", MON, [400]))
        add_progress(connection, "a", "b", revision=1)
        add_lot(connection, "a", "AAA", SATURDAY)
        write_cells(connection, ("a", MON), ("a", TUE))
        results.save_progress_rows(connection, {"a": Progress(2, 1, NOW)}, {"a": MON})
    return database


def test_a_portfolio_is_described_by_its_entry_its_progress_and_its_counts(two_books):
    with two_books.read() as connection:
        found = facts_of(connection)

    first, second = found.portfolios
    assert (first.portfolio_id, first.first, first.snapshots) == ("a", PLACE, 2)
    assert (first.stored_count, first.stored_first, first.stored_last) == (2, PLACE, PLACE + 1)
    assert (first.inputs_revision, first.version) == (1, NOW)
    assert (second.first, second.stored_count, second.stored_last) == (None, 0, None)
    assert (found.revision, found.target) == (1, TARGET)
    with two_books.read() as connection:
        assert found.shared_instruments == {instrument_id(connection, "SPY")}


def test_cells_are_listed_only_where_the_counts_do_not_settle_the_matter(two_books):
    with two_books.read() as connection:
        assert facts_of(connection).portfolios[0].stored == ()

    with two_books.write() as connection:
        connection.execute(text("UPDATE portfolio_progress SET snapshots = 9"))

    with two_books.read() as connection:
        cells = facts_of(connection).portfolios[0].stored
    assert [(cell.session, cell.ordinal, cell.inputs_revision) for cell in cells] == [
        (MON, PLACE, 3),
        (TUE, PLACE + 1, 3),
    ]


def test_force_lists_the_cells_of_every_portfolio(two_books):
    with two_books.read() as connection:
        found = facts_of(connection, force=True)

    assert [len(one.stored) for one in found.portfolios] == [2, 0]


def test_a_snapshot_on_a_date_that_is_no_session_has_no_ordinal(two_books):
    with two_books.write() as connection:
        write_cells(connection, ("a", SATURDAY))

    with two_books.read() as connection:
        (saturday, *_) = sorted(
            facts_of(connection).portfolios[0].stored, key=lambda cell: cell.session
        )
    assert (saturday.session, saturday.ordinal) == (SATURDAY, None)


def test_the_scope_chooses_portfolios_and_deleted_ones_are_in_none(two_books):
    with two_books.write() as connection:
        add_progress(connection, "c")
        connection.execute(
            update(schema.portfolio).where(schema.portfolio.c.id == "c").values(deleted_at=AT)
        )

    with two_books.read() as connection:
        every = [one.portfolio_id for one in facts_of(connection).portfolios]
        some = [one.portfolio_id for one in facts_of(connection, scope=["b", "c"]).portfolios]
        none = facts_of(connection, scope=[]).portfolios
    assert (every, some, none) == (["a", "b"], ["b"], ())


def test_changes_since_the_oldest_progress_come_with_who_holds_the_instrument(two_books):
    with two_books.write() as connection:
        load(connection, closes_of("AAA", MON, [10.5]))
        key = instrument_id(connection, "AAA")
    with two_books.write() as connection:
        own = InputChange(ChangeKind.HOLDINGS, TUE, "a lot", portfolio_id="b")
        record_changes(connection, [own], at=AT)

    with two_books.read() as connection:
        found = facts_of(connection)

    assert [(c.revision, c.kind, c.from_ordinal, c.instrument_id) for c in found.changes] == [
        (2, ChangeKind.PRICE, PLACE, key),
        (3, ChangeKind.HOLDINGS, PLACE + 1, None),
    ]
    assert found.holdings == {"a": {key: Holding(PLACE, None)}}


def test_a_holding_ends_at_its_last_exit_if_every_lot_has_one(two_books):
    with two_books.write() as connection:
        load(connection, closes_of("BBB", MON, [20]))
        add_lot(connection, "b", "BBB", MON, TUE)
        add_lot(connection, "b", "BBB", TUE, SATURDAY.replace(day=9))
        key = instrument_id(connection, "BBB")

    with two_books.read() as connection:
        closed = facts_of(connection).holdings
    with two_books.write() as connection:
        add_lot(connection, "b", "BBB", WED)
    with two_books.read() as connection:
        still_open = facts_of(connection).holdings

    assert closed["b"][key] == Holding(PLACE, CALENDAR.on_or_after(date(2024, 3, 11)))
    assert still_open["b"][key] == Holding(PLACE, None)


def test_reading_facts_changes_nothing(two_books):
    with two_books.read() as connection:
        before = connection.execute(select(schema.portfolio_progress)).all()
        facts_of(connection, force=True)

    with two_books.read() as connection:
        assert connection.execute(select(schema.portfolio_progress)).all() == before
