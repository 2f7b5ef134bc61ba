"""Run rows: one live run for one piece of work, one owner at a time, and how it ends."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, text

from riskmark.domain.reasons import RunStatus, Source
from riskmark.domain.runs import PHASES, PRICES, VALUATION, CellCounts, RunRequest, SymbolCounts
from riskmark.errors import LeaseLost
from riskmark.storage import runs, schema
from riskmark.storage.runs import UnavailableSymbol

AT = datetime(2026, 3, 2, 22, tzinfo=UTC)
REQUEST = RunRequest(source=Source.CLI, requested_by="local", target=date(2026, 3, 2))
OWNER = "here|1|2.0"


def claim(database, request=REQUEST, *, lease=60.0):
    """Create a run and claim it, as a process that starts one does."""
    with database.write() as connection:
        runs.create_run(connection, request, at=AT)
        run = runs.live_run(connection, request.scope_key)
        return runs.claim_run(connection, run, owner=OWNER, lease_seconds=lease)


def only_run(database):
    with database.read() as connection:
        return connection.execute(select(schema.run)).one()


def test_a_new_run_is_queued_with_its_phases_and_its_request(database):
    with database.write() as connection:
        run_id = runs.create_run(connection, REQUEST, at=AT)

    with database.read() as connection:
        phases = connection.execute(select(schema.run_phase).order_by("position")).all()
        requests = connection.execute(select(schema.run_request)).all()
        (live,) = runs.live_runs(connection)
    row = only_run(database)
    assert (live.run_id, live.status, live.owner) == (run_id, RunStatus.QUEUED, None)
    assert (row.scope, row.target, row.created_at) == ("all", date(2026, 3, 2), AT)
    assert [phase.phase for phase in phases] == [phase.key for phase in PHASES]
    assert {phase.status for phase in phases} == {"pending"}
    assert [(one.source, one.served) for one in requests] == [("cli", False)]


def test_there_is_one_live_run_for_one_piece_of_work(database):
    other = replace(REQUEST, scope=("p",))
    claim(database)

    with database.write() as connection:
        assert runs.create_run(connection, REQUEST, at=AT) is None
        assert runs.create_run(connection, other, at=AT) is not None
        assert len(runs.live_runs(connection)) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"target": date(2026, 3, 3)},
        {"scope": ("a", "b")},
        {"force": True},
        {"offline": True},
        {"from_session": date(2026, 1, 2)},
    ],
)
def test_work_that_differs_has_another_key_and_who_asks_does_not_matter(changed):
    assert replace(REQUEST, **changed).scope_key != REQUEST.scope_key
    assert replace(REQUEST, source=Source.CRON).scope_key == REQUEST.scope_key


def test_a_claim_raises_the_fence_and_starts_the_run(database):
    claimed = claim(database)

    row = only_run(database)
    assert (claimed.fence, claimed.attempt) == (1, 1)
    assert (row.status, row.fence, row.attempt, row.owner) == ("running", 1, 1, OWNER)
    assert row.started_at is not None
    assert row.lease_until > row.heartbeat_at >= row.started_at


def test_of_two_that_claim_one_run_one_gets_it(database):
    with database.write() as connection:
        runs.create_run(connection, REQUEST, at=AT)
        run = runs.live_run(connection, REQUEST.scope_key)

    with database.write() as connection:
        first = runs.claim_run(connection, run, owner=OWNER, lease_seconds=60)
        second = runs.claim_run(connection, run, owner="other|1|2.0", lease_seconds=60)

    assert first is not None
    assert second is None


def test_an_owner_that_lost_the_run_can_hold_it_no_more(database):
    old = claim(database)
    with database.write() as connection:
        run = runs.live_run(connection, REQUEST.scope_key)
        new = runs.claim_run(connection, run, owner="other|1|2.0", lease_seconds=60)

    with database.write() as connection, pytest.raises(LeaseLost):
        runs.hold(connection, old)
    with database.write() as connection:
        assert runs.hold(connection, new) is False
    assert (new.fence, new.attempt) == (2, 2)


def test_a_lease_ends_by_the_clock_of_the_database(database):
    claim(database, lease=-1.0)
    with database.read() as connection:
        (run,) = runs.live_runs(connection)

    assert run.lease_ended


def test_holding_a_run_extends_its_lease(database):
    claimed = claim(database, lease=-1.0)

    with database.write() as connection:
        runs.hold(connection, replace(claimed, lease_seconds=60.0))

    with database.read() as connection:
        (run,) = runs.live_runs(connection)
    assert not run.lease_ended


def test_a_request_to_cancel_is_seen_by_whoever_holds_the_run(database):
    claimed = claim(database)
    with database.write() as connection:
        assert runs.request_cancel(connection, claimed.run_id)

    with database.write() as connection:
        assert runs.hold(connection, claimed) is True


def test_a_run_that_has_ended_cannot_be_cancelled_held_or_ended_again(database):
    claimed = claim(database)
    with database.write() as connection:
        assert runs.end_run(connection, claimed.run_id, claimed.fence, RunStatus.SUCCEEDED)

    with database.write() as connection:
        assert not runs.request_cancel(connection, claimed.run_id)
        assert not runs.end_run(connection, claimed.run_id, claimed.fence, RunStatus.FAILED)
        assert runs.live_runs(connection) == []
        with pytest.raises(LeaseLost):
            runs.hold(connection, claimed)
    row = only_run(database)
    assert (row.status, row.lease_until, row.error) == ("succeeded", None, None)
    assert row.finished_at is not None


def test_an_old_owner_cannot_end_a_run_that_was_taken_over(database):
    old = claim(database)
    with database.write() as connection:
        connection.execute(text("UPDATE run SET fence = fence + 1"))

    with database.write() as connection:
        assert not runs.end_run(connection, old.run_id, old.fence, RunStatus.SUCCEEDED)
    assert only_run(database).status == "running"


@pytest.mark.parametrize(
    ("status", "phase"), [(RunStatus.FAILED, "interrupted"), (RunStatus.PARTIAL, "done")]
)
def test_the_phase_in_hand_ends_as_its_run_does(database, status, phase):
    claimed = claim(database)
    with database.write() as connection:
        runs.save_phase(
            connection, claimed, VALUATION, status="running", seconds=1.5, done=3, total=9
        )
        runs.end_run(connection, claimed.run_id, claimed.fence, status, error="why")

    with database.read() as connection:
        rows = connection.execute(select(schema.run_phase)).all()
    found = {row.phase: row for row in rows}
    assert found["valuation"].status == phase
    assert (found["valuation"].seconds, found["valuation"].done) == (1.5, 3)
    assert found["prices"].status == "pending"


def test_a_request_that_joins_later_is_unserved_until_the_next_plan(database):
    claimed = claim(database)
    with database.write() as connection:
        runs.serve_requests(connection, claimed.run_id)
        assert not runs.has_unserved_requests(connection, claimed.run_id)
        runs.add_request(connection, claimed.run_id, replace(REQUEST, source=Source.API), at=AT)
        assert runs.has_unserved_requests(connection, claimed.run_id)

        runs.serve_requests(connection, claimed.run_id)

        assert not runs.has_unserved_requests(connection, claimed.run_id)


def test_counts_symbols_and_events_are_kept(database):
    claimed = claim(database)
    missing = [UnavailableSymbol("ZZZQ", "stored", "never_priced", "no close is stored")]
    with database.write() as connection:
        runs.save_progress(
            connection,
            claimed,
            phase=PRICES,
            done=2,
            total=5,
            cells=CellCounts(planned=5, complete=1, partial=1, failed=2, deleted=1),
            symbols=SymbolCounts(3, 2, 1),
        )
        runs.save_unavailable(connection, claimed, [*missing, replace(missing[0], symbol="A")])
        runs.save_unavailable(connection, claimed, missing)
        runs.add_event(connection, claimed.run_id, "hello", at=AT, phase=PRICES, level="warning")

    row = only_run(database)
    with database.read() as connection:
        symbols = connection.execute(select(schema.run_symbol)).all()
        events = connection.execute(select(schema.run_event)).all()
    assert (row.phase, row.done, row.total) == ("prices", 2, 5)
    assert (row.cells_planned, row.cells_complete, row.cells_partial) == (5, 1, 1)
    assert (row.cells_failed, row.cells_deleted) == (2, 1)
    assert (row.symbols_asked, row.symbols_received, row.symbols_unavailable) == (3, 2, 1)
    assert [one.symbol for one in symbols] == ["ZZZQ"]
    assert [(one.level, one.phase, one.message) for one in events] == [
        ("warning", "prices", "hello")
    ]
