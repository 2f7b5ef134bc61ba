from datetime import date

import pytest
from tests.acceptance.world import LAST
from tests.unit.reports.worlds import MON, THU, TUE, WED

from riskmark.domain.measures import SNAPSHOT
from riskmark.errors import InputError
from riskmark.reports.history import COLUMNS, load_history


def history(world, **how):
    with world.app.database.read() as connection:
        return load_history(connection, world.app.principal, "book", **how)


@pytest.fixture
def book(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), MON)
    world.run()
    return world


def test_a_row_is_flat_and_has_the_fields_of_the_snapshot(book):
    rows = history(book).document()

    assert [row["session"] for row in rows] == [MON, TUE, WED, THU]
    assert rows[0].keys() == {"session", "state", *SNAPSHOT, "positions"}
    assert tuple(rows[0]) == COLUMNS


def test_both_ends_of_a_range_are_included(book):
    found = history(book, first=TUE, last=WED)

    assert [row.session for row in found.rows] == [TUE, WED]


def test_columns_hold_the_same_values_as_rows(book):
    found = history(book)

    columns = found.columns()

    assert tuple(columns) == COLUMNS
    assert columns["nav"] == [row["nav"] for row in found.document()]


def test_a_range_without_sessions_has_columns_and_no_rows(book):
    found = history(book, first=date(2020, 1, 1), last=date(2020, 2, 1))

    assert found.document() == []
    assert found.columns() == {name: [] for name in COLUMNS}


def test_a_range_that_ends_before_it_begins_is_refused(book):
    with pytest.raises(InputError, match="before it begins"):
        history(book, first=LAST, last=MON)
