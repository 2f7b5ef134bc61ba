"""The diversification ratio."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.sparse import csr_array
from tests.holdings import books_of, filled_history, make_world, value

from riskmark.calc.arrays import reason_of
from riskmark.calc.diversification import diversification_ratio
from riskmark.domain.reasons import NullReason

seeds = st.integers(0, 2**32 - 1)
LAST = range(199, 200)


def ratio_of(world):
    """Compute the ratios of a world's cells."""
    return diversification_ratio(world.series, world.holdings, books=world.books)


@given(seeds, st.sampled_from([0.0, 0.05, 0.3]))
def test_it_is_the_volatility_of_the_parts_over_that_of_the_whole(seed, missing):
    world = make_world(seed, cells=1, missing=missing)

    found = ratio_of(world)

    kept = np.flatnonzero(~world.series.excluded)
    if len(kept):
        entries = [(world.holdings.indices[at], world.holdings.data[at]) for at in kept]
        histories = [amount * filled_history(world, 0, i)[-90:] for i, amount in entries]
        apart = sum(np.std(one, ddof=1) for one in histories)
        expected = apart / np.std(np.sum(histories, axis=0), ddof=1)
        assert_allclose(found.values, expected, rtol=1e-9)
        assert found.values >= 1 - 1e-12


@given(seeds, st.floats(-1e6, 1e6).filter(lambda scale: abs(scale) > 1e-3))
def test_the_size_of_a_book_does_not_matter(seed, scale):
    world = make_world(seed)
    scaled = value(
        world.returns, world.market, scale * world.holdings, world.cell_row, range(196, 200)
    )

    found = ratio_of(scaled)

    assert_allclose(found.values, ratio_of(world).values, rtol=1e-9)


def test_one_position_is_not_diversified():
    world = make_world(1, missing=0)
    alone = value(
        world.returns, world.market, csr_array([[0, -5.0, 0, 0, 0]]), np.array([199]), LAST
    )

    assert_allclose(ratio_of(alone).values, 1)


@pytest.mark.parametrize(("length", "reason"), [(29, NullReason.TOO_FEW_OBSERVATIONS), (30, None)])
def test_thirty_sessions_are_needed(length, reason):
    world = make_world(2, missing=0, length=length, rows=LAST)

    found = ratio_of(world)

    assert {reason_of(int(code)) for code in found.nulls} == {reason}


def test_every_null_has_its_reason():
    world = make_world(3, missing=0)
    returns = world.returns.copy()
    returns[:198, 0] = np.nan
    returns[:, 2] = returns[:, 1]
    holdings = csr_array([[7.0, 0, 0, 0, 0], [0, 5.0, -5.0, 0, 0], [0, 0, 0, 0, 0]])
    held = value(returns, world.market, holdings, np.full(3, 199), LAST)

    found = diversification_ratio(held.series, holdings, books=books_of(holdings))

    assert [reason_of(int(code)) for code in found.nulls] == [
        NullReason.ALL_EXCLUDED,
        NullReason.UNDEFINED_DENOMINATOR,
        NullReason.NO_HOLDINGS,
    ]


def test_what_always_earns_the_same_is_no_mixture_of_risks():
    world = make_world(6, missing=0)
    returns = world.returns.copy()
    returns[:, :2] = 0.06 + 1e-17 * np.arange(len(returns))[:, None]  # as prices give it
    returns[::3, :2] = np.nextafter(0.06, 1)
    held = value(returns, world.market, csr_array([[5.0, 2.0, 0, 0, 0]]), np.array([199]), LAST)

    assert reason_of(int(ratio_of(held).nulls[0])) is NullReason.UNDEFINED_DENOMINATOR


def test_pairs_are_measured_so_many_at_a_time(monkeypatch):
    world = make_world(4, missing=0.2)
    whole = ratio_of(world)
    monkeypatch.setattr("riskmark.calc.diversification.PAIRS", 2)

    assert_allclose(ratio_of(world).values, whole.values, rtol=1e-12)
