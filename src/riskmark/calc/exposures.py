"""Portfolio exposures to factors, from the fits of the instruments that are held.

    money_f = Σ_i e_i · beta_if      over the instruments with a fit, not rescaled
    fraction_f = money_f / NAV

A cell is a portfolio on a session. e_i is its signed exposure to instrument i in money;
positions that are stale, at cost or excluded from x have no entry. What share of gross has
a fit is the coverage; an exposure is null only if nothing has one.
"""

from typing import NamedTuple

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
from riskmark.calc.holdings_returns import Holdings
from riskmark.calc.model_fits import ModelFits
from riskmark.calc.regression import FactorFits
from riskmark.domain.reasons import NullReason

LEAST_NAV = 0.1
"""In holdings mode, the share of gross below which nothing is divided by NAV: where shorts
all but cancel longs, NAV is not a capital."""
MARGIN = 1e-9
"""Rounding on which the decision that NAV is too small must not hang."""


class Books(NamedTuple):
    """What the cells are worth: NAV, gross, whether something is held, and the mode.

    ``gross`` adds up the sizes of the exposures e_i, of which shares are taken. Options make
    it another than the sum of the sizes of market values, ``market_gross``; None: it is not.
    """

    nav: FloatArray
    gross: FloatArray
    held: BoolArray
    holdings_mode: BoolArray
    market_gross: FloatArray | None = None

    @property
    def of_marks(self) -> FloatArray:
        """The sum of the sizes of market values."""
        return self.gross if self.market_gross is None else self.market_gross

    def take(self, where: slice) -> "Books":
        """Return some of the cells."""
        return Books(
            self.nav[where],
            self.gross[where],
            self.held[where],
            self.holdings_mode[where],
            self.of_marks[where],
        )


class FactorExposures(NamedTuple):
    """Exposures of C cells to F factors: in money and over NAV (C, F), and coverage.

    Coverage is (C,) of fits that have all factors, (C, F) of a model's.
    """

    money: Measure
    fraction: Measure
    coverage: Measure


def factor_exposures(
    exposure: Holdings, fits: FactorFits, *, fit_row: IntArray, books: Books
) -> FactorExposures:
    """Sum the exposures (C, N) times the betas of their instruments.

    ``fit_row`` (C,) says which row of ``fits`` is that of the cell's session. Where positions
    have entries, but none a fit, the most frequent reason of their fits (the lowest code, if
    there are several) is that of the exposure.
    """
    fitted = fits.nulls == 0
    betas = np.where(fitted[:, :, None], fits.beta, 0.0).reshape(fitted.size, -1)
    indices = np.repeat(fit_row, np.diff(exposure.indptr)) * fitted.shape[1] + exposure.indices
    by_fit = csr_array(
        (exposure.data, indices, exposure.indptr), shape=(exposure.shape[0], fitted.size)
    )
    money = np.asarray(by_fit @ betas)
    nulls = _money_nulls(by_fit, fits.nulls.ravel(), books)
    codes = np.repeat(nulls[:, None], money.shape[1], axis=1)
    in_money = Measure(np.where(codes == 0, money, np.nan), codes)
    covered = np.asarray(abs(by_fit) @ fitted.ravel().astype(np.float64))
    return FactorExposures(in_money, over_nav(in_money, books), _coverage(covered, books))


def model_exposures(
    exposure: Holdings, fits: ModelFits, *, fit_row: IntArray, books: Books
) -> FactorExposures:
    """Sum the exposures (C, N) times the betas of a model, whatever its estimator."""
    parts = [factor_exposures(exposure, part, fit_row=fit_row, books=books) for part in fits.parts]
    money, fraction = (
        Measure._make(np.concatenate(arrays, axis=1) for arrays in zip(*measures, strict=True))
        for measures in ([one.money for one in parts], [one.fraction for one in parts])
    )
    columns = money.values.shape[1] // len(parts)
    coverage = Measure._make(
        np.repeat(np.stack(arrays, axis=1), columns, axis=1)
        for arrays in zip(*(one.coverage for one in parts), strict=True)
    )
    return FactorExposures(money, fraction, coverage)


def nav_nulls(books: Books) -> CodeArray:
    """Tell why numbers cannot be divided by NAV: a code for each cell, 0 where they can."""
    small = books.holdings_mode & (books.nav < LEAST_NAV * (1 - MARGIN) * books.of_marks)
    return measure(
        books.nav,
        (books.holdings_mode & ~books.held, NullReason.NO_HOLDINGS),
        (~(books.nav > 0), NullReason.NAV_NOT_POSITIVE),
        (small, NullReason.NAV_TOO_SMALL),
    ).nulls


def over_nav(money: Measure, books: Books) -> Measure:
    """Divide money measures, (C,) or (C, F), by NAV; reasons of NAV come before their own."""
    shape = (-1,) + (1,) * (money.values.ndim - 1)
    blocked = nav_nulls(books).reshape(shape)
    nulls = np.where(blocked != 0, blocked, money.nulls)
    nav = np.where(blocked == 0, books.nav.reshape(shape), 1.0)
    return Measure(np.where(nulls == 0, money.values / nav, np.nan), nulls)


def _money_nulls(by_fit: Holdings, fit_nulls: CodeArray, books: Books) -> CodeArray:
    """Tell why exposures in money are null: a code for each cell."""
    cells = by_fit.shape[0]
    entries = np.diff(by_fit.indptr)
    nulls = np.zeros(cells, np.int8)
    nulls[books.held & (entries == 0)] = CODE_OF[NullReason.ALL_EXCLUDED]
    nulls[books.holdings_mode & ~books.held] = CODE_OF[NullReason.NO_HOLDINGS]
    cell = np.repeat(np.arange(cells), entries)
    codes = fit_nulls[by_fit.indices].astype(np.int64)
    unfitted = (entries > 0) & (np.bincount(cell[codes == 0], minlength=cells) == 0)
    if unfitted.any():
        kinds = len(CODE_OF) + 1
        counts = np.bincount(cell * kinds + codes, minlength=cells * kinds)
        nulls[unfitted] = counts.reshape(cells, kinds).argmax(axis=1)[unfitted]
    return nulls


def _coverage(covered: FloatArray, books: Books) -> Measure:
    some = books.gross > 0
    return measure(
        covered / np.where(some, books.gross, 1.0),
        (~books.held, NullReason.NO_HOLDINGS),
        (~some, NullReason.UNDEFINED_DENOMINATOR),
    )
