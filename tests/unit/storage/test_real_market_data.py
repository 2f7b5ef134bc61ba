"""Six years of real bars and actions of 173 symbols, where they are at hand.

RISKMARK_MARKET_DATA names the folder; the data may not be redistributed.
"""

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.market import instrument_id, stored_closes

from riskmark.settings import CalendarSettings
from riskmark.storage import schema
from riskmark.storage.calendar import load_calendar, sync_calendar
from riskmark.storage.market_files import read_market_files
from riskmark.storage.prices import import_prices

FOLDER = os.environ.get("RISKMARK_MARKET_DATA")
NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)

pytestmark = pytest.mark.skipif(FOLDER is None, reason="RISKMARK_MARKET_DATA is not set")


def read(*, split_adjusted):
    folder = Path(FOLDER)
    return read_market_files(
        folder / "prices_core.csv.gz",
        folder / "corporate_actions_core.csv",
        split_adjusted=split_adjusted,
    )


@pytest.fixture
def imported(database):
    """Give a function that imports the files into a database with a calendar."""
    with database.write() as connection:
        sync_calendar(connection, CalendarSettings(name="XNYS", closures=()), NOW)

    def run(files):
        with database.write() as connection:
            return import_prices(
                connection,
                files.bars,
                provider="import",
                calendar=load_calendar(connection),
                target=date(2026, 2, 27),
                base_currency="USD",
                at=NOW,
                actions=files.actions,
            )

    return run


def test_real_bars_are_imported_as_traded_and_without_a_false_quarantine(database, imported):
    files = read(split_adjusted=True)

    done = imported(files)
    again = imported(files)

    assert done.checked.raised == ()
    assert done.bars.stored + sum(done.bars.refused) == done.bars.received
    assert done.bars.refused.not_a_session == done.bars.refused.not_final == 0
    assert (again.bars.unchanged, again.revision) == (done.bars.stored, done.revision)
    with database.read() as connection:
        for symbol, session, close in (
            ("AAPL", date(2020, 8, 28), 499.23),
            ("TSLA", date(2020, 8, 28), 2213.40),
            ("NVDA", date(2024, 6, 7), 1208.88),
            ("AMZN", date(2022, 6, 3), 2447.00),
            ("GE", date(2021, 7, 30), 12.95),
        ):
            assert stored_closes(connection, symbol)[session] == pytest.approx(close, abs=0.01)


def test_spinoffs_are_told_from_splits(database, imported):
    imported(read(split_adjusted=True))

    with database.read() as connection:
        action = schema.action.c
        for symbol, kinds in (
            ("GE", ["split", "spinoff", "spinoff"]),
            ("T", ["spinoff"]),
            ("MMM", ["spinoff"]),
            ("NVDA", ["split", "split"]),
        ):
            rows = connection.execute(
                select(action.kind)
                .where(action.instrument_id == instrument_id(connection, symbol))
                .where(action.kind != "dividend")
                .order_by(action.ex_date)
            )
            assert list(rows.scalars()) == kinds


def test_adjusted_bars_taken_for_as_traded_are_held_back(database, imported):
    done = imported(read(split_adjusted=False))

    symbols = {move.symbol for move in done.checked.raised}
    # Apple and Google moved by more than 2 % of their own on the day, which hides the ratio.
    assert {"AMZN", "NVDA", "TSLA", "WMT"} <= symbols
    with database.read() as connection:
        count = connection.execute(select(func.count()).select_from(schema.quarantine))
        assert count.scalar_one() == len(symbols)
