"""Positions: the lots of one instrument in one portfolio, netted, on the sessions asked for.

    P&L(t) = MV(t) − MV(t−1) − entry cost + exit proceeds + income, of session t

Arrays are positions × sessions. A position is listed if one of its lots is held or ends on
one of the sessions; it is sorted by portfolio, then instrument.
"""

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray
from riskmark.calc.lots import LotAmounts, LotTerms, net_runs, run_starts
from riskmark.calc.marks import MarkPanel

_Scalar = TypeVar("_Scalar", bound=np.generic)

CELLS = 1 << 20
"""Lots × sessions that are laid out at a time (8 MiB an array)."""


class Positions(NamedTuple):
    """K positions on R sessions: ``portfolio`` and ``instrument`` are (K,), the rest (K, R).

    ``quantity`` is after splits and without the multiplier. ``cost`` is that of the lots
    held at the close; ``held`` says whether there are any, ``closed_today`` whether one
    ended in the session and none is held. ``at_cost`` says that no close marks the position;
    ``cost_mark``, what a share of it then stands at, is NaN elsewhere and where lots cancel.
    What ends in ``_before`` is of the close before, the panel's or 0 and False.
    """

    portfolio: IntArray
    instrument: IntArray
    quantity: FloatArray
    market_value: FloatArray
    cost: FloatArray
    pnl: FloatArray
    held: BoolArray
    closed_today: BoolArray
    at_cost: BoolArray
    cost_mark: FloatArray
    value_before: FloatArray
    held_before: BoolArray
    at_cost_before: BoolArray


class _Close(NamedTuple):
    """What follows from the lots held at the close; every array is positions × sessions."""

    quantity: FloatArray
    market_value: FloatArray
    cost: FloatArray
    held: BoolArray
    at_cost: BoolArray
    cost_mark: FloatArray


def value_positions(
    terms: LotTerms, panel: MarkPanel, amounts: tuple[LotAmounts, ...], *, rows: range
) -> Positions:
    """Value the positions on ``rows``; ``amounts`` are the lots' trades and income."""
    listed = np.flatnonzero(terms.exit_row >= rows.start)
    lots = terms.take(listed)
    starts = run_starts(lots.portfolio, lots.instrument)
    place = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(listed)))
    first = max(rows.start - 1, 0)
    closes = _at_closes(lots, panel, starts, rows=range(first, rows.stop))
    close = _Close._make(array[:, rows.start - first :] for array in closes)
    before = _Close._make(_before(array, len(rows)) for array in closes)
    pnl = close.market_value - before.market_value
    place_of_lot = np.full(len(terms.shares), -1)
    place_of_lot[listed] = place
    for lot, _, row, amount in amounts:
        asked = np.flatnonzero(row >= rows.start)
        np.add.at(pnl, (place_of_lot[lot[asked]], row[asked] - rows.start), amount[asked])
    ended = np.zeros(pnl.shape, np.bool_)
    ends = np.flatnonzero(lots.exit_row < rows.stop)
    ended[place[ends], lots.exit_row[ends] - rows.start] = True
    return Positions(
        portfolio=lots.portfolio[starts],
        instrument=lots.instrument[starts],
        pnl=pnl,
        closed_today=ended & ~close.held,
        value_before=before.market_value,
        held_before=before.held,
        at_cost_before=before.at_cost,
        **close._asdict(),
    )


def _before(closes: npt.NDArray[_Scalar], count: int) -> npt.NDArray[_Scalar]:
    """Return the close before each of the last ``count``; 0 before the panel."""
    if closes.shape[1] > count:
        return closes[:, :-1]
    before = np.zeros_like(closes)
    before[:, 1:] = closes[:, :-1]
    return before


def _at_closes(lots: LotTerms, panel: MarkPanel, starts: IntArray, *, rows: range) -> _Close:
    length = max(1, CELLS // max(len(lots.shares), 1))
    blocks = [
        _at_closes_of_block(lots, panel, starts, rows=rows[place : place + length])
        for place in range(0, len(rows), length)
    ]
    if len(blocks) == 1:
        return blocks[0]
    return _Close._make(np.concatenate(parts, axis=1) for parts in zip(*blocks, strict=True))


def _at_closes_of_block(
    lots: LotTerms, panel: MarkPanel, starts: IntArray, *, rows: range
) -> _Close:
    sessions = np.arange(rows.start, rows.stop)
    column = lots.instrument[starts]
    index = panel.split_index[rows.start : rows.stop, column].T
    price = panel.mark[rows.start : rows.stop, column].T * index
    held = (lots.entry_row[:, None] <= sessions) & (sessions < lots.exit_row[:, None])
    at_cost = held & (sessions < lots.priced_row[:, None])
    base = _net(lots.base, held, starts)
    # Nothing is held at a price before the first close; a NaN there must not spread.
    market_value = _net(lots.shares, held & ~at_cost, starts) * np.nan_to_num(price, copy=False)
    cost_mark = np.full(market_value.shape, np.nan)
    if at_cost.any():
        market_value += _net(lots.cost, at_cost, starts)
        units = _net(lots.shares, held, starts) * index
        any_at_cost = np.logical_or.reduceat(at_cost, starts, axis=0)
        np.divide(market_value, units, out=cost_mark, where=any_at_cost & (units != 0))
    else:
        any_at_cost = np.zeros(market_value.shape, np.bool_)
    return _Close(
        quantity=base * index,
        market_value=market_value,
        cost=_net(lots.cost, held, starts),
        held=np.logical_or.reduceat(held, starts, axis=0),
        at_cost=any_at_cost,
        cost_mark=cost_mark,
    )


def _net(weight: FloatArray, where: BoolArray, starts: IntArray) -> FloatArray:
    return net_runs(np.where(where, weight[:, None], 0.0), starts)
