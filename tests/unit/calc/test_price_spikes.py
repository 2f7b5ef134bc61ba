"""Spikes: what is found among ordinary moves, and what is not."""

import numpy as np
import pytest

from riskmark.calc.price_spikes import find_spikes


@pytest.fixture
def returns():
    """Give a year of moves of 20 symbols, of one per cent."""
    return np.random.default_rng(5).normal(0.0, 0.01, (252, 20))


def spiked(returns, row, column, move):
    """Let one close be wrong by ``move``."""
    found = returns.copy()
    found[row, column] = move
    found[row + 1, column] = 1 / (1 + move) - 1
    return found


def test_ordinary_moves_are_no_spikes(returns):
    assert len(find_spikes(returns).row) == 0


@pytest.mark.parametrize("move", [0.3, -0.3])
def test_a_close_that_is_wrong_for_a_session_is_found(returns, move):
    found = find_spikes(spiked(returns, 100, 3, move))

    assert (found.row.tolist(), found.column.tolist()) == ([100], [3])
    assert found.move.tolist() == [move]
    assert found.multiple[0] > 20


def test_a_jump_that_stays_is_none(returns):
    returns[100, 3] = 0.3

    assert len(find_spikes(returns).row) == 0


def test_a_crash_of_all_is_nobody_s_spike(returns):
    returns[100] -= 0.12
    returns[101] += 0.13

    assert len(find_spikes(returns).row) == 0


def test_few_symbols_share_nothing(returns):
    few = spiked(returns[:, :3], 100, 1, 0.3)

    assert find_spikes(few).column.tolist() == [1]


def test_a_symbol_that_never_moves_is_not_measured_against_nothing():
    still = np.zeros((60, 1))

    assert len(find_spikes(spiked(still, 30, 0, 0.005)).row) == 0
    assert len(find_spikes(spiked(still, 30, 0, 0.05)).row) == 1


def test_gaps_and_short_histories_are_left_alone(returns):
    gaps = spiked(returns, 100, 3, 0.3)
    gaps[101, 3] = np.nan

    assert len(find_spikes(gaps).row) == 0
    assert len(find_spikes(spiked(returns[:20], 10, 3, 0.3)).row) == 0
    assert len(find_spikes(np.empty((0, 0))).row) == 0
