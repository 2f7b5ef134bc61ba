"""Schedulers whose clocks are set, also in the nights in which a zone sets its own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tests.chaos.lane import Draw, Lane, Part
from tests.faults.workers import open_app

from riskmark.app import App
from riskmark.domain.reasons import RunStatus
from riskmark.engine import scheduler
from riskmark.planning.schedule import firings
from riskmark.settings import LoadedSettings, load_settings
from riskmark.storage import runs, schedule

CLOCKS = 100
NIGHTS = (datetime(2025, 3, 9, tzinfo=UTC), datetime(2025, 11, 2, tzinfo=UTC),
          datetime(2025, 7, 15, tzinfo=UTC))  # fmt: skip
"""Clocks go forward, go back, and stay."""
TIMES = ("30 1 * * *", "30 2 * * *", "0 3 * * *", "30 18 * * *")
HOUR = timedelta(hours=1)


@dataclass
class SetClock:
    """A clock that is set."""

    instant: datetime

    def now(self) -> datetime:
        """Return what was set."""
        return self.instant


def clocks(_lane: Lane, _database: str) -> int:
    """As many nights with clocks that are set as were promised."""
    return CLOCKS


def set_clock(draw: Draw) -> str:
    """Let a scheduler live through three nights while its clock is set again and again."""
    expression = draw.chance.choice(TIMES)
    begin = draw.chance.choice(NIGHTS) - timedelta(hours=12)
    clock = SetClock(begin)
    with draw.laboratory.empty() as url:
        app = replace(open_app(url), loaded=_settings(url, expression), clock=clock, wall=clock)
        scheduler.fire(app)
        fired = []
        for now in _instants(draw, begin):
            clock.instant = now
            one = scheduler.tick(app)
            if one is not None:
                fired.append(one.firing.instant)
                with app.database.write() as connection:
                    runs.end_run(connection, one.run_id, 0, RunStatus.SUCCEEDED)
        expected = _expected(app, begin, clock.instant)
        with app.database.read() as connection:
            recorded = [one.instant for one in schedule.recorded_firings(connection)]
        app.database.close()
    assert fired == expected, (expression, fired, expected)
    assert sorted(recorded) == expected
    return "each night fired once"


def _settings(url: str, expression: str) -> LoadedSettings:
    return load_settings(None, {"RISKMARK_SCHEDULE__NIGHTLY": expression}, database_url=url)


def _instants(draw: Draw, begin: datetime) -> Iterator[datetime]:
    """Yield what the clock shows each 20 minutes; now and then it is an hour wrong for a while."""
    wrong = timedelta(0)
    for look in range(1, 3 * 72 + 1):
        if draw.chance.random() < 0.15:
            wrong = draw.chance.choice((timedelta(0), HOUR, -HOUR))
        yield begin + look * HOUR / 3 + wrong
    yield begin + 73 * HOUR


def _expected(app: App, begin: datetime, end: datetime) -> list[datetime]:
    found = []
    for one in firings(app.settings.schedule.schedule, begin):
        if one.instant > end:
            return found
        found.append(one.instant)
    return found


PARTS = (
    Part("clocks", "a scheduler's clock is set by an hour, again and again, in nights in which "
         "the zone's clocks change and others", clocks, set_clock),
)  # fmt: skip
