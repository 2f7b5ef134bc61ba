"""A shard's analytics: positions and factor fits to the risk of every planned cell."""

import numpy as np

from riskmark.calc.arrays import FloatArray, IntArray, Measure, measure
from riskmark.calc.concentration import concentration, sector_exposures
from riskmark.calc.exposures import Books, nav_nulls
from riskmark.calc.holdings_returns import Holdings, HoldingsReturns
from riskmark.calc.regression import FactorFits
from riskmark.domain.measures import PERFORMANCE
from riskmark.domain.reasons import NullReason
from riskmark.valuation.cells import Cells
from riskmark.valuation.factor_risk import factor_risk
from riskmark.valuation.factors import MARKET_MODEL
from riskmark.valuation.held import Held, hold
from riskmark.valuation.mark_reasons import is_partial, mark_reasons
from riskmark.valuation.numbers import ExposureRows, SectorRows, ShardNumbers
from riskmark.valuation.position_rows import position_rows
from riskmark.valuation.risk import hypothetical_pnl, mixture, tracking, volatility_and_tail
from riskmark.valuation.shard import ShardInputs, Valued

MARKET_YEAR_MODEL = "market_1y"
RATES_MODEL = "rates"


def analyse(inputs: ShardInputs, valued: Valued) -> ShardNumbers:
    """Measure every planned cell."""
    cells = Cells(inputs, valued)
    return analyse_held(inputs, valued, cells=cells, held_here=hold(inputs, cells))


def analyse_held(
    inputs: ShardInputs, valued: Valued, *, cells: Cells, held_here: Held
) -> ShardNumbers:
    """Measure cells of which it is known what they hold."""
    series, included = held_here.series, held_here.included
    held = cells.exposed(cells.exposures, cells.is_held)
    market = inputs.fits[MARKET_MODEL]
    risk = factor_risk(inputs, cells, held_here)
    beta = _first_factor(risk.exposures, MARKET_MODEL)
    reasons = mark_reasons(inputs, cells, cells.of_position(valued.kind))
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
        partial=is_partial(reasons, len(cells)),
        measures=measures,
        mwr_annualized=cells.of_book(valued.performance.mwr_annualized),
        drawdown_peak=_session(inputs, cells.of_book(valued.performance.peak_row)),
        drawdown_trough=_session(inputs, cells.of_book(valued.performance.trough_row)),
        drawdown_recovery=_session(inputs, cells.of_book(valued.performance.recovery_row)),
        observations=series.length,
        beta_observations=_fewest(held_here.exposed, market.parts[0], cells),
        position_rows=position_rows(inputs, cells, valued, held=held_here),
        exposures=risk.exposures,
        stress=risk.stress,
        sector_rows=_sector_rows(inputs, cells, held),
        reasons=reasons,
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
