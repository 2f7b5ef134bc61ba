"""Back-tests: whether VaR and volatility, as they were stated, were right."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from riskmark.calc import backtests
from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.calc.plain.columns import Columns, as_columns
from riskmark.errors import ShapeError


class VarScore(NamedTuple):
    """A back-test of N series of VaR; for a single series plain numbers.

    Attributes
    ----------
    sessions : int64, shape (N,)
        Sessions with both numbers, a count.
    exceptions : int64, shape (N,)
        Sessions that lost more than VaR, a count.
    expected : float64, shape (N,)
        How many there should have been, a count.
    kupiec_p : float64, shape (N,)
        Chance of so wrong a number of exceptions if VaR is right, a fraction (Kupiec).
    independence_p : float64, shape (N,)
        Chance of exceptions so clustered if they are independent, a fraction (Christoffersen).
    conditional_p : float64, shape (N,)
        Chance of both together, a fraction.
    light : int64, shape (N,)
        Basel's zone, a code: 0 green, 1 yellow, 2 red; −1 without sessions.
    """

    sessions: IntArray
    exceptions: IntArray
    expected: FloatArray
    kupiec_p: FloatArray
    independence_p: FloatArray
    conditional_p: FloatArray
    light: IntArray


class VolatilityScore(NamedTuple):
    """Mean losses of N series of forecasts; for a single series plain numbers.

    Attributes
    ----------
    sessions : int64, shape (N,)
        Sessions with both numbers, a count.
    qlike : float64, shape (N,)
        Mean of ln h + v / h, no unit; the lower, the better. NaN if a forecast is 0.
    mse : float64, shape (N,)
        Mean of (v − h)², fraction⁴; the lower, the better.
    """

    sessions: IntArray
    qlike: FloatArray
    mse: FloatArray


def backtest_var(pnl: npt.ArrayLike, var: npt.ArrayLike, *, confidence: float) -> VarScore:
    """Hold VaR against what happened.

    Parameters
    ----------
    pnl : float64, shape (T,) or (T, N)
        Gains and losses a session, in money or as fractions. NaN: skip the session.
    var : float64, shape (T,) or (T, N)
        VaR in the unit of ``pnl``, a loss positive, on the session that it is *for*: stated at
        the close before. NaN: skip the session.
    confidence : float
        That of ``var``, a fraction: 0.95.

    Returns
    -------
    VarScore
        Counts, and p-values as fractions; NaN without sessions, or without two in a row.

    Raises
    ------
    ShapeError
        The two have different shapes.
    ValueError
        Something is infinite, or ``confidence`` is not between 0 and 1.

    Notes
    -----
    Kupiec (1995), Christoffersen (1998), and the traffic light of the Basel Committee (1996).
    Two sessions follow one another only if nothing was skipped between them.
    """
    if not 0 < confidence < 1:
        message = f"confidence must be between 0 and 1, as 0.95; not {confidence}"
        raise ValueError(message)
    left, right = _both(pnl, var, ("pnl", "var"))
    found = backtests.backtest_var(left.values.T, right.values.T, confidence=confidence)
    return VarScore(
        sessions=left.shaped(found.sessions),
        exceptions=left.shaped(found.exceptions),
        expected=left.shaped(np.asarray(found.expected)),
        kupiec_p=left.shaped(found.kupiec_p.values),
        independence_p=left.shaped(found.independence_p.values),
        conditional_p=left.shaped(found.conditional_p.values),
        light=left.shaped(found.light),
    )


def backtest_volatility(forecast: npt.ArrayLike, realized: npt.ArrayLike) -> VolatilityScore:
    """Score forecasts of variance against the squared returns that followed.

    Parameters
    ----------
    forecast : float64, shape (T,) or (T, N)
        Variances of a session, fraction², on the session that they are *for*; an annual
        volatility is σ² / 252. NaN: skip the session.
    realized : float64, shape (T,) or (T, N)
        Squared returns of these sessions, fraction². NaN: skip the session.

    Returns
    -------
    VolatilityScore
        Mean losses, QLIKE without a unit; NaN without sessions.

    Raises
    ------
    ShapeError
        The two have different shapes.
    ValueError
        Something is infinite.

    Notes
    -----
    Both losses rank forecasts rightly against a noisy proxy (Patton 2011).
    """
    left, right = _both(forecast, realized, ("forecast", "realized"))
    found = backtests.backtest_volatility(left.values.T, right.values.T)
    return VolatilityScore(
        left.shaped(found.sessions),
        left.shaped(found.qlike.values),
        left.shaped(found.mse.values),
    )


def _both(
    first: npt.ArrayLike, second: npt.ArrayLike, names: tuple[str, str]
) -> tuple[Columns, Columns]:
    left, right = as_columns(first, names[0]), as_columns(second, names[1])
    if left.values.shape != right.values.shape:
        shapes = f"{left.values.shape} and {right.values.shape}"
        raise ShapeError(f"{names[0]} and {names[1]} have different shapes: {shapes}")
    return left, right
