"""Many ask at once and one run is made, which without the index of live runs would be several."""

import threading
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from tests.faults.installations import SMALL
from tests.faults.laboratory import Laboratory
from tests.faults.submitters import PROCESSES, THREADS, ask_at_once
from tests.faults.workers import open_app, watching
from tests.support import PROFILE

from riskmark import faults
from riskmark.domain.reasons import Source
from riskmark.domain.runs import RunRequest
from riskmark.engine import queue
from riskmark.storage import runs, schema
from riskmark.storage.calendar import load_calendar
from riskmark.storage.engines import Database

ROUNDS = {"default": 2, "deep": 20}[PROFILE]
AT = datetime(2026, 3, 2, 22, tzinfo=UTC)
NIGHT = RunRequest(source=Source.CRON, requested_by="local", target=date(2026, 3, 2))


def test_of_fifty_who_ask_at_once_in_several_processes_exactly_one_makes_a_run(
    laboratory: Laboratory,
):
    with laboratory.trial(SMALL) as trial, watching(trial.url) as watcher:
        before = watcher.rows("SELECT COUNT(*) FROM run")[0][0]
        app = open_app(trial.url)
        with app.database.read() as connection:
            calendar = load_calendar(connection)
        app.database.close()
        newest = app.target(calendar)
        sessions = list(calendar.sessions[newest - ROUNDS + 1 : newest + 1])

        answers = ask_at_once(trial.url, sessions)

        made = watcher.rows("SELECT id FROM run")
        asked = watcher.rows("SELECT run_id, COUNT(*) FROM run_request GROUP BY run_id")
    told = defaultdict(set)
    for answer in answers:
        told[answer.session].add(answer.run_id)
    owners = Counter(answer.run_id for answer in answers if answer.is_mine)
    assert len(answers) == PROCESSES * THREADS * len(sessions)
    assert all(len(ids) == 1 for ids in told.values())
    assert len(made) - before == len(sessions)
    assert all(count == 1 for count in owners.values())
    counted = dict(asked)
    assert {counted[next(iter(ids))] for ids in told.values()} == {PROCESSES * THREADS}


def _drop_index(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("DROP INDEX uq_run_live_scope"))


@pytest.fixture
def indexed(database: Database):
    """Give a database whose index of live runs is put back afterwards."""
    yield database
    with database.write() as connection:
        connection.execute(text("DELETE FROM run_request"))
        connection.execute(text("DELETE FROM run_phase"))
        connection.execute(text("DELETE FROM run"))
        connection.execute(text("DROP INDEX IF EXISTS uq_run_live_scope"))
        index = next(one for one in schema.run.indexes if one.name == "uq_run_live_scope")
        index.create(connection)


@pytest.mark.parametrize("has_index", [True, False])
def test_only_the_index_keeps_two_runs_for_the_same_work_apart(indexed: Database, *, has_index):
    if not has_index:
        _drop_index(indexed)

    with indexed.write() as connection:
        made = [runs.create_run(connection, NIGHT, at=AT) for _ in range(2)]

    assert (None in made) == has_index


@pytest.mark.parametrize("has_index", [True, False])
def test_only_the_index_makes_the_second_of_two_submits_at_once_join_the_first(
    indexed: Database, *, has_index
):
    if indexed.is_sqlite:
        pytest.skip("SQLite has one writer at a time: the second waits before it looks")
    if not has_index:
        _drop_index(indexed)
    both_made_one = threading.Barrier(2)

    def meet(name: str) -> None:
        if name == "submit.before_commit":
            with suppress(threading.BrokenBarrierError):
                both_made_one.wait(1.0)

    faults.set_hook(meet)
    try:
        with ThreadPoolExecutor(2) as pool:
            sources = (Source.CRON, Source.ADMIN)
            asked = [
                pool.submit(queue.submit_alone, indexed, replace(NIGHT, source=one), at=AT)
                for one in sources
            ]
            joined = [one.result().joined for one in asked]
    finally:
        faults.set_hook(None)

    with indexed.read() as connection:
        live = len(runs.live_runs(connection))
    assert live == (1 if has_index else 2)
    assert sum(joined) == (1 if has_index else 0)
