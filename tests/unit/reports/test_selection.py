"""Choosing from a document, on documents made by hand."""

import pytest

from riskmark.errors import InputError
from riskmark.reports.selection import UnknownMeasure, choose_measures, parts_of
from riskmark.reports.shown import Part

POSITIONS = [
    {"symbol": "BRK", "beta": 1.0, "weight": None},
    {"symbol": "BRK.B", "beta": None, "weight": 0.5},
]
DOCUMENT = {
    "portfolio": {"name": "book"},
    "session": "2026-01-08",
    "state": "complete",
    "reasons": [],
    "snapshot": {"nav": 1.0, "positions": 2},
    "nulls": {
        "risk.beta": "stale",
        "positions.BRK.weight": "nav_not_positive",
        "positions.BRK.B.beta": "stale",
        "factor_risk.contributions.Low Volatility": "no_factor_data",
        "stress.crash.positions.BRK.direct": "stale",
        "correlation.matrix": "all_excluded",
    },
    "risk": {"beta": None, "var_95": 0.1, "sessions_to_sell_95": 2.0},
    "factors": [
        {"model": "style", "factor": "Market", "money": 1.0},
        {"model": "style", "factor": "Value", "money": 2.0},
        {"model": "rates", "factor": "Rates", "money": 3.0},
    ],
    "factor_risk": {
        "factor_share": 0.4,
        "contributions": {"Market": 0.4, "Low Volatility": None},
    },
    "stress": [
        {
            "scenario": "crash",
            "direct": -1.0,
            "positions": [{"symbol": "BRK", "direct": None}],
        },
        {"scenario": "rally", "direct": 1.0, "positions": []},
    ],
    "replays": [],
    "correlation": {"symbols": [], "matrix": None, "mean": 0.2},
    "backtests": {"var": [{"measure": "var_95", "exceptions": 3}], "volatility": []},
    "positions": POSITIONS,
    "provenance": {"run": "r"},
}


def chosen(*names):
    found = choose_measures(DOCUMENT, names)
    head = ("portfolio", "session", "state", "reasons", "provenance")
    return {key: value for key, value in found.items() if key not in head}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("risk.var_95", {"risk": {"var_95": 0.1}}),
        ("var_95", {"risk": {"var_95": 0.1}}),
        ("snapshot.positions", {"snapshot": {"positions": 2}}),
        ("correlation.mean", {"correlation": {"mean": 0.2}}),
        ("factor_risk.factor_share", {"factor_risk": {"factor_share": 0.4}}),
        ("factor_share", {"factor_risk": {"factor_share": 0.4}}),
        ("sessions_to_sell_95", {"risk": {"sessions_to_sell_95": 2.0}}),
        ("factors.rates", {"factors": [DOCUMENT["factors"][2]]}),
        ("factors.style.Value", {"factors": [DOCUMENT["factors"][1]]}),
        ("stress.rally", {"stress": [DOCUMENT["stress"][1]]}),
        ("stress.crash.direct", {"stress": [{"scenario": "crash", "direct": -1.0}]}),
        ("backtests.var", {"backtests": {"var": DOCUMENT["backtests"]["var"]}}),
        ("replays", {"replays": []}),
    ],
)
def test_every_place_of_the_document_can_be_chosen(name, body):
    assert chosen(name) == {**body, "nulls": {}}


def test_nulls_go_with_what_is_chosen_and_with_nothing_else():
    found = chosen("positions.BRK", "factor_risk.contributions", "stress.crash")

    assert found["positions"] == POSITIONS[:1]
    assert found["nulls"] == {
        "positions.BRK.weight": "nav_not_positive",
        "factor_risk.contributions.Low Volatility": "no_factor_data",
        "stress.crash.positions.BRK.direct": "stale",
    }


def test_a_symbol_with_a_point_is_not_a_field_of_another():
    found = chosen("positions.BRK.B")

    assert found["positions"] == POSITIONS[1:]


def test_several_fields_of_one_item_stand_together():
    found = chosen("positions.BRK.B.beta", "positions.BRK.B.weight", "risk.beta")

    assert found["positions"] == [{"symbol": "BRK.B", "beta": None, "weight": 0.5}]
    assert found["nulls"] == {"positions.BRK.B.beta": "stale", "risk.beta": "stale"}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("bta", "beta"),
        ("performance.beta", "beta"),
        ("posittions", "positions"),
        ("positions.BRKA", "positions.BRK"),
        ("stress.crush", "stress.crash"),
        ("factors.style.Markt", "factors.style.Market"),
        ("nulls", "no measure"),
        ("?", "no measure"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is_near(name, hint):
    with pytest.raises(UnknownMeasure, match=hint) as caught:
        choose_measures(DOCUMENT, ["risk.beta", name])

    assert isinstance(caught.value, InputError)
    assert caught.value.name == name


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["nav", "risk.var_95", "correlation.mean", "factors", "sectors"], set()),
        (["risk"], {Part.LIQUIDITY}),
        (["sessions_to_sell_95"], {Part.LIQUIDITY}),
        (["positions.AAPL"], {Part.LIQUIDITY}),
        (["snapshot.positions", "positionsx"], set()),
        (["correlation"], {Part.CORRELATION}),
        (["correlation.matrix"], {Part.CORRELATION}),
        (["factor_correlation"], {Part.FACTOR_CORRELATION}),
        (["stress.market_down_20", "backtests.var"], {Part.STRESS, Part.BACKTESTS}),
        (["replays.covid_2020.pnl"], {Part.REPLAYS}),
    ],
)
def test_only_what_is_chosen_is_computed(names, parts):
    assert parts_of(names) == parts
