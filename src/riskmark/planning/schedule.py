"""When the night's run is due: cron expressions in a time zone, as pure decisions.

An expression means wall-clock time in the schedule's zone, by the rules of Debian's cron:
where clocks go forward, a time that does not exist fires at the first that does; where they
go back, a time that comes twice fires the first time. Expressions with a star for minute or
hour follow real time.

What is due is the latest firing since the last recorded one, however many were missed: a
run makes up for everything, so one is enough. The clock may be wrong and be set right; a
recorded firing up to a day ahead of it still counts, so that a step of an hour back fires
nothing again, while a clock that was a year ahead does not stop the schedule for a year.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

TRUST_AHEAD = timedelta(days=1)
"""How far ahead of the clock a recorded firing may be and still count."""
_FIELDS = 5
_FIRST_LOOK = timedelta(hours=1)
_WIDER = 4
"""A search for the latest firing looks this many times further back each time."""
_PROBE = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Expressions, in one zone, that ask for the same run."""

    expressions: tuple[str, ...]
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Firing:
    """An instant at which a schedule asks for a run, in UTC, and the expression that says so."""

    instant: datetime
    expression: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What is due now, if anything, and what comes next."""

    due: Firing | None
    upcoming: Firing | None


def problem_of(expression: str) -> str | None:
    """Say what is wrong with a cron expression; None if nothing is."""
    if len(expression.split()) != _FIELDS:
        return (
            f"{expression!r} is not a cron expression: it needs five fields, minute, hour, "
            "day of month, month, day of week, such as '30 18 * * 1-5'"
        )
    try:
        next(CronSim(expression, _PROBE))
    except CronSimError as error:
        return f"{expression!r} is not a cron expression: {str(error).lower()}"
    except StopIteration:
        return f"{expression!r} never comes"
    return None


def decide(schedule: Schedule, last: datetime | None, now: datetime) -> Decision:
    """Return what is due at ``now``, and the next firing after it.

    ``last`` is the newest recorded firing that ``counts_until`` lets count; None: the
    schedule has not begun, so nothing of the past is due.
    """
    due = None if last is None else latest_firing(schedule, after=last, until=now)
    begin = now if last is None else max(now, last)
    return Decision(due, next(firings(schedule, begin), None))


def counts_until(now: datetime) -> datetime:
    """Return the instant after which recorded firings are those of a clock that was wrong."""
    return now + TRUST_AHEAD


def latest_firing(schedule: Schedule, *, after: datetime, until: datetime) -> Firing | None:
    """Return the last firing in the interval; None if there is none."""
    look = _FIRST_LOOK
    while after < until:
        begin = max(after, until - look)
        found = None
        for one in firings(schedule, begin):
            if one.instant > until:
                break
            found = one
        if found is not None or begin == after:
            return found
        look *= _WIDER
    return None


def firings(schedule: Schedule, after: datetime) -> Iterator[Firing]:
    """Yield the firings after an instant in order; expressions that coincide fire once."""
    streams = [_firings_of(expression, schedule.zone, after) for expression in schedule.expressions]
    heads = [next(stream, None) for stream in streams]
    while True:
        waiting = [one for one in heads if one is not None]
        if not waiting:
            return
        first = min(waiting, key=lambda one: one.instant)
        yield first
        for place, head in enumerate(heads):
            if head is not None and head.instant == first.instant:
                heads[place] = next(streams[place], None)


def _firings_of(expression: str, zone: ZoneInfo, after: datetime) -> Iterator[Firing]:
    """Yield one expression's firings, strictly ascending.

    Times that do not exist are moved together, and wall-clock time that is read a second
    time leads back: neither may fire twice.
    """
    last = after.astimezone(UTC)
    for local in CronSim(expression, last.astimezone(zone)):
        instant = local.astimezone(UTC)
        if instant > last:
            last = instant
            yield Firing(instant, expression)
