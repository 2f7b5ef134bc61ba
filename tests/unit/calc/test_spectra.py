"""Repairs, ranks and bets of matrices that are known."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from riskmark.calc.spectra import effective_bets, effective_rank, semi_definite

seeds = st.integers(0, 2**32 - 1)


def rank_of(correlation):
    """Return the effective rank of one matrix."""
    return effective_rank(semi_definite(correlation[None]).eigenvalues)[0]


def correlations(seed, n=6):
    """Make correlations."""
    rng = np.random.default_rng(seed)
    return np.corrcoef(rng.normal(size=(n, 1)) + rng.normal(size=(n, 50)))


def test_as_many_as_move_alone_is_the_rank():
    pairs = np.kron(np.eye(3), np.ones((2, 2)))

    assert_allclose([rank_of(np.eye(6)), rank_of(np.ones((6, 6))), rank_of(pairs)], [6, 1, 3])


def test_equal_bets_on_what_moves_alone_count_in_full_and_hidden_ones_do_not():
    deviation, even = np.full((1, 4), 0.2), np.ones((1, 4))

    alone = effective_bets(np.diag(np.ones(4))[None], np.array([[1, 2, 3, 4.0]]), even)
    together = effective_bets(np.ones((1, 4, 4)), deviation, even)
    equal = effective_bets(
        np.eye(4)[None], np.array([[1, 2, 4, 8.0]]), 1 / np.array([[1, 2, 4, 8.0]])
    )

    assert_allclose(equal, 4)
    assert 1 < alone[0] < 4
    assert_allclose(together, 1)


@given(seeds)
def test_rank_and_bets_lie_between_one_and_their_number(seed):
    correlation = correlations(seed)
    rng = np.random.default_rng(seed)

    bets = effective_bets(correlation[None], rng.random((1, 6)), rng.normal(size=(1, 6)))

    assert 1 <= bets[0] <= 6 + 1e-9
    assert 1 <= rank_of(correlation) <= 6 + 1e-9


@given(seeds, st.floats(0.2, 1))
def test_a_repair_gives_correlations(seed, strength):
    rng = np.random.default_rng(seed)
    broken = np.clip(rng.uniform(-strength, strength, (3, 7, 7)), -1, 1)
    broken = (broken + broken.swapaxes(1, 2)) / 2
    broken[:, range(7), range(7)] = 1.0

    found = semi_definite(broken)

    assert (np.linalg.eigvalsh(found.correlation) > -1e-9).all()
    assert_array_equal(np.einsum("gnn->gn", found.correlation), 1)
    assert (np.abs(found.correlation) <= 1).all()
    assert_allclose(found.eigenvalues.sum(axis=1), 7)


def test_what_is_semi_definite_is_left_as_it_is_even_beside_what_is_not():
    fine = correlations(1, n=3)
    broken = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])
    both = np.stack([fine, broken])

    found = semi_definite(both).correlation

    assert_array_equal(found[0], fine)
    assert np.abs(found[1] - broken).max() > 0.1
    assert_array_equal(both[1], broken)
