"""Pruning after a run: what the settings no longer keep goes when a whole night's run has ended.

Every installation makes such runs, also one that has no worker, and few people ask for numbers
at that hour. The run has ended before: a pruning that is stopped, or fails, harms nothing, and
the next one goes on.
"""

from collections.abc import Sequence
from datetime import date

from riskmark.engine.interrupts import Drained
from riskmark.engine.recorder import Recorder
from riskmark.storage import retention
from riskmark.storage.engines import DATABASE_FAULTS

SECONDS = 30.0
"""How long a run's end may be held up; a first pruning of years takes several nights."""


def prune_after_run(record: Recorder, *, sessions: Sequence[date]) -> None:
    """Prune for a while; a request to stop ends it between two transactions.

    ``sessions`` are those of the calendar up to the run's target.
    """
    try:
        with record.database.read() as connection:
            piles = retention.list_piles(
                connection, record.settings.retention, sessions=sessions, at=record.clock.now()
            )
        retention.prune(record.database, piles, seconds=SECONDS, look=record.check)
    except (*DATABASE_FAULTS, Drained, KeyboardInterrupt):
        return
