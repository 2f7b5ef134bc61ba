"""Rows of positions: what each is worth, and what it adds to a cell's risk, or why nothing."""

import numpy as np

from riskmark.calc.arrays import CODE_OF, CodeArray, FloatArray, Measure
from riskmark.calc.black_scholes import Greeks
from riskmark.calc.exposures import nav_nulls
from riskmark.domain.reasons import MarkKind, NullReason
from riskmark.valuation.cells import Cells
from riskmark.valuation.factors import MARKET_MODEL
from riskmark.valuation.held import Held
from riskmark.valuation.numbers import OptionRows, PositionRows
from riskmark.valuation.risk import tail_components
from riskmark.valuation.shard import KIND, ShardInputs, Valued


def position_rows(inputs: ShardInputs, cells: Cells, valued: Valued, *, held: Held) -> PositionRows:
    """Describe every position shown."""
    kind = cells.of_position(valued.kind)
    positions = valued.values.positions
    cell = cells.position_cell
    value = np.where(cells.is_held, cells.of_position(positions.market_value), 0.0)
    blocked = nav_nulls(cells.books)[cell]
    closed_now = blocked == CODE_OF[NullReason.NO_HOLDINGS]  # nothing else is held: weight 0
    nav = np.where(blocked == 0, cells.books.nav[cell], 1.0)
    weight = np.where(blocked == 0, value / nav, np.nan)
    weight[closed_now] = 0.0
    return PositionRows(
        cell=cell,
        column=inputs.columns[cells.position_instrument],
        quantity=np.where(cells.is_held, cells.of_position(positions.quantity), 0.0),
        mark=cells.of_position(valued.mark),
        kind=kind,
        age=cells.of_position(valued.age),
        market_value=value,
        weight=weight,
        pnl=cells.of_position(positions.pnl),
        beta=_position_beta(inputs, cells, kind, value),
        component_es_95=_components(cells, kind, held),
        options=_option_rows(inputs, cells),
    )


def _components(cells: Cells, kind: CodeArray, held: Held) -> Measure:
    """Return the component ES of every position shown."""
    counts = cells.exposures.counts
    values, nulls = np.full(counts.shape, np.nan), mark_nulls(cells, kind)
    found = tail_components(held)
    values[counts], nulls[counts] = found.values, found.nulls
    return Measure(values, nulls)


def _position_beta(
    inputs: ShardInputs, cells: Cells, kind: CodeArray, value: FloatArray
) -> Measure:
    """Return the betas of the positions; an option's is its exposure's, for each unit of value."""
    fits = inputs.fits[MARKET_MODEL].parts[0]
    exposures = cells.exposures
    at = (cells.position_offset, exposures.instrument)
    marks = mark_nulls(cells, kind)
    nulls = np.where(marks != 0, marks, fits.nulls[at])
    betas = fits.beta[:, :, 0][at]
    if exposures.options is not None:
        place = exposures.options.position
        worthless = np.zeros(nulls.shape, dtype=bool)
        worthless[place] = value[place] == 0
        nulls[worthless & (nulls == 0)] = CODE_OF[NullReason.UNDEFINED_DENOMINATOR]
        betas = betas.copy()
        betas[place] *= exposures.money[place] / np.where(value[place] == 0, 1.0, value[place])
    return Measure(np.where(nulls == 0, betas, np.nan), nulls)


def _option_rows(inputs: ShardInputs, cells: Cells) -> OptionRows | None:
    """Return what there is to say of the options held; None if none is."""
    exposures = cells.exposures
    at = np.flatnonzero(exposures.is_option)
    if not at.size:
        return None
    blank = np.full(at.size, np.nan)
    never = np.full(at.size, CODE_OF[NullReason.NEVER_PRICED], dtype=np.int8)
    rows = OptionRows(
        position=at,
        booked_to=np.full(at.size, -1, dtype=np.int64),
        exposure=blank.copy(),
        units=blank.copy(),
        spot=blank.copy(),
        volatility=blank.copy(),
        greeks=Greeks(*(blank.copy() for _ in Greeks._fields)),
        implied=Measure(blank.copy(), never.copy()),
        nulls=never,
    )
    found = exposures.options
    if found is None:
        return rows
    place = np.searchsorted(at, found.position)
    rows.booked_to[place] = inputs.columns[found.book.instrument]
    rows.exposure[place], rows.units[place] = found.book.exposure, found.book.units
    rows.spot[place], rows.volatility[place] = found.book.terms.spot, found.book.terms.volatility
    for into, values in zip(rows.greeks, found.greeks, strict=True):
        into[place] = values
    rows.implied.values[place], rows.implied.nulls[place] = found.implied
    rows.nulls[place] = 0
    return rows


def mark_nulls(cells: Cells, kind: CodeArray) -> CodeArray:
    """Tell why nothing is computed from a position, for its mark; 0 where something is."""
    nulls = np.zeros(kind.shape, dtype=np.int8)
    nulls[kind == KIND[MarkKind.STALE]] = CODE_OF[NullReason.STALE]
    nulls[kind == KIND[MarkKind.COST]] = CODE_OF[NullReason.NEVER_PRICED]
    exposures = cells.exposures
    if exposures.is_option.any():
        nulls[exposures.is_option] = CODE_OF[NullReason.NEVER_PRICED]
        if exposures.options is not None:
            nulls[exposures.options.position] = CODE_OF[NullReason.STALE]
        nulls[exposures.counts] = 0
    nulls[~cells.is_held] = CODE_OF[NullReason.CLOSED]
    return nulls
