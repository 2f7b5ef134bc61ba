"""The savvy baseline's risk: what is made of the series x of today's holdings, with NumPy.

x (504,) is a fraction of NAV, and ``filled`` (504, N) are the returns that it is made of.
"""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from tests.bench.numbers import StressNumbers

from riskmark.calc.arrays import FloatArray
from riskmark.domain.scenarios import Rates, Scenario

YEAR = 252
MONTH = 21
DECAY = 0.94
CORRELATED = 90
LEAST = 30
HALF_A_YEAR = 126
NORMAL = {"95": (0.05, 1.6448536269514722), "99": (0.01, 2.3263478740408408)}


def volatility(x: FloatArray) -> dict[str, float]:
    """Measure and forecast the volatility of x."""
    found = {f"vol_{n}": x[-n:].std(ddof=1) * np.sqrt(YEAR) for n in (MONTH, 63, YEAR)}
    later = x[MONTH:] ** 2
    fading = DECAY ** np.arange(later.size - 1, -1, -1)
    ewma = DECAY**later.size * x[:MONTH].var(ddof=1) + (1 - DECAY) * later @ fading
    (day, day_fell_back), (month, month_fell_back) = (
        _har(x**2, horizon, instead=ewma) for horizon in (1, MONTH)
    )
    course = sliding_window_view(x[-YEAR - MONTH + 1 :], MONTH).std(axis=1, ddof=1)
    found |= {
        "vol_ewma": np.sqrt(YEAR * ewma),
        "vol_har_1d": np.sqrt(YEAR * day),
        "vol_har_21d": np.sqrt(YEAR * month),
        "har_fallback": float(day_fell_back or month_fell_back),
        "vol_trend": _trend(course[-MONTH:]),
        "vol_percentile": (course <= course[-1]).mean(),
    }
    return found


def _means(values: FloatArray, n: int) -> FloatArray:
    return sliding_window_view(values, n).mean(axis=1)


def _har(variance: FloatArray, horizon: int, *, instead: float) -> tuple[float, bool]:
    parts = np.column_stack(
        [np.ones(variance.size - 21), variance[21:], _means(variance, 5)[17:], _means(variance, 22)]
    )
    target = _means(variance[22:], horizon)
    params, *_ = np.linalg.lstsq(parts[: target.size], target)
    forecast = float(parts[-1] @ params)
    if target.min() <= forecast <= target.max():
        return forecast, False
    return instead, True


def _trend(course: FloatArray) -> float:
    step = np.arange(MONTH) - (MONTH - 1) / 2
    about = course - course.mean()
    slope = about @ step / (step @ step)
    explained = slope**2 * (step @ step) / (about @ about)
    moves = abs(slope * MONTH) > 0.1 * course.mean() and explained > 0.3
    return float(np.sign(slope)) if moves else 0.0


def tail(x: FloatArray, vol_ewma: float, nav: float) -> dict[str, float]:
    """Measure VaR and ES, as fractions and in money."""
    recent = x[-YEAR:]
    found = {}
    for name, (share, z) in NORMAL.items():
        quantile = np.quantile(recent, share)
        found[f"var_{name}"] = -quantile
        found[f"es_{name}"] = -recent[recent <= quantile].mean()
        found[f"var_{name}_param"] = z * vol_ewma / np.sqrt(YEAR)
    return found | {f"{name}_money": value * nav for name, value in found.items()}


def component_es(x: FloatArray, filled: FloatArray, weights: FloatArray) -> FloatArray:
    """Split the ES of 95 % among the holdings."""
    recent = x[-YEAR:]
    worst = recent <= np.quantile(recent, 0.05)
    return -weights * filled[-YEAR:][worst].mean(axis=0)


def mixture(
    observed: FloatArray, filled: FloatArray, x: FloatArray, weights: FloatArray
) -> dict[str, float]:
    """Correlate the ``observed`` returns of the larger holdings, and see what mixing them does.

    Histories begin late here, but have no gaps: whatever has 30 observations has 30 in
    common with any other.
    """
    size = np.abs(weights) / np.abs(weights).sum()
    large = np.argsort(-size, kind="stable")[:50]
    large = large[size[large] >= 0.01]
    window = observed[-CORRELATED:, large]
    n = np.isfinite(window).sum(axis=0)
    window, w = window[:, n >= LEAST], weights[large[n >= LEAST]]
    correlation = _semi_definite(_correlate(window))
    deviation = np.nanstd(window, axis=0, ddof=1)
    values, vectors = np.linalg.eigh(correlation * np.outer(deviation, deviation))
    off = correlation[~np.eye(len(w), dtype=bool)]
    apart = np.abs(weights) @ filled[-CORRELATED:].std(axis=0, ddof=1)
    return {
        "corr_mean": off.mean(),
        "corr_mean_abs": np.abs(off).mean(),
        "effective_rank": _entropic(np.maximum(np.linalg.eigvalsh(correlation), 0)),
        "effective_bets": _entropic((vectors.T @ w) ** 2 * np.maximum(values, 0)),
        "diversification_ratio": apart / x[-CORRELATED:].std(ddof=1),
    }


def _correlate(window: FloatArray) -> FloatArray:
    """Correlate each pair over its common sessions."""
    observed = np.isfinite(window)
    if observed.all():
        return np.corrcoef(window, rowvar=False)
    used = observed.astype(np.float64)
    values = np.where(observed, window - np.nanmean(window, axis=0), 0.0)
    n = used.T @ used
    sums = values.T @ used
    squares = (values**2).T @ used - sums**2 / n
    products = values.T @ values - sums * sums.T / n
    return products / np.sqrt(squares * squares.T)


def _semi_definite(correlation: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh(correlation)
    if values[0] >= -1e-9:
        return correlation
    rebuilt = vectors * np.maximum(values, 0) @ vectors.T
    scale = np.sqrt(np.diag(rebuilt))
    return rebuilt / np.outer(scale, scale)


def _entropic(parts: FloatArray) -> float:
    share = parts[parts > 0] / parts.sum()
    return float(np.exp(-(share @ np.log(share))))


def track(
    x: FloatArray, benchmark: FloatArray, active: FloatArray, *, beta: float, own_beta: float
) -> dict[str, float]:
    """Compare x (252,) with the benchmark; ``active`` are all realised differences."""
    recent = active[-YEAR:]
    ratio = np.nan
    if recent.size >= HALF_A_YEAR:
        ratio = np.sqrt(YEAR) * recent.mean() / recent.std(ddof=1)
    return {
        "tracking_error": (x - benchmark).std(ddof=1) * np.sqrt(YEAR),
        "active_beta": beta - own_beta,
        "benchmark_correlation": np.corrcoef(x, benchmark)[0, 1],
        "information_ratio": ratio,
    }


def scenario_moves(
    scenarios: Sequence[Scenario], rates: Rates, factors: Sequence[str], covariance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return how the factors move by scenario (S, F): the shocked ones alone, the others too."""
    direct = np.zeros((len(scenarios), len(factors)))
    following = np.zeros_like(direct)
    for place, scenario in enumerate(scenarios):
        moves = scenario.moves(rates)
        shocked = [factors.index(name) for name in moves]
        shocks = np.array(list(moves.values()))
        among = covariance[np.ix_(shocked, shocked)]
        direct[place, shocked] = shocks
        following[place] = covariance[:, shocked] @ np.linalg.solve(among, shocks)
        following[place, shocked] = shocks
    return direct, following


def stress(
    scenarios: Sequence[Scenario], exposures: FloatArray, moves: tuple[FloatArray, FloatArray]
) -> dict[str, StressNumbers]:
    """Move the factors under exposures in money."""
    direct, following = (one @ exposures for one in moves)
    return {
        scenario.name: StressNumbers(float(direct[k]), float(following[k]))
        for k, scenario in enumerate(scenarios)
    }
