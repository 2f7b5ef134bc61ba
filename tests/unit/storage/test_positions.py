"""Positions files into books: a book is made or changed whole, or not at all."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from tests.market import CALENDAR

from riskmark.domain.instruments import InstrumentKind
from riskmark.errors import InputError, UnknownPortfolio
from riskmark.intake.positions_csv import parse_positions
from riskmark.storage import schema
from riskmark.storage.books import LOCAL_OPERATOR, Account, find_portfolio, list_portfolios
from riskmark.storage.instruments import find_instruments
from riskmark.storage.ledger import current_revision
from riskmark.storage.lots import load_lots
from riskmark.storage.positions import Moment, Positions, compare_book, create_book, update_book

TODAY = date(2024, 6, 3)
MOMENT = Moment(TODAY, datetime(2024, 6, 3, 15, tzinfo=UTC))
HEADER = "Symbol,Quantity,Entry Price Per Share,Entry Date\n"


def positions(*rows):
    file = parse_positions((HEADER + "\n".join(rows)).encode(), today=TODAY)
    assert file.is_valid, file.errors
    return Positions(file.lots, file.instruments)


def create(database, name, *rows, moment=MOMENT):
    with database.write() as connection:
        return create_book(
            connection, LOCAL_OPERATOR, Account(name), positions(*rows),
            calendar=CALENDAR, currency="USD", moment=moment,
        )  # fmt: skip


def update(database, name, *rows):
    with database.write() as connection:
        return update_book(
            connection, LOCAL_OPERATOR, name, positions(*rows), calendar=CALENDAR, moment=MOMENT
        )


def lots_of(database, name):
    with database.read() as connection:
        portfolio = find_portfolio(connection, LOCAL_OPERATOR, name)
        return load_lots(connection, portfolio.portfolio_id)


def revision_of(database):
    with database.read() as connection:
        return current_revision(connection)


def test_a_book_is_made_with_its_lots_and_the_instruments_that_are_new(database):
    create(database, "book", "AAA,10,100,2024-03-04", "^IDX,-2,50,2024-03-05")

    found = lots_of(database, "book")
    assert [(lot.symbol, lot.quantity) for lot in found] == [("AAA", 10), ("^IDX", -2)]
    with database.read() as connection:
        known = find_instruments(connection, ["AAA", "^IDX"])
    assert known["AAA"].kind is InstrumentKind.STOCK
    assert known["^IDX"].kind is InstrumentKind.INDEX
    assert revision_of(database) == 1


def test_a_book_that_cannot_be_made_leaves_nothing_behind(database):
    yesterday = Moment(date(2024, 6, 2), MOMENT.at)

    with pytest.raises(InputError, match="in the future"):
        create(database, "book", "AAA,10,100,2024-06-03", moment=yesterday)

    with database.read() as connection:
        assert list_portfolios(connection, LOCAL_OPERATOR) == []


def test_an_update_changes_only_what_differs(database):
    create(database, "book", "AAA,10,100,2024-03-04", "BBB,5,50,2024-03-05", "CCC,1,9,2024-03-06")
    before = {lot.symbol: lot for lot in lots_of(database, "book")}

    changes = update(
        database, "book", "AAA,10,100,2024-03-04", "BBB,6,50,2024-03-05", "DDD,2,7,2024-03-07"
    )

    after = {lot.symbol: lot for lot in lots_of(database, "book")}
    assert [lot.symbol for lot in changes.added] == ["DDD"]
    assert [lot.symbol for lot in changes.removed] == ["CCC"]
    assert [(old.quantity, new.quantity) for old, new in changes.changed] == [
        (Decimal(5), Decimal(6))
    ]
    assert after["AAA"] == before["AAA"]
    assert after["BBB"].lot_id == before["BBB"].lot_id
    assert set(after) == {"AAA", "BBB", "DDD"}


def test_the_same_file_again_changes_nothing_and_takes_no_revision(database):
    rows = ("AAA,10,100,2024-03-04", "AAA,5,90,2024-03-04", "BBB,1,9,2024-03-05")
    create(database, "book", *rows)
    revision = revision_of(database)

    changes = update(database, "book", *reversed(rows))

    assert not changes
    assert revision_of(database) == revision


def test_a_comparison_says_what_an_update_would_do_and_does_nothing(database):
    create(database, "book", "AAA,10,100,2024-03-04")

    with database.read() as connection:
        changes = compare_book(connection, LOCAL_OPERATOR, "book", positions("BBB,1,9,2024-03-05"))

    assert [lot.symbol for lot in changes.added] == ["BBB"]
    assert [lot.symbol for lot in changes.removed] == ["AAA"]
    assert [lot.symbol for lot in lots_of(database, "book")] == ["AAA"]
    with database.read() as connection:
        count = connection.execute(select(func.count()).select_from(schema.instrument))
        assert count.scalar_one() == 1


def test_a_book_that_is_not_there_cannot_be_updated(database):
    with pytest.raises(UnknownPortfolio):
        update(database, "nobody's", "AAA,10,100,2024-03-04")


def test_an_option_in_a_file_has_its_multiplier_and_its_terms(database):
    create(database, "book", "AAA   250117C00100000,2,7.5,2024-03-04")

    (lot,) = lots_of(database, "book")
    assert lot.multiplier == 100
    with database.read() as connection:
        (instrument,) = find_instruments(connection, [lot.symbol]).values()
    assert instrument.kind is InstrumentKind.OPTION
    assert instrument.terms.strike == Decimal(100)
