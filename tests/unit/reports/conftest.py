"""A world of a few symbols and books in each kind of database, with a short calendar."""

from datetime import date
from importlib import metadata

import pytest
from sqlalchemy import insert
from tests.acceptance.world import FACTORS, LAST, World, at_close
from tests.unit.reports.drawn_books import add_books

from riskmark.domain.sessions import FIRST_DATE
from riskmark.settings import load_settings
from riskmark.storage import calendar as stored_calendar
from riskmark.storage import schema
from riskmark.storage.engines import bind_date, bind_instant, open_database, write_rows
from riskmark.storage.migrate import migrate

START = date(2021, 1, 4)
"""The calendar of these tests begins here; a whole one takes longer to write than a test."""


@pytest.fixture(scope="session")
def calendar_rows():
    chosen = load_settings(None, {}).settings.calendar
    end = (at_close(LAST) + stored_calendar.AHEAD).date()
    built = stored_calendar._build(chosen, end)
    assert built[0][0] == FIRST_DATE
    return [(day, close) for day, close in built if day >= START]


def store_calendar(database, rows):
    """Store a calendar as if it had been made by the installed library."""
    with database.write() as connection:
        bound = [
            (bind_date(connection, day), ordinal, bind_instant(connection, close))
            for ordinal, (day, close) in enumerate(rows)
        ]
        write_rows(connection, schema.calendar_session, ("session", "ordinal", "closes_at"), bound)
        connection.execute(
            insert(schema.calendar_state).values(
                id=1,
                name="XNYS",
                closures="[]",
                library_version=metadata.version("exchange_calendars"),
                revision=1,
            )
        )


@pytest.fixture
def world(database, calendar_rows):
    """Give an installation with factor prices and nothing else."""
    store_calendar(database, calendar_rows)
    made = World(database.engine.url.render_as_string(hide_password=False))
    made.add_prices(*FACTORS)
    yield made
    made.close()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, calendar_rows):
    """Give an installation with books to draw, for tests that change nothing."""
    url = f"sqlite:///{tmp_path_factory.mktemp('drawn') / 'riskmark.db'}"
    opened = open_database(url)
    migrate(opened)
    store_calendar(opened, calendar_rows)
    opened.close()
    made = World(url)
    made.add_prices(*FACTORS)
    add_books(made)
    yield made
    made.close()
