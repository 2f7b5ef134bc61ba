"""The risk that is shown of books that are hard on arithmetic: sensible, or null and why."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from tests.acceptance.shown import assert_shown_soundly, show
from tests.acceptance.test_hard_books import _add_books, _add_market, _create, _lot, _names
from tests.acceptance.world import LAST, World


def test_what_is_shown_of_hard_books_is_sensible_or_null_with_its_reason(world: World):
    _add_market(world)
    _add_books(world)
    close = Decimal(str(world.closes("S00")[LAST]))
    _create(world, "levered", _lot("S00", "1000", str(close), entry=LAST), equity=str(10 * close))

    world.run()

    _check_what_is_shown(world)
    _check_books_without_risk(world)
    _check_books_of_one_stock(world)
    _check_books_without_capital(world)


def _check_what_is_shown(world: World) -> None:
    """Check every number of every book, on its first session, a later one, and the last."""
    for (name,) in _names(world):
        stored = world.stored_sessions(name)
        for session in {*stored[:1], *stored[20:21], *stored[-1:]}:
            assert_shown_soundly(show(world, name, session))


_LOSSES = tuple(
    f"{name}{unit}"
    for name in ("var_95", "var_99", "es_95", "es_99", "var_95_param", "var_99_param")
    for unit in ("", "_money")
)
_VOLATILITIES = ("vol_21", "vol_63", "vol_ewma", "vol_har_1d", "vol_har_21d")
_BETAS = ("beta", "beta_1y", "rates_beta")
_MIXTURE = ("risk.effective_bets", "risk.diversification_ratio", "correlation.", "factor_risk.")


_OF_THE_MATRIX = {"symbols", "matrix", "clusters", "left_out"}
"""What is not stored, but computed when it is shown."""


def _check_books_without_risk(world: World) -> None:
    """Check books that hold nothing, nothing that moves, or nothing with a history."""
    for name in ("sold", "constant"):
        shown = show(world, name)
        found = {key: shown["risk"][key] for key in (*_LOSSES, *_VOLATILITIES, *_BETAS)}
        assert found == pytest.approx(dict.fromkeys(found, 0.0), abs=1e-9)
        assert {one["direct"] for one in shown["stress"]} == {0.0}
        assert {one["predictive"] for one in shown["stress"]} == {0.0}
        assert shown["risk"]["active_beta"] == pytest.approx(-1.0)
        assert shown["risk"]["tracking_error"] > 0.1  # that of the benchmark
        assert shown["correlation"]["mean"] is None
    nothing, still = show(world, "sold"), show(world, "constant")
    for section in (*_MIXTURE, "concentration.", "risk.vol_trend", "risk.har_fallback"):
        assert _computed(nothing, section) == {"no_holdings"}
    assert _computed(still, "factor_risk.") == {"undefined_denominator"}
    assert _computed(still, "risk.diversification_ratio") == {"undefined_denominator"}
    assert _computed(still, "risk.benchmark_correlation") == {"undefined_denominator"}
    assert _computed(still, "correlation.mean") == {"all_excluded"}
    assert (still["risk"]["vol_trend"], still["risk"]["har_fallback"]) == ("flat", False)
    gone = show(world, "sold holdings")
    assert _computed(gone, "risk.") == _computed(gone, "stress.") == {"no_holdings"}
    for name in ("private", "new listings", "never priced"):
        shown = show(world, name)
        assert _computed(shown, "stress.") == {"all_excluded"}
        assert _computed(shown, "risk.") == {"all_excluded", "too_few_observations"}
        assert shown["nulls"]["risk.information_ratio"] == "too_few_observations"
        assert {shown["nulls"][f"risk.{name}"] for name in _LOSSES} == {"all_excluded"}
        for section in _MIXTURE:
            assert _computed(shown, section) == {"all_excluded"}
    assert show(world, "new listings")["nulls"]["positions.NEW.beta"] == "too_few_observations"
    assert show(world, "never priced")["nulls"]["positions.NOONE.beta"] == "never_priced"


def _check_books_of_one_stock(world: World) -> None:
    """Check one position, little and much of it, a crash, and five hundred at once."""
    one, levered = show(world, "one"), show(world, "levered")
    for shown in (one, levered):
        assert shown["risk"]["effective_bets"] == pytest.approx(1.0)
        assert shown["risk"]["diversification_ratio"] == pytest.approx(1.0)
        assert shown["correlation"]["effective_rank"] == pytest.approx(1.0)
        assert shown["nulls"]["correlation.mean"] == "not_defined"
        (position,) = shown["positions"]
        assert position["component_es_95"] == pytest.approx(shown["risk"]["es_95"])
        assert shown["risk"]["beta"] == pytest.approx(position["weight"] * position["beta"])
    assert levered["positions"][0]["weight"] == pytest.approx(100)
    times = 100 / one["positions"][0]["weight"]
    for name in (*_BETAS, *_VOLATILITIES, *(key for key in _LOSSES if "money" not in key)):
        assert levered["risk"][name] == pytest.approx(times * one["risk"][name], rel=1e-6)
    assert levered["risk"]["es_99"] > 1  # more than all there is
    crash = show(world, "crash")
    assert crash["performance"]["max_drawdown"] == pytest.approx(-0.495)
    assert crash["risk"]["vol_21"] == 0.0
    moves = np.zeros(len(world.sessions(date(2025, 9, 1), LAST)))
    moves[-len(world.sessions(date(2025, 12, 1), LAST))] = -0.99 * 500 / crash["snapshot"]["nav"]
    assert crash["risk"]["vol_63"] == pytest.approx(moves[-63:].std(ddof=1) * np.sqrt(252))
    many = show(world, "five hundred")
    for key in ("correlation.mean", "correlation.effective_rank", "risk.effective_bets"):
        assert many["nulls"][key] == "all_excluded"  # none of them is 1 % of gross
    assert many["risk"]["diversification_ratio"] > 5
    assert 0 < many["factor_risk"]["factor_share"] < 1
    parts = [one["component_es_95"] for one in many["positions"]]
    assert sum(parts) == pytest.approx(many["risk"]["es_95"])


def _check_books_without_capital(world: World) -> None:
    """Check that money at risk is told where NAV cannot be divided by, and no share of it is."""
    reasons = {
        "ruined": "nav_not_positive",
        "hundredfold": "nav_not_positive",
        "crash on margin": "nav_not_positive",
        "short": "nav_not_positive",
        "thin": "nav_too_small",
    }
    for name, reason in reasons.items():
        shown = show(world, name)
        for key in (*_BETAS, *_VOLATILITIES, "var_95", "es_99", "tracking_error", "active_beta"):
            assert shown["nulls"][f"risk.{key}"] == reason
        for key in ("var_95_money", "es_95_money", "es_99_money", "var_99_param_money"):
            assert shown["risk"][key] >= 0
        style = {one["factor"]: one for one in shown["factors"] if one["model"] == "style"}
        assert all(one["exposure"] is None for one in style.values())
        stress = {one["scenario"]: one for one in shown["stress"]}
        wanted = -0.2 * style["Market"]["money"]
        assert stress["market_down_20"]["direct"] == pytest.approx(wanted)
        assert shown["factor_risk"]["factor_share"] is not None
        assert _computed(shown, "sectors.") == {reason, "no_benchmark_weights"}
    neutral = show(world, "neutral")
    assert abs(neutral["snapshot"]["net"]) < 0.2 * neutral["snapshot"]["gross"]
    assert 0 < neutral["risk"]["effective_bets"] <= 2
    shorts = show(world, "shorts")
    assert shorts["risk"]["es_95"] >= shorts["risk"]["var_95"] > 0


def _computed(shown: dict, section: str) -> set[str]:
    """Return the reasons of the nulls of a section, among what a run computes."""
    return {
        reason
        for name, reason in shown["nulls"].items()
        if name.startswith(section) and name.split(".")[1] not in _OF_THE_MATRIX
        and name.count(".") <= 2 and not name.endswith("sessions_to_sell_95")
    }  # fmt: skip
