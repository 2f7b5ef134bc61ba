"""Forecasts of volatility: how much today's holdings are going to move.

    EWMA    V_u = λ · V_{u−1} + (1 − λ) · x_u²,  λ = 0.94, from the variance of the first 21 x on
    HAR     the variances x_u² of the next session, or of the next 21, from those behind it

All are annual, as fractions: √(252 · variance). A HAR forecast outside the range of its
observed targets is no forecast; the EWMA variance stands in for it, and that is told.

x (C, L) are the series of ``holdings_returns``, NaN only on the left. 504 values are meant;
fewer make the same numbers of what there is, as long as EWMA has one value beside those
that it starts from, and HAR 126 rows.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import BoolArray, FloatArray, Measure, measure
from riskmark.calc.har import HarFits, fit_har
from riskmark.calc.volatility import SESSIONS_A_YEAR
from riskmark.domain.reasons import NullReason

DECAY = 0.94
"""λ of RiskMetrics for one session."""
SEED = 21
"""The first values, a month, whose variance (n − 1) EWMA starts from."""
LEAST_ROWS = 126
"""Fewest rows of a HAR fit: half a year."""
HORIZON = 21
"""Sessions of the long HAR forecast: a month."""
MARGIN = 1e-9
"""Rounding on which the decision that a forecast is out of range must not hang."""


class Forecasts(NamedTuple):
    """Forecasts for C cells.

    ``har_fallback`` is 1 where EWMA stands in for HAR at either horizon, else 0, and null
    where there is no HAR forecast at all.
    """

    vol_ewma: Measure
    vol_har_1d: Measure
    vol_har_21d: Measure
    har_fallback: Measure


def forecast_volatility(x: FloatArray) -> Forecasts:
    """Forecast the volatility of each row of ``x`` (C, L), in the unit of x."""
    ewma = ewma_variance(x)
    fits = fit_har(x * x, (1, HORIZON), minimum=LEAST_ROWS)
    (one, one_fell_back), (month, month_fell_back) = (_variance(fit, ewma) for fit in fits)
    fell_back = np.where(one_fell_back | month_fell_back, 1.0, 0.0)
    fell_back[np.isnan(one) & np.isnan(month)] = np.nan
    return Forecasts(
        vol_ewma=_measure(np.sqrt(SESSIONS_A_YEAR * ewma)),
        vol_har_1d=_measure(np.sqrt(SESSIONS_A_YEAR * one)),
        vol_har_21d=_measure(np.sqrt(SESSIONS_A_YEAR * month)),
        har_fallback=_measure(fell_back),
    )


def ewma_variance(x: FloatArray) -> FloatArray:
    """Return the exponentially weighted variance of a session, (C,); NaN under 22 values.

    The first 21 values of a series, at its far end, enter by their variance only.
    """
    length = np.isfinite(x).sum(axis=1)
    enough = length > SEED
    start = np.where(enough, x.shape[1] - length, 0)
    first = np.take_along_axis(x, start[:, None] + np.arange(min(SEED, x.shape[1])), axis=1)
    seed = first.var(axis=1, ddof=1) if x.shape[1] > SEED else np.full(len(x), np.nan)
    back = np.arange(x.shape[1] - 1, -1, -1)
    later = back < (length - SEED)[:, None]
    recent = np.where(later, x, 0.0)
    weighted = (recent * recent) @ ((1 - DECAY) * DECAY**back)
    seed_weight = DECAY ** np.maximum(length - SEED, 0)
    return np.where(enough, seed_weight * seed + weighted, np.nan)


def _variance(fits: HarFits, ewma: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return the forecast variance of a session, and where it is EWMA's instead."""
    rounding = MARGIN * fits.highest
    below = fits.forecast < fits.lowest - rounding
    outside = below | (fits.forecast > fits.highest + rounding)
    return np.where(outside, ewma, np.maximum(fits.forecast, 0.0)), outside


def _measure(values: FloatArray) -> Measure:
    return measure(values, (np.isnan(values), NullReason.TOO_FEW_OBSERVATIONS))
