"""The ledger: revisions in the order of commits, and what one revision holds."""

import contextlib
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select
from tests.support import DATABASE_EXAMPLES, START, fresh_schema

from riskmark.domain.reasons import ChangeKind
from riskmark.errors import StoreError
from riskmark.storage import schema
from riskmark.storage.ledger import InputChange, current_revision, record_changes

AT = datetime(2026, 3, 2, 15, 4, 5, 6789, tzinfo=UTC)
MON = date(2026, 3, 2)


def add_instrument(connection, symbol):
    return connection.execute(
        insert(schema.instrument)
        .values(symbol=symbol, kind="stock", currency="USD", created_at=START)
        .returning(schema.instrument.c.id)
    ).scalar_one()


def test_a_new_database_is_at_revision_zero(database):
    with database.read() as connection:
        assert current_revision(connection) == 0


def test_the_changes_of_one_transaction_share_a_revision(database):
    changes = [
        InputChange(ChangeKind.HOLDINGS, MON, "a lot was added", portfolio_id="p"),
        InputChange(ChangeKind.CALENDAR, MON, "a closure"),
    ]

    with database.write() as connection:
        revision = record_changes(connection, changes, at=AT)

    with database.read() as connection:
        rows = connection.execute(select(schema.input_change)).all()
        assert current_revision(connection) == revision == 1
    assert [(r.revision, r.kind, r.portfolio_id, r.instrument_id) for r in rows] == [
        (1, "holdings", "p", None),
        (1, "calendar", None, None),
    ]
    assert [(r.from_session, r.at) for r in rows] == [(MON, AT)] * 2


def test_no_change_takes_no_revision(database):
    with database.write() as connection:
        assert record_changes(connection, [], at=AT) == 0
        assert current_revision(connection) == 0


def test_a_transaction_that_fails_leaves_no_trace(database):
    change = InputChange(ChangeKind.CALENDAR, MON, "a closure")

    with contextlib.suppress(RuntimeError), database.write() as connection:
        record_changes(connection, [change], at=AT)
        raise RuntimeError

    with database.read() as connection:
        assert current_revision(connection) == 0
        assert connection.execute(select(schema.input_change)).all() == []


@pytest.mark.parametrize(
    ("kind", "moves"),
    [
        (ChangeKind.PRICE, True),
        (ChangeKind.ACTION, True),
        (ChangeKind.ACCEPTANCE, False),
    ],
)
def test_prices_and_actions_move_an_instruments_data_revision(database, kind, moves):
    with database.write() as connection:
        touched, other = (add_instrument(connection, symbol) for symbol in ("AAA", "BBB"))

    with database.write() as connection:
        change = InputChange(kind, MON, "a test", instrument_id=touched)
        revision = record_changes(connection, [change], at=AT)

    with database.read() as connection:
        rows = connection.execute(
            select(schema.instrument.c.id, schema.instrument.c.data_revision)
        ).all()
    assert dict(map(tuple, rows)) == {touched: revision if moves else 0, other: 0}


def test_a_database_without_a_clock_says_what_is_wrong(database):
    with database.write() as connection:
        connection.execute(delete(schema.input_clock))

    with database.read() as connection, pytest.raises(StoreError, match="riskmark init"):
        current_revision(connection)


@settings(max_examples=DATABASE_EXAMPLES)
@given(sizes=st.lists(st.integers(0, 3), max_size=6))
def test_revisions_count_the_transactions_that_changed_something(database, sizes):
    fresh_schema(database)
    change = InputChange(ChangeKind.CALENDAR, MON, "a test")

    for size in sizes:
        with database.write() as connection:
            record_changes(connection, [change] * size, at=AT)

    with database.read() as connection:
        rows = connection.execute(
            select(schema.input_change.c.revision).order_by(schema.input_change.c.id)
        ).scalars()
        changed = [size for size in sizes if size]
        assert current_revision(connection) == len(changed)
        assert list(rows) == [n for n, size in enumerate(changed, start=1) for _ in range(size)]
