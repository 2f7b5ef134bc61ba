"""Trades that were not made: what a book's lots would be if they had been.

A trade first ends lots of the other sign, the oldest first (FIFO), each from the session of
the trade on; of a lot that is larger than what is left of the trade a part is split off. What
no lot takes up begins a lot of its own: a purchase, or a short sale.

Lots are stated in the shares of their entry; a trade is in the shares of its session.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.calc.lots import DUST, Lots


class Trade(NamedTuple):
    """Units of one instrument (a column) bought (> 0) or sold (< 0) at ``price``."""

    instrument: int
    quantity: float
    price: float
    multiplier: float


def make_trade(
    lots: Lots, trade: Trade, *, portfolio: int, row: int, split_index: FloatArray
) -> Lots:
    """Return the lots of ``portfolio`` and all others after a trade at the close of ``row``.

    ``split_index`` (T,) is that of the trade's instrument. Lots keep their order; what is
    added stands behind them.
    """
    places = _offsetting(lots, trade, portfolio=portfolio, row=row)
    stated = lots.stated_row[places]
    index = np.where(stated < 0, 1.0, split_index[np.maximum(stated, 0)])
    sizes = np.abs(lots.quantity[places]) / index * split_index[row]
    size = abs(trade.quantity)
    # Not the sum less the size: a large lot would round what small ones before it take.
    before = np.concatenate([[0.0], np.cumsum(sizes)[:-1]])[: sizes.size]
    taken = np.clip(size - before, 0.0, sizes)
    whole = taken >= sizes * (1.0 - DUST)
    some = (taken > DUST * size) & ~whole
    changed = _end(lots, places[whole], price=trade.price, row=row)
    for place, share in zip(places[some], (taken / sizes)[some], strict=True):
        changed = _split(changed, int(place), float(share), price=trade.price, row=row)
    rest = size - float(taken.sum())
    if rest <= DUST * size:
        return changed
    # The lot is open: it ends beyond the panel.
    return _append(
        changed,
        portfolio=portfolio,
        instrument=trade.instrument,
        quantity=float(np.copysign(rest, trade.quantity)),
        multiplier=trade.multiplier,
        stated_row=row,
        entry_row=row,
        entry_price=trade.price,
        exit_stated_row=len(split_index),
        exit_row=len(split_index),
        exit_price=np.nan,
        cost_only=False,
    )


def _offsetting(lots: Lots, trade: Trade, *, portfolio: int, row: int) -> IntArray:
    """Return the places of the lots that a trade ends, in the order in which it does."""
    found = np.flatnonzero(
        (lots.portfolio == portfolio)
        & (lots.instrument == trade.instrument)
        & (lots.entry_row <= row)
        & (lots.exit_row > row)
        & (np.sign(lots.quantity) == -np.sign(trade.quantity))
    )
    order: IntArray = found[np.argsort(lots.stated_row[found], kind="stable")]
    return order


def _end(lots: Lots, places: IntArray, *, price: float, row: int) -> Lots:
    exit_row, stated = lots.exit_row.copy(), lots.exit_stated_row.copy()
    prices = lots.exit_price.copy()
    exit_row[places], stated[places], prices[places] = row, row, price
    return lots._replace(exit_row=exit_row, exit_stated_row=stated, exit_price=prices)


def _split(lots: Lots, place: int, share: float, *, price: float, row: int) -> Lots:
    """Split ``share`` of a lot off, and end it."""
    quantity = lots.quantity.copy()
    part = quantity[place] * share
    quantity[place] -= part
    fields = {name: getattr(lots, name)[place] for name in Lots._fields}
    fields |= {"quantity": part, "exit_row": row, "exit_stated_row": row, "exit_price": price}
    return _append(lots._replace(quantity=quantity), **fields)


def _append(lots: Lots, **fields: float) -> Lots:
    return Lots._make(
        np.append(column, np.array([fields[name]], dtype=column.dtype))
        for name, column in zip(Lots._fields, lots, strict=True)
    )
