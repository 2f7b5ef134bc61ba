"""A worker in this process: its slots, its order, and how it stops."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date

import msgspec
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from tests.acceptance.test_races import Pause
from tests.acceptance.working import wait_for_end, worker_of
from tests.acceptance.world import FACTORS, World, assert_equal_results

from riskmark import faults
from riskmark.app import App
from riskmark.domain.reasons import RunStatus, Source
from riskmark.engine import queue
from riskmark.engine.recorder import Recorder
from riskmark.engine.worker import SMALL
from riskmark.settings import LeaseSettings
from riskmark.storage import runs

ENTRY = date(2025, 12, 1)
SYMBOLS = ("S00", "S01", "S02", "S03")
BOOKS = tuple(f"book {n:02}" for n in range(SMALL + 1))


@pytest.fixture(autouse=True)
def _no_hook() -> Iterator[None]:
    yield
    faults.set_hook(None)


@pytest.fixture
def books(world: World) -> World:
    """Give a world with more books than a small run may have."""
    world.add_prices(*FACTORS, *SYMBOLS)
    for name in BOOKS:
        world.add_book(name, SYMBOLS[:2], ENTRY)
    return world


def statuses(world: World) -> dict[str, str]:
    return dict(world.rows("SELECT id, status FROM run"))


def test_a_new_portfolio_does_not_wait_for_the_night(books: World):
    pause = Pause("shard.computed")
    night = books.app.submit(Source.CRON).run_id
    with worker_of(books.app):
        assert pause.reached.wait(60)

        new = books.app.submit(Source.ONBOARDING, portfolios=BOOKS[:1]).run_id

        assert wait_for_end(books.app, new) == ["succeeded"]
        assert statuses(books)[night] == "running"
        pause.resume()
        assert wait_for_end(books.app, night) == ["succeeded"]


def test_a_second_large_run_waits_for_the_first(books: World):
    pause = Pause("shard.computed")
    books.app.submit(Source.CRON)
    with worker_of(books.app):
        assert pause.reached.wait(60)
        second = books.app.submit(Source.ADMIN, portfolios=BOOKS).run_id
        small = books.app.submit(Source.API, portfolios=BOOKS[:SMALL]).run_id

        wait_for_end(books.app, small)

        assert statuses(books)[second] == "queued"
        pause.resume()
        wait_for_end(books.app, second)


def test_two_workers_share_what_waits_and_never_one_run(books: World):
    ids = [books.app.submit(Source.API, portfolios=(name,)).run_id for name in BOOKS]
    ids.append(books.app.submit(Source.CRON).run_id)

    with worker_of(books.app), worker_of(books.app):
        found = wait_for_end(books.app, *ids)

    assert set(found) == {"succeeded"}
    assert {row[0] for row in books.rows("SELECT attempt FROM run")} == {1}
    assert {row[0] for row in books.rows("SELECT fence FROM run")} == {1}
    seen = books.dump()
    books.run(force=True)
    assert_equal_results(seen, books.dump())


def test_a_worker_that_stops_gives_back_what_it_has_not_finished(books: World):
    pause = Pause("shard.computed")
    run_id = books.app.submit(Source.CRON).run_id
    stop = threading.Event()
    worker = replace(books.app.worker(), is_isolated=False)
    thread = threading.Thread(target=worker.work, args=(stop,))
    thread.start()
    assert pause.reached.wait(60)

    stop.set()
    pause.resume()
    thread.join(20)

    row = books.rows("SELECT status, attempt, owner FROM run WHERE id = ?", run_id)
    assert row == [("queued", 0, None)]
    assert books.rows("SELECT COUNT(*) FROM snapshot")[0][0] > 0  # the shard in hand was finished
    with worker_of(books.app):
        assert wait_for_end(books.app, run_id) == ["succeeded"]


def test_a_worker_whose_shard_takes_too_long_drops_it(books: World, monkeypatch):
    monkeypatch.setattr("riskmark.engine.worker.GRACE_S", 0.1)
    pause = Pause("shard.computed")
    run_id = books.app.submit(Source.CRON).run_id
    stop, ends = threading.Event(), []
    worker = replace(books.app.worker(), is_isolated=False)
    thread = threading.Thread(target=lambda: ends.append(worker.work(stop)))
    thread.start()
    assert pause.reached.wait(60)

    stop.set()
    thread.join(20)
    before = books.rows("SELECT status, attempt FROM run WHERE id = ?", run_id)
    pause.resume()

    assert ends == [False]
    assert before == [("queued", 0)]
    with worker_of(books.app):
        assert wait_for_end(books.app, run_id) == ["succeeded"]
    assert {row[0] for row in books.rows("SELECT fence FROM run")} == {3}


def test_a_run_at_work_is_cancelled_after_the_shard_in_hand(books: World):
    pause = Pause("shard.computed")
    run_id = books.app.submit(Source.CRON).run_id
    with worker_of(books.app):
        assert pause.reached.wait(60)

        asked = queue.cancel(books.app.database, run_id, at=books.app.wall.now())
        pause.resume()

        assert asked is RunStatus.RUNNING
        assert wait_for_end(books.app, run_id) == ["cancelled"]


def test_a_run_cancelled_and_asked_for_again_is_carried_out(books: World):
    pause = Pause("shard.computed")
    run_id = books.app.submit(Source.CRON).run_id
    with worker_of(books.app):
        assert pause.reached.wait(60)
        queue.cancel(books.app.database, run_id, at=books.app.wall.now())

        again = books.app.submit(Source.ADMIN)
        pause.resume()

        assert again == queue.Submitted(run_id, joined=True)
        assert wait_for_end(books.app, run_id) == ["succeeded"]


def test_a_command_that_comes_while_a_worker_has_the_run_joins_it(books: World):
    pause = Pause("shard.computed")
    run_id = books.app.submit(Source.CRON).run_id
    with worker_of(books.app):
        assert pause.reached.wait(60)

        joined = books.run()
        pause.resume()

        assert (joined.run_id, joined.joined) == (run_id, True)
        assert wait_for_end(books.app, run_id) == ["succeeded"]
    assert all(row[0] for row in books.rows("SELECT served FROM run_request"))


@contextmanager
def _fence_apart(self: Recorder, *_name: str) -> Iterator[Connection]:
    """Hold the run in one transaction and write in another, as if one were not needed."""
    with self.database.write() as connection:
        runs.hold(connection, self.claim)
    faults.point("shard.before_commit")
    with self.database.write() as connection:
        yield connection


@dataclass
class Overtaken:
    """Takes the run away from its owner at ``at``, once a shard is computed."""

    world: World
    at: str
    seen: list[str] = field(default_factory=list)

    def __call__(self, name: str) -> None:
        """Take it, if this is the place."""
        self.seen.append(name)
        if name != self.at or "shard.computed" not in self.seen or "taken" in self.seen:
            return
        self.seen.append("taken")
        with self.world.app.database.write() as connection:
            connection.execute(text("UPDATE run SET fence = fence + 1"))


@pytest.mark.parametrize("is_one", [True, False])
def test_only_one_transaction_for_fence_and_results_keeps_the_loser_from_writing(
    books: World, monkeypatch, *, is_one: bool
):
    if not is_one:
        monkeypatch.setattr(Recorder, "transaction", _fence_apart)
    place = "shard.computed" if is_one else "shard.before_commit"
    faults.set_hook(Overtaken(books, place))

    with pytest.raises(Exception, match="no longer ours"):
        books.run()

    stale = books.rows("SELECT COUNT(*) FROM snapshot")[0][0]
    assert (stale == 0) == is_one


def test_a_database_that_fails_for_a_moment_puts_the_run_back(books: World):
    run_id = books.app.submit(Source.CRON).run_id
    failed = []

    def fail(name: str) -> None:
        if name == "shard.before_commit" and not failed:
            failed.append(name)
            raise OperationalError("INSERT", None, Exception("the server closes"))

    faults.set_hook(fail)
    with worker_of(_with_lease(books, seconds=0.4)):
        found = wait_for_end(books.app, run_id)

    assert found == ["succeeded"]
    assert books.rows("SELECT attempt FROM run") == [(2,)]


def _with_lease(world: World, *, seconds: float) -> App:
    settings = world.app.settings
    lease = LeaseSettings(seconds=seconds, heartbeat_seconds=seconds / 4)
    loaded = replace(world.app.loaded, settings=msgspec.structs.replace(settings, lease=lease))
    return replace(world.app, loaded=loaded)
