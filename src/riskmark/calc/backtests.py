"""Back-tests: whether VaR and volatility, as they were stated, were right.

An exception is a session whose P&L fell below −VaR of the session before. With x exceptions
on n sessions, π = x / n, and p the probability that the VaR allows:

    Kupiec           LR_uc  = −2 · ln L(p; n, x) + 2 · ln L(π; n, x),   L = (1 − p)^(n−x) · p^x
    Christoffersen   LR_ind = the same of one probability against two, after a session with
                              and without an exception (n_ij counts going from i to j)
                     LR_cc  = LR_uc + LR_ind
    Basel            green below 95 % of the binomial distribution, red from 99.99 % on

p-values are those of χ², with 1, 1 and 2 degrees of freedom. A variance forecast h is scored
against the squared return v that followed, by means over sessions:

    QLIKE = ln h + v / h       MSE = (v − h)²

Sessions run along the last axis, and NaN marks one to skip. Two sessions follow one another
only if nothing was skipped between them.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import bdtr, erfc, xlogy

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray, Measure, measure
from riskmark.domain.reasons import NullReason, TrafficLight

LIGHTS = (TrafficLight.GREEN, TrafficLight.YELLOW, TrafficLight.RED)
YELLOW_FROM, RED_FROM = 0.95, 0.9999
"""Shares of the binomial distribution at which Basel's zones begin."""
MARGIN = 1e-9
"""A loss beyond VaR by this share of it is rounding, and no exception."""


class VarBacktest(NamedTuple):
    """A back-test of C series; ``light`` (C,) are places in ``LIGHTS``, −1 without sessions."""

    sessions: IntArray
    skipped: IntArray
    exceptions: IntArray
    expected: FloatArray
    kupiec: Measure
    kupiec_p: Measure
    independence: Measure
    independence_p: Measure
    conditional: Measure
    conditional_p: Measure
    light: IntArray


class VolatilityBacktest(NamedTuple):
    """Mean losses of C series of forecasts, on ``sessions`` (C,)."""

    sessions: IntArray
    skipped: IntArray
    qlike: Measure
    mse: Measure


def exceptions(pnl: FloatArray, var: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Tell on which sessions (C, S) there is an exception, and which have both numbers.

    ``var`` stands on the session whose ``pnl`` it is held against: that of the session before.
    """
    both = np.isfinite(pnl) & np.isfinite(var)
    loss, limit = np.where(both, -pnl, 0.0), np.where(both, var, 0.0)
    return both & (loss > limit + MARGIN * np.abs(limit)), both


def backtest_var(pnl: FloatArray, var: FloatArray, *, confidence: float) -> VarBacktest:
    """Back-test ``var`` (C, S) at ``confidence`` against ``pnl`` (C, S)."""
    hit, counted = exceptions(pnl, var)
    n, x = counted.sum(axis=-1), hit.sum(axis=-1)
    p = 1 - confidence
    kupiec = kupiec_ratio(n, x, p)
    independence, pairs = _independence(hit, counted)
    conditional = kupiec + independence
    none = (n == 0, NullReason.TOO_FEW_OBSERVATIONS)
    lonely = (pairs == 0, NullReason.TOO_FEW_OBSERVATIONS)
    return VarBacktest(
        sessions=n,
        skipped=pnl.shape[-1] - n,
        exceptions=x,
        expected=n * p,
        kupiec=measure(kupiec, none),
        kupiec_p=measure(erfc(np.sqrt(kupiec / 2)), none),
        independence=measure(independence, lonely),
        independence_p=measure(erfc(np.sqrt(independence / 2)), lonely),
        conditional=measure(conditional, lonely),
        conditional_p=measure(np.exp(-conditional / 2), lonely),
        light=traffic_light(n, x, p),
    )


def kupiec_ratio(n: IntArray, x: IntArray, p: float) -> FloatArray:
    """Return LR_uc for ``x`` exceptions on ``n`` sessions; 0 without sessions."""
    share = x / np.maximum(n, 1)
    ratio = 2 * (_log_likelihood(n, x, share) - _log_likelihood(n, x, np.full(share.shape, p)))
    return np.maximum(ratio, 0.0)


def traffic_light(n: IntArray, x: IntArray, p: float) -> IntArray:
    """Return places in ``LIGHTS``; −1 without sessions. No exception at all is always green."""
    likely = bdtr(x.astype(np.float64), n, p)
    zone = (likely >= YELLOW_FROM).astype(np.int64) + (likely >= RED_FROM)
    return np.where(n == 0, -1, np.where(x == 0, 0, zone))


def backtest_volatility(forecast: FloatArray, realized: FloatArray) -> VolatilityBacktest:
    """Score ``forecast`` (C, S), variances of a session, against ``realized`` squared returns.

    A forecast of 0 has no QLIKE.
    """
    both = np.isfinite(forecast) & np.isfinite(realized)
    n = both.sum(axis=-1)
    h, v = np.where(both, forecast, 1.0), np.where(both, realized, 1.0)
    positive = h > 0
    safe = np.where(positive, h, 1.0)
    some = np.maximum(n, 1)
    qlike = np.where(both, np.log(safe) + v / safe, 0.0).sum(axis=-1) / some
    mse = ((v - h) ** 2).sum(axis=-1) / some
    none = (n == 0, NullReason.TOO_FEW_OBSERVATIONS)
    flat = (np.asarray(~positive.all(axis=-1)), NullReason.UNDEFINED_DENOMINATOR)
    return VolatilityBacktest(
        n, forecast.shape[-1] - n, measure(qlike, none, flat), measure(mse, none)
    )


def _log_likelihood(n: IntArray, x: IntArray, p: FloatArray) -> FloatArray:
    """Return ln L(p; n, x), where 0 · ln 0 is 0."""
    found: FloatArray = xlogy(n - x, 1 - p) + xlogy(x, p)
    return found


def _independence(hit: BoolArray, counted: BoolArray) -> tuple[FloatArray, IntArray]:
    """Return LR_ind, and the number of sessions that follow one another."""
    pair = counted[..., 1:] & counted[..., :-1]
    after, now = pair & hit[..., :-1], pair & hit[..., 1:]
    n, n_after = pair.sum(axis=-1), after.sum(axis=-1)
    x, x_after = now.sum(axis=-1), (after & now).sum(axis=-1)
    n_else, x_else = n - n_after, x - x_after
    apart = sum(
        _log_likelihood(sessions, found, found / np.maximum(sessions, 1))
        for sessions, found in ((n_after, x_after), (n_else, x_else))
    )
    together = _log_likelihood(n, x, x / np.maximum(n, 1))
    return np.maximum(2 * (apart - together), 0.0), n
