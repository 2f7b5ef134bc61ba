"""The scheduler: one run a firing, over any number of schedulers, crashes and clocks."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event, insert, select, text, update
from tests.market import add_lot, add_portfolio
from tests.unit.reports.conftest import calendar_rows, store_calendar  # noqa: F401 - fixtures

from riskmark.app import App
from riskmark.domain.reasons import RunStatus, Source
from riskmark.domain.runs import RunRequest
from riskmark.engine.scheduler import fire, look_after, run_scheduler, tick
from riskmark.planning.schedule import Firing
from riskmark.settings import load_settings
from riskmark.storage import runs, schedule, schema
from riskmark.storage.engines import open_database

MONDAY = datetime(2025, 11, 17, 12, tzinfo=UTC)
EVENING = datetime(2025, 11, 17, 23, 30, tzinfo=UTC)
"""When Monday's firing at 18:30 in New York is."""


@dataclass
class SetClock:
    """A clock that a test sets."""

    instant: datetime

    def now(self):
        """Return what was set."""
        return self.instant


@pytest.fixture
def installation(database, calendar_rows):  # noqa: F811 - a fixture is asked for by its name
    """Give an installation without portfolios, on a Monday's noon, whose schedule has begun."""
    store_calendar(database, calendar_rows)
    clock = SetClock(MONDAY)
    app = App(load_settings(None, {}), database, clock, wall=clock)
    fire(app)
    return app


def set_settings(app, **changed):
    settings = load_settings(None, {f"RISKMARK_{name}": text for name, text in changed.items()})
    return replace(app, loaded=settings)


def recorded(app):
    with app.database.read() as connection:
        return schedule.recorded_firings(connection, most=100)


def all_runs(app):
    with app.database.read() as connection:
        return connection.execute(select(schema.run).order_by(schema.run.c.id)).all()


def events(app):
    with app.database.read() as connection:
        rows = connection.execute(select(schema.outbox.c.event, schema.outbox.c.content))
        return [(row.event, row.content) for row in rows]


def end_run(app, run_id, status=RunStatus.SUCCEEDED):
    with app.database.write() as connection:
        runs.end_run(connection, run_id, 0, status)


def test_a_firing_queues_a_run_of_everything(installation):
    installation.clock.instant = EVENING

    fired = fire(installation)

    (run,) = all_runs(installation)
    assert (fired.run_id, fired.firing.instant) == (run.id, EVENING)
    assert (run.source, run.scope, run.status) == ("cron", "all", "queued")
    assert run.target == date(2025, 11, 17)
    assert run.for_worker
    (one,) = recorded(installation)
    assert (one.instant, one.run_id, one.status) == (EVENING, run.id, RunStatus.QUEUED)


def test_before_its_time_nothing_fires(installation):
    installation.clock.instant = EVENING - timedelta(seconds=1)

    assert fire(installation) is None
    assert all_runs(installation) == []


def test_a_second_look_fires_nothing(installation):
    installation.clock.instant = EVENING
    fire(installation)

    installation.clock.instant += timedelta(minutes=1)

    assert fire(installation) is None
    assert len(all_runs(installation)) == 1


def test_a_week_without_a_scheduler_is_one_run(installation):
    installation.clock.instant = EVENING + timedelta(days=7, hours=1)

    fire(installation)
    fire(installation)

    (one,) = recorded(installation)
    assert one.instant == EVENING + timedelta(days=7)
    assert len(all_runs(installation)) == 1


def test_a_schedule_that_is_new_makes_up_for_nothing(installation):
    with installation.database.write() as connection:
        connection.execute(text("DELETE FROM schedule_firing"))
    installation.clock.instant = EVENING + timedelta(minutes=5)

    assert fire(installation) is None
    assert fire(installation) is None
    installation.clock.instant = EVENING + timedelta(days=1)
    assert fire(installation) is not None


@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_clock_that_is_set_by_an_hour_fires_once(installation, step):
    installation.clock.instant = EVENING - timedelta(minutes=10)
    for change in (step, -step, timedelta(minutes=15), step, -step, timedelta(minutes=1)):
        installation.clock.instant += change
        fire(installation)

    assert [one.instant for one in recorded(installation)] == [EVENING]
    assert len(all_runs(installation)) == 1


def test_an_empty_schedule_fires_nothing(installation):
    app = set_settings(installation, SCHEDULE__NIGHTLY="")
    app.clock.instant = EVENING + timedelta(days=1)

    assert tick(app) is None


def test_many_schedulers_fire_each_night_once(installation):
    url = installation.database.engine.url.render_as_string(hide_password=False)
    others = [replace(installation, database=open_database(url)) for _ in range(6)]
    # Their clocks differ, and some nights were missed: each could make up for another one.
    late = [timedelta(minutes=7 * place) for place in range(len(others))]
    nights = [EVENING + timedelta(days=day) for day in (0, 1, 3)]

    with ThreadPoolExecutor(len(others)) as pool:
        for night in nights:
            clocks = [SetClock(night + wait) for wait in late]
            apps = [
                replace(app, clock=clock, wall=clock)
                for app, clock in zip(others, clocks, strict=True)
            ]
            fired = [one for one in pool.map(fire, apps) if one is not None]
            assert [one.firing.instant for one in fired] == [night]
            end_run(installation, fired[0].run_id)

    assert len(all_runs(installation)) == len(nights)
    for app in others:
        app.database.close()


@pytest.fixture
def other(installation):
    """Give a second scheduler on PostgreSQL, whose clock shows an evening before the first's."""
    if installation.database.is_sqlite:
        pytest.skip("SQLite has one writer")
    installation.clock.instant = EVENING + timedelta(days=1, hours=1)
    url = installation.database.engine.url.render_as_string(hide_password=False)
    app = replace(installation, database=open_database(url), clock=SetClock(EVENING))
    yield app
    app.database.close()


@contextmanager
def tuesday_being_decided(app):
    """Hold a transaction in which Tuesday's firing is recorded and not committed."""
    later = EVENING + timedelta(days=1)
    with app.database.write() as connection:
        schedule.lock_schedule(connection)
        schedule.record_firing(connection, Firing(later, "30 18 * * 1-5"), at=later)
        yield


def test_nobody_decides_while_another_scheduler_does(installation, other):
    with ThreadPoolExecutor(1) as pool:
        with tuesday_being_decided(installation):
            waiting = pool.submit(fire, other)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)

        # What it waited for counts: Monday is made up for by Tuesday.
        assert waiting.result(timeout=10) is None


def test_without_the_lock_a_night_would_be_made_up_for_twice(installation, other, monkeypatch):
    monkeypatch.setattr(schedule, "lock_schedule", lambda _: None)

    with tuesday_being_decided(installation):
        fired = fire(other)

    assert fired is not None
    assert len(recorded(installation)) == 2


def test_without_its_key_a_firing_would_be_recorded_twice(installation):
    if installation.database.is_sqlite:
        pytest.skip("SQLite cannot drop a key")
    firing = Firing(EVENING, "30 18 * * 1-5")
    with installation.database.write() as connection:
        first = [schedule.record_firing(connection, firing, at=EVENING) for _ in range(2)]
        change = "ALTER TABLE schedule_firing DROP CONSTRAINT pk_schedule_firing"
        connection.execute(text(change))
        second = schedule.record_firing(connection, firing, at=EVENING)
        connection.rollback()

    assert (first, second) == ([True, False], True)


def test_a_firing_and_its_run_are_there_together_or_not_at_all(installation):
    installation.clock.instant = EVENING
    engine = installation.database.engine

    def break_off(_connection):
        raise OSError("the power went")

    event.listen(engine, "commit", break_off)
    try:
        with pytest.raises(OSError, match="power"):
            fire(installation)
    finally:
        event.remove(engine, "commit", break_off)

    assert (recorded(installation), all_runs(installation)) == ([], [])
    assert fire(installation) is not None
    assert len(all_runs(installation)) == 1


def test_a_firing_joins_the_live_run_that_does_the_same(installation):
    installation.clock.instant = EVENING
    request = RunRequest(Source.CLI, "local", target=date(2025, 11, 17))
    with installation.database.write() as connection:
        run_id = runs.create_run(connection, request, at=EVENING)

    fired = fire(installation)

    assert fired.run_id == run_id
    assert len(all_runs(installation)) == 1


def test_after_the_run_nobody_is_told_that_all_is_well(installation):
    installation.clock.instant = EVENING
    fired = tick(installation)
    end_run(installation, fired.run_id)

    tick(installation)

    assert recorded(installation)[0].checked_at == EVENING
    assert [kind for kind, _ in events(installation)] == ["run_succeeded"]


def test_a_run_that_nobody_carries_out_is_waited_for_only_so_long(installation):
    installation.clock.instant = EVENING
    tick(installation)

    installation.clock.instant += timedelta(minutes=119)
    look_after(installation)
    assert recorded(installation)[0].checked_at is None

    installation.clock.instant += timedelta(minutes=2)
    look_after(installation)
    assert recorded(installation)[0].checked_at is not None


def store_a_book_that_is_behind(app):
    with app.database.write() as connection:
        made = {"symbol": "AAA", "kind": "stock", "currency": "USD", "created_at": EVENING}
        connection.execute(insert(schema.instrument).values(**made))
        add_lot(connection, add_portfolio(connection), "AAA", date(2025, 11, 10))


def test_firings_that_come_faster_than_the_patience_are_looked_after_too(installation):
    app = set_settings(installation, SCHEDULE__NIGHTLY="0 * * * *")
    store_a_book_that_is_behind(app)
    first = app.clock.instant

    for hour in range(1, 13):
        app.clock.instant = first + timedelta(hours=hour, seconds=5)
        tick(app)

    # One notice for all that wait for the same run; the next when a later one waited as long.
    told = [kind for kind, _ in events(app) if kind == "portfolio_behind"]
    assert len(told) == 4
    assert len({one.run_id for one in recorded(app)}) == 2, "a session was published meanwhile"


def test_firings_whose_runs_have_ended_are_told_of_in_one_notice(installation):
    app = set_settings(installation, SCHEDULE__NIGHTLY="0 * * * *")
    store_a_book_that_is_behind(app)
    first = app.clock.instant
    for hour in range(1, 4):
        app.clock.instant = first + timedelta(hours=hour, seconds=5)
        end_run(app, fire(app).run_id)

    look_after(app)
    look_after(app)

    told = [kind for kind, _ in events(app) if kind == "portfolio_behind"]
    assert len(told) == 1
    assert all(one.checked_at is not None for one in recorded(app))


def test_the_scheduler_goes_on_when_the_database_is_away(installation):
    installation.clock.instant = EVENING
    engine, stop = installation.database.engine, threading.Event()
    failures = iter(range(3))

    def fail(*_):
        for _ in failures:
            raise engine.dialect.dbapi.OperationalError("the server is away")
        stop.set()

    event.listen(engine, "before_cursor_execute", fail)
    try:
        run_scheduler(installation, stop, poll_s=0.01)
    finally:
        event.remove(engine, "before_cursor_execute", fail)

    assert len(all_runs(installation)) == 1


def test_a_run_whose_row_is_gone_is_shown_without_a_status(installation):
    installation.clock.instant = EVENING
    fire(installation)
    with installation.database.write() as connection:
        connection.execute(update(schema.schedule_firing).values(run_id="gone"))

    assert recorded(installation)[0].status is None
