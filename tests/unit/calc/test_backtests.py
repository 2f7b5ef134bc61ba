"""Back-tests: published values, counts, and what must hold for any series."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from riskmark.calc.arrays import reason_of
from riskmark.calc.backtests import (
    LIGHTS,
    backtest_var,
    backtest_volatility,
    exceptions,
    kupiec_ratio,
    traffic_light,
)
from riskmark.domain.reasons import NullReason, TrafficLight

seeds = st.integers(0, 2**32 - 1)


def with_hits(hits, *, sessions=None):
    """Return P&L and VaR (1, S) with exceptions where ``hits`` says so."""
    pnl = np.where(np.array(hits, bool), -2.0, 1.0)
    pnl = np.concatenate([pnl, np.ones((sessions or len(pnl)) - len(pnl))])
    return pnl[None], np.ones((1, len(pnl)))


def likelihood(p, losses, others):
    """Return ln L of a probability."""
    return sum(n * math.log(q) for n, q in ((losses, p), (others, 1 - p)) if n)


@pytest.mark.parametrize(
    ("n", "x", "p", "ratio", "chance"),
    [(250, 3, 0.01, 0.09494, 0.758), (500, 40, 0.05, 8.0790, 0.00448)],
)
def test_kupiec_meets_published_values(n, x, p, ratio, chance):
    pnl, var = with_hits([1] * x, sessions=n)

    found = backtest_var(pnl, var, confidence=1 - p)

    assert_allclose(kupiec_ratio(np.array(n), np.array(x), p), ratio, atol=5e-5)
    assert_allclose(found.kupiec.values, ratio, atol=5e-5)
    assert_allclose(found.kupiec_p.values, chance, rtol=2e-3)


@given(seeds, st.floats(0.01, 0.4))
def test_christoffersen_counts_what_follows_an_exception(seed, share):
    hits = np.random.default_rng(seed).random(120) < share
    pnl, var = with_hits(hits)

    found = backtest_var(pnl, var, confidence=0.95)

    n = [[0, 0], [0, 0]]
    for before, now in pairwise(hits):
        n[int(before)][int(now)] += 1
    one = (n[0][1] + n[1][1]) / 119
    two = [row[1] / sum(row) if sum(row) else 0.0 for row in n]
    together = likelihood(one, n[0][1] + n[1][1], n[0][0] + n[1][0])
    apart = sum(likelihood(p, row[1], row[0]) for p, row in zip(two, n, strict=True))
    assert_allclose(found.independence.values, 2 * (apart - together), atol=1e-9)
    assert_allclose(found.conditional.values, found.kupiec.values + found.independence.values)
    assert found.exceptions == hits.sum()
    assert_allclose(found.expected, 6)


@given(seeds)
def test_probabilities_lie_between_nothing_and_one(seed):
    rng = np.random.default_rng(seed)
    pnl, var = rng.normal(0, 1, (3, 100)), rng.uniform(0, 3, (3, 100))
    pnl[rng.random(pnl.shape) < 0.2] = np.nan

    found = backtest_var(pnl, var, confidence=0.99)

    for one in (found.kupiec_p, found.independence_p, found.conditional_p):
        assert ((one.values >= 0) & (one.values <= 1)).all()
    assert_array_equal(found.sessions + found.skipped, 100)


def test_clustered_exceptions_are_told_from_scattered_ones():
    clustered = [0] * 60 + [1] * 12 + [0] * 178
    scattered = ([1] + [0] * 20) * 12

    together = backtest_var(*with_hits(clustered), confidence=0.95)
    apart = backtest_var(*with_hits(scattered, sessions=250 + 2), confidence=0.95)

    assert together.independence_p.values < 1e-6
    assert apart.independence_p.values > 0.2
    assert together.kupiec_p.values > 0.8


def test_an_exception_is_a_loss_beyond_var_not_at_it():
    pnl = np.array([[-1.0, -1.0 - 1e-12, -1.1, 0.0, np.nan, -3.0]])
    var = np.array([[1.0, 1.0, 1.0, -0.5, 1.0, np.nan]])

    hit, counted = exceptions(pnl, var)

    assert list(hit[0]) == [False, False, True, True, False, False]
    assert list(counted[0]) == [True, True, True, True, False, False]


def test_sessions_around_a_skipped_one_do_not_follow_one_another():
    pnl, var = with_hits([1, 0, 1, 0])
    var[0, 1] = np.nan

    found = backtest_var(pnl, var, confidence=0.95)

    assert (found.sessions[0], found.skipped[0], found.exceptions[0]) == (3, 1, 2)
    assert found.independence.values == 0  # only the last two follow one another


def test_without_sessions_there_is_no_back_test():
    nothing = np.full((2, 5), np.nan)

    var = backtest_var(nothing, nothing, confidence=0.99)
    volatility = backtest_volatility(nothing, nothing)

    few = NullReason.TOO_FEW_OBSERVATIONS
    for one in (var.kupiec, var.independence_p, var.conditional, volatility.qlike, volatility.mse):
        assert {reason_of(int(code)) for code in one.nulls} == {few}
    assert list(var.light) == [-1, -1]


def test_basel_sees_yellow_from_5_and_red_from_10_exceptions_in_250_sessions():
    x = np.arange(13)

    found = traffic_light(np.full(13, 250), x, 1 - 0.99)

    lights = [LIGHTS[place] for place in found]
    assert lights[:5] == [TrafficLight.GREEN] * 5
    assert lights[5:10] == [TrafficLight.YELLOW] * 5
    assert lights[10:] == [TrafficLight.RED] * 3


def test_no_exception_is_green_however_short_the_test():
    assert list(traffic_light(np.array([1, 4, 250]), np.zeros(3, np.int64), 0.01)) == [0, 0, 0]


@given(seeds)
def test_the_true_variance_has_the_least_qlike(seed):
    rng = np.random.default_rng(seed)
    realized = 1e-4 * rng.chisquare(1, (1, 60))
    mean = realized.mean()

    losses = [
        float(backtest_volatility(np.full((1, 60), h), realized).qlike.values[0])
        for h in (0.5 * mean, 0.9 * mean, mean, 1.1 * mean, 2 * mean)
    ]

    assert min(losses) == losses[2]


def test_losses_are_means_over_sessions_with_both():
    forecast = np.array([[1.0, 2.0, np.nan, 4.0]])
    realized = np.array([[2.0, 0.0, 1.0, np.nan]])

    found = backtest_volatility(forecast, realized)

    assert (found.sessions[0], found.skipped[0]) == (2, 2)
    assert_allclose(found.qlike.values, (2 + math.log(2)) / 2)
    assert_allclose(found.mse.values, (1 + 4) / 2)


def test_a_forecast_of_nothing_has_no_qlike():
    found = backtest_volatility(np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]]))

    assert reason_of(int(found.qlike.nulls[0])) == NullReason.UNDEFINED_DENOMINATOR
    assert found.mse.values == 0
