"""Limits and circuits that all processes share, on both databases."""

import threading
from datetime import UTC, datetime, timedelta

from riskmark.domain.rate_limits import Limits
from riskmark.domain.reasons import AnswerReason
from riskmark.storage.engines import open_database
from riskmark.storage.provider_limits import ProviderLimits, load_limits
from riskmark.storage.provider_symbols import (
    LONGEST,
    Denial,
    forget_denials,
    load_refusals,
    save_denials,
)

AT = datetime(2024, 6, 3, 15, tzinfo=UTC)
UNKNOWN = AnswerReason.UNKNOWN_SYMBOL


def reopened(database):
    """Open the same database as another process would."""
    return open_database(database.engine.url.render_as_string(hide_password=False))


def test_a_restart_forgets_no_request(database):
    limits = Limits(per_minute=5, per_day=7)
    first = ProviderLimits(database)
    admitted = [first.take("fmp", limits, at=AT).is_admitted for _ in range(6)]

    other = reopened(database)
    second = ProviderLimits(other)
    later = AT + timedelta(minutes=2)
    admitted += [second.take("fmp", limits, at=later).is_admitted for _ in range(3)]
    reason = second.take("fmp", limits, at=later).reason
    other.close()

    assert admitted == [*[True] * 5, False, True, True, False]
    assert reason is AnswerReason.QUOTA_EXHAUSTED


def test_two_at_once_share_one_limit(database):
    limits = Limits(per_minute=10)
    admitted = []

    def ask():
        other = reopened(database)
        mine = ProviderLimits(other)
        admitted.extend([mine.take("yahoo", limits, at=AT).is_admitted for _ in range(10)])
        other.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(admitted) == 20
    assert sum(admitted) == 10


def test_an_open_circuit_is_seen_by_all_and_closed_by_a_success(database):
    limits = ProviderLimits(database)
    until = AT + timedelta(minutes=5)
    limits.failed("fmp", AnswerReason.TRANSIENT, detail="HTTP 500", until=until, opens_at=1)

    refused = ProviderLimits(database).take("fmp", Limits(), at=AT)
    with database.read() as connection:
        shown = load_limits(connection)["fmp"]
    limits.succeeded("fmp")

    assert (refused.is_admitted, refused.until) == (False, until)
    assert (shown.failures, shown.open_until, shown.detail) == (1, until, "HTTP 500")
    assert limits.take("fmp", Limits(), at=AT).is_admitted


def test_a_symbol_that_is_denied_again_is_left_in_peace_twice_as_long(database):
    denial = Denial("fmp", "SQ", UNKNOWN, "gone", timedelta(hours=20))
    waits = []
    for _ in range(8):
        with database.write() as connection:
            save_denials(connection, [denial], at=AT)
            waits.append(load_refusals(connection, at=AT)["SQ"]["fmp"].until - AT)

    with database.write() as connection:
        forgotten_later = load_refusals(connection, at=AT + LONGEST)
        forget_denials(connection, "fmp", ["SQ"])
        found = load_refusals(connection, at=AT)

    assert waits[:3] == [timedelta(hours=20 * 2**n) for n in range(3)]
    assert waits[-1] == LONGEST
    assert forgotten_later == found == {}


def test_an_empty_answer_of_who_gave_bars_before_is_believed_no_longer_the_second_time(database):
    empty = AnswerReason.NO_DATA_IN_RANGE
    day = timedelta(hours=20)
    denials = [
        Denial("fmp", "OLD", empty, "an empty list", day, grows=False),
        Denial("fmp", "NEVER", empty, "an empty list", day),
    ]

    with database.write() as connection:
        save_denials(connection, denials, at=AT)
        save_denials(connection, denials, at=AT)
        found = load_refusals(connection, at=AT)

    assert found["OLD"]["fmp"].until == AT + day
    assert found["NEVER"]["fmp"].until == AT + 2 * day
    assert found["OLD"]["fmp"].told.startswith("an empty list (remembered, asked again after ")
