"""Marks: what one share is worth on a session, and what it pays and returns.

    mark(t)   the close of t, or the last close before it ÷ splits and spin-offs since
    income(t) D(t) + mark(t−1) / s(t) · (1 − 1/ρ(t))      cash a share, in the shares of t
    r(t)      s(t) · (P(t) + income(t)) / P(t−1) − 1      only between observed closes

with P the as-traded close, s the split ratio (new shares for one old), D the dividend and
ρ the spin-off ratio, each of its ex-date and neutral (1, 0, 1) elsewhere.

Arrays are sessions × instruments. NaN in a close means "not observed". Actions come as the
few that there are, already moved to the session on which they take effect; of several in
one cell, ratios multiply and dividends add up. How old a mark may be before it is called
stale, and what is done where there is none, is for the caller to say.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.calc.running import accumulate

AgeArray: TypeAlias = npt.NDArray[np.int32]


class Events(NamedTuple):
    """Actions of one kind: ``values[k]`` at session ``rows[k]``, instrument ``columns[k]``."""

    rows: IntArray
    columns: IntArray
    values: FloatArray


class MarkPanel(NamedTuple):
    """Marks and what goes with them; every array is (T, N).

    ``mark`` is NaN before the first close. ``age`` counts the sessions since the close that
    the mark comes from: 0 if observed, −1 if there is none. ``split_index`` is the product
    of the splits on all sessions so far. ``income`` is what a share pays on the session.
    ``returns`` are simple total returns, NaN unless both closes were observed.
    """

    mark: FloatArray
    age: AgeArray
    split_index: FloatArray
    income: FloatArray
    returns: FloatArray


def build_marks(
    close: FloatArray, splits: Events, spinoffs: Events, dividends: Events
) -> MarkPanel:
    """Derive marks, income and returns from ``close`` (T, N) and the actions."""
    last = _last_observed(close)
    age = np.arange(len(close), dtype=np.int32)[:, None] - last
    age[last < 0] = -1
    mark = _carried(close, last, (splits, spinoffs))
    split_index = np.ones(close.shape)
    touched, product = _running_product((splits,), len(close))
    split_index[:, touched] = product
    income = np.zeros(close.shape)
    np.add.at(income, (dividends.rows, dividends.columns), dividends.values)
    _add_spinoffs(income, mark, split_index, spinoffs=spinoffs)
    return MarkPanel(mark, age, split_index, income, _total_returns(close, income, splits))


def _last_observed(close: FloatArray) -> AgeArray:
    """Return the row of each cell's newest close so far; −1 where there is none."""
    sessions = np.arange(len(close), dtype=np.int32)[:, None]
    last = np.where(np.isnan(close), np.int32(-1), sessions)
    return accumulate(np.maximum, last, last)


def _carried(close: FloatArray, last: AgeArray, actions: tuple[Events, Events]) -> FloatArray:
    """Fill the gaps after the first close with the last one, in the shares of the session."""
    mark = close.copy()
    rows, columns = np.nonzero(np.isnan(close) & (last >= 0))
    sources = last[rows, columns]
    mark[rows, columns] = close[sources, columns]
    touched, product = _running_product(actions, len(close))
    adjusted = np.isin(columns, touched)
    if adjusted.any():
        rows, columns, sources = rows[adjusted], columns[adjusted], sources[adjusted]
        place = np.searchsorted(touched, columns)
        mark[rows, columns] *= product[sources, place] / product[rows, place]
    return mark


def _running_product(actions: tuple[Events, ...], sessions: int) -> tuple[IntArray, FloatArray]:
    """Return the instruments that have actions, and the product of their ratios so far."""
    touched = np.unique(np.concatenate([events.columns for events in actions]))
    ratio = np.ones((sessions, len(touched)))
    for events in actions:
        place = np.searchsorted(touched, events.columns)
        np.multiply.at(ratio, (events.rows, place), events.values)
    return touched, np.cumprod(ratio, axis=0, out=ratio)


def _add_spinoffs(
    income: FloatArray, mark: FloatArray, split_index: FloatArray, *, spinoffs: Events
) -> None:
    """Add what spin-offs hand out; nothing without a close before them."""
    cells, place = np.unique(
        np.stack([spinoffs.rows, spinoffs.columns]), axis=1, return_inverse=True
    )
    # Two spin-offs of one instrument on one session are one, so that each cell is added once.
    ratio = np.ones(cells.shape[1])
    np.multiply.at(ratio, place.ravel(), spinoffs.values)
    late = cells[0] > 0
    (rows, columns), ratio = cells[:, late], ratio[late]
    split = split_index[rows, columns] / split_index[rows - 1, columns]
    value = mark[rows - 1, columns] / split * (1.0 - 1.0 / ratio)
    income[rows, columns] += np.where(np.isnan(value), 0.0, value)


def _total_returns(close: FloatArray, income: FloatArray, splits: Events) -> FloatArray:
    returns = np.full(close.shape, np.nan)
    np.add(close[1:], income[1:], out=returns[1:])
    np.multiply.at(returns, (splits.rows, splits.columns), splits.values)
    returns[1:] /= close[:-1]
    returns -= 1.0
    return returns
