"""Volatility of the holdings-based series x: how much today's holdings would have moved.

Annual, in the unit of x: the standard deviation (n − 1) of the last n values × √252. The
mean is taken off before anything is squared.

The course of the volatility of 21 values, up to the last session, is read in two ways: its
trend, a least squares line through the last 21 of them, and the percentile of the last one
among 252. Neither depends on the unit of x.
"""

import numpy as np

from riskmark.calc.arrays import FloatArray, Measure, measure
from riskmark.calc.rolling import window_variances
from riskmark.domain.reasons import NullReason, VolatilityTrend

SESSIONS_A_YEAR = 252
MONTH = 21
"""Values of one volatility of the course, and volatilities of a trend."""
LEAST_MOVE = 0.1
"""A line that changes by no more than this share of the mean volatility is flat."""
LEAST_FIT = 0.3
"""A line that explains no more than this share of the variance (R²) is flat."""
TREND_OF = {
    1: VolatilityTrend.RISING,
    0: VolatilityTrend.FLAT,
    -1: VolatilityTrend.FALLING,
}
MARGIN = 1e-9
"""Rounding on which no decision must hang."""
CELLS = 64
"""Series whose course is computed at a time: all that stays in the processor's cache."""


def trailing_volatility(x: FloatArray, n: int) -> Measure:
    """Compute the volatility of the last ``n`` (at least 2) values of each row of ``x``.

    ``x`` (C, L) ends at each cell's session. All n values are needed.
    """
    if n < 2:  # noqa: PLR2004
        message = f"a standard deviation needs 2 values, not {n}"
        raise ValueError(message)
    if n > x.shape[1]:
        values = np.full(len(x), np.nan)
        return measure(values, (np.isnan(values), NullReason.TOO_FEW_OBSERVATIONS))
    tail = x[:, -n:]
    deviations = tail - tail.mean(axis=1, keepdims=True)
    variance = np.einsum("cn,cn->c", deviations, deviations) / (n - 1)
    values = np.sqrt(SESSIONS_A_YEAR * variance)
    return measure(values, (np.isnan(values), NullReason.TOO_FEW_OBSERVATIONS))


def volatility_trend(x: FloatArray) -> Measure:
    """Tell whether the volatility rises (1), falls (−1) or neither (0), for each row of ``x``.

    With the slope of the line through the last 21 volatilities, it rises or falls where
    |slope · 21| > 10 % of their mean and R² > 0.3. 41 values of x are needed.
    """
    course = _course(x, MONTH)
    step = np.arange(MONTH) - (MONTH - 1) / 2
    mean = course.mean(axis=1)
    about = course - mean[:, None]
    slope = about @ step / (step @ step)
    total = np.einsum("cn,cn->c", about, about)
    moves = np.abs(slope * MONTH) > LEAST_MOVE * mean * (1 + MARGIN)
    fits = slope * slope * (step @ step) > LEAST_FIT * total * (1 + MARGIN)
    values = np.where(np.isnan(mean), np.nan, np.where(moves & fits, np.sign(slope), 0.0))
    return measure(values, (np.isnan(values), NullReason.TOO_FEW_OBSERVATIONS))


def volatility_percentile(x: FloatArray) -> Measure:
    """Return the share of the last 252 volatilities that are not above the last one.

    That one counts, so the share is at least 1/252. 272 values of each row of ``x`` are needed.
    """
    course = _course(x, SESSIONS_A_YEAR)
    latest = course[:, -1:]
    share = (course <= latest * (1 + MARGIN)).mean(axis=1)
    missing = np.asarray(np.isnan(course).any(axis=1))
    return measure(share, (missing, NullReason.TOO_FEW_OBSERVATIONS))


def _course(x: FloatArray, n: int) -> FloatArray:
    """Return the last ``n`` volatilities of 21 values each, (C, n); NaN where x is too short."""
    course = np.full((len(x), n), np.nan)
    tail = x[:, -(n + MONTH - 1) :]
    width = tail.shape[1] - MONTH + 1
    if width < 1:
        return course
    for start in range(0, len(x), CELLS):
        some = slice(start, start + CELLS)
        course[some, -width:] = window_variances(tail[some], MONTH)
    np.sqrt(SESSIONS_A_YEAR * course, out=course)
    return course
