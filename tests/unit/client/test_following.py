"""A run is followed across connections that end, break or are refused, without a line twice."""

import json

import pytest
from tests.unit.client.scripted import BREAK, answer, cut, scripted, stream

from riskmark.client import ApiError
from riskmark.client.documents import LogLine, RunEnd
from riskmark.client.runs import MOST_FAILURES, Follower
from riskmark.client.transport import Limits, Transport

RETRY = "retry: 1500\n\n"
PING = ": nothing new\n\n"


def line(number, message="done"):
    document = {"number": number, "at": "2026-01-08T23:00:00Z", "level": "info", "phase": None}
    return frame("log", document | {"message": message}, number)


def frame(kind, document, event_id):
    text = json.dumps(document, ensure_ascii=False)
    return f"event: {kind}\nid: {event_id}\ndata: {text}\n\n"


END = frame("end", {"status": "succeeded", "error": None}, "3-end")


def follow(*answers, after=0):
    """Follow a run on connections answered so; return events, what was asked, and pauses."""
    pauses = []
    with scripted(*answers) as (url, asked):
        transport = Transport(url, "t", limits=Limits(), pause=pauses.append)
        found = list(Follower(transport, "r", after=after).events())
    seen = [
        next(one[15:] for one in head.splitlines() if one.lower().startswith("last-event-id"))
        for head in asked
    ]
    return found, seen, pauses


def test_a_line_is_neither_missed_nor_seen_twice():
    half = line(2)[:-10]

    found, seen, pauses = follow(
        stream(RETRY + line(1)), cut(PING + half), BREAK, answer(503), stream(line(2) + END)
    )

    assert [one.number for one in found[:-1] if isinstance(one, LogLine)] == [1, 2]
    assert found[-1] == RunEnd("succeeded", None)
    assert seen == ["0", "1", "1", "1", "1"]
    assert pauses == [1.5] * 4


def test_a_follower_goes_on_after_what_is_known():
    found, seen, _ = follow(stream(line(8) + END), after=7)

    assert (len(found), seen) == (2, ["7"])


def test_a_run_that_has_ended_and_is_known_tells_nothing():
    assert follow(answer(204), after=7)[0] == []


def test_separators_that_are_no_line_ends_stay_in_a_message():
    message = "a\u2028b\x0bc\u0085d"

    (told, _), _, _ = follow(stream(line(1, message) + END))

    assert told.message == message


def test_kinds_that_are_not_known_yet_are_passed_over():
    found, _, _ = follow(stream("event: news\nid: 1\ndata: ?\n\n" + END))

    assert found == [RunEnd("succeeded", None)]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_who_may_not_follow_is_told_at_once(status):
    with pytest.raises(ApiError) as refused:
        follow(answer(status, b'{"code": "so", "detail": "x"}'))

    assert refused.value.status == status


@pytest.mark.parametrize("silence", [BREAK, stream(RETRY)])
def test_a_server_that_tells_nothing_is_given_up(silence):
    with pytest.raises(ApiError) as refused:
        follow(*[silence] * MOST_FAILURES)

    assert refused.value.code == "not_reached"
