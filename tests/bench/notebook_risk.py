"""The notebook's risk: what is made of the series x of today's holdings, with pandas.

x, and the returns that it is made of, are on the last 504 sessions; x is a fraction of NAV.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.stats import linregress, norm
from tests.bench.numbers import StressNumbers

from riskmark.domain.scenarios import Rates, Scenario

YEAR = 252
MONTH = 21
DECAY = 0.94
CORRELATED = 90
"""Sessions of correlations and of what is made of them."""
LEAST = 30
"""Fewest observations of a correlation."""
HALF_A_YEAR = 126
CONFIDENCE = {"95": 0.95, "99": 0.99}


class RiskSplit(NamedTuple):
    """Shares of variance."""

    factor_share: float
    specific_share: float
    contributions: pd.Series


def volatility(x: pd.Series) -> dict[str, float]:
    """Measure and forecast the volatility of x."""
    found = {f"vol_{n}": x.tail(n).std() * np.sqrt(YEAR) for n in (MONTH, 63, YEAR)}
    seed = pd.Series([x.head(MONTH).var()])
    later = x.iloc[MONTH:] ** 2
    ewma = pd.concat([seed, later]).ewm(alpha=1 - DECAY, adjust=False).mean().iloc[-1]
    (day, day_fell_back), (month, month_fell_back) = (
        _har(x**2, horizon, instead=ewma) for horizon in (1, MONTH)
    )
    course = x.rolling(MONTH).std().tail(YEAR)
    found |= {
        "vol_ewma": np.sqrt(YEAR * ewma),
        "vol_har_1d": np.sqrt(YEAR * day),
        "vol_har_21d": np.sqrt(YEAR * month),
        "har_fallback": float(day_fell_back or month_fell_back),
        "vol_trend": _trend(course.tail(MONTH)),
        "vol_percentile": (course <= course.iloc[-1]).mean(),
    }
    return found


def _har(variance: pd.Series, horizon: int, *, instead: float) -> tuple[float, bool]:
    """Forecast the mean variance of the next sessions, and tell whether it fell back."""
    parts = pd.DataFrame(
        {
            "day": variance,
            "week": variance.rolling(5).mean(),
            "month": variance.rolling(22).mean(),
        }
    )
    joined = parts.assign(target=variance.rolling(horizon).mean().shift(-horizon)).dropna()
    fit = sm.OLS(joined["target"], sm.add_constant(joined[parts.columns])).fit()
    forecast = fit.params["const"] + fit.params[parts.columns] @ parts.iloc[-1]
    if joined["target"].min() <= forecast <= joined["target"].max():
        return forecast, False
    return instead, True


def _trend(course: pd.Series) -> float:
    line = linregress(np.arange(len(course)), course)
    moves = abs(line.slope * len(course)) > 0.1 * course.mean()
    return float(np.sign(line.slope)) if moves and line.rvalue**2 > 0.3 else 0.0


def tail(x: pd.Series, vol_ewma: float, nav: float) -> dict[str, float]:
    """Measure VaR and ES, as fractions and in money."""
    recent = x.tail(YEAR)
    found = {}
    for name, confidence in CONFIDENCE.items():
        quantile = np.percentile(recent, 100 * (1 - confidence))
        found[f"var_{name}"] = -quantile
        found[f"es_{name}"] = -recent[recent <= quantile].mean()
        found[f"var_{name}_param"] = norm.ppf(confidence) * vol_ewma / np.sqrt(YEAR)
    return found | {f"{name}_money": value * nav for name, value in found.items()}


def component_es(x: pd.Series, filled: pd.DataFrame, weights: pd.Series) -> pd.Series:
    """Split the ES of 95 % among the holdings."""
    recent = x.tail(YEAR)
    worst = recent.index[recent <= np.percentile(recent, 5)]
    return -weights * filled.loc[worst].mean()


def mixture(
    observed: pd.DataFrame, filled: pd.DataFrame, x: pd.Series, weights: pd.Series
) -> dict[str, float]:
    """Correlate the ``observed`` returns of the larger holdings, and see what mixing them does.

    Histories begin late here, but have no gaps: whatever has 30 observations has 30 in
    common with any other.
    """
    size = weights.abs() / weights.abs().sum()
    largest = size[size >= 0.01].nlargest(50).index
    window = observed[largest].tail(CORRELATED)
    window = window.loc[:, window.count() >= LEAST]
    kept = window.columns
    correlation = _semi_definite(window.corr(min_periods=LEAST).to_numpy())
    off = correlation[~np.eye(len(kept), dtype=bool)]
    deviation = window.std().to_numpy()
    values, vectors = np.linalg.eigh(correlation * np.outer(deviation, deviation))
    bets = (vectors.T @ weights[kept].to_numpy()) ** 2 * values.clip(min=0)
    apart = weights.abs() @ filled.tail(CORRELATED).std()
    return {
        "corr_mean": off.mean(),
        "corr_mean_abs": np.abs(off).mean(),
        "effective_rank": _entropic(np.linalg.eigvalsh(correlation).clip(min=0)),
        "effective_bets": _entropic(bets),
        "diversification_ratio": apart / x.tail(CORRELATED).std(),
    }


def _semi_definite(correlation: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(correlation)
    if values[0] >= -1e-9:
        return correlation
    rebuilt = vectors @ np.diag(values.clip(min=0)) @ vectors.T
    scale = np.sqrt(np.diag(rebuilt))
    return rebuilt / np.outer(scale, scale)


def _entropic(parts: np.ndarray) -> float:
    share = parts[parts > 0] / parts.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def track(
    x: pd.Series, benchmark: pd.Series, realised: pd.Series, *, beta: float, own_beta: float
) -> dict[str, float]:
    """Compare x, and realised returns, with the benchmark."""
    recent = x.tail(YEAR)
    other = benchmark[recent.index]
    active = (realised - benchmark[realised.index]).tail(YEAR)
    ratio = np.sqrt(YEAR) * active.mean() / active.std() if len(active) >= HALF_A_YEAR else np.nan
    return {
        "tracking_error": (recent - other).std() * np.sqrt(YEAR),
        "active_beta": beta - own_beta,
        "benchmark_correlation": recent.corr(other),
        "information_ratio": ratio,
    }


def split_risk(exposures: pd.Series, covariance: pd.DataFrame, residual_sd: float) -> RiskSplit:
    """Split the variance between factors and what is specific."""
    parts = exposures * (covariance @ exposures)
    total = parts.sum() + residual_sd**2
    return RiskSplit(parts.sum() / total, residual_sd**2 / total, parts / total)


def scenario_moves(
    scenarios: Sequence[Scenario], rates: Rates, covariance: pd.DataFrame
) -> dict[str, tuple[pd.Series, pd.Series]]:
    """Return, by scenario, how the factors move: the shocked ones alone, and the others too."""
    found = {}
    for scenario in scenarios:
        shocks = pd.Series(scenario.moves(rates))
        among = covariance.loc[shocks.index, shocks.index]
        following = covariance[shocks.index] @ np.linalg.solve(among, shocks)
        direct = shocks.reindex(covariance.index, fill_value=0.0)
        following[shocks.index] = shocks
        found[scenario.name] = (direct, following)
    return found


def stress(
    exposures: pd.Series, moves: Mapping[str, tuple[pd.Series, pd.Series]]
) -> dict[str, Any]:
    """Move the factors under exposures in money."""
    return {
        name: StressNumbers(exposures @ direct, exposures @ following)
        for name, (direct, following) in moves.items()
    }
