"""Volatility: what it was, how it stands, and forecasts of it. Annual, on 252 sessions."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from riskmark.calc import forecasts, har, volatility
from riskmark.calc.arrays import BoolArray, FloatArray, IntArray
from riskmark.calc.plain.columns import as_columns


class VolatilityForecast(NamedTuple):
    """Forecasts for N series; for a single series plain numbers.

    Attributes
    ----------
    ewma : float64, shape (N,)
        Exponentially weighted volatility with λ = 0.94, a fraction a year.
    har_1d : float64, shape (N,)
        HAR forecast of the next session, a fraction a year.
    har_21d : float64, shape (N,)
        HAR forecast of the next 21 sessions, a fraction a year.
    is_fallback : bool, shape (N,)
        Whether EWMA stands in for a HAR forecast beyond what was ever observed, true or false.
    """

    ewma: FloatArray
    har_1d: FloatArray
    har_21d: FloatArray
    is_fallback: BoolArray


class HarFit(NamedTuple):
    """HAR regressions of N series; for a single series plain numbers.

    Attributes
    ----------
    n : int64, shape (N,)
        Rows of the regression, a count of sessions.
    const : float64, shape (N,)
        Intercept, fraction² a session.
    daily : float64, shape (N,)
        Coefficient of the last session's variance, a ratio.
    weekly : float64, shape (N,)
        Coefficient of the mean variance of the last 5 sessions, a ratio.
    monthly : float64, shape (N,)
        Coefficient of the mean variance of the last 22 sessions, a ratio.
    r2 : float64, shape (N,)
        Share of the variance that is explained, a fraction.
    variance : float64, shape (N,)
        Forecast of the mean variance over the horizon, fraction² a session; may be negative
        or beyond what was observed, as least squares has it.
    """

    n: IntArray
    const: FloatArray
    daily: FloatArray
    weekly: FloatArray
    monthly: FloatArray
    r2: FloatArray
    variance: FloatArray


def estimate_volatility(returns: npt.ArrayLike, *, window: int = 63) -> FloatArray:
    """Compute the volatility of the last ``window`` observed returns.

    Parameters
    ----------
    returns : float64, shape (T,) or (T, N)
        Simple returns a session, as fractions. NaN: not observed, and passed over.
    window : int
        Returns that count, at least 2, a count.

    Returns
    -------
    float64, shape () or (N,)
        Standard deviation (n − 1) × √252, a fraction a year; NaN with fewer than ``window``
        returns.

    Raises
    ------
    ShapeError
        ``returns`` is neither vector nor matrix.
    ValueError
        A return is infinite, or ``window`` is below 2.

    Notes
    -----
    The mean is taken off first; no decay. Source: the sample standard deviation.
    """
    given = as_columns(returns, "returns")
    return given.shaped(volatility.trailing_volatility(given.pushed, window).values)  # type: ignore[no-any-return]


def forecast_volatility(returns: npt.ArrayLike) -> VolatilityForecast:
    """Forecast volatility by EWMA, and by HAR for the next session and the next 21.

    Parameters
    ----------
    returns : float64, shape (T,) or (T, N)
        Simple returns a session, as fractions. NaN: not observed, and passed over. Riskmark
        itself gives 504.

    Returns
    -------
    VolatilityForecast
        Fractions a year; NaN with fewer than 22 returns (EWMA), and fewer than 126 rows of a
        regression (HAR: 148 returns for the next session, 168 for the next 21).

    Raises
    ------
    ShapeError
        ``returns`` is neither vector nor matrix.
    ValueError
        A return is infinite.

    Notes
    -----
    EWMA: RiskMetrics (1996), started from the variance of the first 21 returns. HAR: Corsi
    (2009) on squared returns, direct for 21 sessions; out of the range of its observed
    targets it is replaced by EWMA.
    """
    given = as_columns(returns, "returns")
    found = forecasts.forecast_volatility(given.pushed)
    return VolatilityForecast(
        ewma=given.shaped(found.vol_ewma.values),
        har_1d=given.shaped(found.vol_har_1d.values),
        har_21d=given.shaped(found.vol_har_21d.values),
        is_fallback=given.shaped(np.asarray(found.har_fallback.values == 1)),
    )


def fit_har(returns: npt.ArrayLike, *, horizon: int = 1, minimum: int = 126) -> HarFit:
    """Regress the variance of the next sessions on that of the last session, week and month.

    Parameters
    ----------
    returns : float64, shape (T,) or (T, N)
        Simple returns a session, as fractions. NaN: not observed, and passed over.
    horizon : int
        Sessions ahead whose mean variance is forecast, at least 1, a count.
    minimum : int
        Fewest rows that may yield numbers, at least 5, a count.

    Returns
    -------
    HarFit
        Coefficients as ratios, variances as fraction² a session; NaN with fewer than
        ``minimum`` rows. A row takes 22 returns before it and ``horizon`` after it.

    Raises
    ------
    ShapeError
        ``returns`` is neither vector nor matrix.
    ValueError
        A return is infinite, ``horizon`` is below 1 or ``minimum`` below 5.

    Notes
    -----
    Corsi (2009), as ``arch.univariate.HARX`` with lags 1, 5 and 22; the horizon is direct.
    """
    given = as_columns(returns, "returns")
    if horizon < 1 or minimum < 5:  # noqa: PLR2004 - one more than there are coefficients
        message = f"horizon {horizon} must be at least 1, and minimum {minimum} at least 5"
        raise ValueError(message)
    pushed = given.pushed
    (found,) = har.fit_har(pushed * pushed, (horizon,), minimum=minimum)
    return HarFit(
        n=given.shaped(found.n),
        const=given.shaped(found.const),
        daily=given.shaped(found.daily),
        weekly=given.shaped(found.weekly),
        monthly=given.shaped(found.monthly),
        r2=given.shaped(found.r2),
        variance=given.shaped(found.forecast),
    )


def volatility_percentile(returns: npt.ArrayLike) -> FloatArray:
    """Tell how high the volatility of 21 returns stands among the last 252 of them.

    Parameters
    ----------
    returns : float64, shape (T,) or (T, N)
        Simple returns a session, as fractions. NaN: not observed, and passed over.

    Returns
    -------
    float64, shape () or (N,)
        Share of the 252 volatilities that are not above the last one, a fraction from 1/252 to
        1; NaN with fewer than 272 returns.

    Raises
    ------
    ShapeError
        ``returns`` is neither vector nor matrix.
    ValueError
        A return is infinite.

    Notes
    -----
    A rank, so it depends neither on the unit nor on the scale of the returns. Source: the
    empirical distribution.
    """
    given = as_columns(returns, "returns")
    return given.shaped(volatility.volatility_percentile(given.pushed).values)  # type: ignore[no-any-return]


def volatility_trend(returns: npt.ArrayLike) -> FloatArray:
    """Tell whether the volatility of 21 returns rises, falls or neither.

    Parameters
    ----------
    returns : float64, shape (T,) or (T, N)
        Simple returns a session, as fractions. NaN: not observed, and passed over.

    Returns
    -------
    float64, shape () or (N,)
        A code: 1 rising, −1 falling, 0 neither; NaN with fewer than 41 returns.

    Raises
    ------
    ShapeError
        ``returns`` is neither vector nor matrix.
    ValueError
        A return is infinite.

    Notes
    -----
    A least squares line through the last 21 volatilities: it rises or falls where it changes
    by more than 10 % of their mean, with R² above 0.3. The definition is Riskmark's own; there
    is no other source.
    """
    given = as_columns(returns, "returns")
    return given.shaped(volatility.volatility_trend(given.pushed).values)  # type: ignore[no-any-return]
