"""Back-tests of VaR and of volatility, and the tests' published values."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import log

import numpy as np
from scipy import stats
from tests.conformance import market
from tests.conformance.comparisons import PLAIN_PYTHON, Against, Oracle, Row

from riskmark.calc.backtests import (
    LIGHTS,
    VarBacktest,
    backtest_var,
    backtest_volatility,
    kupiec_ratio,
    traffic_light,
)
from riskmark.calc.forecasts import ewma_variance
from riskmark.calc.tail import historical_risk

AREA = "Back-tests"

CLOSED_FORM = Oracle("closed form, as published")
MATLAB = Oracle("MATLAB `varbacktest`, its documented example")
CHI_SQUARED = Oracle("plain Python, scipy `chi2.sf`", "scipy")
BINOMIAL = Oracle("scipy `binom.cdf`", "scipy")
BASEL = Oracle("Basel Committee 1996, table 2")

INDICES = "arch: S&P 500 and Nasdaq, 19 times 250 sessions"
SESSIONS = 250


def rows() -> Iterator[Row]:
    """Compare published values, and 19 years of two indices."""
    yield from kupiec_published()
    yield from christoffersen_published()
    yield from on_indices()
    yield from lights()


def with_hits(hits: Sequence[int]) -> VarBacktest:
    """Back-test a VaR of 1 at 95 % with exceptions where ``hits`` are 1."""
    pnl = np.where(np.array(hits, bool), -2.0, 1.0)[None]
    return backtest_var(pnl, np.ones(pnl.shape), confidence=0.95)


def kupiec_published() -> Iterator[Row]:
    """Compare the two published cases."""
    cases = ((250, 3, 0.01, "0.09494", "0.758"), (500, 40, 0.05, "8.0790", "0.00448"))
    for n, x, p, ratio, chance in cases:
        pnl = np.where(np.arange(n) < x, -2.0, 1.0)[None]
        found = backtest_var(pnl, np.ones((1, n)), confidence=1 - p)
        numbers = [float(kupiec_ratio(np.array(n), np.array(x), p)), found.kupiec_p.values[0]]
        source = f"{x} exceptions on {n} sessions, p {p * 100:.0f} %"
        yield Against(CLOSED_FORM, source).printed("Kupiec: LR, p", numbers, (ratio, chance))


def christoffersen_published() -> Iterator[Row]:
    """Compare 57 exceptions on 1,043 sessions, of which 4 follow another."""
    runs = [[1] * 5, *([1] for _ in range(52))]
    gaps = [933] + [1] * 52
    hits = [0, *(hit for run, gap in zip(runs, gaps, strict=True) for hit in (*run, *[0] * gap))]
    found = with_hits(hits)
    against = Against(MATLAB, "57 exceptions on 1,043 sessions, p 5 %")
    assert (len(hits), sum(hits)) == (1043, 57)
    for measure, numbers, printed in (
        ("Kupiec: LR, p", (found.kupiec, found.kupiec_p), ("0.46147", "0.49694")),
        ("Christoffersen, independence: LR, p", (found.independence, found.independence_p),
         ("0.25866", "0.61104")),
        ("Christoffersen, conditional: LR, p", (found.conditional, found.conditional_p),
         ("0.72013", "0.69763")),
    ):  # fmt: skip
        yield against.printed(measure, [float(one.values[0]) for one in numbers], printed)


def on_indices() -> Iterator[Row]:
    """Compare the back-tests of real VaR and of real forecasts."""
    returns = market.arch_returns()
    past = np.lib.stride_tricks.sliding_window_view(returns, 252, axis=0)[:-1]
    flat = past.reshape(-1, 252)
    realized = returns[252:].T
    var = historical_risk(flat).var_95.values.reshape(-1, 2).T
    ewma = ewma_variance(flat).reshape(-1, 2).T
    years = realized.shape[1] // SESSIONS
    pnl, limit, forecast = (
        one[:, : years * SESSIONS].reshape(-1, SESSIONS) for one in (realized, var, ewma)
    )
    found = backtest_var(pnl, limit, confidence=0.95)
    tests = [plain_backtest(*one) for one in zip(pnl.tolist(), limit.tolist(), strict=True)]
    against = Against(PLAIN_PYTHON, INDICES)
    yield against.same("exceptions", found.exceptions.tolist(), [one[0] for one in tests])
    against = Against(CHI_SQUARED, INDICES)
    numbers = (
        ("Kupiec: LR, p", (found.kupiec, found.kupiec_p)),
        ("Christoffersen, independence: LR, p", (found.independence, found.independence_p)),
        ("Christoffersen, conditional: LR, p", (found.conditional, found.conditional_p)),
    )
    for place, (measure, ours) in enumerate(numbers):
        expected = [one[1 + 2 * place : 3 + 2 * place] for one in tests]
        values = np.stack([one.values for one in ours], axis=1)
        yield against.relative(measure, values, expected, least=1e-3)
    losses = backtest_volatility(forecast, pnl**2)
    expected = [
        [
            sum(log(h) + r * r / h for h, r in zip(one, other, strict=True)) / SESSIONS,
            sum((r * r - h) ** 2 for h, r in zip(one, other, strict=True)) / SESSIONS,
        ]
        for one, other in zip(forecast.tolist(), pnl.tolist(), strict=True)
    ]
    values = np.stack([losses.qlike.values, losses.mse.values], axis=1)
    against = Against(PLAIN_PYTHON, INDICES)
    yield against.relative("QLIKE, MSE of `vol_ewma`", values, expected)


def plain_backtest(pnl: list[float], var: list[float], p: float = 0.05) -> list[float]:
    """Return the exceptions, and the three ratios with their p-values."""
    hits = [int(-one > limit) for one, limit in zip(pnl, var, strict=True)]
    x, n = sum(hits), len(hits)
    counts = [[0, 0], [0, 0]]
    for before, now in pairwise(hits):
        counts[before][now] += 1
    together = likelihood(sum(hits[1:]) / (n - 1), sum(hits[1:]), n - 1)
    apart = sum(likelihood(row[1] / max(sum(row), 1), row[1], sum(row)) for row in counts)
    unconditional = 2 * (likelihood(x / n, x, n) - likelihood(p, x, n))
    independence = 2 * (apart - together)
    found: list[float] = [x]
    for ratio, degrees in (
        (unconditional, 1), (independence, 1), (unconditional + independence, 2),
    ):  # fmt: skip
        found += [ratio, float(stats.chi2.sf(ratio, degrees))]
    return found


def likelihood(p: float, x: int, n: int) -> float:
    """Return ln L of ``x`` exceptions on ``n`` sessions."""
    return (x * log(p) if x else 0.0) + ((n - x) * log(1 - p) if n > x else 0.0)


def lights() -> Iterator[Row]:
    """Compare the zones of Basel's table, and those of other numbers of sessions."""
    x = np.arange(16)
    found = [LIGHTS[place].value for place in traffic_light(np.full(16, 250), x, 0.01)]
    table = ["green"] * 5 + ["yellow"] * 5 + ["red"] * 6
    yield Against(BASEL, "0 to 15 exceptions on 250 sessions, p 1 %").same(
        "traffic light", found, table
    )
    n, x = (grid.ravel() for grid in np.meshgrid([60, 125, 250, 500, 1000], np.arange(40)))
    for p in (0.01, 0.05):
        below = stats.binom.cdf(x, n, p)
        zone = [("green", "yellow", "red")[int(b >= 0.95) + int(b >= 0.9999)] for b in below]
        zone = ["green" if one == 0 else light for one, light in zip(x, zone, strict=True)]
        found = [LIGHTS[place].value for place in traffic_light(n, x, p)]
        source = f"0 to 39 exceptions on 60 to 1,000 sessions, p {p * 100:.0f} %"
        yield Against(BINOMIAL, source).same("traffic light", found, zone)
