"""Tracking: how far today's holdings would have strayed from the benchmark, and what it paid.

    tracking error         sd(x_u − b_u) · √252          over the last 252 sessions of x
    active beta            beta − the benchmark's own beta to the Market
    benchmark correlation  of x and b, over the same sessions
    information ratio      √252 · mean(r − b) / sd(r − b)   of realised returns r

b is the benchmark's return. Standard deviations divide by n − 1. What is told of x is ex
ante; the information ratio looks back, over the last 252 sessions with both returns, those
without capital left out.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from riskmark.calc.arrays import (
    CODE_OF,
    BoolArray,
    CodeArray,
    FloatArray,
    IntArray,
    Measure,
    measure,
)
from riskmark.calc.exposures import Books, nav_nulls, over_nav
from riskmark.calc.filled_returns import on_sessions_of_x
from riskmark.calc.holdings_returns import HoldingsReturns
from riskmark.calc.volatility import SESSIONS_A_YEAR
from riskmark.domain.reasons import NullReason

SPAN = 252
"""Sessions that are looked at: a year."""
LEAST = 126
"""Fewest of them that may yield a number: half a year."""
STEADY = 1e-12
"""A deviation below this share of the values' size is rounding: they do not vary."""
CELLS = 256
"""Cells that are measured at a time."""


class Tracking(NamedTuple):
    """Ex-ante tracking of C cells."""

    tracking_error: Measure
    active_beta: Measure
    benchmark_correlation: Measure


class _Moments(NamedTuple):
    """Of x − NAV · b, and of x and b: what the measures need, (C,); NaN with too few sessions."""

    active_deviation: FloatArray
    correlation: FloatArray


class _Past(NamedTuple):
    """What counts of the past of P books, pushed together; then the cells asked for, flat.

    ``active`` and ``nulls`` (P, 252 + S) are the differences of returns, 0 where null, and
    the codes of null returns. Up to a cell's session, ``number`` of them count, and the last
    252 begin at that column.
    """

    active: FloatArray
    nulls: CodeArray
    number: IntArray
    book: IntArray


def track(
    series: HoldingsReturns,
    benchmark: FloatArray,
    *,
    beta: Measure,
    benchmark_beta: Measure,
    counted: BoolArray,
    books: Books,
) -> Tracking:
    """Measure the tracking of C cells whose ``series`` are in money.

    ``benchmark`` (T,) are its returns on the panel's sessions. ``beta`` and
    ``benchmark_beta`` (C,) are those to the Market, ``counted`` (C,) tells where at least one
    position is in x. Where nothing is held, the cash is tracked: x is 0.
    """
    capital = np.where(nav_nulls(books) == 0, books.nav, 0.0)
    parts = [
        _moments(series, benchmark, capital, slice(start, start + CELLS))
        for start in range(0, max(len(series.x), 1), CELLS)
    ]
    active, correlation = (np.concatenate(part) for part in zip(*parts, strict=True))
    excluded = (books.held & ~counted, NullReason.ALL_EXCLUDED)
    few = (np.isnan(active), NullReason.TOO_FEW_OBSERVATIONS)
    in_money = measure(active * np.sqrt(SESSIONS_A_YEAR), excluded, few)
    return Tracking(
        tracking_error=over_nav(in_money, books),
        active_beta=_difference(beta, benchmark_beta),
        benchmark_correlation=measure(
            correlation,
            (~books.held, NullReason.NO_HOLDINGS),
            excluded,
            few,
            (np.isnan(correlation), NullReason.UNDEFINED_DENOMINATOR),
        ),
    )


def information_ratio(
    returns: Measure,
    benchmark: FloatArray,
    rows: range,
    *,
    nulls: tuple[tuple[BoolArray, NullReason], ...] = (),
) -> Measure:
    """Compute the information ratio of P books up to each of ``rows``: (R, P).

    ``returns`` (S, P) are realised, and ``benchmark`` (S or longer) has the same sessions.
    Where a return among those that count is null, the ratio is, for the same reason.
    ``nulls`` (R, P) come before other reasons.
    """
    past = _past(returns, benchmark, rows)
    ratio, codes = np.empty(past.number.size), np.empty(past.number.size, np.int8)
    for start in range(0, len(ratio), CELLS):
        some = slice(start, start + CELLS)
        ratio[some], codes[some] = _ratios(past, some)
    shape = (len(rows), returns.values.shape[1])
    found = measure(np.where(codes == 0, ratio, 0.0).reshape(shape), *nulls)
    codes = np.where(found.nulls != 0, found.nulls, codes.reshape(shape))
    return Measure(np.where(codes == 0, found.values, np.nan), codes)


def _moments(
    series: HoldingsReturns, benchmark: FloatArray, capital: FloatArray, some: slice
) -> _Moments:
    x = series.x[some, -SPAN:]
    b = on_sessions_of_x(series.filled, benchmark, series.place[some], n=SPAN)
    both = np.isfinite(x) & np.isfinite(b)
    n = both.sum(axis=1)
    b_about, b_size = _about(b, both)
    x_about, x_size = _about(x, both)
    active, _ = _about(x - capital[some, None] * b, both)
    products = (
        _products(x_about, b_about),
        _products(x_about, x_about),
        _products(b_about, b_about),
    )
    cross, xx, bb = products
    varies = (np.sqrt(xx) > STEADY * x_size) & (np.sqrt(bb) > STEADY * b_size)
    scale = np.sqrt(np.where(varies, xx, 1.0)) * np.sqrt(np.where(varies, bb, 1.0))
    correlation = np.where(varies & (n >= LEAST), np.clip(cross / scale, -1.0, 1.0), np.nan)
    deviation = np.sqrt(_products(active, active) / np.maximum(n - 1, 1))
    return _Moments(np.where(n >= LEAST, deviation, np.nan), correlation)


def _about(values: FloatArray, counted: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Return the counted values less their mean, 0 elsewhere, and the root of their squares."""
    kept = np.where(counted, values, 0.0)
    size = np.sqrt(_products(kept, kept))
    mean = kept.sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
    return np.where(counted, kept - mean[:, None], 0.0), size


def _products(left: FloatArray, right: FloatArray) -> FloatArray:
    found: FloatArray = np.einsum("cn,cn->c", left, right)
    return found


def _difference(left: Measure, right: Measure) -> Measure:
    nulls = np.where(left.nulls != 0, left.nulls, right.nulls)
    return Measure(np.where(nulls == 0, left.values - right.values, np.nan), nulls)


def _past(returns: Measure, benchmark: FloatArray, rows: range) -> _Past:
    """Push the sessions that count of each book together, after 252 empty ones."""
    sessions, books = returns.values[: rows.stop].shape
    observed = np.isfinite(benchmark[:sessions])
    nulls = returns.nulls[:sessions]
    counting = observed[:, None] & (nulls != CODE_OF[NullReason.NO_CAPITAL])
    number = np.cumsum(counting, axis=0)
    session, book = np.nonzero(counting)
    place = SPAN - 1 + number[session, book]
    active = np.zeros((books, SPAN + sessions))
    codes = np.zeros(active.shape, np.int8)
    found = returns.values[session, book] - benchmark[session]
    codes[book, place] = nulls[session, book]
    active[book, place] = np.where(codes[book, place] == 0, found, 0.0)
    asked = number[rows.start :]
    return _Past(active, codes, asked.ravel(), np.tile(np.arange(books), len(rows)))


def _ratios(past: _Past, some: slice) -> tuple[FloatArray, CodeArray]:
    """Return the ratios of some cells, and the codes of the reasons where there are none."""
    number, book = past.number[some], past.book[some]
    active = sliding_window_view(past.active, SPAN, axis=1)[book, number]
    n = np.minimum(number, SPAN)
    about, size = _about(active, np.arange(SPAN) >= SPAN - n[:, None])
    root = np.sqrt(_products(about, about))
    varies = root > STEADY * size
    deviation = np.where(varies, root, 1.0) / np.sqrt(np.maximum(n - 1, 1))
    ratio = np.sqrt(SESSIONS_A_YEAR) * active.sum(axis=1) / np.maximum(n, 1) / deviation
    codes = sliding_window_view(past.nulls, SPAN, axis=1)[book, number].max(axis=1)
    codes[~varies & (codes == 0)] = CODE_OF[NullReason.UNDEFINED_DENOMINATOR]
    codes[n < LEAST] = CODE_OF[NullReason.TOO_FEW_OBSERVATIONS]
    return ratio, codes
