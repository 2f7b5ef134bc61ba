"""Factor fits: regressions of every symbol's returns on the factors of a model.

    r_i = alpha_i + Σ_f beta_if · f + noise_i      on the window of each session asked for

The window of a session is that session and the ``window`` − 1 sessions of the panel before
it (fewer at the start of the panel); a row counts where the symbol's and all factors'
returns are finite. Fits are made from sums over the window of products of two columns.

Least squares; or ridge, as scikit-learn defines its objective, on factors that are scaled
to a standard deviation of 1 over the rows (n − 1) and returns about their mean: the squared
residuals plus ``alpha`` times the squared betas on that scale are least. Its betas are in
return units all the same, and have no standard errors.

Symbols that lack no row of the factors share the factors' moments and their inverse; each
of the others has its own. What rounding cannot tell from a perfect fit is a perfect fit.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import CODE_OF, CodeArray, FloatArray, IntArray
from riskmark.calc.factor_moments import FLAT, Design, Solver, make_design, make_solver
from riskmark.calc.windows import DIRECT_ROWS, chunks, cut, product_sums, square_sums
from riskmark.domain.reasons import NullReason

PERFECT = 1e-11
"""A residual below this share of the variance is rounding: the fit is perfect."""


class FactorFits(NamedTuple):
    """Fits for R sessions, N symbols and F factors; NaN exactly where ``nulls`` is not 0.

    ``n`` counts the rows, also of a fit that was not made. ``stderr`` is that of least
    squares, and NaN throughout for ridge; ``residual_sd`` is √(SSR / (n − F − 1)). ``r2`` of
    returns that never move is 0.
    """

    n: IntArray
    alpha: FloatArray
    beta: FloatArray
    stderr: FloatArray
    r2: FloatArray
    residual_sd: FloatArray
    nulls: CodeArray


class Products(NamedTuple):
    """Of the returns of K columns: with the basis (R, 1 + F, K), with themselves (R, K)."""

    cross: FloatArray
    squares: FloatArray

    def of(self, columns: IntArray) -> "Products":
        """Take the products of some of the columns."""
        return Products(self.cross[:, :, columns], self.squares[:, columns])


def fit_factors(
    returns: FloatArray,
    factors: FloatArray,
    *,
    rows: range,
    window: int,
    minimum: int,
    alpha: float = 0.0,
) -> FactorFits:
    """Fit every column of ``returns`` (T, N) on all of ``factors`` (T, F) for each of ``rows``.

    ``rows`` are consecutive rows of the panel; ``alpha`` above 0 makes it ridge. A number is
    null, in this order, without a row in the window on which all factors are observed, with
    fewer than ``minimum`` (at least F + 2) rows, with a constant factor, and, for least
    squares, with factors that determine one another.
    """
    check_panel(returns, factors, rows, window)
    fits = _empty(len(rows), returns.shape[1], factors.shape[1])
    if fits.n.size == 0:
        return fits
    least = max(minimum, factors.shape[1] + 2)
    design = make_design(cut(factors, rows, window))
    everywhere = np.ones((len(design.basis), 1))
    sums = product_sums(design.pairs, everywhere, window)
    shared = make_solver(sums, design, least=least, alpha=alpha)
    each = len(design.basis) * (1 if len(rows) <= DIRECT_ROWS else design.basis.shape[1])
    for symbols in chunks(np.arange(returns.shape[1]), each):
        some = slice(int(symbols[0]), int(symbols[-1]) + 1)
        span = cut(returns[:, some], rows, window)
        for columns, part in _fit_some(span, design, shared, least=least, alpha=alpha):
            _write(fits, symbols[columns], part)
    fits.nulls[shared.n[:, 0] == 0] = CODE_OF[NullReason.NO_FACTOR_DATA]
    return fits


def check_panel(returns: FloatArray, factors: FloatArray, rows: range, window: int) -> None:
    """Raise unless ``rows`` are consecutive rows of a panel that the factors cover."""
    if rows.step != 1 or not 0 <= rows.start <= rows.stop <= len(returns):
        message = f"{rows} are not consecutive rows of a panel of {len(returns)}"
        raise ValueError(message)
    if len(factors) != len(returns) or window < 1:
        message = f"{len(returns)} rows of returns, {len(factors)} of factors, window {window}"
        raise ValueError(message)


def _empty(sessions: int, symbols: int, factors: int) -> FactorFits:
    """Make room for the fits; symbols are next to one another in memory."""
    plain = (sessions, symbols)
    return FactorFits(
        n=np.empty(plain, np.int64),
        alpha=np.empty(plain),
        beta=np.empty((sessions, factors, symbols)).swapaxes(1, 2),
        stderr=np.empty((sessions, factors, symbols)).swapaxes(1, 2),
        r2=np.empty(plain),
        residual_sd=np.empty(plain),
        nulls=np.empty(plain, np.int8),
    )


def _write(fits: FactorFits, symbols: IntArray, part: FactorFits) -> None:
    """Put the fits of some symbols in their places."""
    columns = slice(int(symbols[0]), int(symbols[-1]) + 1)
    place = columns if columns.stop - columns.start == len(symbols) else symbols
    fits.n[:, place] = part.n
    fits.alpha[:, place] = part.alpha
    fits.beta[:, place] = part.beta
    fits.stderr[:, place] = part.stderr
    fits.r2[:, place] = part.r2
    fits.residual_sd[:, place] = part.residual_sd
    fits.nulls[:, place] = part.nulls


def _fit_some(
    span: FloatArray, design: Design, shared: Solver, *, least: int, alpha: float
) -> Iterator[tuple[IntArray, FactorFits]]:
    """Fit the symbols of one chunk: columns of ``span``, and their fits."""
    finite = np.isfinite(span)
    used = finite & design.observed[:, None]
    returns = span if used.all() else np.where(used, span, 0.0)
    window = len(span) - len(shared.n) + 1
    products = Products(product_sums(design.basis, returns, window), square_sums(returns, window))
    alike = np.asarray((finite | ~design.observed[:, None]).all(axis=0))
    if alike.all():
        yield np.arange(len(alike)), solve(shared, products, design.shift)
        return
    if alike.any():
        columns = np.flatnonzero(alike)
        yield columns, solve(shared, products.of(columns), design.shift)
    for columns in chunks(np.flatnonzero(~alike), design.pairs.size):
        sums = product_sums(design.pairs, used[:, columns].astype(np.float64), window)
        own = make_solver(sums, design, least=least, alpha=alpha)
        yield columns, solve(own, products.of(columns), design.shift)


def solve(factors: Solver, products: Products, shift: FloatArray) -> FactorFits:
    """Solve for the columns of ``products``, whose factor moments are ``factors``.

    ``shift`` (F,) was taken off the factors before their products were made.
    """
    mean, total, scaled = _centred(factors, products)
    if factors.inverse.shape[-1] == 1:
        standard = factors.inverse[..., 0] @ scaled
    else:
        standard = np.einsum("rfgk,rgk->rfk", factors.inverse, scaled)
    # With C the correlations and λ the penalty, C·b is c − λ·b.
    residual = total - np.einsum("rfk,rfk->rk", standard, scaled)
    residual -= factors.penalty * np.einsum("rfk,rfk->rk", standard, standard)
    residual[residual <= PERFECT * total] = 0.0
    deviation = np.sqrt(residual / np.maximum(factors.n - scaled.shape[1] - 1, 1.0))
    spread = np.sqrt(np.einsum("rffk->rfk", factors.inverse)) * factors.scale
    beta = standard * factors.scale
    alpha = mean - (beta * (factors.mean + shift[:, None])).sum(axis=1)
    unexplained = np.divide(residual, total, out=np.ones_like(total), where=total > 0)
    nulls = np.broadcast_to(factors.nulls, mean.shape)
    missing = nulls != 0
    penalised = np.broadcast_to(factors.penalty > 0, mean.shape)
    stderr = np.where((missing | penalised)[:, None], np.nan, deviation[:, None] * spread)
    return FactorFits(
        n=np.broadcast_to(factors.n, mean.shape).astype(np.int64),
        alpha=np.where(missing, np.nan, alpha),
        beta=np.where(missing[:, None], np.nan, beta).swapaxes(1, 2),
        stderr=stderr.swapaxes(1, 2),
        r2=np.where(missing, np.nan, np.maximum(1 - unexplained, 0.0)),
        residual_sd=np.where(missing, np.nan, deviation),
        nulls=nulls,
    )


def _centred(factors: Solver, products: Products) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return means, sums of squares about them, and products with the scaled factors."""
    totals = products.cross[:, 0]
    mean = totals / np.maximum(factors.n, 1.0)
    total = products.squares - mean * totals
    total[total <= FLAT * products.squares] = 0.0
    scaled = (products.cross[:, 1:] - factors.mean * totals[:, None]) * factors.scale
    return mean, total, scaled
