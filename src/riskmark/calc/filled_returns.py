"""Returns of instruments on the sessions of x, and what stands in for those not observed.

    r_i(u) = β_i · r_mkt(u) + ε      where r_i(u) is missing, with the ``market`` fit at t

The sessions of x are those on which the Market factor was observed: the last 504 up to t.
The j-th missing session counted back from t takes the (j mod n)-th most recent of the fit's
n residuals as its ε. All is counted from the end, so the last sessions of x can be filled
without the rest.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray
from riskmark.calc.regression import FactorFits

HISTORY = 504
"""Sessions of x: two years, the longest window of any measure."""


class FilledReturns(NamedTuple):
    """N instruments × sessions with a Market return, as far back as x goes.

    The k-th of the rows asked for has its x at columns ``begin[k]`` to ``begin[k] + 504``, of
    which the last ``length[k]`` are sessions, and its fit on the last ``fitted[k]``. A
    missing return is 0; columns before the first session are empty, but not missing.
    ``session`` (L,) are the rows of the panel that the columns stand for, −1 for empty ones.
    """

    returns: FloatArray
    market: FloatArray
    missing: BoolArray
    session: IntArray
    begin: IntArray
    length: IntArray
    fitted: IntArray
    fits: FactorFits


def filled_returns(
    returns: FloatArray, market: FloatArray, market_fits: FactorFits, *, rows: range, window: int
) -> FilledReturns:
    """Line up ``returns`` (T, N) with the sessions on which ``market`` (T,) was observed.

    ``market_fits`` are the fits of the Market model on the consecutive ``rows``, made on
    ``window`` sessions, at most 504.
    """
    if not 0 < window <= HISTORY:
        message = f"a window of {window} sessions is not within the {HISTORY} of x"
        raise ValueError(message)
    sessions = np.flatnonzero(np.isfinite(market[: rows.stop]))
    asked = np.arange(rows.start, rows.stop)
    end = np.searchsorted(sessions, asked, side="right")
    fitted = end - np.searchsorted(sessions, asked - window, side="right")
    length = np.minimum(end, HISTORY)
    used = sessions[max(0, end[0] - HISTORY) :] if len(end) else sessions[:0]
    empty = HISTORY - length[0] if len(end) else HISTORY
    shape = (returns.shape[1], empty + len(used))
    observed = returns[used].T
    missing = np.zeros(shape, np.bool_)
    np.logical_not(np.isfinite(observed), out=missing[:, empty:])
    filled = np.zeros(shape)
    np.copyto(filled[:, empty:], observed, where=~missing[:, empty:])
    factor = np.concatenate([np.zeros(empty), market[used]])
    session = np.concatenate([np.full(empty, -1), used])
    return FilledReturns(
        filled, factor, missing, session, end - end[:1], length, fitted, market_fits
    )


def last_returns(
    filled: FilledReturns, place: IntArray, instrument: IntArray, *, n: int
) -> FloatArray:
    """Return the last ``n`` returns, filled, of K instruments: (K, n), in the order of time.

    ``place`` (K,) counts among the rows asked for. Empty columns are 0, and so are missing
    returns where there is no fit to fill them with.
    """
    begin = filled.begin[place] + HISTORY - n
    found = sliding_window_view(filled.returns, n, axis=1)[instrument, begin]
    if not filled.missing.any():
        return found
    missing = sliding_window_view(filled.missing, n, axis=1)[instrument, begin].any(axis=1)
    some = np.flatnonzero(missing & (filled.fits.nulls[place, instrument] == 0))
    found[some] += fills(filled, place[some], instrument[some], n=n)
    return found


def on_sessions_of_x(
    filled: FilledReturns, series: FloatArray, place: IntArray, *, n: int
) -> FloatArray:
    """Return the values of ``series`` (T,) on the last ``n`` sessions of x: (K, n).

    ``place`` (K,) counts among the rows asked for. NaN where there is no session.
    """
    lined_up = np.where(filled.session < 0, np.nan, series[filled.session])
    return sliding_window_view(lined_up, n)[filled.begin[place] + HISTORY - n]


def fills(
    filled: FilledReturns, place: IntArray, instrument: IntArray, *, n: int = HISTORY
) -> FloatArray:
    """Make the fills of K fitted instruments on the last ``n`` sessions: (K, n).

    They are 0 where a return was observed.
    """
    if not len(place):
        return np.zeros((0, n))
    begin = filled.begin[place] + HISTORY - n
    beta = filled.fits.beta[place, instrument, 0]
    missing = sliding_window_view(filled.missing, n, axis=1)[instrument, begin][:, ::-1]
    market = sliding_window_view(filled.market, n)[begin][:, ::-1]
    residuals, count = _residuals(filled, place, instrument)
    pair, back = np.nonzero(missing)
    gaps = missing.sum(axis=1)
    j = np.arange(len(pair)) - (np.cumsum(gaps) - gaps)[pair]
    residual = residuals[(np.cumsum(count) - count)[pair] + j % count[pair]]
    found = np.zeros(missing.shape)
    found[pair, n - 1 - back] = beta[pair] * market[pair, back] + residual
    return found


def _residuals(
    filled: FilledReturns, place: IntArray, instrument: IntArray
) -> tuple[FloatArray, IntArray]:
    """Return the residuals of each fit, newest first, one after the other, and their number."""
    span = int(filled.fitted[place].max())
    begin = filled.begin[place] + HISTORY - span
    inside = np.arange(span) < filled.fitted[place, None]
    returns = sliding_window_view(filled.returns, span, axis=1)[instrument, begin][:, ::-1]
    missing = sliding_window_view(filled.missing, span, axis=1)[instrument, begin][:, ::-1]
    market = sliding_window_view(filled.market, span)[begin][:, ::-1]
    alpha, beta = filled.fits.alpha[place, instrument], filled.fits.beta[place, instrument, 0]
    residuals = returns - alpha[:, None] - beta[:, None] * market
    observed = inside & ~missing
    return residuals[observed], observed.sum(axis=1)
