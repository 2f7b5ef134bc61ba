"""Limits of requests: in any minute, on any date, and while a circuit is open."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from riskmark.domain.rate_limits import (
    Limits,
    LimitState,
    admit,
    after_failure,
    after_success,
)
from riskmark.domain.reasons import AnswerReason

AT = datetime(2024, 6, 3, 23, 30, tzinfo=UTC)
BEFORE = LimitState(day=date(1970, 1, 1))
MINUTE = timedelta(minutes=1)


def try_many(limits, count, *, steps):
    """Try ``count`` times, the clock moving by ``steps`` seconds; return the admitted instants."""
    state, at, admitted = BEFORE, AT, []
    for step in steps[:count]:
        at += timedelta(seconds=float(step))
        admission, state = admit(state, limits, at)
        if admission.is_admitted:
            admitted.append(at)
    return admitted


@pytest.mark.parametrize("mean_s", [0.5, 5.0, 11.0, 40.0])
def test_ten_thousand_tries_never_make_six_requests_in_a_minute(mean_s):
    steps = np.random.default_rng(5).exponential(mean_s, 10_000)

    admitted = try_many(Limits(per_minute=5), 10_000, steps=steps)

    assert len(admitted) > 100
    sixth = zip(admitted, admitted[5:], strict=False)
    assert min(later - first for first, later in sixth) > MINUTE


def test_ten_thousand_tries_never_make_more_than_the_requests_of_a_date():
    steps = np.random.default_rng(6).exponential(120.0, 10_000)

    admitted = try_many(Limits(per_day=250), 10_000, steps=steps)

    days = [at.date() for at in admitted]
    assert max(days.count(day) for day in set(days)) == 250
    assert len(set(days)) > 10


def test_a_refusal_names_the_instant_at_which_the_next_request_is_admitted():
    state = BEFORE
    for _ in range(5):
        _, state = admit(state, Limits(per_minute=5), AT)

    refused, _ = admit(state, Limits(per_minute=5), AT + timedelta(seconds=20))
    then, _ = admit(state, Limits(per_minute=5), refused.until)

    assert not refused.is_admitted
    assert refused.reason is AnswerReason.OK
    assert then.is_admitted


def test_a_clock_that_is_put_back_admits_nothing_more():
    state = BEFORE
    for _ in range(5):
        _, state = admit(state, Limits(per_minute=5, per_day=5), AT)

    minute, _ = admit(state, Limits(per_minute=5), AT - timedelta(hours=30))
    day, _ = admit(state, Limits(per_day=5), AT - timedelta(hours=30))

    assert not minute.is_admitted
    assert minute.until <= AT - timedelta(hours=30) + timedelta(seconds=61)
    assert day.reason is AnswerReason.QUOTA_EXHAUSTED


def test_a_used_up_quota_is_there_again_on_the_next_utc_date():
    _, state = admit(BEFORE, Limits(per_day=1), AT)

    refused, _ = admit(state, Limits(per_day=1), AT + MINUTE)

    assert refused.reason is AnswerReason.QUOTA_EXHAUSTED
    assert refused.until == datetime(2024, 6, 4, tzinfo=UTC)
    assert admit(state, Limits(per_day=1), refused.until)[0].is_admitted


def test_a_circuit_opens_at_the_nth_failure_and_after_its_time_at_the_first():
    state = BEFORE
    failed = {"detail": "HTTP 500", "until": AT + MINUTE, "opens_at": 3}
    for _ in range(3):
        assert admit(state, Limits(), AT)[0].is_admitted
        state = after_failure(state, AnswerReason.TRANSIENT, **failed)

    closed = admit(state, Limits(), AT)[0]
    trial = admit(state, Limits(), AT + MINUTE)[0]
    again = after_failure(state, AnswerReason.TRANSIENT, **failed | {"until": AT + 9 * MINUTE})

    assert (closed.is_admitted, closed.reason) == (False, AnswerReason.TRANSIENT)
    assert trial.is_admitted
    assert not admit(again, Limits(), AT + 2 * MINUTE)[0].is_admitted
    assert admit(after_success(again), Limits(), AT + 2 * MINUTE)[0].is_admitted
