"""Regressions of the series x of portfolios on the factors of a model.

    x_c = a_c + Σ_f b_cf · f + noise_c      least squares, one for each cell

A cell is a portfolio on a session. Its rows are the sessions, among the last ``window`` to
its own, on which x and all factors are observed. The residuals of holdings are correlated,
so the standard errors of a portfolio's exposures are those of this regression of what it
holds, not sums over the fits of what is in it; so is its specific variance.

Cells of one session share its factors' moments and their inverse. Products of x with the
factors are made for many cells at once: each x is laid where its sessions are among those of
the others, zeros around it, and one matrix product serves them all.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from riskmark.calc.arrays import CODE_OF, CodeArray, FloatArray, IntArray
from riskmark.calc.factor_moments import Design, Solver, make_design, make_solver
from riskmark.calc.regression import FactorFits, Products, solve
from riskmark.calc.windows import CHUNK, cut, product_sums
from riskmark.domain.reasons import NullReason

BLOCK = 64
"""Sessions whose cells share one product: each x stands among zeros for at most so many."""


class PortfolioFits(NamedTuple):
    """Fits of C cells on F factors; NaN exactly where ``nulls`` is not 0.

    ``n`` counts the rows. ``residual_variance`` is SSR / (n − F − 1).
    """

    n: IntArray
    alpha: FloatArray
    beta: FloatArray
    stderr: FloatArray
    r2: FloatArray
    residual_variance: FloatArray
    nulls: CodeArray


class Excess(NamedTuple):
    """What makes x an excess return: ``risk_free`` (T,) on the ``net`` (C,) that is invested.

    ``net`` is the sum of the holdings that x was made of, in their unit.
    """

    risk_free: FloatArray
    net: FloatArray


class _Windows(NamedTuple):
    """The sessions with a Market return, L of them, on which the series x may stand.

    For each session asked for: ``end``, the place after its own, and ``length``, how many lie
    in its window. ``basis`` (L, 1 + F) are the design's rows of these sessions, rows of
    nothing before the panel, and ``risk_free`` (L,) what is taken off x.
    """

    end: IntArray
    length: IntArray
    basis: FloatArray
    risk_free: FloatArray


def fit_portfolios(
    x: FloatArray,
    factors: FloatArray,
    *,
    market: FloatArray,
    cell_row: IntArray,
    rows: range,
    window: int,
    minimum: int,
    excess: Excess | None = None,
) -> PortfolioFits:
    """Regress the series ``x`` (C, 504) on all of ``factors`` (T, F).

    ``x`` is right-aligned on the sessions on which ``market`` (T,) is finite, up to the
    cell's own, ``cell_row`` (C,), which is among ``rows``. The reasons for a null are those
    of ``fit_factors``.
    """
    if not 0 < window <= x.shape[1]:
        message = f"a window of {window} sessions is not within the {x.shape[1]} of x"
        raise ValueError(message)
    found = _empty(len(x), factors.shape[1])
    if not len(x):
        return found
    usable = np.isfinite(market[: rows.stop])
    if excess is not None:
        usable &= np.isfinite(excess.risk_free[: rows.stop])
    known = np.where(usable[:, None], factors[: rows.stop], np.nan)
    design = make_design(cut(known, rows, window))
    sums = product_sums(design.pairs, np.ones((len(design.basis), 1)), window)
    solver = make_solver(sums, design, least=max(minimum, factors.shape[1] + 2))
    windows = _windows(design, market, rows, window=window, excess=excess)
    place = np.asarray(cell_row, np.int64) - rows.start
    order = np.argsort(place, kind="stable")
    start = 0
    while start < len(order):
        stop = _until(place[order], start, window)
        cells = order[start:stop]
        aligned = _align(x, windows, cells, place[cells], window=window, excess=excess)
        products = _products(aligned, windows, place[cells], window=window)
        _write(found, cells, _solve(solver, products, place[cells], design.shift))
        start = stop
    found.nulls[solver.n[place, 0] == 0] = CODE_OF[NullReason.NO_FACTOR_DATA]
    return found


def _empty(cells: int, factors: int) -> PortfolioFits:
    return PortfolioFits(
        n=np.zeros(cells, np.int64),
        alpha=np.full(cells, np.nan),
        beta=np.full((cells, factors), np.nan),
        stderr=np.full((cells, factors), np.nan),
        r2=np.full(cells, np.nan),
        residual_variance=np.full(cells, np.nan),
        nulls=np.zeros(cells, np.int8),
    )


def _windows(
    design: Design, market: FloatArray, rows: range, *, window: int, excess: Excess | None
) -> _Windows:
    sessions = np.flatnonzero(np.isfinite(market[: rows.stop]))
    asked = np.arange(rows.start, rows.stop)
    end = np.searchsorted(sessions, asked, side="right")
    length = end - np.searchsorted(sessions, asked - window, side="right")
    used = sessions[max(0, end[0] - window) :]
    lead = max(0, window - int(end[0]))
    first_row = rows.start - window + 1
    inside = used >= first_row
    basis = np.zeros((lead + len(used), design.basis.shape[1]))
    basis[lead:][inside] = design.basis[used[inside] - first_row]
    risk_free = np.zeros(len(basis))
    if excess is not None:
        risk_free[lead:] = np.nan_to_num(excess.risk_free[used], nan=0.0)
    return _Windows(end - end[0] + window, length, basis, risk_free)


def _until(place: IntArray, start: int, window: int) -> int:
    """Return how far a block of cells may go: some sessions, and a chunk of numbers."""
    alike = int(np.searchsorted(place, place[start] + BLOCK))
    return min(alike, start + max(1, CHUNK // (window + BLOCK)))


def _align(
    x: FloatArray,
    windows: _Windows,
    cells: IntArray,
    place: IntArray,
    *,
    window: int,
    excess: Excess | None,
) -> FloatArray:
    """Lay the x of some cells, in order of session, where their sessions are: (c, L)."""
    end = windows.end[place]
    begin = end - end[0]
    tail = x[cells, x.shape[1] - window :]
    if excess is not None:
        risk_free = windows.risk_free[end[0] - window : end[-1]]
        tail -= excess.net[cells, None] * sliding_window_view(risk_free, window)[begin]
    length = windows.length[place]
    if np.any(length < window):
        tail[np.arange(window) < window - length[:, None]] = 0.0
    aligned = np.zeros((len(cells), int(begin[-1]) + window))
    slots = sliding_window_view(aligned, window, axis=1, writeable=True)
    slots[np.arange(len(cells)), begin] = tail
    return aligned


def _products(aligned: FloatArray, windows: _Windows, place: IntArray, *, window: int) -> Products:
    """Multiply the x of some cells, in order of session, by the factors and by themselves."""
    basis = windows.basis[windows.end[place[0]] - window : windows.end[place[-1]]]
    observed = basis[:, 0] > 0
    if not observed.all():
        aligned[:, ~observed] = 0.0
    squares = np.einsum("cl,cl->c", aligned, aligned)
    return Products((aligned @ basis)[:, :, None], squares[:, None])


def _solve(solver: Solver, products: Products, place: IntArray, shift: FloatArray) -> FactorFits:
    """Solve for cells, each with the factors' side of its session."""
    return solve(Solver._make(part[place] for part in solver), products, shift)


def _write(found: PortfolioFits, cells: IntArray, part: FactorFits) -> None:
    found.n[cells] = part.n[:, 0]
    found.alpha[cells] = part.alpha[:, 0]
    found.beta[cells] = part.beta[:, 0]
    found.stderr[cells] = part.stderr[:, 0]
    found.r2[cells] = part.r2[:, 0]
    found.residual_variance[cells] = np.square(part.residual_sd[:, 0])
    found.nulls[cells] = part.nulls[:, 0]
