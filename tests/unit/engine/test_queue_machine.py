"""Any order of events: a run has one owner, is never doubled, and goes only where it may."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from tests.support import DATABASE_EXAMPLES, fresh_schema

from riskmark.domain.reasons import RunStatus, Source
from riskmark.domain.runs import RunRequest
from riskmark.engine import claims, queue
from riskmark.engine.claims import MAX_ATTEMPTS, Joined
from riskmark.errors import LeaseLost
from riskmark.settings import LeaseSettings
from riskmark.storage import run_queue, runs
from riskmark.storage.engines import db_now

AT = datetime(2026, 3, 2, 22, tzinfo=UTC)
LEASE = LeaseSettings(seconds=60.0, heartbeat_seconds=10.0)
AT_ONCE = LeaseSettings(seconds=0.0, heartbeat_seconds=0.0)
SMALL, LARGE = ("p",), tuple(f"p{n:02}" for n in range(11))
SCOPES = st.sampled_from([None, SMALL, LARGE])
SOURCES = st.sampled_from([Source.CRON, Source.CLI, Source.ONBOARDING])
LIVE = {"queued", "running"}
NEXT = {
    "queued": {"queued", "running", "cancelled"},
    "running": {"queued", "running", "succeeded", "partial", "failed", "cancelled"},
}
"""Where a run may be found after one event; a state that is not here is an end."""
CHOICE = st.integers(0, 10**6)


class Queue(RuleBasedStateMachine):
    """The queue, and everybody who has ever claimed one of its runs."""

    def __init__(self, database):
        super().__init__()
        fresh_schema(database)
        self.database = database
        self.held = []
        self.before = {}

    def rows(self):
        with self.database.read() as connection:
            statement = (
                "SELECT id, scope_key, status, fence, attempt, owner, priority, scope_size, "
                f"COALESCE(not_before <= {db_now(connection)}, TRUE) AS is_due "
                "FROM run ORDER BY id"
            )
            return connection.execute(text(statement)).all()

    def owns(self, claim):
        row = next(one for one in self.rows() if one.id == claim.run_id)
        return (row.status, row.fence) == ("running", claim.fence)

    def pick(self, choice):
        return self.held[choice % len(self.held)]

    def live_id(self, request):
        return next(
            (r.id for r in self.rows() if r.scope_key == request.scope_key and r.status in LIVE),
            None,
        )

    @rule(scope=SCOPES, source=SOURCES)
    def submit(self, scope, source):
        request = make(scope, source)
        live = self.live_id(request)

        found = queue.submit_alone(self.database, request, at=AT)

        assert found.joined == (live is not None)
        assert live in (None, found.run_id)

    @rule(scope=SCOPES)
    def run_in_the_foreground(self, scope):
        request = make(scope, Source.CLI)
        live = self.live_id(request)

        found = claims.claim(self.database, request, LEASE, at=AT)

        if isinstance(found, Joined):
            assert found.run_id == live
        else:
            self.held.append(found)

    @rule(largest=st.sampled_from([None, 10]))
    def claim(self, largest):
        due = [
            (row.priority, row.id)
            for row in self.rows()
            if row.status == "queued"
            and row.is_due
            and (largest is None or (row.scope_size or largest + 1) <= largest)
        ]

        found = claims.claim_next(self.database, LEASE, at=AT, largest=largest)

        assert (found[0].run_id if found else None) == (min(due)[1] if due else None)
        if found:
            self.held.append(found[0])

    @precondition(lambda self: self.held)
    @rule(choice=CHOICE)
    def beat(self, choice):
        claim = self.pick(choice)
        owned = self.owns(claim)

        try:
            with self.database.write() as connection:
                runs.hold(connection, claim)
        except LeaseLost:
            assert not owned
        else:
            assert owned

    @precondition(lambda self: self.held)
    @rule(choice=CHOICE, dies=st.booleans())
    def lease_ends(self, choice, dies):
        claim = self.pick(choice)
        with self.database.write() as connection:
            connection.execute(
                text(
                    "UPDATE run SET lease_until = '2000-01-01 00:00:00.000000' "
                    "WHERE id = :id AND fence = :fence AND status = 'running'"
                ),
                {"id": claim.run_id, "fence": claim.fence},
            )
        if dies:
            self.held.remove(claim)

    @rule(is_worker=st.booleans(), waits=st.booleans())
    def look_for_the_dead(self, is_worker, waits):
        claims.settle_dead_runs(
            self.database, at=AT, lease=LEASE if waits else AT_ONCE, is_worker=is_worker
        )

        with self.database.read() as connection:
            assert not any(claims.is_dead(run) for run in runs.live_runs(connection))

    @precondition(lambda self: self.before)
    @rule(choice=CHOICE)
    def cancel(self, choice):
        ids = sorted(self.before)
        run_id = ids[choice % len(ids)]
        status = next(row.status for row in self.rows() if row.id == run_id)

        found = queue.cancel(self.database, run_id, at=AT)

        assert found == (RunStatus(status) if status in LIVE else None)

    @precondition(lambda self: self.held)
    @rule(choice=CHOICE)
    def drain(self, choice):
        claim = self.pick(choice)
        owned = self.owns(claim)

        if queue.give_back(self.database, claim, at=AT):
            assert owned
        self.held.remove(claim)

    @precondition(lambda self: self.held)
    @rule(choice=CHOICE)
    def fail_for_now(self, choice):
        claim = self.pick(choice)
        owned = self.owns(claim)
        if claim.attempt == MAX_ATTEMPTS:
            return

        with self.database.write() as connection:
            assert not run_queue.put_back(connection, claim.run_id, claim.fence, wait_s=0) or owned

    @precondition(lambda self: self.held)
    @rule(choice=CHOICE, status=st.sampled_from([RunStatus.SUCCEEDED, RunStatus.PARTIAL]))
    def finish(self, choice, status):
        claim = self.pick(choice)
        owned = self.owns(claim)

        try:
            with self.database.write() as connection:
                runs.hold(connection, claim)
                if runs.has_unserved_requests(connection, claim.run_id):
                    runs.serve_requests(connection, claim.run_id)
                    return
                assert runs.end_run(connection, claim.run_id, claim.fence, status)
        except LeaseLost:
            assert not owned
        else:
            assert owned

    @invariant()
    def nothing_is_doubled_lost_or_out_of_its_way(self):
        rows = self.rows()
        live = [row for row in rows if row.status in LIVE]
        assert len({row.scope_key for row in live}) == len(live)
        assert all((row.owner is not None) == (row.status == "running") for row in live)
        assert all(0 <= row.attempt <= MAX_ATTEMPTS for row in rows)
        after = {row.id: (row.status, row.fence) for row in rows}
        for run_id, (status, fence) in self.before.items():
            new_status, new_fence = after[run_id]
            assert new_status in NEXT.get(status, {status})
            assert new_fence >= fence
            if new_status == "running" != status:
                assert new_fence > fence
        self.before = after


def make(scope, source):
    return RunRequest(source, "local", date(2026, 3, 2), scope=scope)


@pytest.mark.timeout(600)
def test_any_order_of_events_leaves_every_run_with_one_owner_or_none(database):
    run_state_machine_as_test(
        lambda: Queue(database),
        # An example is a whole history, of up to twenty events.
        settings=settings(max_examples=DATABASE_EXAMPLES // 5, stateful_step_count=20),
    )
