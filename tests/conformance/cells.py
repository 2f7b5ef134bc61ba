"""Books of the stocks on some sessions, and what follows from them: the input of many areas.

Twelve books with long and short positions, each on one of the last 40 sessions. NAV is 1, so
money and fractions are the same numbers.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from tests.conformance import market

from riskmark.calc.arrays import Measure
from riskmark.calc.exposures import Books, model_exposures
from riskmark.calc.holdings_returns import Holdings, HoldingsReturns, holdings_returns
from riskmark.calc.model_fits import ModelFits, fit_model

CELLS = 12
HISTORY = 504


class Cells(NamedTuple):
    """Twelve cells; ``weights`` (C, N) are dense, ``holdings`` the same without zeros."""

    returns: np.ndarray
    index: np.ndarray
    weights: np.ndarray
    holdings: Holdings
    cell_row: np.ndarray
    rows: range
    books: Books
    market_fits: ModelFits
    series: HoldingsReturns

    @property
    def place(self) -> np.ndarray:
        """Where each cell's session is among the rows."""
        return self.cell_row - self.rows.start

    def sessions(self, cell: int) -> np.ndarray:
        """Return the rows of the sessions of a cell's x."""
        known = np.flatnonzero(np.isfinite(self.index))
        return known[known <= self.cell_row[cell]][-HISTORY:]

    def included(self, cell: int) -> list[int]:
        """Return the instruments of a cell that are in x."""
        entries = range(*self.holdings.indptr[cell : cell + 2])
        kept = [at for at in entries if not self.series.excluded[at]]
        return self.holdings.indices[kept].tolist()


@cache
def cells(*, with_holes: bool) -> Cells:
    """Make the cells, on returns with holes or whole."""
    returns = market.holed() if with_holes else market.stocks()
    index = market.holed_index() if with_holes else market.panel().of(market.INDEX)
    rng = np.random.default_rng(12)
    weights = rng.normal(0.05, 0.06, (CELLS, returns.shape[1])).round(4)
    weights[rng.random(weights.shape) < 0.2] = 0.0
    rows = range(len(returns) - 40, len(returns))
    cell_row = np.sort(rng.integers(rows.start, rows.stop, CELLS))
    cell_row[-1] = rows[-1]
    model = market.model("market")
    fits = fit_model(returns, index[:, None], model=model, rows=rows)
    holdings = csr_array(weights)
    series = holdings_returns(
        returns, index, fits.parts[0], holdings, cell_row, rows=rows, window=model.window
    )
    gross = np.abs(weights).sum(axis=1)
    books = Books(np.ones(CELLS), gross, gross > 0, np.zeros(CELLS, bool))
    return Cells(returns, index, weights, holdings, cell_row, rows, books, fits, series)


def style_factors(of: Cells) -> np.ndarray:
    """Return the factors of ``style``, missing where the index is."""
    factors = market.factors_of(market.model("style"))
    return np.where(np.isfinite(of.index)[:, None], factors, np.nan)


@cache
def style_fits(*, with_holes: bool) -> ModelFits:
    """Return the fits of ``style`` on the rows of the cells."""
    of = cells(with_holes=with_holes)
    return fit_model(of.returns, style_factors(of), model=market.model("style"), rows=of.rows)


def included(of: Cells) -> Holdings:
    """Return the holdings that are in x: what exposures are made of."""
    found = of.holdings.copy()
    found.data[of.series.excluded] = 0.0
    found.eliminate_zeros()
    return found


@cache
def style_exposures(*, with_holes: bool) -> Measure:
    """Return the exposures of the cells to the factors of ``style``."""
    of = cells(with_holes=with_holes)
    fits = style_fits(with_holes=with_holes)
    return model_exposures(included(of), fits, fit_row=of.place, books=of.books).money
