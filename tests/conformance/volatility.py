"""Volatility, its forecasts and its course."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from arch.univariate import HARX, EWMAVariance
from arch.univariate.base import ARCHModelResult
from scipy import stats
from tests.conformance import market
from tests.conformance.cells import cells
from tests.conformance.comparisons import Against, Oracle, Row
from tests.conformance.oracles import empyrical

from riskmark.calc.forecasts import ewma_variance, forecast_volatility
from riskmark.calc.har import fit_har
from riskmark.calc.volatility import (
    TREND_OF,
    trailing_volatility,
    volatility_percentile,
    volatility_trend,
)
from riskmark.domain.reasons import VolatilityTrend

AREA = "Volatility"

EMPYRICAL = Oracle("empyrical `annual_volatility`", "empyrical-reloaded")
PANDAS = Oracle("pandas `ewm(adjust=False)`", "pandas")
EWMA = Oracle("arch `EWMAVariance(0.94)`", "arch")
HAR = Oracle("arch `HARX(lags=[1, 5, 22], rescale=False)`", "arch")
LEAST_SQUARES = Oracle("numpy `linalg.lstsq`", "numpy")
TREND = Oracle("scipy `linregress`", "scipy")
PERCENTILE = Oracle('scipy `percentileofscore(kind="weak")`', "scipy")
PRINTED = Oracle("`arch.univariate.HARX`, as published")

BOOKS = "12 books of the stocks of skfolio"
YEARS = f"{market.SP500}, 100 windows of 504"
HISTORY, SEED = 504, 21
SCALE = 1e4
"""arch wants variances in %², for its own numerics."""
PUBLISHED = ("58.192285", "-0.124813", "0.409297", "0.558450", "0.230885", "5008")


def rows() -> Iterator[Row]:
    """Compare the books' x, windows of the S&P 500, and the published fit."""
    x, windows = cells(with_holes=False).series.x, sp500_windows()
    against = Against(EMPYRICAL, BOOKS)
    for n in (21, 63, 252):
        expected = [empyrical.annual_volatility(one[-n:]) for one in x]
        yield against.relative(f"`vol_{n}`", trailing_volatility(x, n).values, expected)
    for source, series in ((BOOKS, x), (YEARS, windows)):
        yield from exponential(series, source)
        yield from autoregressive(series, source)
        yield from courses(series, source)
    yield published()


def sp500_windows() -> np.ndarray:
    """Return 100 windows of 504 returns, spread over the 20 years."""
    returns = market.arch_returns()[:, 0]
    starts = np.linspace(0, len(returns) - HISTORY, 100).astype(int)
    return np.stack([returns[start : start + HISTORY] for start in starts])


def exponential(x: np.ndarray, source: str) -> Iterator[Row]:
    """Compare the EWMA variance."""
    found, _ = forecast_volatility(x).vol_ewma
    series = [np.append(one[:SEED].var(ddof=1), one[SEED:] ** 2) for one in x]
    last = [pd.Series(one).ewm(alpha=0.06, adjust=False).mean().iloc[-1] for one in series]
    yield Against(PANDAS, source).relative("`vol_ewma`", found, np.sqrt(252 * np.array(last)))
    note = "`backcast` is the variance of the first 21"
    expected = [by_arch(one) for one in x]
    yield Against(EWMA, source).relative("EWMA variance", ewma_variance(x), expected, note=note)


def by_arch(x: np.ndarray) -> float:
    """Return arch's variance of the session after the last."""
    residuals = np.append(x[SEED:], 0.0)
    variance = np.empty(len(residuals))
    bounds = np.tile([0.0, np.inf], (len(residuals), 1))
    seed = x[:SEED].var(ddof=1)
    EWMAVariance(0.94).compute_variance(np.empty(0), residuals, variance, seed, bounds)
    return float(variance[-1])


def autoregressive(x: np.ndarray, source: str) -> Iterator[Row]:
    """Compare the fits and the forecasts of HAR, with the fallback to EWMA."""
    fits = fit_har(x * x, (1,), minimum=126)[0]
    forecasts = forecast_volatility(x)
    parts, explained, one, month, fell_back = [], [], [], [], []
    for series, ewma in zip(x, ewma_variance(x), strict=True):
        theirs = fit_by_arch(series)
        const, *lags = theirs.params.to_numpy()[:4]
        parts.append([const / SCALE, *lags])
        explained.append(theirs.rsquared)
        next_one = one_ahead(theirs)
        outcomes = [
            instead_of(next_one, series[22:] ** 2, ewma),
            instead_of(*direct(series**2), ewma),
        ]
        one.append(outcomes[0][0])
        month.append(outcomes[1][0])
        fell_back.append(float(outcomes[0][1] or outcomes[1][1]))
    against = Against(HAR, source)
    ours = np.stack([fits.const, fits.daily, fits.weekly, fits.monthly], axis=1)
    yield against.relative("HAR: constant", ours[:, 0], np.array(parts)[:, 0])
    yield against.relative("HAR: day, week, month", ours[:, 1:], np.array(parts)[:, 1:], least=1e-3)
    yield against.relative("HAR: R²", fits.r2, explained, least=1e-3)
    annual = [np.sqrt(252 * np.array(values)) for values in (one, month)]
    yield against.relative("`vol_har_1d`", forecasts.vol_har_1d.values, annual[0])
    note = "no oracle makes direct forecasts: the regression is written out"
    yield Against(LEAST_SQUARES, source).relative(
        "`vol_har_21d`", forecasts.vol_har_21d.values, annual[1], note=note
    )
    flags, _ = forecasts.har_fallback
    note = f"EWMA stands in for {sum(map(int, fell_back))} of them"
    yield against.same("`har_fallback`", flags.tolist(), fell_back, note=note)


def fit_by_arch(x: np.ndarray) -> ARCHModelResult:
    """Fit arch's HAR to squared returns, in %²."""
    return HARX(SCALE * x**2, lags=[1, 5, 22], rescale=False).fit(disp="off")


def one_ahead(fit: ARCHModelResult) -> float:
    """Return the variance that arch forecasts for the next session."""
    return float(fit.forecast(horizon=1, reindex=False).mean.to_numpy()[-1, 0]) / SCALE


def instead_of(forecast: float, targets: np.ndarray, ewma: float) -> tuple[float, bool]:
    """Return the forecast, or EWMA's if it is outside the targets."""
    outside = not targets.min() <= forecast <= targets.max()
    return (ewma if outside else forecast), outside


def direct(variance: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the forecast for the mean of the next 21, and the targets it was fitted on."""
    means = [np.convolve(variance, np.full(n, 1 / n), mode="valid")[22 - n :] for n in (1, 5, 22)]
    left = np.column_stack([np.ones(len(means[0])), *means])
    target = np.convolve(variance, np.full(21, 1 / 21), mode="valid")[22:]
    coefficients = np.linalg.lstsq(left[: len(target)], target, rcond=None)[0]
    return float(left[-1] @ coefficients), target


def courses(x: np.ndarray, source: str) -> Iterator[Row]:
    """Compare the trend and the percentile of the volatility of 21 values."""
    trends = [trend_of(course_of(one)).value for one in x]
    codes, _ = volatility_trend(x)
    found = [TREND_OF[code].value for code in codes.tolist()]
    note = ", ".join(sorted(set(trends)))
    yield Against(TREND, source).same("`vol_trend`", found, trends, note=note)
    percentiles = [percentile_of(course_of(one)) for one in x]
    yield Against(PERCENTILE, source).relative(
        "`vol_percentile`", volatility_percentile(x).values, percentiles
    )


def course_of(x: np.ndarray) -> np.ndarray:
    """Return the last 252 volatilities of 21 values."""
    return pd.Series(x).rolling(21).std().to_numpy()[-252:] * np.sqrt(252)


def trend_of(course: np.ndarray) -> VolatilityTrend:
    """Tell whether the last 21 volatilities rise or fall."""
    line = stats.linregress(np.arange(21), course[-21:])
    if abs(line.slope * 21) <= 0.1 * course[-21:].mean() or line.rvalue**2 <= 0.3:
        return VolatilityTrend.FLAT
    return VolatilityTrend.RISING if line.slope > 0 else VolatilityTrend.FALLING


def percentile_of(course: np.ndarray) -> float:
    """Return the share of volatilities that are not above the last one."""
    return float(stats.percentileofscore(course, course[-1], kind="weak")) / 100


def published() -> Row:
    """Compare the fit on the whole S&P 500 with the published one."""
    closes = market.sp500()["Adj Close"].to_numpy(float)
    variance = 252 * (100 * np.diff(np.log(closes))) ** 2
    fit = fit_har(variance[None], (1,), minimum=126)[0]
    parts = (fit.const, fit.daily, fit.weekly, fit.monthly, fit.r2, fit.n)
    found = [float(part[0]) for part in parts]
    note = "squared log returns × 252, %²"
    against = Against(PRINTED, market.SP500)
    return against.printed("HAR: constant, day, week, month, R², n", found, PUBLISHED, note=note)
