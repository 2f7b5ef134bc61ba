"""How sure a portfolio's exposures are, and how much of its risk is the factors'.

    factor variance = b' Σ_f b        specific variance = residual variance of x on the factors

b are the exposures, Σ_f the covariance of the factors over the model's window. The shares
are of the sum of both variances, and b_f · (Σ_f b)_f, as a share of it, is what one factor
contributes; the contributions sum to the factors' share, and one that offsets the others is
negative. Shares are free of scale, so NAV has no part in them.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import CODE_OF, CodeArray, IntArray, Measure
from riskmark.calc.exposures import Books
from riskmark.calc.factor_covariance import FactorCovariances
from riskmark.calc.portfolio_regression import PortfolioFits
from riskmark.domain.reasons import NullReason

ROUNDING = 1e-12
"""A risk below this share of gross is rounding: shares of it mean nothing."""


class RiskSplit(NamedTuple):
    """Shares of variance: of the factors and specific (C,), and of each factor (C, F)."""

    factor_share: Measure
    specific_share: Measure
    contributions: Measure


def exposure_errors(exposures: Measure, fits: PortfolioFits, *, books: Books) -> Measure:
    """Return the standard errors of ``exposures`` (C, F) in money, from fits of x in money.

    Null where the exposure is, where nothing is held, and where the fit was not made.
    """
    codes = _first_of(
        np.where(books.held, 0, CODE_OF[NullReason.NO_HOLDINGS])[:, None],
        exposures.nulls,
        fits.nulls[:, None],
    )
    return Measure(np.where(codes == 0, fits.stderr, np.nan), codes)


def undefined_errors(exposures: Measure) -> Measure:
    """Return the standard errors of a model that has none: null, each of them."""
    nulls = np.full(exposures.nulls.shape, CODE_OF[NullReason.NOT_DEFINED], np.int8)
    return Measure(np.full(nulls.shape, np.nan), nulls)


def split_risk(
    exposures: Measure,
    fits: PortfolioFits,
    covariances: FactorCovariances,
    *,
    place: IntArray,
    books: Books,
) -> RiskSplit:
    """Split the variance of C cells, from ``exposures`` (C, F) and fits of x, both in money.

    ``place`` (C,) says where a cell's session is among those of ``covariances``.
    """
    matrices = covariances.matrix[place]
    usable = (exposures.nulls == 0).all(axis=1) & (covariances.nulls[place] == 0)
    b = np.where(usable[:, None], exposures.values, 0.0)
    parts = b * np.einsum("cfg,cg->cf", np.where(usable[:, None, None], matrices, 0.0), b)
    factor = parts.sum(axis=1)
    specific = np.where(fits.nulls == 0, fits.residual_variance, 0.0)
    total = factor + specific
    nothing = ~(total > np.square(ROUNDING * books.gross))
    codes = _first_of(
        np.where(books.held, 0, CODE_OF[NullReason.NO_HOLDINGS]),
        exposures.nulls.max(axis=1),
        fits.nulls,
        covariances.nulls[place],
        np.where(nothing, CODE_OF[NullReason.UNDEFINED_DENOMINATOR], 0),
    )
    known = codes == 0
    whole = np.where(known, total, 1.0)
    share = np.where(known, factor / whole, np.nan)
    each = np.repeat(codes[:, None], b.shape[1], axis=1)
    return RiskSplit(
        factor_share=Measure(share, codes),
        specific_share=Measure(np.where(known, specific / whole, np.nan), codes),
        contributions=Measure(np.where(known[:, None], parts / whole[:, None], np.nan), each),
    )


def _first_of(*codes: CodeArray | IntArray) -> CodeArray:
    """Return, cell by cell, the first code that is not 0."""
    found = np.zeros(np.broadcast_shapes(*(one.shape for one in codes)), np.int8)
    for one in reversed(codes):
        np.copyto(found, one, where=one != 0, casting="same_kind")
    return found
