"""Factor fits: ordinary least squares of every symbol's returns on the factors of a model.

    r_i = alpha_i + Σ_f beta_if · f + noise_i      on the window of each session asked for

The window of a session is that session and the ``window`` − 1 sessions of the panel before
it (fewer at the start of the panel); a row counts where the symbol's and all factors'
returns are finite. Everything follows from sums over the window of products of two columns.
Such sums are made by additions only, of numbers inside the window: a crash that has left
the window leaves no rounding error behind, as it would in a difference of running totals.

Symbols that lack no row of the factors share the factors' moments and their inverse; each
of the others has its own. Moments are centred, and factors scaled to unit variance, before
anything is solved. What rounding cannot tell from a perfect fit is a perfect fit.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import CODE_OF, BoolArray, CodeArray, FloatArray, IntArray
from riskmark.domain.reasons import NullReason

DIRECT_ROWS = 12
"""Up to so many sessions, a matrix product for each beats block sums over all of them."""
CHUNK = 1 << 20
"""Numbers in one temporary array (8 MiB): symbols are taken so many at a time."""
FLAT = 1e-12
"""A variance below this share of the mean square is rounding: the column is constant."""
NOTHING = 1e-200
"""A factor that moves by less than the root of this does not move; its inverse is finite."""
PERFECT = 1e-11
"""A residual below this share of the variance is rounding: the fit is perfect."""
MAX_VIF = 1e9
"""Factors whose variance is inflated more than this by the others are collinear."""
_SMALLEST_PIVOT = 1e-15


class FactorFits(NamedTuple):
    """Fits for R sessions, N symbols and F factors; NaN exactly where ``nulls`` is not 0.

    ``n`` counts the rows, also of a fit that was not made. ``stderr`` is that of least
    squares; ``residual_sd`` is √(SSR / (n − F − 1)). ``r2`` of returns that never move is 0.
    """

    n: IntArray
    alpha: FloatArray
    beta: FloatArray
    stderr: FloatArray
    r2: FloatArray
    residual_sd: FloatArray
    nulls: CodeArray


class _Design(NamedTuple):
    """The factors over the span of panel rows that the windows cover.

    ``basis`` is a column of ones and the factors (their medians, ``shift``, taken off), 0
    where a factor is missing; ``pairs`` are the products of its columns, and ``place`` says
    which of them is the product of two given ones.
    """

    observed: BoolArray
    basis: FloatArray
    pairs: FloatArray
    place: IntArray
    shift: FloatArray


class _Inverse(NamedTuple):
    """Factor moments made ready to solve; (R, …, K) with K = 1 when symbols share them."""

    n: FloatArray
    mean: FloatArray
    scale: FloatArray
    inverse: FloatArray
    nulls: CodeArray


class _Products(NamedTuple):
    """Of the returns of K symbols: with the basis (R, 1 + F, K), with themselves (R, K)."""

    cross: FloatArray
    squares: FloatArray

    def of(self, columns: IntArray) -> "_Products":
        """Take the products of some of the symbols."""
        return _Products(self.cross[:, :, columns], self.squares[:, columns])


def fit_factors(
    returns: FloatArray, factors: FloatArray, *, rows: range, window: int, minimum: int
) -> FactorFits:
    """Fit every column of ``returns`` (T, N) on all of ``factors`` (T, F) for each of ``rows``.

    ``rows`` are consecutive rows of the panel. A number is null, in this order, without a
    row in the window on which all factors are observed, with fewer than ``minimum`` (at
    least F + 2) rows, with a constant factor, with factors that determine one another.
    """
    _check(returns, factors, rows, window)
    fits = _empty(len(rows), returns.shape[1], factors.shape[1])
    if fits.n.size == 0:
        return fits
    least = max(minimum, factors.shape[1] + 2)
    design = _design(_span(factors, rows, window))
    everywhere = np.ones((len(design.basis), 1))
    shared = _invert(_sums(design.pairs, everywhere, window), design, least)
    each = len(design.basis) * (1 if len(rows) <= DIRECT_ROWS else design.basis.shape[1])
    for symbols in _chunks(np.arange(returns.shape[1]), each):
        some = slice(int(symbols[0]), int(symbols[-1]) + 1)
        span = _span(returns[:, some], rows, window)
        for columns, part in _fit_some(span, design, shared, least):
            _write(fits, symbols[columns], part)
    fits.nulls[shared.n[:, 0] == 0] = CODE_OF[NullReason.NO_FACTOR_DATA]
    return fits


def _check(returns: FloatArray, factors: FloatArray, rows: range, window: int) -> None:
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


def _span(panel: FloatArray, rows: range, window: int) -> FloatArray:
    """Cut out the rows that the windows cover; NaN for rows before the panel."""
    first = rows.start - window + 1
    if first >= 0:
        return panel[first : rows.stop]
    return np.pad(panel[: rows.stop], ((-first, 0), (0, 0)), constant_values=np.nan)


def _design(factors: FloatArray) -> _Design:
    observed = np.asarray(np.isfinite(factors).all(axis=1))
    shift = np.zeros(factors.shape[1])
    if observed.any():
        shift = np.median(factors[observed], axis=0)
    basis = np.zeros((len(factors), factors.shape[1] + 1))
    basis[observed, 0] = 1
    basis[observed, 1:] = factors[observed] - shift
    left, right = np.triu_indices(basis.shape[1])
    place = np.empty((basis.shape[1], basis.shape[1]), np.int64)
    place[left, right] = place[right, left] = np.arange(len(left))
    return _Design(observed, basis, basis[:, left] * basis[:, right], place, shift)


def _fit_some(
    span: FloatArray, design: _Design, shared: _Inverse, least: int
) -> Iterator[tuple[IntArray, FactorFits]]:
    """Fit the symbols of one chunk: columns of ``span``, and their fits."""
    finite = np.isfinite(span)
    used = finite & design.observed[:, None]
    returns = span if used.all() else np.where(used, span, 0.0)
    window = len(span) - len(shared.n) + 1
    products = _Products(_sums(design.basis, returns, window), _squares(returns, window))
    alike = np.asarray((finite | ~design.observed[:, None]).all(axis=0))
    if alike.all():
        yield np.arange(len(alike)), _solve(shared, products, design.shift)
        return
    if alike.any():
        columns = np.flatnonzero(alike)
        yield columns, _solve(shared, products.of(columns), design.shift)
    for columns in _chunks(np.flatnonzero(~alike), design.pairs.size):
        sums = _sums(design.pairs, used[:, columns].astype(np.float64), window)
        own = _invert(sums, design, least)
        yield columns, _solve(own, products.of(columns), design.shift)


def _chunks(columns: IntArray, each: int) -> Iterator[IntArray]:
    """Split ``columns`` so that ``each`` numbers for every one of them fit in a chunk."""
    size = max(1, CHUNK // each)
    for start in range(0, len(columns), size):
        yield columns[start : start + size]


def _sums(left: FloatArray, right: FloatArray, window: int) -> FloatArray:
    """Sum ``left`` (S, P) × ``right`` (S, K) over each window: (R, P, K)."""
    count = len(left) - window + 1
    if count > DIRECT_ROWS:
        return _window_sums(left[:, :, None] * right[:, None, :], window)
    each = [left[row : row + window].T @ right[row : row + window] for row in range(count)]
    return np.stack(each)


def _squares(returns: FloatArray, window: int) -> FloatArray:
    """Sum the squares of ``returns`` (S, K) over each window: (R, K)."""
    count = len(returns) - window + 1
    if count > DIRECT_ROWS:
        return _window_sums(returns * returns, window)
    parts = (returns[row : row + window] for row in range(count))
    return np.stack([np.einsum("tk,tk->k", part, part) for part in parts])


def _window_sums(terms: FloatArray, window: int) -> FloatArray:
    """Sum every ``window`` consecutive rows of ``terms``.

    A window is the end of one block of ``window`` rows and the beginning of the next, so
    totals from the end of a block backwards and from its beginning forwards serve them all.
    """
    count = len(terms) - window + 1
    sums = np.empty((count, *terms.shape[1:]))
    for start in range(0, count, window):
        some = min(window, count - start)
        block = terms[start : start + window]
        sums[start : start + some] = np.cumsum(block[::-1], axis=0)[::-1][:some]
        after = terms[start + window : start + window + some - 1]
        sums[start + 1 : start + some] += np.cumsum(after, axis=0)
    return sums


def _invert(sums: FloatArray, design: _Design, least: int) -> _Inverse:
    """Centre and scale the factors' moments and invert them."""
    moments = sums[:, design.place]
    n = moments[:, 0, 0]
    mean = moments[:, 0, 1:] / np.maximum(n, 1.0)[:, None]
    squares = moments[:, 1:, 1:]
    centred = squares - mean[:, :, None] * moments[:, None, 0, 1:]
    variation = np.einsum("rffk->rfk", centred)
    rounding = FLAT * np.einsum("rffk->rfk", squares) + NOTHING
    flat = (variation <= rounding).any(axis=1)
    few = n < least
    unusable = few | flat
    scale = 1 / np.sqrt(np.where(unusable[:, None], 1.0, variation))
    centred *= scale[:, :, None] * scale[:, None]
    identity = np.eye(scale.shape[1])[:, :, None]
    inverse = _inverse_of(np.where(unusable[:, None, None], identity, centred))
    collinear = np.einsum("rffk->rfk", inverse).max(axis=1) >= MAX_VIF
    nulls = np.zeros(n.shape, np.int8)
    nulls[collinear] = CODE_OF[NullReason.COLLINEAR_FACTORS]
    nulls[flat] = CODE_OF[NullReason.NO_FACTOR_VARIATION]
    nulls[few] = CODE_OF[NullReason.TOO_FEW_OBSERVATIONS]
    return _Inverse(n, mean, scale, inverse, nulls)


def _inverse_of(matrices: FloatArray) -> FloatArray:
    """Invert the correlation matrices (R, F, F, K) by sweeping one factor after the other.

    A pivot is what the earlier factors leave of one; where they leave nothing, the inverse
    is huge but finite, and its diagonal, the variance inflation, shows it.
    """
    swept = matrices.copy()
    for factor in range(swept.shape[1]):
        row = swept[:, factor].copy()
        pivot = np.maximum(row[:, factor], _SMALLEST_PIVOT)
        share = row / pivot[:, None]
        swept -= share[:, :, None] * row[:, None]
        swept[:, factor] = share
        swept[:, :, factor] = share
        swept[:, factor, factor] = -1 / pivot
    return -swept


def _solve(factors: _Inverse, products: _Products, shift: FloatArray) -> FactorFits:
    """Solve for the symbols of ``products``, whose factor moments are ``factors``."""
    mean, total, scaled = _centred(factors, products)
    if factors.inverse.shape[-1] == 1:
        standard = factors.inverse[..., 0] @ scaled
    else:
        standard = np.einsum("rfgk,rgk->rfk", factors.inverse, scaled)
    residual = total - np.einsum("rfk,rfk->rk", standard, scaled)
    residual[residual <= PERFECT * total] = 0.0
    deviation = np.sqrt(residual / np.maximum(factors.n - scaled.shape[1] - 1, 1.0))
    spread = np.sqrt(np.einsum("rffk->rfk", factors.inverse)) * factors.scale
    beta = standard * factors.scale
    alpha = mean - (beta * (factors.mean + shift[:, None])).sum(axis=1)
    unexplained = np.divide(residual, total, out=np.ones_like(total), where=total > 0)
    nulls = np.broadcast_to(factors.nulls, mean.shape)
    missing = nulls != 0
    return FactorFits(
        n=np.broadcast_to(factors.n, mean.shape).astype(np.int64),
        alpha=np.where(missing, np.nan, alpha),
        beta=np.where(missing[:, None], np.nan, beta).swapaxes(1, 2),
        stderr=np.where(missing[:, None], np.nan, deviation[:, None] * spread).swapaxes(1, 2),
        r2=np.where(missing, np.nan, np.maximum(1 - unexplained, 0.0)),
        residual_sd=np.where(missing, np.nan, deviation),
        nulls=nulls,
    )


def _centred(factors: _Inverse, products: _Products) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return means, sums of squares about them, and products with the scaled factors."""
    totals = products.cross[:, 0]
    mean = totals / np.maximum(factors.n, 1.0)
    total = products.squares - mean * totals
    total[total <= FLAT * products.squares] = 0.0
    scaled = (products.cross[:, 1:] - factors.mean * totals[:, None]) * factors.scale
    return mean, total, scaled
