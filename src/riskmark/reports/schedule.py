"""The schedule to be read: what comes next, and what came of the last firings."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from riskmark.planning.schedule import Firing, counts_until, decide, firings
from riskmark.planning.schedule_settings import ScheduleSettings
from riskmark.reports.documents import Document, instant_text
from riskmark.storage.schedule import RecordedFiring, last_firing, recorded_firings


@dataclass(frozen=True, slots=True)
class ScheduleReport:
    """Firings before and after now; ``due``: one that nobody has carried out yet."""

    settings: ScheduleSettings
    due: Firing | None
    upcoming: tuple[Firing, ...]
    fired: tuple[RecordedFiring, ...]

    def document(self) -> Document:
        """Return the schedule as JSON has it."""
        return {
            "timezone": self.settings.timezone,
            "expressions": list(self.settings.nightly),
            "due": None if self.due is None else self._firing(self.due),
            "upcoming": [self._firing(one) for one in self.upcoming],
            "fired": [
                {
                    "instant": instant_text(one.instant),
                    "expression": one.expression,
                    "fired_at": instant_text(one.fired_at),
                    "run": one.run_id,
                    "status": one.status,
                    "checked_at": instant_text(one.checked_at),
                }
                for one in self.fired
            ],
        }

    def local(self, at: datetime) -> datetime:
        """Return an instant on the schedule's own clock."""
        return at.astimezone(self.settings.schedule.zone)

    def _firing(self, firing: Firing) -> dict[str, Any]:
        return {
            "instant": instant_text(firing.instant),
            "local": self.local(firing.instant).isoformat(),
            "expression": firing.expression,
        }


def load_schedule(
    connection: Connection, settings: ScheduleSettings, *, now: datetime, most: int
) -> ScheduleReport:
    """Read the last firings, and work out the next ones."""
    last = last_firing(connection, until=counts_until(now))
    decision = decide(settings.schedule, last, now)
    upcoming: tuple[Firing, ...] = ()
    if decision.upcoming is not None:
        after = now if last is None else max(now, last)
        upcoming = tuple(islice(firings(settings.schedule, after), most))
    return ScheduleReport(
        settings, decision.due, upcoming, tuple(recorded_firings(connection, most=most))
    )
