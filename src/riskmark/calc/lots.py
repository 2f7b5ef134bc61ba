"""Lots as arrays: what each one costs, brings and receives.

    base      quantity / split index at the stated entry     so q(t) = base × split index at t
    shares    base × multiplier
    cost      quantity × entry price × multiplier            fixed: a cost is only split
    proceeds  q(stated exit) × exit price × multiplier
    income    shares × split index × income of t             on t with entry < t ≤ exit

A lot is held at the close of t if entry ≤ t < exit, with its effective rows. All is signed:
a short sale has a negative cost and pays income.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray
from riskmark.calc.marks import MarkPanel

DUST = 1e-12
"""What a sum may leave of its terms' sizes by rounding alone; less than this is nothing."""


class Lots(NamedTuple):
    """Lots as they were stated; every array is (L,).

    ``instrument`` is a column of the panel. ``stated_row`` and ``exit_stated_row`` are the
    last sessions on or before the stated dates, −1 before the panel; ``entry_row`` and
    ``exit_row`` the first on or after them. A lot that is open has an ``exit_row`` beyond
    the panel, and NaN for its ``exit_price``. ``cost_only`` lots are never marked at a close.
    """

    portfolio: IntArray
    instrument: IntArray
    quantity: FloatArray
    multiplier: FloatArray
    stated_row: IntArray
    entry_row: IntArray
    entry_price: FloatArray
    exit_stated_row: IntArray
    exit_row: IntArray
    exit_price: FloatArray
    cost_only: BoolArray


class LotTerms(NamedTuple):
    """The lots that begin before row ``stop``, sorted by portfolio, then instrument.

    ``exit_row`` is ``stop`` for lots that do not end before it. ``priced_row`` is the first
    session whose close can mark the lot, at least ``stop`` if there is none.
    """

    portfolio: IntArray
    instrument: IntArray
    entry_row: IntArray
    exit_row: IntArray
    priced_row: IntArray
    base: FloatArray
    shares: FloatArray
    cost: FloatArray
    proceeds: FloatArray

    def take(self, where: IntArray) -> "LotTerms":
        """Return some of the lots."""
        return LotTerms._make(column[where] for column in self)


class LotAmounts(NamedTuple):
    """Amounts of money, each of a lot on a session; ``portfolio`` is the lot's."""

    lot: IntArray
    portfolio: IntArray
    row: IntArray
    amount: FloatArray

    def take(self, where: IntArray) -> "LotAmounts":
        """Return some of the amounts."""
        return LotAmounts._make(column[where] for column in self)


def settle_lots(lots: Lots, panel: MarkPanel, *, stop: int) -> LotTerms:
    """Work out the terms of the lots that begin before row ``stop``."""
    keep = np.flatnonzero(lots.entry_row < stop)
    order = lots.portfolio[keep] * panel.mark.shape[1] + lots.instrument[keep]
    keep = keep[np.argsort(order, kind="stable")]
    used = Lots._make(column[keep] for column in lots)
    ended = used.exit_row < stop
    base = used.quantity / _index_at(panel, used.stated_row, used.instrument)
    exit_index = _index_at(panel, np.where(ended, used.exit_stated_row, -1), used.instrument)
    shares = base * used.multiplier
    priced = np.isfinite(panel.mark[:stop])
    unpriced = np.where(priced.any(axis=0), priced.argmax(axis=0), stop)
    return LotTerms(
        portfolio=used.portfolio,
        instrument=used.instrument,
        entry_row=used.entry_row,
        exit_row=np.where(ended, used.exit_row, stop),
        priced_row=np.where(used.cost_only, stop, unpriced[used.instrument]),
        base=base,
        shares=shares,
        cost=used.quantity * used.entry_price * used.multiplier,
        proceeds=np.where(ended, shares * exit_index * used.exit_price, 0.0),
    )


def _index_at(panel: MarkPanel, rows: IntArray, columns: IntArray) -> FloatArray:
    """Return the split index at ``rows``; 1 before the panel."""
    return np.where(rows < 0, 1.0, panel.split_index[np.maximum(rows, 0), columns])


def receive_income(terms: LotTerms, panel: MarkPanel, *, stop: int) -> LotAmounts:
    """Return what each lot receives or pays, before row ``stop``."""
    rows, columns = np.nonzero(panel.income[:stop])
    by_column = np.argsort(columns, kind="stable")
    rows, columns = rows[by_column], columns[by_column]
    per_share = panel.income[rows, columns] * panel.split_index[rows, columns]
    # One ascending key for instrument and session finds a lot's events by two searches.
    key = columns * (stop + 1) + rows
    column = terms.instrument * (stop + 1)
    first = np.searchsorted(key, column + terms.entry_row, side="right")
    until = np.searchsorted(key, column + terms.exit_row, side="right")
    count = until - first
    lot = np.repeat(np.arange(len(count)), count)
    event = np.arange(len(lot)) + np.repeat(first - (np.cumsum(count) - count), count)
    amount = terms.shares[lot] * per_share[event]
    return LotAmounts(lot, terms.portfolio[lot], rows[event], amount)


def trade_lots(terms: LotTerms, *, stop: int) -> LotAmounts:
    """Return the money that trades cost (negative) and bring, before row ``stop``."""
    ended = np.flatnonzero(terms.exit_row < stop)
    return LotAmounts(
        lot=np.concatenate([np.arange(len(terms.cost)), ended]),
        portfolio=np.concatenate([terms.portfolio, terms.portfolio[ended]]),
        row=np.concatenate([terms.entry_row, terms.exit_row[ended]]),
        amount=np.concatenate([-terms.cost, terms.proceeds[ended]]),
    )


def realize_lots(terms: LotTerms, *, stop: int) -> LotAmounts:
    """Return what each lot that ends before row ``stop`` has gained on its price."""
    ended = np.flatnonzero(terms.exit_row < stop)
    gain = terms.proceeds[ended] - terms.cost[ended]
    return LotAmounts(ended, terms.portfolio[ended], terms.exit_row[ended], gain)


def run_starts(*keys: IntArray) -> IntArray:
    """Return where each run of equal, adjacent ``keys`` begins."""
    begins = np.ones(len(keys[0]), np.bool_)
    begins[1:] = False
    for key in keys:
        begins[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(begins)


def sum_runs(values: FloatArray, starts: IntArray) -> FloatArray:
    """Add the rows of ``values`` up within the runs that begin at ``starts``."""
    if len(starts) == len(values):
        return values
    return np.add.reduceat(values, starts, axis=0)


def net_runs(values: FloatArray, starts: IntArray) -> FloatArray:
    """Add up like ``sum_runs``, with 0 where no more than rounding is left."""
    if len(starts) == len(values):
        return values
    return without_dust(sum_runs(values, starts), sum_runs(np.abs(values), starts))


def without_dust(values: FloatArray, sizes: FloatArray) -> FloatArray:
    """Return ``values`` with 0 where no more than rounding is left of terms of ``sizes``."""
    return np.where(np.abs(values) <= DUST * sizes, 0.0, values)


def tally(
    rows: IntArray, columns: IntArray, amounts: FloatArray, *, shape: tuple[int, int]
) -> FloatArray:
    """Add ``amounts`` up in the cells of an array of ``shape``."""
    total = np.bincount(rows * shape[1] + columns, amounts, shape[0] * shape[1])
    # Of nothing at all, bincount makes integers.
    return total.astype(np.float64, copy=False).reshape(shape)
