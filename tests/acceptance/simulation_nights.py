"""Evenings at the local provider server: a clock that is moved, and limits that go by it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.acceptance.provided import ORDER, connect

from riskmark.app import FixedClock

NEW_YORK = ZoneInfo("America/New_York")


class SimulatedTime:
    """The clock of limits and circuits: it stands still, and is moved on instead of waited for."""

    def __init__(self):
        self.instant = datetime(2000, 1, 1, tzinfo=UTC)
        self.waited_s = 0.0

    def now(self):
        """Return the present instant."""
        return self.instant + timedelta(seconds=self.waited_s)

    def monotonic(self):
        """Return the seconds of the present instant."""
        return self.now().timestamp()

    def sleep(self, seconds):
        """Be later at once."""
        self.waited_s += seconds


def connect_by_night(world, server, *, order=ORDER):
    """Let a world's runs ask the server; their limits go by a clock that is moved."""
    connect(world, server, order=order)
    time = world.app.provider_time or SimulatedTime()
    world.app = replace(world.app, provider_time=time)


def move(world, server, day, at):
    """Let it be ``at`` in New York on ``day``: for sessions, for limits, and for the server."""
    instant = datetime.combine(day, at, NEW_YORK).astimezone(UTC)
    clock = FixedClock(instant)
    world.app = replace(world.app, clock=clock, wall=clock)
    if world.app.provider_time is not None:
        world.app.provider_time.instant = instant
        world.app.provider_time.waited_s = 0.0
    server.shop.now = instant
