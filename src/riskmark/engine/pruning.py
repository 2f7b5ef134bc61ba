"""Pruning after a run: what the settings no longer keep goes when a whole night's run has ended.

Every installation makes such runs, also one that has no worker, and none is asked for numbers
at that hour. The run has ended before: a pruning that is stopped, or fails, harms nothing, and
the next one goes on.
"""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.exc import DBAPIError

from riskmark.engine.interrupts import Interrupts
from riskmark.settings import Settings
from riskmark.storage import retention
from riskmark.storage.engines import Database

SECONDS = 30.0
"""How long a run's end may be held up; a first pruning of years takes several nights."""


def prune_after_run(
    database: Database,
    settings: Settings,
    interrupts: Interrupts,
    *,
    sessions: Sequence[date],
    at: datetime,
) -> None:
    """Prune for a while; a signal ends it between two transactions.

    ``sessions`` are those of the calendar up to the run's target.
    """
    try:
        with database.read() as connection:
            piles = retention.list_piles(connection, settings.retention, sessions=sessions, at=at)
        retention.prune(database, piles, seconds=SECONDS, look=interrupts.check)
    except (DBAPIError, KeyboardInterrupt):
        return
