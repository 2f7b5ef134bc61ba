"""A shard's analytics: positions and factor fits to the risk of every planned cell."""

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from riskmark.calc.arrays import (
    CODE_OF,
    BoolArray,
    CodeArray,
    FloatArray,
    IntArray,
    Measure,
    measure,
)
from riskmark.calc.black_scholes import Greeks
from riskmark.calc.concentration import concentration, sector_exposures
from riskmark.calc.exposures import Books, nav_nulls
from riskmark.calc.holdings_returns import Holdings, HoldingsReturns, holdings_returns
from riskmark.calc.regression import FactorFits
from riskmark.calc.repricing import OptionPositions
from riskmark.domain.measures import PERFORMANCE
from riskmark.domain.reasons import MarkKind, NullReason, SymbolReason
from riskmark.valuation.cells import Cells
from riskmark.valuation.exposed import Exposures
from riskmark.valuation.factor_risk import factor_risk
from riskmark.valuation.factors import MARKET_MODEL
from riskmark.valuation.numbers import (
    SYMBOL_REASONS,
    ExposureRows,
    OptionRows,
    PositionRows,
    ReasonRows,
    SectorRows,
    ShardNumbers,
)
from riskmark.valuation.risk import (
    Held,
    hypothetical_pnl,
    mixture,
    tail_components,
    tracking,
    volatility_and_tail,
)
from riskmark.valuation.shard import KIND, ShardInputs, Valued

MARKET_YEAR_MODEL = "market_1y"
RATES_MODEL = "rates"

_REASON = {reason: code for code, reason in enumerate(SYMBOL_REASONS)}


def analyse(inputs: ShardInputs, valued: Valued) -> ShardNumbers:
    """Measure every planned cell."""
    cells = Cells(inputs, valued)
    return analyse_held(inputs, valued, cells=cells, held_here=hold(inputs, cells))


def analyse_held(
    inputs: ShardInputs, valued: Valued, *, cells: Cells, held_here: Held
) -> ShardNumbers:
    """Measure cells of which it is known what they hold."""
    kind = cells.of_position(valued.kind)
    series, included = held_here.series, held_here.included
    held = cells.exposed(cells.exposures, cells.is_held)
    market = inputs.fits[MARKET_MODEL]
    risk = factor_risk(inputs, cells, held_here)
    beta = _first_factor(risk.exposures, MARKET_MODEL)
    reasons = _reasons(inputs, cells, kind)
    measures = _money(cells, valued) | _performance(cells, valued)
    measures |= {
        "pnl_hypothetical": hypothetical_pnl(inputs, cells, valued, series),
        "beta": beta,
        "beta_1y": _first_factor(risk.exposures, MARKET_YEAR_MODEL),
        "rates_beta": _first_factor(risk.exposures, RATES_MODEL),
        **volatility_and_tail(held_here),
        **tracking(inputs, cells, valued, held=held_here, beta=beta),
        **mixture(held_here),
        "factor_share": risk.factor_share,
        "specific_share": risk.specific_share,
        **_left_out(series, included, held_here.exposed, cells.books),
        "nonlinear_weight": _nonlinear(cells),
        **concentration(held, cells.books.gross)._asdict(),
    }
    return ShardNumbers(
        portfolio=cells.portfolio,
        ordinal=cells.row + inputs.panel.first,
        positions=cells.count,
        partial=_is_partial(reasons, len(cells)),
        measures=measures,
        mwr_annualized=cells.of_book(valued.performance.mwr_annualized),
        drawdown_peak=_session(inputs, cells.of_book(valued.performance.peak_row)),
        drawdown_trough=_session(inputs, cells.of_book(valued.performance.trough_row)),
        drawdown_recovery=_session(inputs, cells.of_book(valued.performance.recovery_row)),
        observations=series.length,
        beta_observations=_fewest(held_here.exposed, market.parts[0], cells),
        position_rows=_position_rows(
            inputs, cells, valued, component=_components(cells, kind, held_here)
        ),
        exposures=risk.exposures,
        stress=risk.stress,
        sector_rows=_sector_rows(inputs, cells, held),
        reasons=reasons,
    )


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


def _money(cells: Cells, valued: Valued) -> dict[str, Measure]:
    paths, totals = valued.values.paths, valued.values.totals
    of_books = {
        "cash": totals.cash,
        "long_value": totals.long_value,
        "short_value": totals.short_value,
        "gross": totals.gross,
        "net": totals.net,
        "flow": totals.flow,
        "income": totals.income,
        "cum_realized": totals.cum_realized,
        "cum_unrealized": totals.cum_unrealized,
        "cum_income": totals.cum_income,
    }
    of_paths = {
        "nav": paths.nav,
        "inflow": paths.inflow,
        "outflow": paths.outflow,
        "pnl": paths.pnl,
    }
    found = {name: measure(cells.of_book(values)) for name, values in of_books.items()}
    found |= {name: measure(cells.of_path(values)) for name, values in of_paths.items()}
    returns = paths.returns
    found["return"] = Measure(cells.of_path(returns.values), cells.of_path(returns.nulls))
    return found


def _performance(cells: Cells, valued: Valued) -> dict[str, Measure]:
    return {name: cells.measure(getattr(valued.performance, name)) for name in PERFORMANCE}


def _session(inputs: ShardInputs, rows: IntArray) -> IntArray:
    """Turn rows that count from the shard's cut into ordinals; −1 stays."""
    return np.where(rows < 0, -1, rows + inputs.cut + inputs.panel.first)


def _first_factor(exposures: tuple[ExposureRows, ...], model: str) -> Measure:
    found = next(one for one in exposures if one.model == model)
    return Measure(found.exposure.values[:, 0], found.exposure.nulls[:, 0])


def _left_out(
    series: HoldingsReturns, included: Holdings, exposed: Holdings, books: Books
) -> dict[str, Measure]:
    """Return the shares of gross that were excluded, and filled by a proxy."""
    some = books.gross > 0
    gross = np.where(some, books.gross, 1.0)
    reasons = (
        (~books.held, NullReason.NO_HOLDINGS),
        (~some, NullReason.UNDEFINED_DENOMINATOR),
    )
    counted = _absolute(exposed)
    excluded = np.clip(1.0 - counted / gross, 0.0, 1.0)
    excluded[np.abs(counted - gross) <= 1e-12 * gross] = 0.0
    return {
        "excluded_weight": measure(excluded, *reasons),
        "proxied_weight": measure(series.filled_share * _absolute(included) / gross, *reasons),
    }


def _absolute(holdings: Holdings) -> FloatArray:
    cell = np.repeat(np.arange(holdings.shape[0]), np.diff(holdings.indptr))
    sums = np.bincount(cell, np.abs(holdings.data), minlength=holdings.shape[0])
    return sums.astype(np.float64)


def _fewest(exposed: Holdings, fits: FactorFits, cells: Cells) -> IntArray:
    """Return the fewest observations of the fits that a cell's positions have; 0: no fit."""
    cell = np.repeat(np.arange(len(cells)), np.diff(exposed.indptr))
    at = (cells.offset[cell], exposed.indices)
    fitted = fits.nulls[at] == 0
    most = np.iinfo(np.int64).max
    found = np.full(len(cells), most, dtype=np.int64)
    np.minimum.at(found, cell[fitted], fits.n[at][fitted])
    return np.where(found == most, 0, found)


def _nonlinear(cells: Cells) -> Measure:
    """Return the delta exposure of options as a share of gross."""
    gross = cells.books.of_marks
    sizes = np.zeros(len(cells))
    options = cells.exposures.options
    if options is not None:
        np.add.at(sizes, options.book.cell, np.abs(options.book.exposure))
    some = gross > 0
    return measure(
        sizes / np.where(some, gross, 1.0),
        (~cells.books.held, NullReason.NO_HOLDINGS),
        (~some, NullReason.UNDEFINED_DENOMINATOR),
    )


def _components(cells: Cells, kind: CodeArray, held: Held) -> Measure:
    """Return the component ES of every position shown."""
    counts = cells.exposures.counts
    values, nulls = np.full(counts.shape, np.nan), mark_nulls(cells, kind)
    found = tail_components(held)
    values[counts], nulls[counts] = found.values, found.nulls
    return Measure(values, nulls)


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


def _position_rows(
    inputs: ShardInputs, cells: Cells, valued: Valued, *, component: Measure
) -> PositionRows:
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
        kind=cells.of_position(valued.kind),
        age=cells.of_position(valued.age),
        market_value=value,
        weight=weight,
        pnl=cells.of_position(positions.pnl),
        beta=_position_beta(inputs, cells, cells.of_position(valued.kind), value),
        component_es_95=component,
        options=_option_rows(inputs, cells),
    )


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


def _sector_rows(inputs: ShardInputs, cells: Cells, held: Holdings) -> SectorRows:
    sectors = inputs.panel.sector_code[inputs.columns]
    found = sector_exposures(held, sectors, sectors=len(inputs.panel.sectors))
    cell, sector = np.nonzero(found.positions)
    divisible = nav_nulls(cells.books)[cell] == 0
    nav = np.where(divisible, cells.books.nav[cell], np.nan)
    shares = [
        part[cell, sector] / nav for part in (found.long, found.short, found.net, found.gross)
    ]
    return SectorRows(cell, sector, *shares)


def _reasons(inputs: ShardInputs, cells: Cells, kind: CodeArray) -> ReasonRows:
    """List the symbols whose marks are neither a close of the session nor set by hand."""
    panel = inputs.panel
    column = inputs.columns[cells.position_instrument]
    row = cells.position_offset + inputs.rows.start
    reason = np.full(kind.shape, -1, dtype=np.int64)
    reason[kind == KIND[MarkKind.CARRIED]] = _REASON[SymbolReason.CARRIED]
    reason[kind == KIND[MarkKind.STALE]] = _REASON[SymbolReason.STALE]
    reason[kind == KIND[MarkKind.COST]] = _REASON[SymbolReason.NEVER_PRICED]
    if cells.exposures.is_option.any():
        reason[_lacks_underlying(inputs, cells, kind)] = _REASON[SymbolReason.UNDERLYING_UNPRICED]
    quarantined = (reason >= 0) & (row >= panel.quarantine_row[column])
    reason[quarantined] = _REASON[SymbolReason.QUARANTINED]
    foreign = np.array([one.is_foreign for one in panel.instruments], dtype=bool)
    reason[(reason >= 0) & foreign[column]] = _REASON[SymbolReason.FOREIGN_CURRENCY]
    accepted = np.array([one.is_accepted for one in panel.instruments], dtype=bool)
    found = reason >= 0
    return ReasonRows(
        cell=cells.position_cell[found],
        column=column[found],
        reason=reason[found],
        accepted=accepted[column[found]],
    )


def _lacks_underlying(inputs: ShardInputs, cells: Cells, kind: CodeArray) -> BoolArray:
    """Tell which options held are not at a close, for want of one of their underlyings."""
    panel, is_option = inputs.panel, cells.exposures.is_option
    age = np.full(kind.shape, -1, dtype=np.int64)
    if panel.options is not None:
        which = panel.options.place[inputs.columns[cells.position_instrument]]
        known = is_option & (which >= 0)
        row = (cells.position_offset + inputs.rows.start)[known]
        age[known] = panel.marks.age[row, panel.options.contracts.underlying[which[known]]]
    found: BoolArray = is_option & (kind != KIND[MarkKind.CLOSE]) & (age != 0)
    return found


def _is_partial(reasons: ReasonRows, cells: int) -> BoolArray:
    counts = np.bincount(reasons.cell[~reasons.accepted], minlength=cells)
    found: BoolArray = counts > 0
    return found
