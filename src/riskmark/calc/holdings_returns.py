"""The series x: what today's holdings would have returned on past sessions.

    x_u = Σ_i e_i(t) · r_i(u)      on the last 504 sessions u ≤ t with a Market return

A cell is a portfolio on a session t. Where an instrument's return was not observed, its
``market`` fit at t stands in: β · r_mkt(u) + ε, where the j-th missing session counted back
from t takes the (j mod n)-th most recent of the fit's n residuals. An instrument that has
something to fill, but no fit, is left out of x altogether.

x is linear in the holdings that are given: weights give fractions, money gives money.
Positions that are marked stale or at cost do not belong in them.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.sparse import csr_array

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray
from riskmark.calc.filled_returns import (
    HISTORY,
    FilledReturns,
    filled_returns,
    fills,
    last_returns,
)
from riskmark.calc.regression import FactorFits

Holdings: TypeAlias = "csr_array[np.float64, tuple[int, int]]"
"""Cells × instruments: amounts of money, or weights."""

PROXY_SPAN = 252
"""The tail of x whose filled share is reported."""
BLOCK = 64
"""Sessions whose cells share one product; each takes its own 504 columns of 504 + 63."""
PAIRS = 2048
"""Instruments on a session that are filled at a time (8 MiB of fills)."""
DENSE = 0.25
"""From this share of non-zeros on, a dense product beats a sparse one."""


class HoldingsReturns(NamedTuple):
    """The series of C cells.

    ``x`` (C, 504) ends at each cell's session; it is NaN on the left where fewer than 504
    sessions have a Market return: ``length`` have one. ``filled_share`` is the share of the
    last 252 values that was filled, weighted by |e| over all holdings, excluded ones too; 0
    without any. ``excluded`` goes with the stored entries of the holdings. ``place`` (C,)
    says where each cell's session is among the rows of ``filled``, the returns behind x.
    """

    x: FloatArray
    length: IntArray
    filled_share: FloatArray
    excluded: BoolArray
    place: IntArray
    filled: FilledReturns


class _Entries(NamedTuple):
    """The holdings one by one: cell, place of its session in ``rows``, instrument, amount.

    ``gaps`` counts the missing returns in all of x, ``recent_gaps`` those in the last 252.
    """

    cell: IntArray
    place: IntArray
    instrument: IntArray
    amount: FloatArray
    gaps: IntArray
    recent_gaps: IntArray


def holdings_returns(
    returns: FloatArray,
    market: FloatArray,
    market_fits: FactorFits,
    weights: Holdings,
    cell_row: IntArray,
    *,
    rows: range,
    window: int,
) -> HoldingsReturns:
    """Compute x for the cells of ``weights`` (C, N), whose sessions are ``cell_row`` (C,).

    ``returns`` (T, N) and ``market`` (T,) are the panel. ``cell_row`` holds rows of it, all
    among ``rows``, for which ``market_fits`` are the fits of the Market model; these were
    made on ``window`` sessions, at most 504.
    """
    panel = filled_returns(returns, market, market_fits, rows=rows, window=window)
    place = np.asarray(cell_row, np.int64) - rows.start
    entries = _entries(panel, weights, place)
    fitted = market_fits.nulls[entries.place, entries.instrument] == 0
    excluded = (entries.gaps > 0) & ~fitted
    entries = entries._replace(amount=np.where(excluded, 0.0, entries.amount))
    included = csr_array((entries.amount, weights.indices, weights.indptr), shape=weights.shape)
    x = _observed_part(panel, included, panel.begin[place])
    _add_fills(x, panel, entries, np.flatnonzero((entries.gaps > 0) & fitted))
    length = panel.length[place]
    if np.any(length < HISTORY):
        x[np.arange(HISTORY) < HISTORY - length[:, None]] = np.nan
    size = np.abs(weights.data)
    share = (
        np.where(excluded, 0, entries.recent_gaps) / np.clip(length, 1, PROXY_SPAN)[entries.cell]
    )
    filled = np.bincount(entries.cell, size * share, minlength=len(place))
    total = np.bincount(entries.cell, size, minlength=len(place))
    filled_share = filled / np.where(total > 0, total, 1.0)
    return HoldingsReturns(x, length, filled_share, excluded, place, panel)


def earned(series: HoldingsReturns, before: Holdings) -> FloatArray:
    """Return what ``before`` (C, N) earns on the last session of each cell's x, fills included.

    Held at the close before it, it is the P&L of holdings that stay as they were. What has
    something to fill in x, but no fit, earns nothing.
    """
    entries = _entries(series.filled, before, series.place)
    fitted = series.filled.fits.nulls[entries.place, entries.instrument] == 0
    counts = (entries.gaps == 0) | fitted
    returns = last_returns(series.filled, entries.place, entries.instrument, n=1)[:, 0]
    amounts = np.where(counts, entries.amount * returns, 0.0)
    found: FloatArray = np.zeros(len(series.x))
    np.add.at(found, entries.cell, amounts)
    return found


def _entries(panel: FilledReturns, weights: Holdings, place: IntArray) -> _Entries:
    cell = np.repeat(np.arange(len(place)), np.diff(weights.indptr))
    instrument = weights.indices.astype(np.int64)
    begin = panel.begin[place[cell]]
    gaps = recent_gaps = np.zeros(len(cell), np.int64)
    if panel.missing.any():
        before = np.zeros((len(panel.missing), panel.missing.shape[1] + 1), np.int64)
        np.cumsum(panel.missing, axis=1, out=before[:, 1:])
        until = before[instrument, begin + HISTORY]
        gaps = until - before[instrument, begin]
        recent_gaps = until - before[instrument, begin + HISTORY - PROXY_SPAN]
    return _Entries(cell, place[cell], instrument, weights.data, gaps, recent_gaps)


def _observed_part(panel: FilledReturns, weights: Holdings, begin: IntArray) -> FloatArray:
    """Sum what was observed; a cell's x begins at column ``begin`` of the panel."""
    order = np.argsort(begin, kind="stable")
    is_sorted = bool(np.all(order[1:] > order[:-1]))
    ordered, first = (weights, begin) if is_sorted else (weights[order], begin[order])
    x = np.empty((len(begin), HISTORY))
    start = 0
    while start < len(first):
        stop = int(np.searchsorted(first, first[start] + BLOCK))
        columns = panel.returns[:, first[start] : first[stop - 1] + HISTORY]
        block = _product(ordered, slice(start, stop), columns)
        offset = first[start:stop] - first[start]
        x[start:stop] = sliding_window_view(block, HISTORY, axis=1)[np.arange(stop - start), offset]
        start = stop
    if is_sorted:
        return x
    result = np.empty_like(x)
    result[order] = x
    return result


def _product(weights: Holdings, cells: slice, returns: FloatArray) -> FloatArray:
    """Multiply some rows of ``weights`` by ``returns`` (N, L)."""
    bounds = weights.indptr[cells.start : cells.stop + 1]
    entries = slice(int(bounds[0]), int(bounds[-1]))
    shape = (len(bounds) - 1, weights.shape[1])
    parts = (weights.data[entries], weights.indices[entries], bounds - bounds[0])
    some = csr_array(parts, shape=shape)
    if some.nnz >= DENSE * shape[0] * shape[1]:
        return np.asarray(some.toarray() @ returns)
    return np.asarray(some @ np.ascontiguousarray(returns))


def _add_fills(x: FloatArray, panel: FilledReturns, entries: _Entries, filled: IntArray) -> None:
    """Add to ``x`` what stands in for missing returns of the entries ``filled``.

    The same instrument on the same session is filled once for all the cells that hold it.
    """
    key = entries.place[filled] * len(panel.returns) + entries.instrument[filled]
    pairs, pair_of = np.unique(key, return_inverse=True)
    place, instrument = np.divmod(pairs, len(panel.returns))
    by_pair = np.argsort(pair_of, kind="stable")
    for start in range(0, len(pairs), PAIRS):
        some = slice(start, start + PAIRS)
        stand_ins = fills(panel, place[some], instrument[some])
        bounds = np.searchsorted(pair_of[by_pair], [start, start + PAIRS])
        mine = by_pair[bounds[0] : bounds[1]]
        cells, row = np.unique(entries.cell[filled[mine]], return_inverse=True)
        amounts = csr_array(
            (entries.amount[filled[mine]], (row, pair_of[mine] - start)),
            shape=(len(cells), len(stand_ins)),
        )
        x[cells] += amounts @ stand_ins
