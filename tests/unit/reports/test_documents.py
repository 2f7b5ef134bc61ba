import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from riskmark.domain.reasons import (
    NullReason,
    PlanReason,
    PortfolioState,
    RunStatus,
    SymbolReason,
)
from riskmark.reports.documents import instant_text, to_json
from riskmark.reports.words import (
    NULL_WORDS,
    PLAN_WORDS,
    RUN_WORDS,
    STATE_WORDS,
    SYMBOL_WORDS,
    in_words,
)


def test_a_number_that_is_none_is_refused():
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="not JSON compliant"):
            to_json({"value": value})


def test_dates_instants_and_decimals_are_plain():
    at = datetime(2026, 1, 8, 23, 30, tzinfo=timezone(timedelta(hours=1)))

    read = json.loads(
        to_json({"day": date(2026, 1, 8), "at": at, "half": Decimal("0.5"), "two": Decimal(2)})
    )

    assert read == {"day": "2026-01-08", "at": "2026-01-08T22:30:00Z", "half": 0.5, "two": 2}


def test_an_instant_is_written_in_utc_to_the_second():
    assert instant_text(datetime(2026, 1, 8, 1, 2, 3, 999, UTC)) == "2026-01-08T01:02:03Z"
    assert instant_text(None) is None


def test_a_thing_without_a_plain_form_is_refused():
    with pytest.raises(TypeError, match="set"):
        to_json({"value": {1}})


@pytest.mark.parametrize(
    ("words", "reasons"),
    [
        (NULL_WORDS, NullReason),
        (SYMBOL_WORDS, SymbolReason),
        (PLAN_WORDS, PlanReason),
        (STATE_WORDS, PortfolioState),
        (RUN_WORDS, RunStatus),
    ],
)
def test_every_reason_has_words(words, reasons):
    assert set(words) == set(reasons)


def test_a_reason_of_a_newer_version_stands_for_itself():
    assert in_words(NULL_WORDS, "moon_phase") == "moon phase"
