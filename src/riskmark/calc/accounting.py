"""Accounting: what books own, earn and return, from lots, flows and marks alone.

    NAV = cash + ΣMV
    P&L = NAV(t) − NAV(t−1) − flow(t) = ΔMV − entry costs + exit proceeds + income

The second form of the P&L is the one computed: nothing large cancels in it, and a book without
holdings has a P&L of exactly 0. A book in equity mode keeps its cash, from an opening equity
on; in holdings mode (no opening equity) every trade and all income is a flow, and cash is 0.

Rows are sessions of the panel, columns instruments, books the portfolios 0 … P−1. Nothing is
rolled forward from stored results: a session's numbers depend on inputs up to it and on
nothing else. Dates that are no sessions were moved to sessions by the caller.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.calc.book_paths import BookPaths, MoneyStreams, follow_books, keep_cash
from riskmark.calc.lots import (
    LotAmounts,
    Lots,
    LotTerms,
    realize_lots,
    receive_income,
    settle_lots,
    tally,
    trade_lots,
)
from riskmark.calc.market_values import market_value_path
from riskmark.calc.marks import MarkPanel
from riskmark.calc.positions import Positions, value_positions
from riskmark.calc.running import accumulate
from riskmark.calc.totals import BookTotals, total_books
from riskmark.errors import ShapeError


class Books(NamedTuple):
    """Portfolios: the row of the first session, and the opening equity (NaN: holdings mode).

    A ``first_row`` beyond the sessions asked for means that the book has not begun.
    """

    first_row: IntArray
    opening_equity: FloatArray


class Flows(NamedTuple):
    """Cash put into books in equity mode (> 0) or taken out (< 0), by effective row."""

    portfolio: IntArray
    row: IntArray
    amount: FloatArray


class BookValues(NamedTuple):
    """Series of whole books, and positions and totals on the sessions asked for."""

    paths: BookPaths
    positions: Positions
    totals: BookTotals


def value_books(
    books: Books, lots: Lots, flows: Flows, panel: MarkPanel, *, rows: range
) -> BookValues:
    """Value P books on ``rows`` of the panel, with the series that lead to them.

    Raises ``ShapeError`` if ``rows`` are not consecutive rows of the panel, or if a book in
    holdings mode has flows.
    """
    stop = rows.stop
    if not 0 <= rows.start < stop <= len(panel.mark) or rows.step != 1:
        raise ShapeError(f"{rows} are not rows of a panel of {len(panel.mark)} sessions")
    if np.isnan(books.opening_equity[flows.portfolio]).any():
        raise ShapeError("a book in holdings mode has no flows of its own")
    terms = settle_lots(lots, panel, stop=stop)
    trades, income = trade_lots(terms, stop=stop), receive_income(terms, panel, stop=stop)
    value = market_value_path(terms, panel, books=len(books.first_row), stop=stop)
    streams = _streams(books, flows, (trades, income), stop=stop)
    cash = keep_cash(streams, ~np.isnan(books.opening_equity))
    paths = follow_books(value, cash, streams, held=_held(terms, cash.shape))
    positions = value_positions(terms, panel, (trades, income), rows=rows)
    asked = slice(rows.start, stop)
    totals = total_books(
        positions,
        realized=realize_lots(terms, stop=stop),
        income=income,
        cash=cash[asked],
        net=value[1:][asked],
        flow=paths.inflow[asked] - paths.outflow[asked],
        rows=rows,
    )
    return BookValues(paths, positions, totals)


def _streams(
    books: Books, flows: Flows, amounts: tuple[LotAmounts, ...], *, stop: int
) -> MoneyStreams:
    shape = (stop, len(books.first_row))
    equity = ~np.isnan(books.opening_equity)
    _, book, row, amount = (np.concatenate(parts) for parts in zip(*amounts, strict=True))
    opened = np.flatnonzero(equity & (books.first_row < stop))
    dated = np.flatnonzero(flows.row < stop)
    # In holdings mode what lots earn is paid out at once, and what they cost is put in.
    outside = np.flatnonzero(~equity[book])
    rows = np.concatenate([books.first_row[opened], flows.row[dated], row[outside]])
    columns = np.concatenate([opened, flows.portfolio[dated], book[outside]])
    external = np.concatenate([books.opening_equity[opened], flows.amount[dated], -amount[outside]])
    money_in = tally(rows, columns, np.maximum(external, 0.0), shape=shape)
    money_out = tally(rows, columns, np.maximum(-external, 0.0), shape=shape)
    turnover = tally(row, book, np.abs(amount), shape=shape)
    turnover += money_in
    turnover += money_out
    return MoneyStreams(tally(row, book, amount, shape=shape), money_in, money_out, turnover)


def _held(terms: LotTerms, shape: tuple[int, int]) -> IntArray:
    """Count the lots that each book holds at the close of each session."""
    ended = np.flatnonzero(terms.exit_row < shape[0])
    held = np.zeros(shape, np.int64)
    np.add.at(held, (terms.entry_row, terms.portfolio), 1)
    np.subtract.at(held, (terms.exit_row[ended], terms.portfolio[ended]), 1)
    return accumulate(np.add, held, held)
