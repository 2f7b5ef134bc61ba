"""How often a provider may be asked: the rule, on what is known of the requests so far.

At most ``per_minute`` requests begin in any 61 seconds: one more than a minute, as requests
do not arrive as regularly as they are sent. At most ``per_day`` begin on a UTC date. While a
circuit is open none does; after it, the first one is a trial: if that fails as well, the
circuit opens again at once. A clock that was put back makes nothing possible that was not.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from riskmark.domain.reasons import AnswerReason

WINDOW = timedelta(seconds=61)
SKEW = timedelta(minutes=10)
"""How far the clocks of two processes may be apart: then they keep the limit together."""
MAX_PER_MINUTE = 1_000
"""More is no limit that has to be counted."""


class Limits(NamedTuple):
    """The most requests in any minute and on any UTC date; None for no limit."""

    per_minute: int | None = None
    per_day: int | None = None


class Admission(NamedTuple):
    """Whether one more request may be made now.

    If not: when, and what closed the circuit; the reason is ``ok`` where it is our own limit
    of a minute, which is worth waiting for.
    """

    is_admitted: bool
    reason: AnswerReason = AnswerReason.OK
    until: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LimitState:
    """What is known of one failure domain: its last requests, its date, its circuit."""

    day: date
    day_calls: int = 0
    calls: tuple[datetime, ...] = ()
    failures: int = 0
    open_until: datetime | None = None
    reason: AnswerReason | None = None
    detail: str = ""


def admit(state: LimitState, limits: Limits, at: datetime) -> tuple[Admission, LimitState]:
    """Say whether a request may begin at this instant, and the state if it does."""
    if state.open_until is not None and at < state.open_until:
        reason = state.reason or AnswerReason.TRANSIENT
        detail = f"left alone: {state.detail}"
        return Admission(
            is_admitted=False, reason=reason, until=state.open_until, detail=detail
        ), state
    day = max(state.day, at.astimezone(UTC).date())
    day_calls = state.day_calls if day == state.day else 0
    if limits.per_day is not None and day_calls >= limits.per_day:
        until = datetime.combine(day + timedelta(days=1), time(), UTC)
        detail = f"the {limits.per_day} requests of {day} are used up"
        reason = AnswerReason.QUOTA_EXHAUSTED
        return Admission(is_admitted=False, reason=reason, until=until, detail=detail), state
    if limits.per_day is not None and at.astimezone(UTC).date() < day:
        # Another process has seen the next date already; this one will in a moment.
        until = datetime.combine(day, time(), UTC)
        return Admission(is_admitted=False, until=until, detail="our own limit"), state
    calls: tuple[datetime, ...] = ()
    if limits.per_minute is not None and limits.per_minute <= MAX_PER_MINUTE:
        calls = _recent(state.calls, at)
        if len(calls) >= limits.per_minute:
            until = min(calls[-limits.per_minute], at) + WINDOW
            known = replace(state, calls=calls)
            return Admission(is_admitted=False, until=until, detail="our own limit"), known
        # Not before one that is known: that clock is ahead of this one, or was read later.
        calls = (*calls, max(at, *calls) if calls else at)
    taken = replace(state, day=day, day_calls=day_calls + 1, calls=calls)
    return Admission(is_admitted=True), taken


def _recent(calls: Iterable[datetime], at: datetime) -> tuple[datetime, ...]:
    """Return the requests of the last window, and those of clocks that are a little ahead.

    They keep their instants, as another process may see them next; one that lies further
    ahead than ``SKEW`` is of a clock that was put back, and counts as of now.
    """
    known = (call if call <= at + SKEW else at for call in calls)
    return tuple(sorted(call for call in known if call > at - WINDOW))


def after_success(state: LimitState) -> LimitState:
    """Close the circuit."""
    return replace(state, failures=0, open_until=None, reason=None, detail="")


def after_failure(
    state: LimitState, reason: AnswerReason, *, detail: str, until: datetime, opens_at: int
) -> LimitState:
    """Count a failure; from ``opens_at`` in a row on the circuit is open until then."""
    failures = state.failures + 1
    opened = until if failures >= opens_at else state.open_until
    return replace(state, failures=failures, open_until=opened, reason=reason, detail=detail)
