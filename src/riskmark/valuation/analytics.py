"""A shard's analytics: positions and factor fits to the risk of every planned cell."""

from typing import TYPE_CHECKING

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
from riskmark.calc.concentration import concentration, sector_exposures
from riskmark.calc.exposures import Books, model_exposures, nav_nulls, over_nav
from riskmark.calc.holdings_returns import Holdings, HoldingsReturns, holdings_returns
from riskmark.calc.volatility import trailing_volatility
from riskmark.domain.measures import PERFORMANCE
from riskmark.domain.reasons import MarkKind, NullReason, SymbolReason
from riskmark.valuation.cells import Cells
from riskmark.valuation.numbers import (
    SYMBOL_REASONS,
    ExposureRows,
    PositionRows,
    ReasonRows,
    SectorRows,
    ShardNumbers,
)
from riskmark.valuation.shard import KIND, ShardInputs, Valued

if TYPE_CHECKING:
    from riskmark.calc.regression import FactorFits

VOLATILITY_WINDOWS = (21, 63, 252)
MARKET_MODEL = "market"
MARKET_YEAR_MODEL = "market_1y"

_REASON = {reason: code for code, reason in enumerate(SYMBOL_REASONS)}
_EXCLUDED = (KIND[MarkKind.STALE], KIND[MarkKind.COST])
"""Mark kinds of the positions that no risk is computed from."""


def analyse(inputs: ShardInputs, valued: Valued) -> ShardNumbers:
    """Measure every planned cell."""
    cells = Cells(inputs, valued)
    kind = cells.of_position(valued.kind)
    money = cells.of_position(valued.values.positions.market_value)
    included = cells.holdings(money, cells.is_held & ~np.isin(kind, _EXCLUDED))
    held = cells.holdings(money, cells.is_held)
    market = inputs.fits[MARKET_MODEL]
    series = holdings_returns(
        _returns(inputs),
        inputs.market[: inputs.rows.stop],
        market.parts[0],
        included,
        cells.row,
        rows=inputs.rows,
        window=market.model.window,
    )
    exposed = _without(included, series.excluded)
    exposures = _exposures(inputs, cells, exposed)
    reasons = _reasons(inputs, cells, kind)
    measures = _money(cells, valued) | _performance(cells, valued)
    measures |= {
        "beta": _first_factor(exposures, MARKET_MODEL),
        "beta_1y": _first_factor(exposures, MARKET_YEAR_MODEL),
        **_volatilities(series, exposed, cells.books),
        **_left_out(series, included, exposed, cells.books),
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
        position_rows=_position_rows(inputs, cells, valued),
        exposures=exposures,
        sector_rows=_sector_rows(inputs, cells, held),
        reasons=reasons,
    )


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


def _exposures(inputs: ShardInputs, cells: Cells, exposed: Holdings) -> tuple[ExposureRows, ...]:
    found = []
    for name, one in inputs.fits.items():
        names = tuple(factor.name for factor in one.model.factors)
        sums = model_exposures(exposed, one, fit_row=cells.offset, books=cells.books)
        found.append(ExposureRows(name, names, sums.fraction, sums.money, sums.coverage))
    return tuple(found)


def _first_factor(exposures: tuple[ExposureRows, ...], model: str) -> Measure:
    found = next(one for one in exposures if one.model == model)
    return Measure(found.exposure.values[:, 0], found.exposure.nulls[:, 0])


def _volatilities(series: HoldingsReturns, exposed: Holdings, books: Books) -> dict[str, Measure]:
    """Volatility of x: 0 where nothing is held and NAV is positive, null where nothing counts."""
    has_some = np.diff(exposed.indptr) > 0
    found = {}
    for n in VOLATILITY_WINDOWS:
        in_money = trailing_volatility(series.x, n)
        nulls = in_money.nulls.copy()
        nulls[~has_some] = CODE_OF[NullReason.ALL_EXCLUDED]
        nulls[~books.held] = 0
        values = np.where(books.held, in_money.values, 0.0)
        found[f"vol_{n}"] = over_nav(Measure(np.where(nulls == 0, values, np.nan), nulls), books)
    return found


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


def _position_rows(inputs: ShardInputs, cells: Cells, valued: Valued) -> PositionRows:
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
        beta=_position_beta(inputs, cells, cells.of_position(valued.kind)),
    )


def _position_beta(inputs: ShardInputs, cells: Cells, kind: CodeArray) -> Measure:
    fits: FactorFits = inputs.fits[MARKET_MODEL].parts[0]
    at = (cells.position_offset, cells.position_instrument)
    nulls = fits.nulls[at].copy()
    nulls[kind == KIND[MarkKind.STALE]] = CODE_OF[NullReason.STALE]
    nulls[kind == KIND[MarkKind.COST]] = CODE_OF[NullReason.NEVER_PRICED]
    nulls[~cells.is_held] = CODE_OF[NullReason.CLOSED]
    return Measure(np.where(nulls == 0, fits.beta[:, :, 0][at], np.nan), nulls)


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


def _is_partial(reasons: ReasonRows, cells: int) -> BoolArray:
    counts = np.bincount(reasons.cell[~reasons.accepted], minlength=cells)
    found: BoolArray = counts > 0
    return found
