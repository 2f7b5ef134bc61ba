"""The series of whole books: NAV, flows, P&L and return, session by session.

    flow    = the session's money in − money out; inflow and outflow are its two sides
    P&L     = earned + ΔMV                              = NAV(t) − NAV(t−1) − flow
    return  = P&L / (NAV(t−1) + inflow)                 = (NAV + outflow) / (NAV(t−1) + inflow) − 1

Where NAV(t−1) + inflow would not be positive (a first session, a flat book, a day trade),
money in and money out stand as they are, not netted. Money that cancels up to rounding has
cancelled: a NAV of 0 is 0, and capital of 0 is none.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import CODE_OF, BoolArray, FloatArray, IntArray, Measure
from riskmark.calc.lots import DUST, without_dust
from riskmark.calc.running import accumulate
from riskmark.domain.reasons import NullReason

BLOCK = 32
"""Sessions at a time: what is at hand then stays in the processor's cache (1,000 books)."""


class BookPaths(NamedTuple):
    """Series from the panel's start to the last session asked for; every array is (S, P).

    All is 0, and the return null, before a book's first session. ``held`` counts the lots
    held at the close.
    """

    nav: FloatArray
    inflow: FloatArray
    outflow: FloatArray
    pnl: FloatArray
    returns: Measure
    held: IntArray


class MoneyStreams(NamedTuple):
    """Money by session and book, (S, P).

    ``earned`` is what trades and income brought, less what they cost; ``money_in`` and
    ``money_out`` are the flows by their signs; ``turnover`` adds up the sizes of all of it.
    """

    earned: FloatArray
    money_in: FloatArray
    money_out: FloatArray
    turnover: FloatArray


def keep_cash(streams: MoneyStreams, equity: BoolArray) -> FloatArray:
    """Return the cash of books, (S, P); 0 for those that are not ``equity`` (P,)."""
    if not equity.any():
        return np.zeros(streams.earned.shape)
    cash = streams.money_in - streams.money_out
    cash += streams.earned
    accumulate(np.add, cash, cash)
    cash[:, ~equity] = 0.0
    # What all sessions turned over bounds the dust; only cells within it need a closer look.
    bound = DUST * streams.turnover.sum(axis=0)
    rows, books = np.nonzero((cash != 0.0) & (cash <= bound) & (cash >= -bound))
    for row, book in zip(rows.tolist(), books.tolist(), strict=True):
        size = DUST * streams.turnover[: row + 1, book].sum()
        cash[row, book] = 0.0 if abs(cash[row, book]) <= size else cash[row, book]
    return cash


def follow_books(
    market_value: FloatArray, cash: FloatArray, streams: MoneyStreams, *, held: IntArray
) -> BookPaths:
    """Make the series from ``market_value`` (1 + S, P), which starts before the first session.

    The arrays of ``streams`` are taken over, not copied.
    """
    nav = np.zeros(market_value.shape)
    inflow, outflow, pnl = streams.money_in, streams.money_out, streams.earned
    returns = np.full(pnl.shape, np.nan)
    nulls = np.zeros(pnl.shape, np.int8)
    for start in range(0, len(pnl), BLOCK):
        part = slice(start, min(start + BLOCK, len(pnl)))
        value, value_before, before = market_value[1:][part], market_value[part], nav[part]
        now = np.add(value, cash[part], out=nav[1:][part])
        # Cash is −ΣMV where only dust is left.
        now[np.abs(now) <= 2 * DUST * np.abs(value)] = 0.0
        pnl[part] += value - value_before
        _net_flows(inflow[part], outflow[part], before)
        sizes = streams.turnover[part] + np.abs(value) + np.abs(value_before)
        _fill_returns(
            Measure(returns[part], nulls[part]), pnl[part], inflow[part], before, sizes=sizes
        )
    return BookPaths(nav[1:], inflow, outflow, pnl, Measure(returns, nulls), held)


def _net_flows(inflow: FloatArray, outflow: FloatArray, before: FloatArray) -> None:
    """Net money in with money out, in place, where NAV(t−1) + inflow stays positive."""
    cells = np.nonzero((inflow > 0.0) & (outflow > 0.0))
    money_in, money_out, nav = inflow[cells], outflow[cells], before[cells]
    flow = without_dust(money_in - money_out, money_in + money_out)
    put_in = np.maximum(flow, 0.0)
    netted = without_dust(nav + put_in, np.abs(nav) + put_in) > 0.0
    inflow[cells] = np.where(netted, put_in, money_in)
    outflow[cells] = np.where(netted, np.where(flow < 0.0, -flow, 0.0), money_out)


def _fill_returns(
    returns: Measure, pnl: FloatArray, inflow: FloatArray, before: FloatArray, *, sizes: FloatArray
) -> None:
    """Compute returns in place; a P&L within the dust of ``sizes`` is none."""
    capital = before + inflow
    # NAV(t−1) is −inflow where only dust is left, so the terms' sizes are twice the inflow.
    dust = 2 * DUST * inflow
    empty = capital <= dust
    np.divide(pnl, capital, out=returns.values, where=~empty)
    returns.nulls[empty] = CODE_OF[NullReason.NAV_NOT_POSITIVE]
    still = empty & (capital >= -dust) & (np.abs(pnl) <= DUST * sizes)
    returns.nulls[still] = CODE_OF[NullReason.NO_CAPITAL]
