"""Sessions: the trading dates of the installation's one calendar.

A calendar is an ascending list of sessions with the instant at which each one closes. A
session's *ordinal* is its place in that list; arithmetic in sessions is arithmetic on
ordinals. Time comes in as an argument: nothing here reads a clock.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from riskmark.errors import InputError

FIRST_DATE = date(1925, 1, 2)
"""The first session that a calendar holds; nothing may be dated before it."""


class Clock(Protocol):
    """Where *now* comes from."""

    def now(self) -> datetime:
        """Return the present instant, time-zone aware."""


class OutsideCalendar(InputError):
    """A date lies outside the stored calendar."""

    def __init__(self, day: date) -> None:
        super().__init__(f"{day} lies outside the stored calendar")
        self.day = day


@dataclass(frozen=True, slots=True)
class Calendar:
    """Sessions in order and the instants at which they close.

    ``closes`` are aware datetimes, one a session. ``revision`` changes whenever a stored
    session is added before the end, removed or moved, that is when ordinals shift.
    """

    sessions: Sequence[date]
    closes: Sequence[datetime]
    revision: int = 0

    def __len__(self) -> int:
        return len(self.sessions)

    def on_or_after(self, day: date) -> int:
        """Return the ordinal of the first session that is not before ``day``."""
        ordinal = bisect_left(self.sessions, day)
        if ordinal == len(self.sessions):
            raise OutsideCalendar(day)
        return ordinal

    def on_or_before(self, day: date) -> int:
        """Return the ordinal of the last session not after ``day``; −1 if there is none."""
        return bisect_right(self.sessions, day) - 1

    def is_session(self, day: date) -> bool:
        """Whether ``day`` is a session."""
        ordinal = self.on_or_before(day)
        return ordinal >= 0 and self.sessions[ordinal] == day

    def target(self, now: datetime, publish_delay: timedelta) -> int:
        """Return the ordinal of the last session whose close plus the delay is not after ``now``.

        −1 if no session has been published yet.
        """
        return bisect_right(self.closes, now - publish_delay) - 1
