"""Which instruments move as one: clusters of a correlation matrix.

distance = √((1 − ρ) / 2)      average linkage, cut where ρ = 0.7
"""

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from riskmark.calc.arrays import FloatArray

ALIKE = 0.7
"""Instruments that are, on average, correlated as much as this stand in one cluster."""
MARGIN = 1e-9
"""Rounding on which the cut must not hang."""


def clusters(correlation: FloatArray) -> tuple[tuple[int, ...], ...]:
    """Sort the instruments of ``correlation`` (n, n) into clusters, as places in the matrix.

    Members ascend, and clusters go by their first member; one that is like no other is a
    cluster of its own.
    """
    count = len(correlation)
    if count <= 1:
        return ((0,),) * count
    pairs = correlation[np.triu_indices(count, 1)]
    tree = linkage(_distance(pairs), method="average")
    cut = float(_distance(np.array(ALIKE))) * (1 + MARGIN)
    found: dict[int, list[int]] = {}
    for place, label in enumerate(fcluster(tree, cut, criterion="distance").tolist()):
        found.setdefault(label, []).append(place)
    return tuple(tuple(members) for members in found.values())


def _distance(correlation: FloatArray) -> FloatArray:
    return np.sqrt(np.maximum(1 - correlation, 0.0) / 2)
