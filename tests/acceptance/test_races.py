"""What changes while a run works is in the results of that run, or of the next."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from tests.acceptance.test_combined_books import combine, numbers
from tests.acceptance.world import FACTORS, LAST, World, assert_equal_results

from riskmark import faults
from riskmark.domain.reasons import RunStatus, Source
from riskmark.engine import claims
from riskmark.storage import books

ENTRY = date(2025, 12, 1)
SYMBOLS = ("S00", "S01", "S02", "S03")


@pytest.fixture(autouse=True)
def _no_hook() -> Iterator[None]:
    yield
    faults.set_hook(None)


class Pause:
    """Stops the first thread that passes a crash point until it is let go."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._armed = threading.Lock()
        self.reached = threading.Event()
        self._resume = threading.Event()
        faults.set_hook(self._pass)

    def _pass(self, name: str) -> None:
        if name == self._name and self._armed.acquire(blocking=False):
            self.reached.set()
            assert self._resume.wait(60)

    def resume(self) -> None:
        """Let the thread go on."""
        self._resume.set()


@contextmanager
def paused_run(world: World, point: str, *portfolios: str):
    """Start a run in a thread, pause it at ``point``, and let it go on after the block."""
    pause = Pause(point)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(world.run, *portfolios)
        try:
            assert pause.reached.wait(60)
            yield future
        finally:
            pause.resume()


def _fresh(world: World) -> None:
    """Compute everything again from nothing, for comparison."""
    world.run(force=True)


def test_a_correction_between_read_and_commit_is_computed_by_the_next_round(world: World):
    world.add_prices(*FACTORS, *SYMBOLS[:3])
    world.add_book("book", SYMBOLS, ENTRY)
    corrected = world.sessions(ENTRY, LAST)[5]

    with paused_run(world, "shard.computed") as run:
        world.add_bars("S00", {corrected: round(world.closes("S00")[corrected] * 1.03, 4)})
        world.add_prices("S03")

    result = run.result()
    seen = world.dump()
    partial = [row for row in seen["snapshot"] if row["state"] == "partial"]
    assert result.cells.computed > len(world.sessions(ENTRY, LAST))
    assert partial == []
    assert world.run().cells.planned == 0
    _fresh(world)
    assert_equal_results(seen, world.dump())


@pytest.mark.parametrize("point", ["run.planned", "shard.computed", "shard.committed"])
def test_a_lot_edited_while_the_run_works_is_in_the_result_of_a_recalculation(
    world: World, point: str
):
    world.add_prices(*FACTORS, *SYMBOLS)
    world.add_book("book", SYMBOLS, ENTRY)

    with paused_run(world, point, "book") as run:
        with world.app.database.write() as connection:
            editor = world.editor(connection, "book")
            lots = world.rows("SELECT id FROM lot ORDER BY id")
            lot = editor.lot(lots[0][0])
            editor.replace_lot(str(lot.lot_id), _doubled(lot))
            editor.finish()
        joined = world.run("book", source=Source.SETTINGS)

    assert joined.joined
    assert joined.run_id == run.result().run_id
    seen = world.dump()
    requests = world.rows("SELECT source, served FROM run_request ORDER BY id")
    assert [source for source, _ in requests] == ["cli", "settings"]
    assert all(served for _, served in requests)
    _fresh(world)
    assert_equal_results(seen, world.dump())


@pytest.mark.parametrize("point", ["run.planned", "shard.computed", "shard.committed"])
def test_members_that_change_while_a_run_works_are_seen_before_it_ends(world: World, point: str):
    world.add_prices(*FACTORS, *SYMBOLS)
    for name, entry in (("one", ENTRY), ("two", ENTRY), ("three", date(2025, 12, 15))):
        world.add_book(name, SYMBOLS, entry)
    combine(world, "all", "one", "two")
    world.run()
    with world.app.database.write() as connection:
        editor = world.editor(connection, "two")
        two = books.find_portfolio(connection, world.app.principal, "two").portfolio_id
        ((lot,), *_) = world.rows("SELECT id FROM lot WHERE portfolio_id = ?", two)
        editor.delete_lot(lot)
        editor.finish()

    with paused_run(world, point, "all") as run:
        combine(world, "all", "one", "three", change=True)

    assert run.result().cells.failed == 0
    assert world.run("all").cells.planned == 0
    seen = numbers(world, "all")
    _fresh(world)
    assert_equal_results(seen, numbers(world, "all"))


def _doubled(lot):
    return replace(lot, quantity=lot.quantity * 2 + Decimal("0.5"))


def test_two_runs_with_overlapping_scopes_store_each_cell_once(world: World):
    world.add_prices(*FACTORS, *SYMBOLS)
    for name in ("one", "two", "three"):
        world.add_book(name, SYMBOLS, ENTRY)

    with paused_run(world, "shard.computed", "one", "two") as first:
        second = world.run("two", "three")

    results = [first.result(), second]
    cells = len(world.sessions(ENTRY, LAST))
    stored = world.rows("SELECT COUNT(*) FROM snapshot")[0][0]
    assert [one.status for one in results] == [RunStatus.SUCCEEDED] * 2
    assert stored == 3 * cells
    assert sum(one.cells.computed for one in results) == 3 * cells
    assert world.run().cells.planned == 0
    seen = world.dump()
    _fresh(world)
    assert_equal_results(seen, world.dump())


def test_many_triggers_at_once_make_one_run(world: World):
    world.add_prices(*FACTORS, *SYMBOLS)
    world.add_book("book", SYMBOLS, ENTRY)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: world.run("book"), range(8)))

    computed = [one for one in results if one.cells.computed]
    stored = world.rows("SELECT COUNT(*) FROM snapshot")[0][0]
    statuses = {row[0] for row in world.rows("SELECT status FROM run")}
    assert stored == len(world.sessions(ENTRY, LAST))
    assert len(computed) == 1
    assert statuses == {"succeeded"}


def test_an_older_run_never_overwrites_what_a_newer_one_wrote(world: World):
    world.add_prices(*FACTORS, *SYMBOLS)
    world.add_book("book", SYMBOLS, ENTRY)
    corrected = world.sessions(ENTRY, LAST)[3]

    with paused_run(world, "shard.computed", "book") as older:
        world.add_bars("S00", {corrected: round(world.closes("S00")[corrected] * 1.05, 4)})
        newer = world.run()
        seen = world.dump()

    assert newer.cells.computed == len(world.sessions(ENTRY, LAST))
    assert older.result().cells.computed == 0
    assert_equal_results(seen, world.dump())


def test_a_portfolio_deleted_while_its_run_works_gets_no_results(world: World):
    world.add_prices(*FACTORS, *SYMBOLS)
    world.add_book("book", SYMBOLS, ENTRY)

    with (
        paused_run(world, "shard.computed", "book") as run,
        world.app.database.write() as connection,
    ):
        books.delete_portfolio(connection, world.app.principal, "book", at=world.app.clock.now())

    assert run.result().cells.computed == 0
    assert world.rows("SELECT COUNT(*) FROM snapshot")[0][0] == 0


def test_a_run_that_was_taken_over_writes_nothing_more(world: World):
    world.add_prices(*FACTORS, *SYMBOLS)
    world.add_book("book", SYMBOLS, ENTRY)

    with (
        paused_run(world, "shard.computed", "book") as old,
        world.app.database.write() as connection,
    ):
        connection.exec_driver_sql("UPDATE run SET fence = fence + 1")

    with pytest.raises(Exception, match="no longer ours"):
        old.result()
    assert world.rows("SELECT COUNT(*) FROM snapshot")[0][0] == 0


def test_a_run_whose_lease_has_ended_is_ended_by_whoever_looks(world: World):
    world.add_prices(*FACTORS, *SYMBOLS)
    world.add_book("book", SYMBOLS, ENTRY)
    world.run()
    with world.app.database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE run SET status = 'running', owner = 'elsewhere|1|2.0', "
            "lease_until = '2000-01-01 00:00:00.000000'"
        )

    ended = claims.end_dead_runs(
        world.app.database, at=world.app.clock.now(), lease=world.app.settings.lease
    )

    rows = world.rows("SELECT status, error FROM run")
    assert len(ended) == 1
    assert rows[0][0] == "failed"
    assert "its lease ended" in rows[0][1]
