"""Claims: a run has one owner; what a dead owner left is continued or ended, never forgotten."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import TimeoutError as PoolTimeout

from riskmark.domain.reasons import RunStatus, Source
from riskmark.domain.runs import RunRequest
from riskmark.engine import claims
from riskmark.engine.claims import MAX_ATTEMPTS, Heartbeat, Joined, claim, end_dead_runs
from riskmark.engine.notices import send_if_possible
from riskmark.engine.owner import this_process
from riskmark.settings import LeaseSettings, load_settings
from riskmark.storage import runs, schema
from riskmark.storage.engines import DATABASE_FAULTS, MOST_CONNECTIONS

AT = datetime(2026, 3, 2, 22, tzinfo=UTC)
REQUEST = RunRequest(source=Source.CLI, requested_by="local", target=date(2026, 3, 2))
OTHER = RunRequest(source=Source.CLI, requested_by="local", target=date(2026, 3, 2), scope=("p",))
LEASE = LeaseSettings(seconds=60.0, heartbeat_seconds=10.0)
GONE = this_process().rsplit("|", 2)[0] + "|999999999|1.00"


def set_owner(database, owner):
    with database.write() as connection:
        connection.execute(update(schema.run).values(owner=owner))


def end_lease(database):
    with database.write() as connection:
        connection.execute(text("UPDATE run SET lease_until = '2000-01-01 00:00:00.000000'"))


def all_runs(database):
    with database.read() as connection:
        return connection.execute(select(schema.run).order_by(schema.run.c.id)).all()


def events(database):
    with database.read() as connection:
        return list(connection.execute(select(schema.run_event.c.message)).scalars())


def test_work_that_nobody_does_is_claimed(database):
    found = claim(database, REQUEST, LEASE, at=AT)

    (run,) = all_runs(database)
    assert (found.run_id, found.fence) == (run.id, run.fence)
    assert (run.status, run.owner) == ("running", this_process())


def test_work_that_somebody_does_is_joined(database):
    first = claim(database, REQUEST, LEASE, at=AT)

    second = claim(database, REQUEST, LEASE, at=AT)

    assert second == Joined(first.run_id)
    with database.read() as connection:
        assert runs.has_unserved_requests(connection, first.run_id)


def test_a_run_that_waits_is_taken_by_the_first_who_comes(database):
    with database.write() as connection:
        run_id = runs.create_run(connection, REQUEST, at=AT)

    found = claim(database, REQUEST, LEASE, at=AT)

    assert (found.run_id, found.attempt) == (run_id, 1)


def test_the_work_of_a_process_that_is_gone_is_taken_over_at_once(database):
    first = claim(database, REQUEST, LEASE, at=AT)
    set_owner(database, GONE)

    second = claim(database, REQUEST, LEASE, at=AT)

    assert (second.run_id, second.attempt) == (first.run_id, 2)
    assert second.fence > first.fence
    (event,) = events(database)
    assert event.startswith("taken over: its process ended, on ")
    assert "999999999" in event


def test_work_elsewhere_is_taken_over_when_its_lease_has_ended(database):
    claim(database, REQUEST, LEASE, at=AT)
    set_owner(database, "elsewhere|1|2.0")
    assert isinstance(claim(database, REQUEST, LEASE, at=AT), Joined)
    end_lease(database)

    assert claim(database, REQUEST, LEASE, at=AT).attempt == 2
    (event,) = events(database)
    assert re.match(r"taken over: not heard from since 20.* UTC: its lease ended, on else", event)


def test_of_an_owner_that_may_live_nobody_says_that_it_ended(database):
    claim(database, REQUEST, LEASE, at=AT)
    end_lease(database)  # this process is its owner, and lives

    end_dead_runs(database, at=AT, lease=LEASE)

    (run,) = all_runs(database)
    assert re.match(r"not heard from since .* UTC: its lease ended \(attempt 1\), on ", run.error)


def test_a_run_whose_owners_all_died_is_given_up_and_begun_anew(database):
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert claim(database, REQUEST, LEASE, at=AT).attempt == attempt
        set_owner(database, GONE)

    fresh = claim(database, REQUEST, LEASE, at=AT)

    old, new = all_runs(database)
    assert (old.status, new.status) == ("failed", "running")
    assert old.error.startswith("its process ended without finishing (attempt 3), on ")
    assert (fresh.run_id, fresh.attempt) == (new.id, 1)


def test_of_many_who_come_at_once_one_works_and_the_others_join(database):
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: claim(database, REQUEST, LEASE, at=AT), range(6)))

    assert sum(isinstance(one, Joined) for one in found) == 5
    assert len({one.run_id for one in found}) == 1


def test_whoever_looks_ends_the_runs_of_the_dead_and_no_other(database):
    dead = claim(database, REQUEST, LEASE, at=AT)
    set_owner(database, GONE)
    alive = claim(database, OTHER, LEASE, at=AT)

    assert end_dead_runs(database, at=AT, lease=LEASE, but=REQUEST.scope_key) == []
    assert end_dead_runs(database, at=AT, lease=LEASE) == [dead.run_id]

    statuses = {run.id: run.status for run in all_runs(database)}
    assert statuses == {dead.run_id: "failed", alive.run_id: "running"}


def test_a_run_that_waits_is_not_dead(database):
    with database.write() as connection:
        runs.create_run(connection, REQUEST, at=AT)

    assert end_dead_runs(database, at=AT, lease=LEASE) == []


QUICK = LeaseSettings(seconds=60.0, heartbeat_seconds=0.02)


def wait_for(holds):
    until = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_heartbeat_keeps_the_lease(database):
    found = claim(database, REQUEST, LEASE, at=AT)
    with Heartbeat(database, found, QUICK):
        end_lease(database)

        wait_for(lambda: all_runs(database)[0].lease_until.year > 2000)


def test_a_heartbeat_of_a_run_that_was_lost_stops(database):
    found = claim(database, REQUEST, LEASE, at=AT)
    with Heartbeat(database, found, QUICK):
        set_owner(database, GONE)
        claims.claim(database, REQUEST, LEASE, at=AT)

        wait_for(lambda: "heartbeat" not in {thread.name for thread in threading.enumerate()})


@pytest.mark.parametrize("status", [RunStatus.SUCCEEDED, RunStatus.CANCELLED])
def test_work_that_has_ended_is_begun_anew(database, status):
    first = claim(database, REQUEST, LEASE, at=AT)
    with database.write() as connection:
        runs.end_run(connection, first.run_id, first.fence, status)

    assert claim(database, REQUEST, LEASE, at=AT).run_id != first.run_id


@contextmanager
def all_connections_in_use(database):
    """Take every connection that a process may have, and let nobody wait for one."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as taken:
        patch.setattr(database.engine.pool, "_timeout", 0.01)
        with suppress(PoolTimeout):
            while True:
                taken.enter_context(database.engine.connect())
        yield


def test_a_heart_beats_on_after_no_connection_was_free(database):
    claimed = claim(database, REQUEST, LEASE, at=AT)
    with Heartbeat(database, claimed, QUICK):
        with all_connections_in_use(database):
            time.sleep(0.2)
        end_lease(database)

        wait_for(lambda: all_runs(database)[0].lease_until.year > 2000)


def test_no_loop_ends_because_no_connection_is_free(database):
    settings = load_settings(None, {}, database_url="sqlite://").settings
    with all_connections_in_use(database):
        send_if_possible(database, settings)
        with pytest.raises(DATABASE_FAULTS), database.read():
            pass
    assert database.engine.pool.size() + database.engine.pool._max_overflow == MOST_CONNECTIONS
