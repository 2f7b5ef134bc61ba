"""Regressions of returns on factors: betas, their errors, and how much they explain."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from riskmark.calc import regression
from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.calc.fit_details import FitDetails, detail_fits
from riskmark.calc.plain.columns import Columns, as_columns, same_length


class FactorFit(NamedTuple):
    """Regressions of N series on F factors; for a single series without the axis N.

    Attributes
    ----------
    n : int64, shape (N,)
        Sessions on which the series and all factors were observed, a count.
    alpha : float64, shape (N,)
        Intercept, a fraction a session.
    beta : float64, shape (N, F)
        Slopes, a ratio: return of the series per return of the factor.
    stderr : float64, shape (N, F)
        Standard errors of ``beta``, a ratio; NaN throughout for ridge.
    stderr_hac : float64, shape (N, F)
        The same by Newey and West, robust to autocorrelation and changing variance; a ratio,
        NaN throughout for ridge.
    vif : float64, shape (N, F)
        Variance inflation factors, a ratio of at least 1: how far a factor follows from the
        others. NaN throughout for ridge.
    r2 : float64, shape (N,)
        Share of the variance that is explained, a fraction.
    residual_sd : float64, shape (N,)
        Standard deviation of the residuals with n − F − 1, a fraction a session.
    """

    n: IntArray
    alpha: FloatArray
    beta: FloatArray
    stderr: FloatArray
    stderr_hac: FloatArray
    vif: FloatArray
    r2: FloatArray
    residual_sd: FloatArray


class RollingFit(NamedTuple):
    """Regressions over the window of each of T sessions; for a single series without N.

    Attributes
    ----------
    n : int64, shape (T, N)
        Sessions that count, a count.
    alpha : float64, shape (T, N)
        Intercept, a fraction a session.
    beta : float64, shape (T, N, F)
        Slopes, a ratio.
    stderr : float64, shape (T, N, F)
        Standard errors of ``beta``, a ratio.
    r2 : float64, shape (T, N)
        Share of the variance that is explained, a fraction.
    residual_sd : float64, shape (T, N)
        Standard deviation of the residuals, a fraction a session.
    """

    n: IntArray
    alpha: FloatArray
    beta: FloatArray
    stderr: FloatArray
    r2: FloatArray
    residual_sd: FloatArray


def fit_factors(
    returns: npt.ArrayLike,
    factors: npt.ArrayLike,
    *,
    minimum: int | None = None,
    ridge: float = 0.0,
) -> FactorFit:
    """Regress every series of ``returns`` on all ``factors``, over all sessions given.

    Parameters
    ----------
    returns : float64, shape (T,) or (T, N)
        Simple returns a session, as fractions. NaN: not observed; that session does not count
        for that series.
    factors : float64, shape (T,) or (T, F)
        Returns of the factors on the same sessions, as fractions. A session on which one of
        them is NaN does not count for any series.
    minimum : int, optional
        Fewest sessions that may yield numbers, a count; at least, and by default, F + 2.
    ridge : float
        Penalty of ridge regression on factors scaled to a standard deviation of 1, no unit;
        0 is least squares.

    Returns
    -------
    FactorFit
        Numbers of each series, as fractions a session and ratios. NaN where there are fewer
        than ``minimum`` sessions, where a factor does not move, and for least squares where
        factors determine one another.

    Raises
    ------
    ShapeError
        The two have different numbers of sessions, or are neither vector nor matrix.
    ValueError
        Something is infinite, or ``ridge`` is negative.

    Notes
    -----
    Ordinary least squares with intercept; robust errors of Newey and West (1987) with
    floor(4 · (n / 100)^(2/9)) lags; ridge as scikit-learn defines its objective.

    Examples
    --------
    >>> import numpy as np
    >>> market = np.array([0.01, -0.02, 0.015, 0.005, -0.01])
    >>> fit = fit_factors(0.001 + 1.5 * market, market)
    >>> fit.beta.round(6).tolist(), round(float(fit.alpha), 6)
    ([1.5], 0.001)
    """
    if ridge < 0:
        message = f"ridge must be 0 or more, not {ridge}"
        raise ValueError(message)
    left, right = _both(returns, factors)
    sessions = len(left.values)
    fits = _fit(left, right, range(max(sessions - 1, 0), sessions), sessions, minimum, ridge)
    shape = (left.values.shape[1], right.values.shape[1])
    details = FitDetails(np.full(shape, np.nan), np.full(shape, np.nan))
    if sessions and not ridge:
        details = detail_fits(left.values, right.values, fits, row=sessions - 1, window=sessions)
    if not sessions:
        fits = regression.FactorFits._make(_nothing(part) for part in fits)
    return FactorFit(
        n=left.shaped(fits.n[0]),
        alpha=left.shaped(fits.alpha[0]),
        beta=_of_series(left, fits.beta[0]),
        stderr=_of_series(left, fits.stderr[0]),
        stderr_hac=_of_series(left, details.stderr_hac),
        vif=_of_series(left, details.vif),
        r2=left.shaped(fits.r2[0]),
        residual_sd=left.shaped(fits.residual_sd[0]),
    )


def fit_rolling_factors(
    returns: npt.ArrayLike,
    factors: npt.ArrayLike,
    *,
    window: int,
    minimum: int | None = None,
) -> RollingFit:
    """Regress ``returns`` on ``factors`` over the last ``window`` sessions of every session.

    Parameters
    ----------
    returns : float64, shape (T,) or (T, N)
        Simple returns a session, as fractions; NaN: not observed.
    factors : float64, shape (T,) or (T, F)
        Returns of the factors on the same sessions, as fractions; NaN as in ``fit_factors``.
    window : int
        Sessions looked back on, that of the row included, a count; fewer at the start.
    minimum : int, optional
        Fewest of them that may yield numbers, a count; at least, and by default, F + 2.

    Returns
    -------
    RollingFit
        Least squares fits of every session, as fractions and ratios; NaN as in
        ``fit_factors``.

    Raises
    ------
    ShapeError
        The two have different numbers of sessions, or are neither vector nor matrix.
    ValueError
        Something is infinite, or ``window`` is below 1.

    Notes
    -----
    Sums over a window are made of the numbers inside it only: a crash that has left the
    window leaves no rounding error behind.
    """
    left, right = _both(returns, factors)
    fits = _fit(left, right, range(len(left.values)), window, minimum, 0.0)
    return RollingFit(
        n=left.shaped(fits.n),
        alpha=left.shaped(fits.alpha),
        beta=_of_series(left, fits.beta),
        stderr=_of_series(left, fits.stderr),
        r2=left.shaped(fits.r2),
        residual_sd=left.shaped(fits.residual_sd),
    )


def _both(returns: npt.ArrayLike, factors: npt.ArrayLike) -> tuple[Columns, Columns]:
    left, right = as_columns(returns, "returns"), as_columns(factors, "factors")
    same_length(left, right, ("returns", "factors"))
    return left, right


def _fit(  # noqa: PLR0917 - private, and each is named where it is called
    left: Columns,
    right: Columns,
    rows: range,
    window: int,
    minimum: int | None,
    ridge: float,
) -> regression.FactorFits:
    least = right.values.shape[1] + 2
    return regression.fit_factors(
        left.values,
        right.values,
        rows=rows,
        window=max(window, 1) if not len(left.values) else window,
        minimum=max(least, minimum or least),
        alpha=ridge,
    )


def _nothing(part: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Stand in for the fit of a session that there is not."""
    empty = 0 if part.dtype.kind == "i" else np.nan
    return np.full((1, *part.shape[1:]), empty, part.dtype)


def _of_series(left: Columns, found: FloatArray) -> FloatArray:
    """Drop the axis of the series, the last but one, where a single one was given."""
    return found[..., 0, :] if left.is_single else found
