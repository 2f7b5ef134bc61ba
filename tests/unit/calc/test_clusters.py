"""Clusters of small matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmark.calc.clusters import clusters


def matrix(n, **pairs):
    """Make a correlation matrix; ``_01=0.8`` is the correlation of 0 and 1."""
    found = np.eye(n)
    for name, value in pairs.items():
        i, j = int(name[1]), int(name[2])
        found[i, j] = found[j, i] = value
    return found


@pytest.mark.parametrize(
    ("correlation", "expected"),
    [
        (np.zeros((0, 0)), ()),
        (np.eye(1), ((0,),)),
        (np.eye(3), ((0,), (1,), (2,))),
        (matrix(3, _02=0.8), ((0, 2), (1,))),
        (matrix(2, _01=0.7), ((0, 1),)),
        (matrix(2, _01=0.6999), ((0,), (1,))),
        (matrix(2, _01=-1.0), ((0,), (1,))),
        (np.ones((4, 4)), ((0, 1, 2, 3),)),
    ],
)
def test_what_is_correlated_by_seven_tenths_stands_together(correlation, expected):
    assert clusters(correlation) == expected


def test_a_third_joins_by_its_average_distance():
    near = clusters(matrix(3, _01=0.9, _02=0.75, _12=0.68))
    far = clusters(matrix(3, _01=0.9, _02=0.75, _12=0.5))

    assert near == ((0, 1, 2),)
    assert far == ((0, 1), (2,))


@given(st.integers(0, 2**32 - 1))
def test_every_instrument_stands_in_one_cluster_whatever_their_order(seed):
    rng = np.random.default_rng(seed)
    correlation = np.corrcoef(rng.normal(size=(8, 1)) + rng.normal(size=(8, 40)))
    order = rng.permutation(8)

    found = clusters(correlation)

    assert sorted(place for members in found for place in members) == list(range(8))
    shuffled = clusters(correlation[np.ix_(order, order)])
    named = {frozenset(order[list(members)].tolist()) for members in shuffled}
    assert named == {frozenset(members) for members in found}
