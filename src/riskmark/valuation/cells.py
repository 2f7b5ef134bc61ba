"""The planned cells of a shard, flat: what stands where, and what positions are in them.

A cell is a portfolio on a session; C of them are planned, sorted by portfolio and session.
Q positions are shown: those held at the close of a planned cell, and those that ended in it.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray, Measure
from riskmark.calc.exposures import Books
from riskmark.calc.holdings_returns import Holdings
from riskmark.calc.positions import Positions
from riskmark.valuation.exposed import Exposures, Shown, expose
from riskmark.valuation.shard import ShardInputs, Valued


class Cells:
    """Takes cells and positions out of the arrays of a shard."""

    def __init__(self, inputs: ShardInputs, valued: Valued) -> None:
        positions = valued.values.positions
        self._inputs = inputs
        self.portfolio, self.offset = np.nonzero(inputs.planned)
        self.row: IntArray = self.offset + inputs.rows.start
        cell_at = np.full(inputs.planned.shape, -1, dtype=np.int64)
        cell_at[self.portfolio, self.offset] = np.arange(self.row.size)
        shown = (positions.held | positions.closed_today) & (cell_at[positions.portfolio] >= 0)
        place, offset = np.nonzero(shown)
        cell = cell_at[positions.portfolio[place], offset]
        order = np.lexsort((positions.instrument[place], cell))
        self._place, self._at = place[order], offset[order]
        self.position_cell: IntArray = cell[order]
        self._portfolio = positions.portfolio[self._place]
        self.position_instrument: IntArray = positions.instrument[self._place]
        """Places among the shard's columns."""
        self.position_offset: IntArray = self._at
        self.is_held: BoolArray = self.of_position(positions.held)
        totals = valued.values.totals
        self.count: IntArray = self.of_book(totals.positions)
        self.exposures: Exposures = expose(
            inputs,
            self._shown(
                self.of_position(positions.market_value),
                self.is_held,
                self.of_position(positions.at_cost),
                back=0,
            ),
        )
        self.books = Books(
            nav=self.of_path(valued.values.paths.nav),
            gross=self.of_book(totals.gross),
            held=self.count > 0,
            holdings_mode=np.isnan(inputs.books.opening_equity)[self.portfolio],
        )
        if self.exposures.is_option.any():
            sizes: FloatArray = np.asarray(
                abs(self.exposed(self.exposures, self.is_held)).sum(axis=1), dtype=np.float64
            )
            self.books = self.books._replace(gross=sizes, market_gross=self.books.gross)

    def __len__(self) -> int:
        """Return the number of cells."""
        return int(self.row.size)

    def of_book(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Take the cells of an array (R, P)."""
        return values[self.offset, self.portfolio]

    def of_path(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Take the cells of a series (S, P), whose rows count from the shard's cut."""
        return values[self.row - self._inputs.cut, self.portfolio]

    def measure(self, values: Measure) -> Measure:
        """Take the cells of a measure (R, P)."""
        return Measure(self.of_book(values.values), self.of_book(values.nulls))

    def of_position(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Take the positions shown of an array (K, R)."""
        return values[self._place, self._at]

    def holdings(self, money: FloatArray, chosen: BoolArray) -> Holdings:
        """Return cells × instruments of ``money`` (Q,), where ``chosen`` (Q,) holds."""
        cell = self.position_cell[chosen]
        counts = np.bincount(cell, minlength=len(self))
        bounds = np.concatenate([[0], np.cumsum(counts)])
        shape = (len(self), self._inputs.columns.size)
        return csr_array((money[chosen], self.position_instrument[chosen], bounds), shape=shape)

    def before(self, positions: Positions) -> Exposures:
        """Return what the positions exposed the cells to at the close before."""
        shown = self._shown(
            self.of_position(positions.value_before),
            self.of_position(positions.held_before),
            self.of_position(positions.at_cost_before),
            back=1,
        )
        return expose(self._inputs, shown)

    def exposed(
        self, exposures: Exposures, chosen: BoolArray, *, is_netted: bool = True
    ) -> Holdings:
        """Return cells × instruments of exposures, of the positions where ``chosen`` (Q,) holds.

        What stands on one instrument is added up, unless each shall be an entry of its own.
        """
        cell = self.position_cell[chosen]
        counts = np.bincount(cell, minlength=len(self))
        bounds = np.concatenate([[0], np.cumsum(counts)])
        shape = (len(self), self._inputs.columns.size)
        entries = (exposures.money[chosen], exposures.instrument[chosen], bounds)
        found = csr_array(entries, shape=shape)
        if is_netted and exposures.options is not None:
            found.sum_duplicates()
        return found

    def _shown(self, value: FloatArray, held: BoolArray, at_cost: BoolArray, *, back: int) -> Shown:
        return Shown(
            cell=self.position_cell,
            portfolio=self._portfolio,
            instrument=self.position_instrument,
            row=np.maximum(self.position_offset + self._inputs.rows.start - back, 0),
            value=value,
            held=held,
            at_cost=at_cost,
        )
