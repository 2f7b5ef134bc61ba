"""What cells hold, as far as risk is computed from it: exposures, and their series x."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray
from riskmark.calc.exposures import Books
from riskmark.calc.holdings_returns import Holdings, HoldingsReturns, holdings_returns
from riskmark.calc.repricing import OptionPositions
from riskmark.valuation.cells import Cells
from riskmark.valuation.exposed import Exposures
from riskmark.valuation.factors import MARKET_MODEL
from riskmark.valuation.shard import ShardInputs


@dataclass(frozen=True, slots=True)
class Held:
    """What C cells hold, as far as risk is computed from it.

    ``included`` (C, N) are the exposures in money that x is made of, those that x excludes
    among them; ``exposed`` is without these. ``parts`` are the positions that ``included``
    adds up by instrument, one by one, and ``parts_excluded`` (entries,) those that x excludes.
    ``options`` are the options in ``included``, and ``options_excluded`` those that x excludes.
    ``returns`` (T, N) are as observed.
    """

    included: Holdings
    exposed: Holdings
    parts: Holdings
    parts_excluded: BoolArray
    options: OptionPositions | None
    options_excluded: BoolArray
    series: HoldingsReturns
    returns: FloatArray
    cell_row: IntArray
    books: Books

    @property
    def has_some(self) -> BoolArray:
        """Whether anything that a cell holds is in x."""
        found: BoolArray = np.diff(self.exposed.indptr) > 0
        return found


def hold(inputs: ShardInputs, cells: Cells) -> Held:
    """Take what risk is computed from: the exposures of every cell, and their series x."""
    exposures = cells.exposures
    included = cells.exposed(exposures, exposures.counts)
    held = hold_exposures(inputs, included, cell_row=cells.row, books=cells.books)
    if exposures.options is None:
        return held
    parts = cells.exposed(exposures, exposures.counts, is_netted=False)
    parts_excluded = _excluded_parts(included, held.series.excluded, parts)
    options, options_excluded = _options(exposures, parts_excluded)
    return replace(
        held,
        parts=parts,
        parts_excluded=parts_excluded,
        options=options,
        options_excluded=options_excluded,
    )


def hold_exposures(
    inputs: ShardInputs, included: Holdings, *, cell_row: IntArray, books: Books
) -> Held:
    """Take exposures in money (C, N), whatever they come from, with their series x.

    ``cell_row`` (C,) are the panel rows at which the windows of the cells end. Options are not
    told apart.
    """
    market = inputs.fits[MARKET_MODEL]
    series = holdings_returns(
        _returns(inputs),
        inputs.market[: inputs.rows.stop],
        market.parts[0],
        included,
        cell_row,
        rows=inputs.rows,
        window=market.model.window,
    )
    return Held(
        included=included,
        exposed=_without(included, series.excluded),
        parts=included,
        parts_excluded=series.excluded,
        options=None,
        options_excluded=np.zeros(0, dtype=bool),
        series=series,
        returns=_returns(inputs),
        cell_row=cell_row,
        books=books,
    )


def _options(
    exposures: Exposures, parts_excluded: BoolArray
) -> tuple[OptionPositions | None, BoolArray]:
    """Return the options that risk is computed from, and which of them x excludes."""
    none = np.zeros(0, dtype=bool)
    if exposures.options is None:
        return None, none
    excluded = np.zeros(exposures.counts.shape, dtype=bool)
    excluded[exposures.counts] = parts_excluded
    position = exposures.options.position
    counted = np.flatnonzero(exposures.counts[position])
    if not counted.size:
        return None, none
    return exposures.options.book.take(counted), excluded[position[counted]]


def _excluded_parts(netted: Holdings, excluded: BoolArray, parts: Holdings) -> BoolArray:
    """Tell which of ``parts`` stand on an instrument that is ``excluded`` among ``netted``."""
    if parts.nnz == netted.nnz:
        return excluded
    whole, each = _keys(netted), _keys(parts)
    found: BoolArray = excluded[np.searchsorted(whole, each)]
    return found


def _keys(holdings: Holdings) -> IntArray:
    """Return a number for the cell and instrument of each entry; of netted ones they ascend."""
    cell = np.repeat(np.arange(holdings.shape[0]), np.diff(holdings.indptr))
    found: IntArray = cell * holdings.shape[1] + holdings.indices
    return found


def _returns(inputs: ShardInputs) -> FloatArray:
    returns = inputs.panel.marks.returns[: inputs.rows.stop]
    if inputs.columns.size == returns.shape[1]:
        return returns
    return returns[:, inputs.columns]


def _without(holdings: Holdings, excluded: BoolArray) -> Holdings:
    """Return the holdings without the entries that are excluded."""
    if not excluded.any():
        return holdings
    cell = np.repeat(np.arange(holdings.shape[0]), np.diff(holdings.indptr))
    counts = np.bincount(cell[~excluded], minlength=holdings.shape[0])
    bounds = np.concatenate([[0], np.cumsum(counts)])
    return csr_array(
        (holdings.data[~excluded], holdings.indices[~excluded], bounds), shape=holdings.shape
    )
