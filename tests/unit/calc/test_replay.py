"""Replays against a plain loop, their shares, and why some of them are null."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from riskmark.calc.arrays import reason_of
from riskmark.calc.exposures import Books
from riskmark.calc.regression import fit_factors
from riskmark.calc.replay import Episode, replay
from riskmark.domain.reasons import NullReason

SESSIONS, INSTRUMENTS = 150, 6
ROWS = range(140, 150)
seeds = st.integers(0, 2**32 - 1)


class World:
    """Cells, the fits of what they hold, and two episodes, one with gaps of every kind."""

    def __init__(self, seed, *, cells=8):
        rng = np.random.default_rng(seed)
        factors = rng.normal(0, 0.01, (SESSIONS, 2))
        returns = factors @ rng.normal(1, 1, (2, INSTRUMENTS))
        returns += rng.normal(0, 0.02, returns.shape)
        returns[:, 5] = np.nan  # no fit
        returns[:144, 4] = np.nan  # no fit either
        self.fits = fit_factors(returns, factors, rows=ROWS, window=60, minimum=10)
        self.episodes = [self.episode(rng, gaps) for gaps in (0.0, 0.2)]
        self.fit_row = rng.integers(0, len(ROWS), cells)
        self.amounts = rng.normal(0, 1000, (cells, INSTRUMENTS))
        self.amounts[rng.random(self.amounts.shape) < 0.3] = 0
        self.is_over = np.ones((cells, 2), bool)

    @staticmethod
    def episode(rng, gaps):
        returns = rng.normal(-0.01, 0.03, (20, INSTRUMENTS))
        returns[:, 1] = np.nan
        returns[rng.integers(0, 20), 2] = np.nan
        returns[rng.integers(0, 20), 5] = np.nan
        factors = rng.normal(-0.01, 0.02, (20, 2))
        factors[rng.random(factors.shape) < gaps] = np.nan
        return Episode(returns, factors, in_data=True)

    def books(self, **changes):
        gross = np.abs(self.amounts).sum(axis=1)
        cells = len(gross)
        plain = Books(gross + 1, gross, np.ones(cells, bool), np.zeros(cells, bool))
        return plain._replace(**changes)

    def replayed(self, **changes):
        return replay(
            csr_array(self.amounts),
            self.fits,
            self.episodes,
            fit_row=self.fit_row,
            is_over=self.is_over,
            books=self.books(**changes),
        )


def plain_return(world, episode, cell, instrument):
    """Take one instrument through one episode; None if that cannot be done."""
    own = episode.returns[:, instrument]
    if np.isfinite(own).all():
        return np.prod(1 + own) - 1, "own"
    beta = world.fits.beta[world.fit_row[cell], instrument]
    if not np.isfinite(beta).all():
        return None
    value = 1.0
    for moves in episode.factors:
        value *= 1 + sum(b * f for b, f in zip(beta, moves, strict=True) if np.isfinite(f))
    return value - 1, "proxied"


def reasons(codes):
    return [reason_of(int(code)) for code in codes]


@given(seeds)
def test_every_replay_is_that_of_a_plain_loop(seed):
    world = World(seed)

    found = world.replayed()

    gross = np.abs(world.amounts).sum(axis=1)
    for cell in range(len(world.amounts)):
        for place, episode in enumerate(world.episodes):
            pnl, shares = 0.0, {"own": 0.0, "proxied": 0.0}
            for instrument in np.flatnonzero(world.amounts[cell]):
                taken = plain_return(world, episode, cell, instrument)
                if taken is not None:
                    pnl += world.amounts[cell, instrument] * taken[0]
                    shares[taken[1]] += abs(world.amounts[cell, instrument])
            if not shares["own"] + shares["proxied"]:
                assert reasons(found.pnl.nulls[cell, [place]])[0] is NullReason.ALL_EXCLUDED
                continue
            own, proxied = shares["own"] / gross[cell], shares["proxied"] / gross[cell]
            assert_allclose(found.pnl.values[cell, place], pnl, rtol=1e-9, atol=1e-9)
            assert_allclose(found.own_share.values[cell, place], own, rtol=1e-12)
            assert_allclose(found.proxied_share.values[cell, place], proxied, rtol=1e-12)
            assert_allclose(found.replayed_share.values[cell, place], own + proxied, rtol=1e-12)


@given(seeds, st.floats(-3, 3).filter(lambda leverage: abs(leverage) > 1e-3))
def test_leverage_scales_the_loss_and_leaves_the_shares(seed, leverage):
    world = World(seed)
    plain = world.replayed()
    world.amounts = leverage * world.amounts

    levered = world.replayed()

    assert_allclose(levered.pnl.values, leverage * plain.pnl.values, rtol=1e-9, atol=1e-9)
    for one, other in zip(levered[1:], plain[1:], strict=True):
        assert_allclose(one.values, other.values, rtol=1e-9)


def test_an_instrument_with_all_its_returns_needs_no_fit():
    world = World(1, cells=1)
    world.amounts[:] = [[0, 0, 0, 0, 100, 0]]

    found = world.replayed()

    expected = 100 * (np.prod(1 + world.episodes[0].returns[:, 4]) - 1)
    assert_allclose(found.pnl.values[0, 0], expected, rtol=1e-12)
    assert found.own_share.values[0, 0] == 1


def test_what_has_neither_returns_nor_a_fit_is_not_replayed():
    world = World(2, cells=1)
    world.amounts[:] = [[0, 0, 0, 0, 0, 100]]

    found = world.replayed()

    assert reasons(found.pnl.nulls[0]) == [NullReason.ALL_EXCLUDED] * 2
    assert_array_equal(found.replayed_share.values, 0)


def test_an_episode_before_the_data_or_not_over_yet_has_no_numbers():
    world = World(3)
    world.episodes[0] = world.episodes[0]._replace(in_data=False)
    world.is_over[::2, 1] = False

    found = world.replayed()

    for one in found:
        assert reasons(one.nulls[0]) == [NullReason.BEFORE_DATA, NullReason.NOT_OVER_YET]
        assert reasons(one.nulls[1]) == [NullReason.BEFORE_DATA, None]
        assert_array_equal(np.isnan(one.values), one.nulls != 0)


def test_holding_nothing_loses_nothing_of_nothing():
    world = World(4, cells=2)
    world.amounts[:] = 0
    world.episodes[0] = world.episodes[0]._replace(in_data=False)
    in_holdings_mode = np.array([False, True])

    found = world.replayed(held=np.zeros(2, bool), holdings_mode=in_holdings_mode)

    assert_array_equal(found.pnl.values[0], 0)
    assert reasons(found.pnl.nulls[1]) == [NullReason.NO_HOLDINGS] * 2
    for one in found[1:]:
        assert reasons(one.nulls.ravel()) == [NullReason.NO_HOLDINGS] * 4


def test_holdings_that_are_all_stale_cannot_be_replayed():
    world = World(5, cells=1)
    gross = np.abs(world.amounts).sum(axis=1)
    world.amounts[:] = 0

    found = world.replayed(gross=gross)

    assert reasons(found.pnl.nulls[0]) == [NullReason.ALL_EXCLUDED] * 2
    assert_array_equal(found.replayed_share.values, 0)


def test_positions_without_a_value_are_shares_of_nothing():
    world = World(6, cells=1)
    world.amounts[:] = 0

    found = world.replayed()

    assert reasons(found.own_share.nulls[0]) == [NullReason.UNDEFINED_DENOMINATOR] * 2


def test_pairs_taken_a_few_at_a_time_change_no_number(monkeypatch):
    world = World(7)
    whole = world.replayed()
    monkeypatch.setattr("riskmark.calc.replay.PAIRS", 2)

    found = world.replayed()

    assert_allclose(found.pnl.values, whole.pnl.values, rtol=1e-12)


def test_no_episodes_and_no_cells_are_no_replays():
    world = World(8)
    world.episodes, world.is_over = [], np.ones((8, 0), bool)

    assert world.replayed().pnl.values.shape == (8, 0)
    world.amounts, world.fit_row = np.zeros((0, INSTRUMENTS)), np.zeros(0, int)
    world.is_over = np.ones((0, 0), bool)
    assert world.replayed().pnl.values.shape == (0, 0)
