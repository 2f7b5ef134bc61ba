"""The scheduler: asks for the night's run when it is due, and looks after it.

    decide what is due  →  its firing and its run, in one transaction  →  run by a worker
    the run has ended, or takes too long  →  are portfolios behind?  →  a notice

Any number of schedulers may run: a firing is recorded once, with the run that it asks for.
What was missed while none ran is made up for by one run. The clock is looked at anew every
few seconds, so that a clock that is set, or a machine that slept, is noticed.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection

from riskmark import logs
from riskmark.domain.reasons import RunStatus, Source
from riskmark.domain.runs import RunRequest
from riskmark.domain.sessions import Calendar, Clock
from riskmark.engine import notices
from riskmark.engine.queue import submit
from riskmark.engine.version import current_rules
from riskmark.planning.schedule import Firing, counts_until, decide, firings
from riskmark.reports.status import load_status
from riskmark.settings import Settings
from riskmark.storage import schedule
from riskmark.storage.books import LOCAL_OPERATOR
from riskmark.storage.calendar import keep_calendar, load_calendar
from riskmark.storage.engines import DATABASE_FAULTS, Database, fault_words
from riskmark.storage.schedule import RecordedFiring

POLL_S = 15.0
"""Seconds between two looks at the clock and the night's run."""
_LEAST_S = 0.05
_LIVE = frozenset({RunStatus.QUEUED, RunStatus.RUNNING})


class Installation(Protocol):
    """What the scheduler needs of an installation that was opened."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""

    @property
    def database(self) -> Database:
        """Where runs and firings are kept."""

    @property
    def clock(self) -> Clock:
        """Whose time the schedule means."""

    @property
    def wall(self) -> Clock:
        """What a run's own instants are taken from."""

    def target(self, calendar: Calendar, as_of: date | None = None) -> int:
        """Return the ordinal of the last session published."""

    def request(self, connection: Connection, source: Source, *, calendar: Calendar) -> RunRequest:
        """Return the request for a run of everything."""


@dataclass(frozen=True, slots=True)
class Fired:
    """A firing, and the run that it asked for or joined."""

    firing: Firing
    run_id: str


def run_scheduler(app: Installation, stop: threading.Event, *, poll_s: float = POLL_S) -> None:
    """Carry out the schedule until ``stop`` is set.

    A database that cannot be reached is waited for; whatever else is wrong ends it.
    """
    upcoming = _upcoming(app)
    logs.info("scheduler started", upcoming=None if upcoming is None else upcoming.instant)
    while not stop.is_set():
        try:
            tick(app)
        except DATABASE_FAULTS as error:
            logs.warning("database cannot be used; trying again", error=fault_words(error))
        stop.wait(min(poll_s, _seconds_left(app)))
    logs.info("scheduler stopped")


def tick(app: Installation) -> Fired | None:
    """Fire what is due, and look after what was fired; return what fired."""
    fired = fire(app)
    look_after(app)
    return fired


def fire(app: Installation) -> Fired | None:
    """Submit the night's run if it is due and nobody has; None if there is nothing to do."""
    now = app.clock.now()
    if not app.settings.schedule.nightly or not _is_due(app, now):
        return None
    # A scheduler may outlive the calendar that was stored at its start.
    keep_calendar(app.database, app.settings.calendar, now)
    with app.database.write("schedule.fire") as connection:
        schedule.lock_schedule(connection)
        last = schedule.last_firing(connection, until=counts_until(now))
        if last is None:
            schedule.begin_schedule(connection, at=now)
            return None
        due = decide(app.settings.schedule.schedule, last, now).due
        if due is None or not schedule.record_firing(connection, due, at=now):
            return None
        request = app.request(connection, Source.CRON, calendar=load_calendar(connection))
        run_id = submit(connection, request, at=app.wall.now()).run_id
        schedule.set_run(connection, due, run_id)
    logs.info("fired", instant=due.instant.isoformat(), expression=due.expression, run_id=run_id)
    return Fired(due, run_id)


def look_after(app: Installation) -> None:
    """After a firing's run has ended, or should have, note which portfolios are behind.

    Firings may come faster than a run is waited for: whatever is to be looked after by now,
    and every later firing that joined the same run, is one look and one notice.
    """
    now = app.clock.now()
    patience = timedelta(minutes=app.settings.notify.behind_after_minutes)
    with app.database.read() as connection:
        fired = schedule.recorded_firings(connection, unchecked=True)
    over = {
        one.run_id
        for one in fired
        if one.status not in _LIVE or not one.fired_at <= now < one.fired_at + patience
    }
    due = [one for one in fired if one.run_id in over]
    if due:
        _check(app, due, now)


def _check(app: Installation, due: Sequence[RecordedFiring], now: datetime) -> None:
    with app.database.read() as connection:
        calendar = load_calendar(connection)
        rules = current_rules(app.settings, calendar, target=app.target(calendar))
        found = load_status(connection, LOCAL_OPERATOR, rules=rules)
    with app.database.write("schedule.check") as connection:
        taken = [one for one in due if schedule.mark_checked(connection, one.instant, at=now)]
        if not taken:
            return
        subject = f"{schedule.NIGHTLY} {taken[0].instant.isoformat()}"
        behind = notices.note_behind(connection, found, subject=subject)
    if behind:
        logs.warning("portfolios are behind", portfolios=behind, target=found.target)


def _is_due(app: Installation, now: datetime) -> bool:
    """Whether a firing is worth a look under the lock."""
    with app.database.read() as connection:
        last = schedule.last_firing(connection, until=counts_until(now))
    return last is None or decide(app.settings.schedule.schedule, last, now).due is not None


def _seconds_left(app: Installation) -> float:
    """Return the seconds until the next firing."""
    upcoming = _upcoming(app)
    if upcoming is None:
        return POLL_S
    return max((upcoming.instant - app.clock.now()).total_seconds(), _LEAST_S)


def _upcoming(app: Installation) -> Firing | None:
    return next(firings(app.settings.schedule.schedule, app.clock.now()), None)
