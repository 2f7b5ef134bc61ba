"""What eigenvalues tell: repaired correlations, effective rank, effective bets.

    effective rank   exp(−Σ q_k · ln q_k),  q_k = λ_k / n          of a correlation matrix
    effective bets   exp(−Σ p_k · ln p_k),  p_k = (e_k'w)² λ_k / w'Σw   (Meucci)

e_k and λ_k are the principal components of a covariance matrix Σ. Both numbers lie between
1 and n. Matrices come in stacks (G, n, n) with n at least 1.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import FloatArray

MARGIN = 1e-9
"""An eigenvalue above minus this is one of a positive semi-definite matrix, but for rounding."""
HEDGED = 1e-12
"""A variance below this share of (Σ |w_i| σ_i)² is rounding: nothing is left to share out."""


class SemiDefinite(NamedTuple):
    """Positive semi-definite correlations (G, n, n), and their eigenvalues (G, n), ascending."""

    correlation: FloatArray
    eigenvalues: FloatArray


def semi_definite(correlation: FloatArray) -> SemiDefinite:
    """Make correlations positive semi-definite: clip eigenvalues at 0, rescale the diagonal to 1.

    Matrices that are so already, but for rounding, come back as they are.
    """
    eigenvalues = np.linalg.eigvalsh(correlation)
    broken = np.flatnonzero(eigenvalues[:, 0] < -MARGIN)
    if not len(broken):
        return SemiDefinite(correlation, np.maximum(eigenvalues, 0.0))
    values, vectors = np.linalg.eigh(correlation[broken])
    roots = vectors * np.sqrt(np.maximum(values, 0.0))[:, None]
    rebuilt = roots @ roots.swapaxes(1, 2)
    scale = 1 / np.sqrt(np.einsum("gnn->gn", rebuilt))
    repaired = correlation.copy()
    repaired[broken] = with_unit_diagonal(rebuilt * scale[:, :, None] * scale[:, None])
    eigenvalues[broken] = np.linalg.eigvalsh(repaired[broken])
    return SemiDefinite(repaired, np.maximum(eigenvalues, 0.0))


def with_unit_diagonal(correlation: FloatArray) -> FloatArray:
    """Clip correlations to [−1, 1], in place, with exactly 1 on the diagonal."""
    np.clip(correlation, -1.0, 1.0, out=correlation)
    place = np.arange(correlation.shape[1])
    correlation[:, place, place] = 1.0
    return correlation


def effective_rank(eigenvalues: FloatArray) -> FloatArray:
    """Return the effective rank of correlations with these ``eigenvalues`` (G, n), (G,)."""
    return _spread(eigenvalues)


def effective_bets(
    correlation: FloatArray, deviation: FloatArray, weights: FloatArray
) -> FloatArray:
    """Return the effective number of bets, (G,); NaN where the weights' variance is 0.

    ``deviation`` and ``weights`` are (G, n); neither's unit matters.
    """
    sigma, w = (part / _largest(part) for part in (deviation, weights))
    values, vectors = np.linalg.eigh(correlation * sigma[:, :, None] * sigma[:, None])
    along = np.einsum("gnk,gn->gk", vectors, w)
    bets = along * along * np.maximum(values, 0.0)
    least = HEDGED * np.einsum("gn,gn->g", np.abs(w), sigma) ** 2
    some = bets.sum(axis=1) > least
    return np.where(some, _spread(np.where(some[:, None], bets, 1.0)), np.nan)


def _largest(values: FloatArray) -> FloatArray:
    largest = np.abs(values).max(axis=1, keepdims=True)
    return np.where(largest > 0, largest, 1.0)


def _spread(parts: FloatArray) -> FloatArray:
    """Return exp(entropy) of ``parts`` (G, n), not negative, as shares of their sum."""
    share = parts / parts.sum(axis=1, keepdims=True)
    logarithm = np.log(np.where(share > 0, share, 1.0))
    entropy: FloatArray = -np.einsum("gn,gn->g", share, logarithm)
    return np.exp(np.maximum(entropy, 0.0))
