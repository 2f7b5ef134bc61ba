"""Gains that Yahoo names beside dividends, or has in them already."""

import json
from datetime import UTC, datetime, time

import pytest
from tests.market import CALENDAR

from riskmark.providers.replies import Reply
from riskmark.providers.yahoo import read_chart

DAYS = CALENDAR.sessions[100:104]
NOW = datetime(2024, 6, 3, tzinfo=UTC)


def stamp(day):
    return int(datetime.combine(day, time(15), UTC).timestamp())


def actions(closes, *, dividends=(), gains=()):
    """Read a chart with these closes and events; return what is paid on which session."""
    events = {
        name: {str(stamp(day)): {"amount": cash, "date": stamp(day)} for day, cash in listed}
        for name, listed in (("dividends", dividends), ("capitalGains", gains))
    }
    columns = dict.fromkeys(("open", "high", "low", "close", "volume"), closes)
    meta = {"symbol": "FND", "currency": "USD", "instrumentType": "MUTUALFUND"}
    result = {
        "meta": meta,
        "timestamp": [stamp(day) for day in DAYS],
        "events": events,
        "indicators": {"quote": [columns]},
    }
    body = json.dumps({"chart": {"result": [result], "error": None}}).encode()
    raw = read_chart(Reply(200, {}, body), asked="FND", symbol="FND", now=NOW)
    return {one.ex_date: one.value for one in raw.actions}


def test_gains_of_their_own_date_are_a_distribution():
    assert actions([20.0, 18.0, 18.1, 18.0], gains=[(DAYS[1], 2.0)]) == {DAYS[1]: 2.0}


@pytest.mark.parametrize(
    ("fall", "paid"), [(2.9, 3.5), (1.9, 2.0)], ids=["beside the dividend", "within it"]
)
def test_the_close_tells_whether_a_dividend_has_the_gains_in_it(fall, paid):
    closes = [20.0, 20.0 - fall, 18.0, 18.0]

    found = actions(closes, dividends=[(DAYS[1], 2.0)], gains=[(DAYS[1], 1.5)])

    assert found == {DAYS[1]: paid}


def test_gains_larger_than_the_dividend_cannot_be_in_it():
    found = actions([20.0, 19.5, 19, 19], dividends=[(DAYS[1], 0.5)], gains=[(DAYS[1], 2.0)])

    assert found == {DAYS[1]: 2.5}


def test_a_gain_before_the_first_bar_is_added():
    found = actions([20.0, 19.5, 19, 19], dividends=[(DAYS[0], 0.5)], gains=[(DAYS[0], 0.25)])

    assert found == {DAYS[0]: 0.75}
