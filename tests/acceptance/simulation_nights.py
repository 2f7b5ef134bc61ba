"""Evenings at the local provider server: a clock that is moved, and limits that go by it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from riskmark.app import FixedClock

NEW_YORK = ZoneInfo("America/New_York")
ORDER = ("yfinance", "yahooquery", "massive", "fmp")


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


def connect(world, server, *, order=ORDER):
    """Let a world's runs ask the server, without limits of a minute or a day."""
    settings = world.app.settings
    quick = {"base_url": server.url, "api_key": "k", "requests_per_minute": 0}
    quick |= {"requests_per_day": 0, "timeout_seconds": 1.0}
    named = {name: msgspec.structs.replace(settings.providers.of(name), **quick) for name in ORDER}
    providers = msgspec.structs.replace(settings.providers, order=order, **named)
    loaded = replace(
        world.app.loaded, settings=msgspec.structs.replace(settings, providers=providers)
    )
    world.app = replace(
        world.app,
        loaded=loaded,
        is_connected=True,
        provider_time=world.app.provider_time or SimulatedTime(),
    )


def move(world, server, day, at):
    """Let it be ``at`` in New York on ``day``: for sessions, for limits, and for the server."""
    instant = datetime.combine(day, at, NEW_YORK).astimezone(UTC)
    clock = FixedClock(instant)
    world.app = replace(world.app, clock=clock, wall=clock)
    if world.app.provider_time is not None:
        world.app.provider_time.instant = instant
        world.app.provider_time.waited_s = 0.0
    server.shop.now = instant
