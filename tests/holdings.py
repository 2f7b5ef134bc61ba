"""Random panels and holdings for what is computed from the series x."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from riskmark.calc.exposures import Books
from riskmark.calc.holdings_returns import HoldingsReturns, holdings_returns
from riskmark.calc.regression import fit_factors

WINDOW, MINIMUM = 20, 5


class World(NamedTuple):
    """A panel with holdings of it: the input and the result of ``holdings_returns``."""

    returns: np.ndarray
    market: np.ndarray
    holdings: csr_array
    cell_row: np.ndarray
    series: HoldingsReturns
    books: Books


def make_world(seed, *, sessions=200, instruments=5, cells=6, missing=0.05, rows=None, length=None):
    """Make returns with gaps, a new listing and a market that misses sessions, and books of it.

    ``length`` limits the sessions with a Market return.
    """
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 0.01, sessions)
    returns = market[:, None] * rng.normal(1, 0.5, instruments)
    returns += rng.standard_t(4, returns.shape) * 0.015
    if missing:
        returns[rng.random(returns.shape) < missing] = np.nan
        returns[: rng.integers(0, sessions), 0] = np.nan
        market[rng.random(sessions) < missing / 2] = np.nan
    if length is not None:
        market[: sessions - length] = np.nan
    amounts = rng.normal(0, 1000, (cells, instruments))
    amounts[rng.random(amounts.shape) < 0.2] = 0
    rows = range(sessions - 4, sessions) if rows is None else rows
    cell_row = rng.integers(rows.start, rows.stop, cells)
    return value(returns, market, csr_array(amounts), cell_row, rows)


def value(returns, market, holdings, cell_row, rows):
    """Compute x of ``holdings``."""
    fits = fit_factors(returns, market[:, None], rows=rows, window=WINDOW, minimum=MINIMUM)
    series = holdings_returns(returns, market, fits, holdings, cell_row, rows=rows, window=WINDOW)
    return World(returns, market, holdings, cell_row, series, books_of(holdings))


def books_of(holdings, *, nav=None, holdings_mode=False):
    """Make books that hold ``holdings``, by default with a NAV of their gross."""
    gross = np.abs(holdings.toarray()).sum(axis=1)
    held = np.diff(holdings.indptr) > 0
    worth = np.where(held, gross, 1.0) if nav is None else np.full(len(gross), float(nav))
    return Books(worth, gross, held, np.full(len(gross), holdings_mode))


def filled_history(world, cell, instrument):
    """Return the returns of x's sessions of an instrument, filled, newest last."""
    unit = csr_array(([1.0], [instrument], [0, 1]), shape=(1, world.returns.shape[1]))
    row = int(world.cell_row[cell])
    own = value(world.returns, world.market, unit, np.array([row]), range(row, row + 1))
    return own.series.x[0]
