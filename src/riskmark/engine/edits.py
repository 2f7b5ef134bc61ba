"""Runs after edits: when a book has been left alone for a while, its run is submitted.

Any number of processes may look for what is due: an edit is taken away in the transaction
that submits its run.
"""

import threading
from datetime import date
from typing import Protocol

from riskmark import logs
from riskmark.domain.reasons import Source
from riskmark.domain.runs import RunRequest
from riskmark.domain.sessions import Calendar, Clock
from riskmark.engine.queue import Submitted, submit
from riskmark.errors import RiskmarkError
from riskmark.storage import edits
from riskmark.storage.calendar import load_calendar
from riskmark.storage.engines import DATABASE_FAULTS, Database

POLL_S = 1.0
"""Seconds between two looks: one short read."""


class Installation(Protocol):
    """What is needed of an installation that was opened."""

    @property
    def database(self) -> Database:
        """Where edits and runs are kept."""

    @property
    def wall(self) -> Clock:
        """By which edits become due."""

    def target(self, calendar: Calendar, as_of: date | None = None) -> int:
        """Return the ordinal of the last session published."""


def watch_edits(app: Installation, stop: threading.Event, *, poll_s: float = POLL_S) -> None:
    """Submit runs for edits that have become due, until ``stop`` is set."""
    while not stop.wait(poll_s):
        try:
            submit_due(app)
        except (*DATABASE_FAULTS, RiskmarkError) as error:
            # What cannot be done now stays due; it must not end the process beside it.
            logs.warning("runs after edits wait", error=type(error).__name__)


def submit_due(app: Installation) -> list[Submitted]:
    """Submit a run for every portfolio whose edits are due."""
    at = app.wall.now()
    with app.database.read() as connection:
        due = edits.find_due(connection, at=at)
    found = []
    for portfolio_id in due:
        with app.database.write() as connection:
            edit = edits.take_edit(connection, portfolio_id, at=at)
            if edit is None or not edits.is_live(connection, portfolio_id):
                continue
            calendar = load_calendar(connection)
            request = RunRequest(
                source=Source.SETTINGS,
                requested_by=edit.account_id,
                target=calendar.sessions[app.target(calendar)],
                scope=(portfolio_id,),
            )
            submitted = submit(connection, request, at=at)
        logs.info("run after edits", portfolio_id=portfolio_id, run_id=submitted.run_id)
        found.append(submitted)
    return found
