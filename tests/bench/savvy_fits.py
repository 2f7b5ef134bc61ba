"""The savvy baseline's regressions: all symbols of a session at once, by normal equations."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from tests.bench.market import FACTOR_COLUMNS

from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.domain.factor_models import Estimator, FactorModel


@dataclass
class SessionFits:
    """Fits of all symbols on one session; ``params`` and ``stderr`` are (1 + F, N).

    ``design`` (n, 1 + F) and ``inverse`` belong to symbols without a gap, and serve
    portfolios too. ``hac`` and ``vif`` (F, N) are filled in on the newest session alone.
    """

    params: FloatArray
    stderr: FloatArray
    r2: FloatArray
    residual_sd: FloatArray
    hac: FloatArray
    vif: FloatArray
    design: FloatArray
    inverse: FloatArray


def factor_returns(
    model: FactorModel, returns: FloatArray, imported: FloatArray, column: dict[str, int]
) -> FloatArray:
    """Return the factors of a model, (T, F)."""
    legs = []
    for factor in model.factors:
        if factor.column is not None:
            leg = imported[:, FACTOR_COLUMNS.index(factor.column)]
        else:
            leg = returns[:, column[factor.long]]
            if factor.short is not None:
                leg = leg - returns[:, column[factor.short]]
        legs.append(leg)
    return np.column_stack(legs)


def groups(model: FactorModel, factors: FloatArray) -> Iterator[FloatArray]:
    """Split the factors of a model into those that are fitted together."""
    if model.estimator is Estimator.OLS_EACH:
        yield from (factors[:, [place]] for place in range(factors.shape[1]))
    else:
        yield factors


def fit_symbols(
    model: FactorModel, returns: FloatArray, factors: FloatArray, *, detailed: bool
) -> SessionFits:
    """Fit every column of the ``returns`` of a window; NaN with too few rows."""
    design = np.column_stack([np.ones(len(factors)), factors])
    usable = np.isfinite(design).all(axis=1)
    returns, design = returns[usable], design[usable]
    observed = np.isfinite(returns)
    whole = observed.all(axis=0)
    terms, symbols = design.shape[1], returns.shape[1]
    fits = SessionFits(
        params=np.full((terms, symbols), np.nan),
        stderr=np.full((terms, symbols), np.nan),
        r2=np.full(symbols, np.nan),
        residual_sd=np.full(symbols, np.nan),
        hac=np.full((terms - 1, symbols), np.nan),
        vif=np.full((terms - 1, symbols), np.nan),
        design=design,
        inverse=np.linalg.inv(design.T @ design),
    )
    if len(design) >= model.minimum:
        _solve(fits, model, np.flatnonzero(whole), design, returns[:, whole], detailed=detailed)
    for column in np.flatnonzero(~whole & (observed.sum(axis=0) >= model.minimum)):
        some = observed[:, column]
        own = returns[some][:, [column]]
        _solve(fits, model, column[None], design[some], own, detailed=detailed)
    return fits


def _solve(
    fits: SessionFits,
    model: FactorModel,
    columns: IntArray,
    design: FloatArray,
    returns: FloatArray,
    *,
    detailed: bool,
) -> None:
    """Fit ``returns`` (n, K) on ``design`` (n, 1 + F) and put the results into ``columns``."""
    if model.estimator is Estimator.RIDGE:
        params = _ridge(model.alpha, design[:, 1:], returns)
        inverse = None
    else:
        inverse = np.linalg.inv(design.T @ design)
        params = inverse @ (design.T @ returns)
    residuals = returns - design @ params
    squares = np.einsum("nk,nk->k", residuals, residuals)
    variance = squares / (len(design) - design.shape[1])
    deviations = returns - returns.mean(axis=0)
    fits.params[:, columns] = params
    fits.r2[columns] = 1 - squares / np.einsum("nk,nk->k", deviations, deviations)
    fits.residual_sd[columns] = np.sqrt(variance)
    if inverse is None:
        return
    fits.stderr[:, columns] = np.sqrt(np.diag(inverse)[:, None] * variance)
    if detailed:
        fits.hac[:, columns] = _robust_errors(design, inverse, residuals)
        correlation = np.atleast_2d(np.corrcoef(design[:, 1:], rowvar=False))
        fits.vif[:, columns] = np.diag(np.linalg.inv(correlation))[:, None]


def _ridge(alpha: float, factors: FloatArray, returns: FloatArray) -> FloatArray:
    mean, spread = factors.mean(axis=0), factors.std(axis=0, ddof=1)
    standard = (factors - mean) / spread
    penalised = standard.T @ standard + alpha * np.eye(len(mean))
    beta = np.linalg.solve(penalised, standard.T @ (returns - returns.mean(axis=0)))
    beta /= spread[:, None]
    return np.vstack([returns.mean(axis=0) - mean @ beta, beta])


def _robust_errors(design: FloatArray, inverse: FloatArray, residuals: FloatArray) -> FloatArray:
    """Return the errors of Newey and West of the slopes, (F, K)."""
    influence = (design @ inverse)[:, 1:]
    lags = int(np.floor(4 * (len(design) / 100) ** (2 / 9)))
    variance = (influence**2).T @ residuals**2
    for lag in range(1, lags + 1):
        pairs = (influence[lag:] * influence[:-lag]).T @ (residuals[lag:] * residuals[:-lag])
        variance += 2 * (1 - lag / (lags + 1)) * pairs
    return np.sqrt(variance)


def fit_holdings(fits: SessionFits, x: FloatArray) -> tuple[FloatArray, float]:
    """Regress the returns of a portfolio; return the slopes' errors and the residual variance."""
    params = fits.inverse @ (fits.design.T @ x)
    residuals = x - fits.design @ params
    variance = float(residuals @ residuals) / (len(x) - len(params))
    return np.sqrt(np.diag(fits.inverse)[1:] * variance), variance
