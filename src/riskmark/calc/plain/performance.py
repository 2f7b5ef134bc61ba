"""Performance of realised returns and flows: drawdown, ratios, money-weighted return."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from riskmark.calc.arrays import FloatArray, IntArray, measure
from riskmark.calc.drawdowns import follow_drawdown
from riskmark.calc.plain.columns import as_columns, as_vector
from riskmark.calc.return_ratios import return_ratios
from riskmark.calc.xirr import CashFlows, solve_rates
from riskmark.domain.reasons import NullReason

DAYS_A_YEAR = 365
"""Of actual/365, as spreadsheets have it."""


class Drawdown(NamedTuple):
    """Drawdowns of N series on T sessions; for a single series without the axis N.

    Attributes
    ----------
    path : float64, shape (T, N)
        How far wealth is below its highest point so far, a fraction ≤ 0.
    deepest : float64, shape (N,)
        The maximum drawdown, a fraction ≤ 0.
    peak : int64, shape (N,)
        Row of the last session at the peak before it, a place; −1: before the first session.
    trough : int64, shape (N,)
        Row of the first session at the bottom, a place; −1 where wealth never fell.
    recovery : int64, shape (N,)
        Row of the first session back at the peak, a place; −1 where that has not come.
    """

    path: FloatArray
    deepest: FloatArray
    peak: IntArray
    trough: IntArray
    recovery: IntArray


class ReturnRatios(NamedTuple):
    """Ratios of N series over all sessions given; for a single series plain numbers.

    Attributes
    ----------
    volatility : float64, shape (N,)
        Standard deviation (n − 1), a fraction a year.
    sharpe : float64, shape (N,)
        Mean excess return over volatility, a ratio, annual.
    sortino : float64, shape (N,)
        Mean excess return over downside deviation, a ratio, annual.
    """

    volatility: FloatArray
    sharpe: FloatArray
    sortino: FloatArray


def measure_drawdown(returns: npt.ArrayLike) -> Drawdown:
    """Follow how far wealth is below its highest point so far.

    Parameters
    ----------
    returns : float64, shape (T,) or (T, N)
        Simple returns a session, as fractions of at least −1. NaN: none; wealth stands still.

    Returns
    -------
    Drawdown
        Fractions, and rows of ``returns`` as places. There is at least one session, and no NaN.

    Raises
    ------
    ShapeError
        ``returns`` is neither vector nor matrix.
    ValueError
        A return is infinite or below −1, or there is no session.

    Notes
    -----
    Wealth is 1 before the first session, and that may be the peak. The convention of
    empyrical, with the sessions of the deepest beside it.
    """
    given = as_columns(returns, "returns")
    observed = np.isfinite(given.values)
    steps = np.where(observed, given.values, 0.0)
    if not len(steps) or steps.min(initial=0.0) < -1:
        message = "a drawdown needs at least one session, and returns of at least -1"
        raise ValueError(message)
    start = np.zeros((1, steps.shape[1]))
    wealth = np.multiply.accumulate(1.0 + np.concatenate([start, steps]), axis=0)
    found = follow_drawdown(wealth, observed, rows=range(len(steps)))
    return Drawdown(
        path=given.shaped(found.drawdown),
        deepest=given.shaped(found.max_drawdown[-1]),
        peak=given.shaped(found.peak_row[-1]),
        trough=given.shaped(found.trough_row[-1]),
        recovery=given.shaped(found.recovery_row[-1]),
    )


def measure_return_ratios(returns: npt.ArrayLike, *, risk_free: float = 0.0) -> ReturnRatios:
    """Measure volatility, Sharpe and Sortino ratio over all returns given.

    Parameters
    ----------
    returns : float64, shape (T,) or (T, N)
        Simple returns a session, as fractions. NaN: not observed, and passed over.
    risk_free : float
        What the ratios are in excess of, a fraction a year.

    Returns
    -------
    ReturnRatios
        Annual, on 252 sessions; NaN with fewer than 2 returns, and for a ratio where its
        denominator is 0.

    Raises
    ------
    ShapeError
        ``returns`` is neither vector nor matrix.
    ValueError
        A return is infinite.

    Notes
    -----
    Sharpe (1994) and Sortino (1994), as empyrical has them.
    """
    given = as_columns(returns, "returns")
    if not len(given.values):
        nothing = given.shaped(np.full(given.values.shape[1], np.nan))
        return ReturnRatios(nothing, nothing, nothing)
    known = measure(given.values, (np.isnan(given.values), NullReason.TOO_FEW_OBSERVATIONS))
    last = range(len(given.values) - 1, len(given.values))
    found = return_ratios(known, last, risk_free=risk_free, nulls=())
    return ReturnRatios(*(given.shaped(one.values[0]) for one in found))


def solve_xirr(amounts: npt.ArrayLike, dates: npt.ArrayLike) -> float:
    """Find the rate a year at which dated amounts of money are worth nothing together.

    Parameters
    ----------
    amounts : float64, shape (n,)
        Money put in is negative, money taken out and the final value are positive.
    dates : datetime64[D] or float64, shape (n,)
        Their dates (also as ``datetime.date`` or ISO text), or days since any fixed one; in any
        order.

    Returns
    -------
    float
        A fraction a year: 0.05 is five percent. NaN where no rate solves it: amounts of one
        sign, or of one date. Of several rates the one nearest 0.

    Raises
    ------
    ShapeError
        The two have different lengths.
    ValueError
        An amount is not finite, or a date cannot be read.

    Notes
    -----
    Actual/365, as spreadsheets' XIRR; the root is found by Newton's method where it is
    provably the only one, and by a search outwards from 0 elsewhere.

    Examples
    --------
    >>> round(solve_xirr([-100.0, 110.0], ["2022-01-01", "2023-01-01"]), 6)
    0.1
    """
    money = as_vector(amounts, "amounts")
    if not np.isfinite(money).all():
        message = "an amount is not a finite number"
        raise ValueError(message)
    stated = np.asarray(dates)
    if stated.dtype.kind not in "iuf":
        stated = stated.astype("datetime64[D]").astype(np.float64)
    days = as_vector(stated, "dates", length=len(money))
    if len(days) < 2 or np.ptp(days) == 0:  # noqa: PLR2004 - one in, one out
        return float("nan")
    order = np.argsort(days, kind="stable")
    flows = CashFlows(money[order], days[order], np.array([0, len(days)]))
    return float(solve_rates(flows, horizon_days=np.array([float(DAYS_A_YEAR)]))[0])
