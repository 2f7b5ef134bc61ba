"""The queue: one run for one piece of work, the urgent first, and nothing that waits is lost."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, text

from riskmark.domain.reasons import RunStatus, Source
from riskmark.domain.runs import RunRequest
from riskmark.engine import claims, queue
from riskmark.engine.claims import MAX_ATTEMPTS, Joined, claim, claim_next, settle_dead_runs
from riskmark.settings import LeaseSettings
from riskmark.storage import runs, schema

AT = datetime(2026, 3, 2, 22, tzinfo=UTC)
LEASE = LeaseSettings(seconds=60.0, heartbeat_seconds=10.0)
AT_ONCE = LeaseSettings(seconds=0.0, heartbeat_seconds=0.0)
"""With it the next attempt waits for nothing."""
NIGHT = RunRequest(source=Source.CRON, requested_by="local", target=date(2026, 3, 2))
ONE = replace(NIGHT, source=Source.API, scope=("p",))
NEW = replace(NIGHT, source=Source.ONBOARDING, scope=("q",))


def submit(database, request=NIGHT):
    return queue.submit_alone(database, request, at=AT)


def take(database, **how):
    return claim_next(database, LEASE, at=AT, **how)


def row(database, run_id):
    with database.read() as connection:
        return connection.execute(select(schema.run).where(schema.run.c.id == run_id)).one()


def set_row(database, run_id, changes):
    with database.write() as connection:
        connection.execute(text(f"UPDATE run SET {changes} WHERE id = '{run_id}'"))


def end_lease(database, run_id):
    set_row(database, run_id, "lease_until = '2000-01-01 00:00:00.000000'")


def messages(database, run_id):
    table = schema.run_event
    with database.read() as connection:
        found = select(table.c.message).where(table.c.run_id == run_id).order_by(table.c.id)
        return list(connection.execute(found).scalars())


def requests(database, run_id):
    table = schema.run_request
    with database.read() as connection:
        found = select(table.c.source, table.c.served).where(table.c.run_id == run_id)
        return [tuple(one) for one in connection.execute(found.order_by(table.c.id))]


def test_what_is_submitted_waits_for_a_worker(database):
    submitted = submit(database)

    found = row(database, submitted.run_id)
    assert not submitted.joined
    assert (found.status, found.for_worker, found.scope_size) == ("queued", True, None)


def test_a_second_submit_joins_the_first_and_makes_it_as_urgent_as_itself(database):
    first = submit(database)

    second = submit(database, replace(NIGHT, source=Source.ADMIN))

    assert (second.run_id, second.joined) == (first.run_id, True)
    assert row(database, first.run_id).priority == replace(NIGHT, source=Source.ADMIN).priority
    assert requests(database, first.run_id) == [("cron", False), ("admin", False)]


def test_a_submit_joins_a_run_in_the_foreground_which_a_worker_then_has_to_finish(database):
    held = claim(database, NIGHT, LEASE, at=AT)

    submitted = submit(database)

    assert submitted == queue.Submitted(held.run_id, joined=True)
    assert row(database, held.run_id).for_worker


def test_a_transaction_that_is_rolled_back_submits_nothing(database):
    with database.write() as connection:
        queue.submit(connection, NIGHT, at=AT)
        connection.get_transaction().rollback()

    assert take(database) is None


def test_new_portfolios_come_first_then_what_somebody_asked_for_then_the_night(database):
    ids = [submit(database, request).run_id for request in (NIGHT, ONE, NEW)]

    taken = [take(database)[0].run_id for _ in ids]

    assert taken == ids[::-1]
    assert take(database) is None


def test_of_equally_urgent_runs_the_oldest_is_taken_first(database):
    old, new = (submit(database, replace(ONE, scope=(name,))).run_id for name in "ba")

    assert [take(database)[0].run_id for _ in range(2)] == [old, new]


def test_the_slot_for_small_runs_leaves_large_ones_alone(database):
    submit(database)
    submit(database, replace(NEW, scope=tuple(f"p{n:02}" for n in range(11))))
    assert take(database, largest=10) is None
    small = submit(database, replace(ONE, scope=tuple(f"p{n:02}" for n in range(10))))

    assert take(database, largest=10)[0].run_id == small.run_id


def test_a_taken_run_is_asked_for_what_was_submitted(database):
    request = replace(ONE, from_session=date(2026, 1, 5), force=True, offline=True)
    submit(database, request)

    taken, found = take(database)

    assert found == request
    assert taken.attempt == 1
    assert requests(database, taken.run_id) == [("api", True)]


def test_a_run_in_the_foreground_takes_the_one_that_waits_for_the_same_work(database):
    submitted = submit(database)

    held = claim(database, replace(NIGHT, source=Source.CLI), LEASE, at=AT)

    assert held.run_id == submitted.run_id
    assert requests(database, held.run_id) == [("cron", True), ("cli", True)]
    assert take(database) is None


def test_a_run_that_is_given_back_waits_again_and_the_attempt_does_not_count(database):
    submit(database)
    taken, _ = take(database)

    assert queue.give_back(database, taken, at=AT)

    found = row(database, taken.run_id)
    assert (found.status, found.attempt, found.owner) == ("queued", 0, None)
    again, _ = take(database)
    assert (again.attempt, again.fence > taken.fence) == (1, True)
    assert "given back" in messages(database, taken.run_id)[1]


def test_a_run_that_nobody_submitted_is_not_given_back(database):
    held = claim(database, NIGHT, LEASE, at=AT)

    assert not queue.give_back(database, held, at=AT)
    assert row(database, held.run_id).status == "running"


def test_a_run_that_was_lost_cannot_be_given_back(database):
    submit(database)
    old, _ = take(database)
    end_lease(database, old.run_id)
    new = claim(database, NIGHT, LEASE, at=AT)

    assert not queue.give_back(database, old, at=AT)
    assert row(database, old.run_id).fence == new.fence


@pytest.mark.parametrize("is_worker", [True, False])
def test_a_submitted_run_whose_owner_died_is_tried_again_a_while_later(database, is_worker):
    submit(database)
    taken, _ = take(database)
    end_lease(database, taken.run_id)

    (settled,) = settle_dead_runs(database, at=AT, lease=LEASE, is_worker=is_worker)

    assert settled.status is RunStatus.QUEUED
    assert take(database) is None
    set_row(database, taken.run_id, "not_before = '2000-01-01 00:00:00.000000'")
    again, _ = take(database)
    assert (again.run_id, again.attempt) == (taken.run_id, 2)
    assert any("its lease ended (attempt 1)" in m for m in messages(database, again.run_id))


def test_the_next_attempt_begins_within_two_leases_of_the_death():
    waits = [claims.retry_wait_s(attempt, 60.0) for attempt in range(1, MAX_ATTEMPTS)]

    assert waits == [15.0, 30.0]
    assert max(waits) < LEASE.seconds


def test_a_run_in_the_foreground_whose_process_died_is_ended_by_a_look_and_kept_by_a_worker(
    database,
):
    seen, kept = (claim(database, one, LEASE, at=AT).run_id for one in (NIGHT, ONE))
    end_lease(database, seen)
    claims.end_dead_runs(database, at=AT, lease=LEASE)
    end_lease(database, kept)

    settle_dead_runs(database, at=AT, lease=AT_ONCE, is_worker=True)

    assert [row(database, one).status for one in (seen, kept)] == ["failed", "queued"]
    assert take(database)[0].run_id == kept


def test_a_run_whose_owners_all_died_is_given_up(database):
    run_id = submit(database).run_id
    for _ in range(MAX_ATTEMPTS):
        assert take(database)[0].run_id == run_id
        end_lease(database, run_id)
        settle_dead_runs(database, at=AT, lease=AT_ONCE, is_worker=True)

    found = row(database, run_id)
    assert (found.status, found.attempt) == ("failed", MAX_ATTEMPTS)
    assert take(database) is None


def test_a_run_that_waits_is_cancelled_at_once(database):
    run_id = submit(database).run_id

    assert queue.cancel(database, run_id, at=AT) is RunStatus.QUEUED

    assert row(database, run_id).status == "cancelled"
    assert take(database) is None
    assert queue.cancel(database, run_id, at=AT) is None


def test_a_run_at_work_is_asked_to_stop_and_is_cancelled_if_its_owner_dies(database):
    run_id = submit(database).run_id
    taken, _ = take(database)

    assert queue.cancel(database, run_id, at=AT) is RunStatus.RUNNING

    with database.write() as connection:
        assert runs.hold(connection, taken)
    end_lease(database, run_id)
    settle_dead_runs(database, at=AT, lease=LEASE, is_worker=True)
    assert row(database, run_id).status == "cancelled"


def test_what_joins_a_run_after_it_was_cancelled_is_not_cancelled_with_it(database):
    run_id = submit(database).run_id
    taken, _ = take(database)
    queue.cancel(database, run_id, at=AT)

    submit(database, replace(NIGHT, source=Source.ADMIN))
    queue.give_back(database, taken, at=AT)

    found = row(database, run_id)
    assert (found.status, found.cancel_requested) == ("queued", False)


def test_a_joined_request_that_waits_in_the_foreground_is_joined_too(database):
    submit(database)
    taken, _ = take(database)

    assert claim(database, NIGHT, LEASE, at=AT) == Joined(taken.run_id)
