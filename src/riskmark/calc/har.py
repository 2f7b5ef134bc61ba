"""HAR: the next sessions' variance from that of the last session, week and month (Corsi).

    V_{u+1..u+h} = c + b_d · V_u + b_w · V_{u−4..u} + b_m · V_{u−21..u} + noise

V_{a..b} is the mean of the variances of sessions a to b. One least squares fit with
intercept for each series, on every u that has 22 sessions behind it and h before it; the
three parts overlap, as in ``arch.univariate.HARX`` with lags 1, 5 and 22. The forecast for
more than one session is direct: h is the fit's horizon, nothing is iterated.

A part that does not vary, or follows from those before it, has the coefficient 0.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray
from riskmark.calc.rolling import window_sums

WEEK, MONTH = 5, 22
CELLS = 64
"""Series that are fitted at a time: what is at hand then stays in the processor's cache."""
FLAT = 1e-12
"""A variation below this share of the sum of squares is rounding: the part is constant."""
COLLINEAR = 1e-10
"""A part of which the others leave less than this share is determined by them."""


class HarFits(NamedTuple):
    """Fits of C series; all but ``n``, the rows, are NaN where there were too few.

    ``forecast`` is the mean variance of the next ``horizon`` sessions; the observed targets
    lie between ``lowest`` and ``highest``. ``r2`` of targets that never vary is 0.
    """

    n: IntArray
    const: FloatArray
    daily: FloatArray
    weekly: FloatArray
    monthly: FloatArray
    r2: FloatArray
    forecast: FloatArray
    lowest: FloatArray
    highest: FloatArray


def fit_har(
    variance: FloatArray, horizons: tuple[int, ...], *, minimum: int
) -> tuple[HarFits, ...]:
    """Fit each row of ``variance`` (C, L) for each of ``horizons``.

    A row may begin with NaN and has none after it. ``minimum`` is the fewest rows of a fit
    that may yield numbers, at least 5.
    """
    length = np.isfinite(variance).sum(axis=1)
    fits = [_empty(length, horizon) for horizon in horizons]
    able = np.flatnonzero(np.any([one.n >= minimum for one in fits], axis=0))
    for start in range(0, len(able), CELLS):
        some = able[start : start + CELLS]
        series = np.where(np.isfinite(variance[some]), variance[some], 0.0)
        parts = _parts(series)
        for one, horizon in zip(fits, horizons, strict=True):
            enough = one.n[some] >= minimum
            if enough.all():
                _fit(one, some, series, parts, horizon)
            elif enough.any():
                few = [part[enough] for part in parts]
                _fit(one, some[enough], series[enough], few, horizon)
    return tuple(fits)


def _empty(length: IntArray, horizon: int) -> HarFits:
    n = np.maximum(length - (MONTH - 1) - horizon, 0)
    return HarFits(n, *(np.full(len(length), np.nan) for _ in HarFits._fields[1:]))


def _parts(series: FloatArray) -> list[FloatArray]:
    """Return the variance of each session, and the means of the week and month up to it."""
    return [
        series[:, MONTH - 1 :],
        window_sums(series, WEEK)[:, MONTH - WEEK :] / WEEK,
        window_sums(series, MONTH) / MONTH,
    ]


def _fit(
    fits: HarFits, cells: IntArray, series: FloatArray, parts: list[FloatArray], horizon: int
) -> None:
    """Fit ``series``, those of ``cells``, and write the results into ``fits``."""
    n = fits.n[cells]
    target = series[:, MONTH:]
    if horizon > 1:
        target = window_sums(target, horizon) / horizon
    rows = target.shape[1]
    columns = np.stack([part[:, :rows] for part in parts] + [target], axis=1)
    used = None if n.min() == rows else np.arange(rows) >= rows - n[:, None]
    mean, moments = _moments(columns, used, n)
    slope = _solve(moments, n[:, None] * mean * mean)
    latest = np.stack([part[:, -1] for part in parts], axis=1)
    fits.const[cells] = mean[:, 3] - np.einsum("cp,cp->c", slope, mean[:, :3])
    fits.daily[cells], fits.weekly[cells], fits.monthly[cells] = slope.T
    fits.r2[cells] = _explained(slope, moments)
    ahead = np.einsum("cp,cp->c", slope, latest - mean[:, :3])
    fits.forecast[cells] = mean[:, 3] + ahead
    fits.lowest[cells] = _only(target, used, np.inf).min(axis=1)
    fits.highest[cells] = _only(target, used, -np.inf).max(axis=1)


def _only(values: FloatArray, used: BoolArray | None, instead: float) -> FloatArray:
    return values if used is None else np.where(used, values, instead)


def _moments(
    columns: FloatArray, used: BoolArray | None, n: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the means (C, 4) of ``columns`` (C, 4, rows), and the products about them.

    ``used`` (C, rows) tells which rows count; None: all.
    """
    if used is not None:
        columns *= used[:, None]
    mean = columns.sum(axis=2) / n[:, None]
    columns -= mean[:, :, None]
    if used is not None:
        columns *= used[:, None]
    return mean, columns @ columns.swapaxes(1, 2)


def _solve(moments: FloatArray, squared_means: FloatArray) -> FloatArray:
    """Solve for the coefficients (C, 3) of the parts, one part after the other."""
    variation = np.einsum("cpp->cp", moments)[:, :3]
    flat = variation <= FLAT * (variation + squared_means[:, :3])
    scale = np.where(flat, 0.0, 1 / np.sqrt(np.where(flat, 1.0, variation)))
    left = moments[:, :3, :3] * scale[:, :, None] * scale[:, None]
    right = moments[:, :3, 3] * scale
    for part in range(3):
        pivot = left[:, part, part]
        own = pivot > COLLINEAR
        inverse = np.where(own, 1 / np.where(own, pivot, 1.0), 0.0)
        row, solved = left[:, part] * inverse[:, None], right[:, part] * inverse
        factor = left[:, :, part].copy()
        left -= factor[:, :, None] * row[:, None]
        right -= factor * solved[:, None]
        left[:, part], right[:, part] = row, solved
    return right * scale


def _explained(slope: FloatArray, moments: FloatArray) -> FloatArray:
    """Return R²."""
    explained = np.einsum("cp,cp->c", slope, moments[:, :3, 3])
    total = moments[:, 3, 3]
    some = total > 0
    share = np.where(some, explained, 0.0) / np.where(some, total, 1.0)
    return np.clip(share, 0.0, 1.0)
