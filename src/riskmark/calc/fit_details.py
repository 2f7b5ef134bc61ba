"""What is told of the newest fits beside themselves: robust standard errors, and collinearity.

Standard errors of Newey and West (HAC) hold where the noise is autocorrelated or of changing
size. The slopes are linear in the noise, beta_f − true = Σ_t a_ft · noise_t, so with the
residuals e and u_ft = a_ft · e_t

    var_f = Σ_t u_ft² + 2 Σ_l w_l Σ_t u_ft · u_f,t−l      w_l = 1 − l / (L + 1), l = 1 … L

with L = floor(4 · (n / 100)^(2/9)) lags. It is the convention of statsmodels' cov_type "HAC":
no correction for small samples, and rows that lack a return are dropped before lags are
counted, so that a lag is a step between observed rows.

VIF, the variance inflation factor, is 1 / (1 − R²) of one factor on the others.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.calc.factor_moments import Design, Solver, make_design, make_solver
from riskmark.calc.regression import FactorFits, check_panel
from riskmark.calc.windows import chunks, cut, product_sums

PASSES = 8
"""Arrays of one size that a chunk needs at once: it is so much smaller, to stay in cache."""


class FitDetails(NamedTuple):
    """Of the fits of N symbols on F factors: (N, F), NaN exactly where a fit is null."""

    stderr_hac: FloatArray
    vif: FloatArray


def newey_west_lags(n: IntArray) -> IntArray:
    """Return the lags that are used for ``n`` rows."""
    return np.floor(4 * (n / 100) ** (2 / 9)).astype(np.int64)


def detail_fits(
    returns: FloatArray, factors: FloatArray, fits: FactorFits, *, row: int, window: int
) -> FitDetails:
    """Detail the least-squares fits of one session, the panel's ``row``.

    ``fits`` are those of ``returns`` (T, N) on all of ``factors`` (T, F) for that row alone.
    Robust errors need the residuals themselves, not sums over them, so they are made for one
    session: the newest, of which fits are stored.
    """
    rows = range(row, row + 1)
    check_panel(returns, factors, rows, window)
    if len(fits.n) != 1:
        message = f"the fits of one session are needed, not of {len(fits.n)}"
        raise ValueError(message)
    shape = fits.beta.shape[1:]
    details = FitDetails(np.full(shape, np.nan), np.full(shape, np.nan))
    fitted = np.flatnonzero(fits.nulls[0] == 0)
    span = cut(factors, rows, window)
    observed = np.isfinite(span).all(axis=1)
    design = make_design(span[observed])
    for symbols in chunks(fitted, PASSES * max(len(design.basis), 1)):
        own = cut(returns[:, symbols], rows, window)[observed]
        whole = np.isfinite(own).all(axis=0)
        if whole.any():
            _detail_whole(details, fits, symbols[whole], own[:, whole], design)
        for places in chunks(np.flatnonzero(~whole), design.pairs.size):
            _detail_gappy(details, fits, symbols[places], own[:, places], design)
    return details


def _detail_whole(
    details: FitDetails, fits: FactorFits, symbols: IntArray, returns: FloatArray, design: Design
) -> None:
    """Detail symbols whose returns (n, K) are all observed: they share the factors' side."""
    n = len(returns)
    sums = product_sums(design.pairs, np.ones((n, 1)), n)
    solver = make_solver(sums, design, least=0)
    residuals = _residuals(fits, symbols, returns, design)
    influence = _influence(solver, design)[:, :, 0]
    lags = int(newey_west_lags(np.array([n]))[0])
    variance = np.square(influence).T @ np.square(residuals)
    for lag in range(1, lags + 1):
        pairs = residuals[lag:] * residuals[:-lag]
        weight = 2 * (1 - lag / (lags + 1))
        variance += weight * ((influence[lag:] * influence[:-lag]).T @ pairs)
    _write(details, fits, symbols, variance, np.einsum("ffk->fk", solver.inverse[0]))


def _detail_gappy(
    details: FitDetails, fits: FactorFits, symbols: IntArray, returns: FloatArray, design: Design
) -> None:
    """Detail symbols that lack some of the returns (n, K); each has its own rows."""
    used = np.isfinite(returns)
    sums = product_sums(design.pairs, used.astype(np.float64), len(returns))
    solver = make_solver(sums, design, least=0)
    order = np.argsort(~used, axis=0, kind="stable")
    residuals = np.where(used, _residuals(fits, symbols, returns, design), 0.0)
    residuals = np.take_along_axis(residuals, order, axis=0)
    influence = np.take_along_axis(_influence(solver, design), order[:, None], axis=0)
    lags = newey_west_lags(used.sum(axis=0))
    variance = np.einsum("tfk,tk->fk", np.square(influence), np.square(residuals))
    for lag in range(1, int(lags.max()) + 1):
        pairs = residuals[lag:] * residuals[:-lag]
        weight = 2 * np.maximum(1 - lag / (lags + 1), 0.0)
        products = influence[lag:] * influence[:-lag]
        variance += weight * np.einsum("tfk,tk->fk", products, pairs)
    _write(details, fits, symbols, variance, np.einsum("ffk->fk", solver.inverse[0]))


def _residuals(
    fits: FactorFits, symbols: IntArray, returns: FloatArray, design: Design
) -> FloatArray:
    """Return the residuals (n, K) of some symbols; NaN where a return is missing."""
    beta, alpha = fits.beta[0, symbols], fits.alpha[0, symbols]
    level = alpha + beta @ design.shift
    residuals: FloatArray = returns - level - design.basis[:, 1:] @ beta.T
    return residuals


def _influence(solver: Solver, design: Design) -> FloatArray:
    """Return a, how far noise in each row moves each slope: (n, F, K)."""
    centred = design.basis[:, 1:, None] - solver.mean[0]
    weights = solver.inverse[0] * solver.scale[0][:, None] * solver.scale[0]
    if weights.shape[-1] == 1:
        return np.asarray(centred[..., 0] @ weights[..., 0])[..., None]
    return np.asarray(np.einsum("tgk,gfk->tfk", centred, weights))


def _write(
    details: FitDetails,
    fits: FactorFits,
    symbols: IntArray,
    variance: FloatArray,
    inflation: FloatArray,
) -> None:
    """Store the details of some symbols; a perfect fit has no error."""
    stderr = np.sqrt(np.maximum(variance, 0.0)).T
    stderr[fits.residual_sd[0, symbols] == 0] = 0.0
    details.stderr_hac[symbols] = stderr
    details.vif[symbols] = inflation.T
