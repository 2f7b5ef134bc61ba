"""Scenarios and replays: what they may say, and how yields become returns."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmark.domain.scenarios import Rates, Replay, Scenario

TLT = Rates("Rates", 16.5, 370.0)


@pytest.mark.parametrize(
    ("move", "expected"),
    [(100, -0.1465), (300, -0.3285), (25, -0.04009375), (-100, 0.1835), (0, 0.0)],
)
def test_a_move_of_yields_becomes_a_return(move, expected):
    assert TLT.return_of(move) == pytest.approx(expected, rel=1e-12)


@given(st.floats(-440, 440), st.floats(-440, 440))
def test_higher_yields_mean_a_lower_return(one, other):
    lower, higher = sorted((one, other))

    assert TLT.return_of(higher) <= TLT.return_of(lower)


def test_shocks_and_a_move_of_yields_go_together():
    scenario = Scenario("stagflation", {"Market": -0.15}, rates_bp=150)

    assert scenario.moves(TLT) == {"Market": -0.15, "Rates": TLT.return_of(150)}


def test_a_scenario_without_a_move_of_yields_does_not_touch_rates():
    scenario = Scenario("down", {"Market": -0.2})

    scenario.check(TLT)
    assert scenario.moves(TLT) == {"Market": -0.2}


@pytest.mark.parametrize(
    ("shocks", "rates_bp", "problem"),
    [
        ({}, None, "shocks nothing"),
        ({"Market": -20}, None, "a shock is a fraction"),
        ({"Market": float("nan")}, None, "a shock is a fraction"),
        ({}, float("inf"), "moves rates by inf"),
    ],
)
def test_a_scenario_that_says_nothing_sensible_is_refused(shocks, rates_bp, problem):
    with pytest.raises(ValueError, match=problem):
        Scenario("mine", shocks, rates_bp)


@pytest.mark.parametrize(
    ("scenario", "problem"),
    [
        (Scenario("mine", {"Rates": 0.1}, 25), "shocks Rates twice"),
        (Scenario("mine", rates_bp=447), "beyond 446 bp"),
        (Scenario("mine", rates_bp=-500), "beyond 446 bp"),
    ],
)
def test_a_move_of_yields_must_go_with_the_bond(scenario, problem):
    with pytest.raises(ValueError, match=problem):
        scenario.check(TLT)


def test_without_convexity_no_move_is_too_large():
    Scenario("mine", rates_bp=5000).check(Rates("Rates", 7.0, 0.0))


@pytest.mark.parametrize(("duration", "convexity"), [(0, 1), (-1, 1), (1, -1), (float("nan"), 1)])
def test_a_bond_has_a_duration(duration, convexity):
    with pytest.raises(ValueError, match="duration must be above 0"):
        Rates("Rates", duration, convexity)


@pytest.mark.parametrize("name", ["", "größte", "a\nb"])
def test_names_are_printable_ascii(name):
    with pytest.raises(ValueError, match="printable ASCII"):
        Scenario(name, {"Market": 0.1})
    with pytest.raises(ValueError, match="printable ASCII"):
        Replay(name, date(2020, 1, 2), date(2020, 1, 3))


def test_a_replay_ends_after_it_begins():
    with pytest.raises(ValueError, match="must end after 2020-03-23"):
        Replay("covid", date(2020, 3, 23), date(2020, 3, 23))
