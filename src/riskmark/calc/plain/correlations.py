"""Correlations: over what was observed of both, repaired, clustered, and summed up."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from riskmark.calc import spectra
from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.calc.clusters import clusters
from riskmark.calc.pairwise import LEAST, pairwise_correlations
from riskmark.calc.plain.columns import as_columns, as_square, as_vector

HEDGED = 1e-12
"""A deviation below this share of the sum of its parts is rounding: everything cancels."""


class Correlation(NamedTuple):
    """Correlations of N series.

    Attributes
    ----------
    matrix : float64, shape (N, N)
        Pearson's correlations, a ratio from −1 to 1; NaN for a pair with too little in common.
    common : int64, shape (N, N)
        Sessions on which both of a pair were observed, a count.
    """

    matrix: FloatArray
    common: IntArray


def estimate_correlation(returns: npt.ArrayLike, *, minimum: int = LEAST) -> Correlation:
    """Correlate series, each pair over the sessions on which both were observed.

    Parameters
    ----------
    returns : float64, shape (T, N)
        Simple returns a session, as fractions; all sessions count, so cut off what is too old
        (Riskmark looks at 90). NaN: not observed.
    minimum : int
        Fewest common sessions of a pair, at least 30, a count.

    Returns
    -------
    Correlation
        Ratios. A pair is NaN with fewer than ``minimum`` sessions in common, or where one of
        the two does not move on them. Where pairs have different sessions, the matrix need
        not be positive semi-definite: ``repair_correlation`` makes it so.

    Raises
    ------
    ShapeError
        ``returns`` is neither vector nor matrix.
    ValueError
        A return is infinite, or ``minimum`` is below 30.

    Notes
    -----
    Pearson's product-moment correlation, pairwise complete.
    """
    if minimum < LEAST:
        message = f"fewer than {LEAST} sessions make no correlation; minimum was {minimum}"
        raise ValueError(message)
    rows = as_columns(returns, "returns").values.T
    observed = np.isfinite(rows)
    counts = np.maximum(observed.sum(axis=1, keepdims=True), 1)
    known = np.where(observed, rows, 0.0)
    about = np.where(observed, known - known.sum(axis=1, keepdims=True) / counts, 0.0)
    found = pairwise_correlations(about[None], observed[None])
    mask = observed.astype(np.int64)
    enough = found.common[0] >= minimum
    return Correlation(np.where(enough, found.correlation[0], np.nan), mask @ mask.T)


def repair_correlation(correlation: npt.ArrayLike) -> FloatArray:
    """Make a matrix of correlations positive semi-definite, as little changed as possible.

    Parameters
    ----------
    correlation : float64, shape (N, N)
        Symmetric, a ratio from −1 to 1, without NaN: leave out what has no correlation first.

    Returns
    -------
    float64, shape (N, N)
        Ratios with exactly 1 on the diagonal; the same matrix where it was so already.

    Raises
    ------
    ShapeError
        It is not square, or has no rows.
    ValueError
        It holds NaN or infinities.

    Notes
    -----
    Eigenvalues below 0 are set to 0, and rows and columns scaled back to a diagonal of 1
    (Rebonato and Jäckel 1999). It is not the nearest such matrix, but close to it.
    """
    given = as_square(correlation, "correlation")
    repaired: FloatArray = spectra.semi_definite(given[None]).correlation[0]
    return repaired


def find_clusters(correlation: npt.ArrayLike) -> IntArray:
    """Sort instruments into clusters of those that move as one.

    Parameters
    ----------
    correlation : float64, shape (N, N)
        Ratios from −1 to 1, without NaN.

    Returns
    -------
    int64, shape (N,)
        The number of each instrument's cluster, a code from 0 on, by their first members.

    Raises
    ------
    ShapeError
        It is not square, or has no rows.
    ValueError
        It holds NaN or infinities.

    Notes
    -----
    Average linkage on √((1 − ρ) / 2) (Mantegna 1999), cut where ρ = 0.7.
    """
    matrix = as_square(correlation, "correlation")
    labels = np.zeros(len(matrix), np.int64)
    for number, members in enumerate(clusters(matrix)):
        labels[list(members)] = number
    return labels


def effective_rank(correlation: npt.ArrayLike) -> float:
    """Count how many independent directions a matrix of correlations has.

    Parameters
    ----------
    correlation : float64, shape (N, N)
        Ratios from −1 to 1, without NaN; repaired first if it is not semi-definite.

    Returns
    -------
    float
        A count from 1 (all move as one) to N (all move alone).

    Raises
    ------
    ShapeError
        It is not square, or has no rows.
    ValueError
        It holds NaN or infinities.

    Notes
    -----
    exp of the entropy of the eigenvalues as shares of their sum (Roy and Vetterli 2007).
    """
    repaired = spectra.semi_definite(as_square(correlation, "correlation")[None])
    return float(spectra.effective_rank(repaired.eigenvalues)[0])


def effective_bets(covariance: npt.ArrayLike, weights: npt.ArrayLike) -> float:
    """Count how many independent bets a portfolio makes.

    Parameters
    ----------
    covariance : float64, shape (N, N)
        Covariances of returns, fraction²; their scale does not matter.
    weights : float64, shape (N,)
        What is held of each, fractions of NAV or money; their scale does not matter.

    Returns
    -------
    float
        A count from 1 to N; NaN where the portfolio has no variance.

    Raises
    ------
    ShapeError
        The matrix is not square, or has not as many rows as there are weights.
    ValueError
        It holds NaN or infinities, or a negative variance.

    Notes
    -----
    exp of the entropy of the shares of variance along principal components (Meucci 2009).
    """
    matrix = as_square(covariance, "covariance")
    held = as_vector(weights, "weights", length=len(matrix))
    variances = np.diagonal(matrix)
    if (variances < 0).any():
        message = "a covariance with a negative variance on its diagonal"
        raise ValueError(message)
    deviation = np.sqrt(variances)
    scale = np.where(deviation > 0, deviation, 1.0)
    correlation = matrix / scale[:, None] / scale
    return float(spectra.effective_bets(correlation[None], deviation[None], held[None])[0])


def diversification_ratio(returns: npt.ArrayLike, weights: npt.ArrayLike) -> float:
    """Tell how much of the volatility of what is held its mixture takes away.

    Parameters
    ----------
    returns : float64, shape (T, N)
        Simple returns a session, as fractions. A session on which one is NaN does not count.
    weights : float64, shape (N,)
        What is held of each, fractions of NAV or money, negative if short.

    Returns
    -------
    float
        A ratio of at least 1, which says that nothing is taken away; NaN with fewer than 30
        sessions, and where everything cancels.

    Raises
    ------
    ShapeError
        The two have different numbers of instruments.
    ValueError
        A return is infinite.

    Notes
    -----
    Σ |w_i| σ_i / σ_p (Choueifaty and Coignard 2008).
    """
    given = as_columns(returns, "returns")
    held = as_vector(weights, "weights", length=given.values.shape[1])
    complete = given.values[np.isfinite(given.values).all(axis=1)]
    if len(complete) < LEAST:
        return float("nan")
    apart = float(np.abs(held) @ complete.std(axis=0, ddof=1))
    together = float((complete @ held).std(ddof=1))
    return apart / together if together > HEDGED * apart else float("nan")
