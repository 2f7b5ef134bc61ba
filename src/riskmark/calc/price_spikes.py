"""Spikes: closes that jump further than their symbol ever does, and are back a session later.

A wrong print looks like that, and so does a day of panic; who looks decides. The move of a
session that many symbols share is taken out first, so that a crash is nobody's spike.

Arithmetic on arrays alone: returns are simple, as fractions, adjusted for splits, shape
(n_sessions, n_symbols); NaN means "not observed".
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import FloatArray, IntArray

MULTIPLE = 8.0
"""Robust standard deviations beyond which a move is looked at."""
LEFT_OVER = 0.25
"""The share of a move that may be left when the next session has undone it."""
FEWEST_OBSERVATIONS = 30
FEWEST_SYMBOLS = 10
"""Symbols on a session below which nothing is taken out as shared by all."""
SMALLEST_SCALE = 0.0025
"""A symbol that hardly ever moves is measured against this standard deviation."""
_MAD_OF_NORMAL = 1.4826


class Spikes(NamedTuple):
    """Row and column of each spike, its move, and the move in robust standard deviations."""

    row: IntArray
    column: IntArray
    move: FloatArray
    multiple: FloatArray


def find_spikes(returns: FloatArray, *, multiple: float = MULTIPLE) -> Spikes:
    """Find moves beyond ``multiple`` robust deviations that the next session undid."""
    excess = returns - _shared(returns)[:, np.newaxis]
    center = _median(excess, FEWEST_OBSERVATIONS)
    scale = _MAD_OF_NORMAL * _median(np.abs(excess - center), FEWEST_OBSERVATIONS)
    sizes = np.abs(excess) / np.maximum(scale, SMALLEST_SCALE)
    left = (1 + excess[:-1]) * (1 + excess[1:]) - 1
    is_spike = sizes[:-1] > multiple
    is_spike &= np.abs(left) <= LEFT_OVER * np.abs(excess[:-1])
    row, column = np.nonzero(is_spike)
    return Spikes(row, column, returns[row, column], sizes[row, column])


def _shared(returns: FloatArray) -> FloatArray:
    """Return the median move of each session, 0 where too few symbols have one."""
    shared = _median(returns.T, FEWEST_SYMBOLS)
    return np.where(np.isnan(shared), 0.0, shared)


def _median(values: FloatArray, fewest: int) -> FloatArray:
    """Return the median of each column; NaN where fewer values are observed."""
    found = np.full(values.shape[1], np.nan)
    enough = (~np.isnan(values)).sum(axis=0) >= fewest
    if enough.any():
        found[enough] = np.nanmedian(values[:, enough], axis=0)
    return found
