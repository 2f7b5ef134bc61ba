"""Exposures of a shard's cells to factors: how sure they are, what they risk, and stress."""

from dataclasses import dataclass

import numpy as np

from riskmark.calc.arrays import CODE_OF, FloatArray, Measure
from riskmark.calc.exposures import FactorExposures, model_exposures, over_nav
from riskmark.calc.model_fits import ModelFits, factor_groups
from riskmark.calc.portfolio_regression import Excess, PortfolioFits, fit_portfolios
from riskmark.calc.risk_split import (
    RiskSplit,
    exposure_errors,
    split_risk,
    undefined_errors,
)
from riskmark.calc.stress import Stress, reprice, stress
from riskmark.domain.factor_models import Estimator, FactorModel
from riskmark.domain.reasons import NullReason
from riskmark.domain.scenarios import STRESS_MODEL
from riskmark.valuation.cells import Cells
from riskmark.valuation.held import Held
from riskmark.valuation.joint_fits import joint_fits
from riskmark.valuation.numbers import ExposureRows, StressRows
from riskmark.valuation.shard import ShardInputs


@dataclass(frozen=True, slots=True)
class FactorRisk:
    """Exposures to the factors of every model, the split of variance, and stress."""

    exposures: tuple[ExposureRows, ...]
    factor_share: Measure
    specific_share: Measure
    stress: StressRows


def factor_risk(inputs: ShardInputs, cells: Cells, held: Held) -> FactorRisk:
    """Measure the factor risk of every cell."""
    factors = inputs.factors
    rows = []
    for name, fits in inputs.fits.items():
        sums = model_exposures(held.exposed, fits, fit_row=cells.offset, books=cells.books)
        own = _regressions(inputs, held, fits.model)
        shares = _no_shares(sums.money)
        if name == STRESS_MODEL:
            lost = stress(sums.money, factors.moves, place=cells.offset, books=cells.books)
            lost = repriced(lost, inputs, cells, held)
        if name == factors.default_model:
            split = _split(inputs, cells, held, fits=fits, sums=sums, own=own)
            shares = split.contributions
        rows.append(_exposure_rows(fits, sums, held, own=own, shares=shares))
    return FactorRisk(
        exposures=tuple(rows),
        factor_share=split.factor_share,
        specific_share=split.specific_share,
        stress=StressRows(factors.scenarios, *lost),
    )


def repriced(lost: Stress, inputs: ShardInputs, cells: Cells, held: Held) -> Stress:
    """Add what options gain beyond their delta, of those that have a fit."""
    if held.options is None:
        return lost
    fits = joint_fits(inputs.fits[STRESS_MODEL])
    at = (cells.offset[held.options.cell], held.options.instrument)
    fitted = np.flatnonzero((fits.nulls[at] == 0) & ~held.options_excluded)
    return reprice(
        lost,
        held.options.take(fitted),
        fits.beta[at][fitted],
        moves=inputs.factors.moves,
        place=cells.offset,
    )


def _regressions(inputs: ShardInputs, held: Held, model: FactorModel) -> tuple[PortfolioFits, ...]:
    """Regress x on the factors that a model fits together; nothing for ridge."""
    if model.estimator is Estimator.RIDGE:
        return ()
    groups = factor_groups(inputs.factors.returns[model.name], model)
    return tuple(_regress(inputs, held, model, group) for group in groups)


def _regress(
    inputs: ShardInputs, held: Held, model: FactorModel, factors: FloatArray
) -> PortfolioFits:
    free = inputs.factors.risk_free.get(model.name)
    net = np.asarray(held.exposed.sum(axis=1), dtype=np.float64)
    return fit_portfolios(
        held.series.x,
        factors,
        market=inputs.market,
        cell_row=held.cell_row,
        rows=inputs.rows,
        window=model.window,
        minimum=model.minimum,
        excess=None if free is None else Excess(free, net),
    )


def _exposure_rows(
    fits: ModelFits,
    sums: FactorExposures,
    held: Held,
    *,
    own: tuple[PortfolioFits, ...],
    shares: Measure,
) -> ExposureRows:
    names = tuple(factor.name for factor in fits.model.factors)
    errors = undefined_errors(sums.money) if not own else _errors(sums.money, held, own)
    return ExposureRows(
        model=fits.model.name,
        factors=names,
        exposure=sums.fraction,
        money=sums.money,
        stderr=over_nav(errors, held.books),
        coverage=sums.coverage,
        risk_share=shares,
    )


def _errors(money: Measure, held: Held, own: tuple[PortfolioFits, ...]) -> Measure:
    columns = money.values.shape[1] // len(own)
    parts = []
    for place, fits in enumerate(own):
        some = slice(place * columns, (place + 1) * columns)
        part = Measure(money.values[:, some], money.nulls[:, some])
        parts.append(exposure_errors(part, fits, books=held.books))
    return Measure._make(np.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True))


def _split(
    inputs: ShardInputs,
    cells: Cells,
    held: Held,
    *,
    fits: ModelFits,
    sums: FactorExposures,
    own: tuple[PortfolioFits, ...],
) -> RiskSplit:
    """Split risk by the default model; what is left over is that of all factors together."""
    joint = own[0] if len(own) == 1 else None
    if joint is None:
        model = fits.model
        joint = _regress(inputs, held, model, inputs.factors.returns[model.name])
    return split_risk(
        sums.money,
        joint,
        inputs.factors.covariances,
        place=cells.offset,
        books=cells.books,
    )


def _no_shares(money: Measure) -> Measure:
    nulls = np.full(money.nulls.shape, CODE_OF[NullReason.NOT_DEFINED], np.int8)
    return Measure(np.full(nulls.shape, np.nan), nulls)
