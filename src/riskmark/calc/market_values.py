"""Market value of whole books on every session, without an array of lots × sessions.

A lot is one or two *legs*: at cost until its instrument's first close, then at the mark.

    MV(t) = Σ weight × price(t)      over the legs with start ≤ t < stop

The price of a leg at the mark is mark × split index and its weight the lot's shares before
any split, so the weight is constant; at cost the price is 1 and the weight the cost. Sessions
are taken in chunks: legs that span a chunk are one sparse product with its prices, the few
that begin or end inside it are laid out session by session. So a book that holds nothing is
worth exactly 0.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.calc.lots import LotTerms, net_runs, run_starts, sum_runs
from riskmark.calc.marks import MarkPanel

CELLS = 1 << 17
"""Legs × sessions that a chunk may lay out: about what its product costs for 30,000 lots."""


class _Legs(NamedTuple):
    """Legs, sorted by portfolio, then column of the prices."""

    portfolio: IntArray
    column: IntArray
    start: IntArray
    stop: IntArray
    weight: FloatArray

    def take(self, where: IntArray) -> "_Legs":
        return _Legs._make(column[where] for column in self)


def market_value_path(terms: LotTerms, panel: MarkPanel, *, books: int, stop: int) -> FloatArray:
    """Return ΣMV of each book before the first session and on those before ``stop``.

    The shape is (1 + stop, books); the first row is 0.
    """
    path = np.zeros((1 + stop, books))
    used, column = np.unique(terms.instrument, return_inverse=True)
    legs = _legs(terms, column, cost_column=len(used))
    if not len(legs.weight):
        return path
    begin = int(legs.start.min())
    prices = np.ones((len(used) + 1, stop - begin))
    mark, index = panel.mark[begin:stop], panel.split_index[begin:stop]
    np.multiply(mark.take(used, axis=1).T, index.take(used, axis=1).T, out=prices[:-1])
    # No leg reads a price before the first close, but a product multiplies it by 0.
    prices[np.isnan(prices)] = 0.0
    legs = legs._replace(start=legs.start - begin, stop=legs.stop - begin)
    later = path[1 + begin :]
    for part, value in _chunk_values(legs, prices, books):
        later[part] = value.T
    return path


def _legs(terms: LotTerms, column: IntArray, *, cost_column: int) -> _Legs:
    priced = np.clip(terms.priced_row, terms.entry_row, terms.exit_row)
    marked = np.flatnonzero(priced < terms.exit_row)
    at_cost = np.flatnonzero(terms.entry_row < priced)
    first = _Legs(terms.portfolio, column, priced, terms.exit_row, terms.shares).take(marked)
    column = np.full(len(column), cost_column)
    rest = _Legs(terms.portfolio, column, terms.entry_row, priced, terms.cost).take(at_cost)
    return _joined(first, rest)


def _joined(legs: _Legs, more: _Legs) -> _Legs:
    """Return all of both, sorted."""
    if not len(more.weight):
        return legs
    both = _Legs._make(np.concatenate(pair) for pair in zip(legs, more, strict=True))
    return both.take(np.lexsort((both.column, both.portfolio)))


def _chunk_values(
    legs: _Legs, prices: FloatArray, books: int
) -> Iterator[tuple[slice, FloatArray]]:
    """Yield chunks of sessions with the market values on them, (books, sessions)."""
    starts = run_starts(legs.portfolio, legs.column)
    key = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(legs.weight)))
    firsts = legs.take(starts)
    indptr = np.searchsorted(firsts.portfolio, np.arange(books + 1)).astype(np.int32)
    columns = firsts.column.astype(np.int32)
    weights = csr_array((np.zeros(len(starts)), columns, indptr), shape=(books, len(prices)))
    for start, stop in pairwise(_boundaries(legs, prices.shape[1])):
        spanning = (legs.start <= start) & (legs.stop >= stop)
        inside = np.flatnonzero((legs.start < stop) & (legs.stop > start) & ~spanning)
        net = net_runs(np.where(spanning, legs.weight, 0.0), starts)
        # What a change inside the chunk may cancel must stand beside it, as one more leg.
        beside = key[inside]
        beside = beside[run_starts(beside)]
        beside = beside[net[beside] != 0.0]
        ends = np.full(len(beside), start), np.full(len(beside), stop)
        rest = _Legs(firsts.portfolio[beside], firsts.column[beside], *ends, net[beside])
        net[beside] = 0.0
        weights.data = net
        value = weights @ np.ascontiguousarray(prices[:, start:stop])
        if len(inside):
            _add_inside(value, _joined(legs.take(inside), rest), prices, start=start)
        yield slice(start, stop), value


def _boundaries(legs: _Legs, sessions: int) -> list[int]:
    """Cut the sessions so that what a chunk lays out stays within ``CELLS``."""
    changes = np.concatenate([legs.start, legs.stop])
    count = np.bincount(changes, minlength=sessions)[:sessions].tolist()
    cuts, inside = [0], 0
    for session in range(1, sessions):
        inside += count[session]
        if inside * (session + 1 - cuts[-1]) > CELLS:
            cuts.append(session)
            inside = 0
    return [*cuts, sessions]


def _add_inside(value: FloatArray, legs: _Legs, prices: FloatArray, *, start: int) -> None:
    """Add the legs that begin or end inside the chunk that begins at ``start``."""
    stop = start + value.shape[1]
    sessions = np.arange(value.shape[1], dtype=np.int32)
    begin, end = (legs.start - start).astype(np.int32), (legs.stop - start).astype(np.int32)
    held = (begin[:, None] <= sessions) & (sessions < end[:, None])
    starts = run_starts(legs.portfolio, legs.column)
    worth = net_runs(held * legs.weight[:, None], starts)
    worth *= prices[legs.column[starts], start:stop]
    portfolio = legs.portfolio[starts]
    books = run_starts(portfolio)
    value[portfolio[books]] += sum_runs(worth, books)
