"""Logs: one line an event, whatever is in it, and no secrets."""

import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmark import logs

EVIL = 'AAPL\nlevel=error event="all lost"\r\x1b[2J\u2028\u202e'


@pytest.fixture(autouse=True)
def closed_afterwards():
    yield
    logs.close_logs()


def opened(*, as_json=True, level="info", secrets=()):
    stream = io.StringIO()
    logs.open_logs(stream, as_json=as_json, level=level, secrets=secrets)
    return stream


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def failure(message):
    """Return an error that was raised."""
    with pytest.raises(ValueError, match=r".") as caught:
        raise ValueError(message)
    return caught.value


def test_an_event_is_a_line_of_json_with_its_fields():
    stream = opened()

    logs.info("shard done", cells=12, phase=None)

    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "shard done", "level": "info", "cells": 12, "phase": None}


def test_bound_fields_are_on_every_line_of_their_block():
    stream = opened()

    with logs.bound(run_id="r1"):
        logs.info("one")
    logs.info("two")

    assert [line.get("run_id") for line in lines(stream)] == ["r1", None]


def test_below_the_level_nothing_is_written():
    stream = opened(level="warning")

    logs.info("no")
    logs.debug("no")
    logs.warning("yes")

    assert [line["event"] for line in lines(stream)] == ["yes"]


@pytest.mark.parametrize("as_json", [True, False])
def test_what_is_logged_cannot_begin_a_line(as_json):
    stream = opened(as_json=as_json)

    logs.info(EVIL, symbol=EVIL)

    written = stream.getvalue()
    assert written.count("\n") == 1
    assert len(written.splitlines()) == 1
    assert "\x1b" not in written
    assert "\u202e" not in written


@pytest.mark.parametrize("as_json", [True, False])
@given(event=st.text(), details=st.text())
def test_any_text_stays_on_its_line(as_json, event, details):
    stream = _shared(as_json=as_json)

    logs.log("info", event, details=details)

    assert len(stream.getvalue().splitlines()) == 1


def _shared(*, as_json, _opened={}):  # noqa: B006 - opening a log for each example takes long
    """Give an empty stream that an open log writes to."""
    if logs._logger is None:
        _opened[as_json] = opened(as_json=as_json)
    stream = _opened[as_json]
    stream.seek(0)
    stream.truncate()
    return stream


@pytest.mark.parametrize("as_json", [True, False])
def test_a_secret_is_masked_wherever_it_stands(as_json):
    stream = opened(as_json=as_json, secrets=("canary-secret",))

    error = failure("cannot open https://x/?key=canary-secret")
    logs.error("failed with canary-secret", cause=error, url="canary-secret")

    assert "canary" not in stream.getvalue()
    assert stream.getvalue().count("***") >= 4


def test_an_error_is_told_with_its_traceback():
    stream = opened()

    logs.error("failed", cause=failure("why"))

    (line,) = lines(stream)
    assert line["error"] == "ValueError: why"
    assert "test_logs.py" in line["traceback"]


def test_the_standard_librarys_way_leads_to_the_same_log():
    stream = opened()

    with logs.bound(run_id="r1"):
        logging.getLogger("riskmark.engine.somewhere").warning("lost %d", 3)
    logging.getLogger("riskmark").debug("no")

    (line,) = lines(stream)
    assert (line["event"], line["level"], line["run_id"]) == ("lost 3", "warning", "r1")


def test_who_opens_no_log_hears_nothing(capfd):
    logs.close_logs()

    with logs.bound(run_id="r1"):
        logs.error("failed", cause=ValueError("why"))

    assert capfd.readouterr() == ("", "")
