"""Totals: the money numbers of whole books on the sessions asked for."""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.calc.lots import LotAmounts, run_starts, sum_runs, tally
from riskmark.calc.positions import Positions


class BookTotals(NamedTuple):
    """The numbers of books on the sessions asked for; every array is (R, P).

    ``short_value`` is at most 0. ``positions`` counts the instruments held at the close.
    """

    cash: FloatArray
    long_value: FloatArray
    short_value: FloatArray
    gross: FloatArray
    net: FloatArray
    flow: FloatArray
    income: FloatArray
    cum_realized: FloatArray
    cum_unrealized: FloatArray
    cum_income: FloatArray
    positions: IntArray


def total_books(
    positions: Positions,
    *,
    realized: LotAmounts,
    income: LotAmounts,
    cash: FloatArray,
    net: FloatArray,
    flow: FloatArray,
    rows: range,
) -> BookTotals:
    """Add up by book what lots have gained and received, and what positions are worth.

    ``cash``, ``net`` and ``flow`` (R, P) are taken as they are; ``realized`` and ``income``
    hold all amounts up to the last of ``rows``.
    """
    today = np.flatnonzero(income.row >= rows.start)
    value, books = positions.market_value, cash.shape[1]
    long_value = _by_book(positions, np.maximum(value, 0.0), books)
    short_value = _by_book(positions, np.minimum(value, 0.0), books)
    return BookTotals(
        cash=cash,
        long_value=long_value,
        short_value=short_value,
        gross=long_value - short_value,
        net=net,
        flow=flow,
        income=_of_rows(income.take(today), rows, books),
        cum_realized=np.cumsum(_of_rows(realized, rows, books), axis=0),
        cum_unrealized=_by_book(positions, value - positions.cost, books),
        cum_income=np.cumsum(_of_rows(income, rows, books), axis=0),
        positions=_by_book(positions, positions.held.astype(np.float64), books).astype(np.int64),
    )


def _of_rows(amounts: LotAmounts, rows: range, books: int) -> FloatArray:
    """Add ``amounts`` up by session and book; earlier ones count on the first of ``rows``."""
    row = np.maximum(amounts.row - rows.start, 0)
    return tally(row, amounts.portfolio, amounts.amount, shape=(len(rows), books))


def _by_book(positions: Positions, values: FloatArray, books: int) -> FloatArray:
    """Add (K, R) ``values`` of positions up by book, (R, P)."""
    total = np.zeros((values.shape[1], books))
    starts = run_starts(positions.portfolio)
    total[:, positions.portfolio[starts]] = sum_runs(values, starts).T
    return total
