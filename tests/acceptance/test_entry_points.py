"""A1: the same book through every entry point, and the tables are the same, row for row."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from tests.acceptance.provided import connect
from tests.acceptance.working import wait_for_end, worker_of
from tests.acceptance.world import FACTORS, FIRST, LAST, World, assert_equal_results, at_close
from tests.faults.provider_lab import forget_yahoo
from tests.faults.quotes import make_series
from tests.faults.server import ProviderServer

from riskmark.domain.reasons import Source
from riskmark.storage.engines import open_database

# The clients' own modules warn as they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")

KNOWN = ("K00", "K01", "K02", "K03", "K04")
UNKNOWN = ("U00", "U01", "U02", "U03", "U04", "U05", "U06", "YOUNG")
SYMBOLS = KNOWN + UNKNOWN
BEFORE = LAST - timedelta(days=2)
ENTRY = LAST - timedelta(days=40)
YOUNG_SESSIONS = 30


def _from_the_command_line(world: World) -> None:
    world.run("book", source=Source.CLI)


def _submitted(source: Source, *portfolios: str) -> Callable[[World], None]:
    def through_the_queue(world: World) -> None:
        submitted = world.app.submit(source, portfolios=portfolios or None)
        with worker_of(world.app):
            wait_for_end(world.app, submitted.run_id)

    return through_the_queue


ENTRY_POINTS = {
    "command line": _from_the_command_line,
    "onboarding": _submitted(Source.ONBOARDING, "book"),
    "recalculation": _submitted(Source.SETTINGS, "book"),
    "administration": _submitted(Source.ADMIN),
    "scheduler": _submitted(Source.CRON),
}


def test_every_entry_point_computes_the_same(url: str, tmp_path: Path):
    with _sold() as server:
        _stage(url, server)
        results = {}

        for name, enter in ENTRY_POINTS.items():
            with _copy(url, tmp_path) as world:
                enter(connect(world, server))
                results[name] = _results(world)
                _check(world)

    expected = results.pop("command line")
    assert len(expected["snapshot"]) == len({row["session"] for row in expected["snapshot"]}) > 20
    for found in results.values():
        assert_equal_results(found, expected)


def _check(world: World) -> None:
    symbols = {row[0] for row in world.rows("SELECT symbol FROM instrument")}
    fitted = {
        row[0]
        for row in world.rows(
            "SELECT DISTINCT i.symbol FROM symbol_fit f JOIN instrument i ON i.id = f.instrument_id"
            " WHERE f.beta IS NOT NULL"
        )
    }
    assert set(SYMBOLS) <= symbols
    assert fitted >= set(SYMBOLS) - {"YOUNG"}
    assert {row[0] for row in world.rows("SELECT status FROM run")} == {"succeeded"}


@contextmanager
def _sold() -> Iterator[ProviderServer]:
    """Sell every symbol, one of them for the last sessions only."""
    forget_yahoo()
    with ProviderServer({}, now=at_close(LAST)) as server:
        yield server


def _stage(url: str, server: ProviderServer) -> None:
    """Make an older book of the known symbols, valued two days before, and a new book."""
    world = World(url).at(BEFORE)
    sessions = world.sessions(FIRST, LAST)
    for place, symbol in enumerate((*SYMBOLS, *FACTORS)):
        of = sessions[-YOUNG_SESSIONS:] if symbol == "YOUNG" else sessions
        server.shop.market[symbol] = make_series(of, seed=place)
    world.add_book("old", KNOWN, ENTRY)
    connect(world, server).run()
    known = {row[0] for row in world.rows("SELECT symbol FROM instrument")}
    assert known & set(SYMBOLS) == set(KNOWN)
    world.at(LAST).add_book("book", SYMBOLS, ENTRY)
    world.close()


@contextmanager
def _copy(url: str, folder: Path) -> Iterator[World]:
    if url.startswith("sqlite"):
        path = folder / "copy.db"
        shutil.copy(make_url(url).database or "", path)
        target = f"sqlite:///{path}"
    else:
        target = make_url(url).set(database="copied").render_as_string(hide_password=False)
        _administer(url, "CREATE DATABASE copied TEMPLATE world")
    world = World(target)
    try:
        yield world
    finally:
        world.close()
        if not url.startswith("sqlite"):
            _administer(url, "DROP DATABASE copied WITH (FORCE)")


def _administer(url: str, statement: str) -> None:
    database = open_database(
        make_url(url).set(database="postgres").render_as_string(hide_password=False)
    )
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    database.close()


def _results(world: World) -> dict[str, list[dict[str, object]]]:
    """Return the rows of the new book, and the newest numbers of its symbols."""
    books = {
        table: [row for row in rows if row["portfolio"] == "book"]
        for table, rows in world.dump().items()
    }
    of_symbols = {}
    for table in ("symbol_fit", "symbol_metric"):
        with world.app.database.read() as connection:
            rows = connection.execute(
                text(
                    f"SELECT i.symbol, t.* FROM {table} t JOIN instrument i "
                    "ON i.id = t.instrument_id"
                )
            ).mappings()
            left_out = {"instrument_id", "data_revision"}
            found = [{key: v for key, v in row.items() if key not in left_out} for row in rows]
        of_symbols[table] = sorted(found, key=lambda row: tuple(map(str, row.values()))[:3])
    return books | of_symbols
