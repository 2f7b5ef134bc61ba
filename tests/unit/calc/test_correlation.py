"""Which instruments stand in a matrix, what it holds, and its summaries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from tests.holdings import books_of

from riskmark.calc.arrays import reason_of
from riskmark.calc.correlation import correlation_matrix, correlation_summaries
from riskmark.domain.reasons import LeftOutReason, NullReason

seeds = st.integers(0, 2**32 - 1)
holes = st.sampled_from([0.0, 0.02, 0.3, 0.6])
SESSIONS, INSTRUMENTS = 120, 8


def panel(seed, *, missing=0.0, instruments=INSTRUMENTS):
    """Make returns, some of which move together."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.01, (SESSIONS, 2)) @ rng.normal(0, 1, (2, instruments))
    returns = common + rng.standard_t(4, (SESSIONS, instruments)) * 0.01
    returns[rng.random(returns.shape) < missing] = np.nan
    return returns


def holdings(seed, *, cells=4, instruments=INSTRUMENTS):
    """Make holdings of a few sizes."""
    rng = np.random.default_rng(seed)
    amounts = rng.choice([-1.0, 1.0], (cells, instruments)) * rng.uniform(50, 1000, (cells, 1))
    amounts *= rng.choice([1.0, 2.0, 0.1], amounts.shape)
    amounts[rng.random(amounts.shape) < 0.2] = 0
    return csr_array(amounts)


def summarise(returns, exposure, rows=None):
    """Summarise books that are worth their gross, by default at the last session."""
    rows = np.full(exposure.shape[0], len(returns) - 1) if rows is None else rows
    return correlation_summaries(returns, exposure, cell_row=rows, books=books_of(exposure))


def matrix_of(returns, amounts, *, gross=None, row=SESSIONS - 1):
    """Correlate one book."""
    exposure = csr_array(np.atleast_2d(np.asarray(amounts, float)))
    gross = np.abs(exposure.toarray()).sum() if gross is None else gross
    return correlation_matrix(returns, exposure, row=row, gross=gross)


def expected_choice(window, amounts):
    """Choose instruments one by one, as the definition says."""
    gross = sum(abs(amount) for amount in amounts)
    left_out = {}
    held = [i for i, amount in enumerate(amounts) if amount]
    for i in held:
        if abs(amounts[i]) < 0.01 * gross:
            left_out[i] = LeftOutReason.SMALL
    ranked = sorted((i for i in held if i not in left_out), key=lambda i: (-abs(amounts[i]), i))
    left_out |= dict.fromkeys(ranked[50:], LeftOutReason.NOT_AMONG_LARGEST)
    seen = np.isfinite(window)
    kept = []
    for i in ranked[:50]:
        if seen[:, i].sum() < 30:
            left_out[i] = LeftOutReason.TOO_FEW_OBSERVATIONS
        else:
            kept.append(i)
    while True:
        counts = {
            (a, b): (seen[:, a] & seen[:, b]).sum()
            for place, a in enumerate(kept)
            for b in kept[place + 1 :]
        }
        worst = min(counts.values(), default=90)
        if worst >= 30:
            return sorted(kept), left_out
        smaller = max((b for (_, b), n in counts.items() if n == worst), key=kept.index)
        kept.remove(smaller)
        left_out[smaller] = LeftOutReason.TOO_FEW_IN_COMMON


@given(seeds, holes)
def test_instruments_are_chosen_and_left_out_as_defined(seed, missing):
    returns, amounts = panel(seed, missing=missing), holdings(seed, cells=1).toarray()[0]

    found = matrix_of(returns, amounts)

    kept, left_out = expected_choice(returns[-90:], amounts.tolist())
    assert found.instruments.tolist() == kept
    assert dict(found.left_out) == left_out
    assert found.correlation.shape == (len(kept), len(kept))


@given(seeds, holes)
def test_a_matrix_is_symmetric_positive_semi_definite_with_a_diagonal_of_ones(seed, missing):
    returns, amounts = panel(seed, missing=missing), np.ones(INSTRUMENTS)

    found = matrix_of(returns, amounts).correlation

    assert_array_equal(np.diagonal(found), 1)
    assert_allclose(found, found.T, atol=1e-14)
    assert (np.abs(found) <= 1).all()
    if len(found):
        assert np.linalg.eigvalsh(found)[0] > -1e-9


@given(seeds, st.integers(0, SESSIONS - 1))
def test_a_pair_is_correlated_over_its_common_sessions(seed, row):
    returns = panel(seed, missing=0.1, instruments=2)

    found = matrix_of(returns, [1, 1], row=row)

    window = returns[max(0, row - 89) : row + 1]
    both = window[np.isfinite(window).all(axis=1)]
    if len(found.instruments) == 2:
        assert_allclose(found.correlation[0, 1], np.corrcoef(both.T)[0, 1], rtol=1e-9, atol=1e-12)
    elif len(found.instruments) == 1:
        assert len(both) < 30


@given(seeds, holes)
def test_summaries_are_those_of_the_matrix(seed, missing):
    returns, exposure = panel(seed, missing=missing), holdings(seed)

    found = summarise(returns, exposure)

    for cell, amounts in enumerate(exposure.toarray()):
        one = matrix_of(returns, amounts)
        n = len(one.instruments)
        assert found.kept[cell] == n
        if n > 1:
            pairs = one.correlation[np.triu_indices(n, 1)]
            assert_allclose(found.mean.values[cell], pairs.mean(), rtol=1e-9, atol=1e-12)
            assert_allclose(found.mean_abs.values[cell], np.abs(pairs).mean(), rtol=1e-9)
        if n:
            share = np.maximum(np.linalg.eigvalsh(one.correlation), 1e-300) / n
            expected = np.exp(-(share * np.log(share)).sum())
            assert_allclose(found.effective_rank.values[cell], expected, rtol=1e-9)
            assert 1 - 1e-9 <= found.effective_bets.values[cell] <= n + 1e-9


@given(seeds)
def test_effective_bets_are_the_entropy_of_the_shares_of_principal_components(seed):
    returns, exposure = panel(seed), holdings(seed, cells=1)

    found = summarise(returns, exposure)

    amounts = exposure.toarray()[0]
    kept = matrix_of(returns, amounts).instruments
    values, vectors = np.linalg.eigh(np.cov(returns[-90:, kept].T).reshape(len(kept), len(kept)))
    bets = (vectors.T @ amounts[kept]) ** 2 * values
    share = np.maximum(bets / bets.sum(), 1e-300)
    expected = np.exp(-(share * np.log(share)).sum())
    assert_allclose(found.effective_bets.values, expected, rtol=1e-6)


@given(seeds, st.sampled_from([0.0, 0.1]), st.floats(1e-3, 1e9))
def test_order_and_scale_of_holdings_do_not_matter(seed, missing, scale):
    returns, exposure = panel(seed, missing=missing), holdings(seed)
    order = np.random.default_rng(seed).permutation(INSTRUMENTS)

    found = summarise(returns[:, order], csr_array(scale * exposure.toarray()[:, order]))

    for one, other in zip(found[1:], summarise(returns, exposure)[1:], strict=True):
        assert_allclose(one.values, other.values, rtol=1e-6, atol=1e-9)
        assert_array_equal(one.nulls, other.nulls)


@given(seeds, holes, st.integers(0, 3))
def test_a_cell_alone_gives_the_numbers_of_many(seed, missing, cell):
    returns, exposure = panel(seed, missing=missing), holdings(seed)
    rows = np.random.default_rng(seed).integers(60, SESSIONS, 4)
    together = summarise(returns, exposure, rows)

    alone = summarise(returns, exposure[[cell]], rows[[cell]])

    for one, many in zip(alone[1:], together[1:], strict=True):
        assert_allclose(one.values, many.values[[cell]], rtol=1e-9, atol=1e-12)
        assert_array_equal(one.nulls, many.nulls[[cell]])


def test_holdings_are_looked_at_so_many_at_a_time_without_changing_a_number(monkeypatch):
    returns, exposure = panel(2, missing=0.1), holdings(2, cells=40)
    rows = np.random.default_rng(2).integers(60, SESSIONS, 40)
    whole = summarise(returns, exposure, rows)
    monkeypatch.setattr("riskmark.calc.correlation.ENTRIES", 10)
    monkeypatch.setattr("riskmark.calc.correlation.CELLS", 2)

    found = summarise(returns, exposure, rows)

    for one, other in zip(found[1:], whole[1:], strict=True):
        assert_allclose(one.values, other.values, rtol=1e-9, atol=1e-12)


def test_of_a_hundred_equal_positions_the_first_fifty_stand():
    returns = panel(3, instruments=100)
    amounts = np.full(100, 7.0)
    amounts[::3] *= 1 + 1e-14

    found = matrix_of(returns, amounts)

    assert found.instruments.tolist() == list(range(50))
    assert found.left_out == tuple((one, LeftOutReason.NOT_AMONG_LARGEST) for one in range(50, 100))


def test_of_more_than_a_hundred_equal_positions_none_stands():
    returns = panel(4, instruments=150)

    found = matrix_of(returns, np.ones(150))
    summary = summarise(returns, csr_array(np.ones((1, 150))))

    assert not len(found.instruments)
    assert {reason for _, reason in found.left_out} == {LeftOutReason.SMALL}
    assert reason_of(int(summary.mean.nulls[0])) == NullReason.ALL_EXCLUDED


def test_gross_is_that_of_the_book_not_of_what_is_correlated():
    returns = panel(5)

    found = matrix_of(returns, np.ones(INSTRUMENTS), gross=100.5)

    assert not len(found.instruments)
    assert len(matrix_of(returns, np.ones(INSTRUMENTS), gross=100).instruments) == INSTRUMENTS


@pytest.mark.parametrize("price_change", [0.0, 0.01])
def test_what_never_moves_is_left_out(price_change):
    returns = panel(6)
    returns[:, 2] = price_change

    found = matrix_of(returns, np.ones(INSTRUMENTS))

    assert found.left_out == ((2, LeftOutReason.NO_VARIATION),)


def test_what_does_not_move_on_common_sessions_has_none_in_common():
    returns = panel(7)
    returns[:-40, 0] = np.nan
    returns[-40:, 1] = 0.0

    found = matrix_of(returns, [2, 3, 1, 1, 1, 1, 1, 1])

    assert found.left_out == ((0, LeftOutReason.TOO_FEW_IN_COMMON),)


def test_the_smaller_of_the_worst_pair_goes_first():
    returns = panel(8, instruments=4)
    returns[-45:, 0] = np.nan
    returns[:-46, 1] = np.nan
    returns[:-44, 2] = np.nan

    found = matrix_of(returns, [3, 2, 4, 1])

    assert dict(found.left_out) == {
        0: LeftOutReason.TOO_FEW_IN_COMMON,  # none in common with 2, which is larger
    }
    assert found.instruments.tolist() == [1, 2, 3]


def test_one_instrument_is_one_bet_and_has_no_mean_correlation():
    returns = panel(9)

    found = summarise(returns, csr_array([[0, 5.0, 0, 0, 0, 0, 0, 0]]))

    assert found.kept == 1
    assert found.effective_rank.values == 1
    assert found.effective_bets.values == 1
    assert reason_of(int(found.mean.nulls[0])) == NullReason.NOT_DEFINED
    assert reason_of(int(found.mean_abs.nulls[0])) == NullReason.NOT_DEFINED


def test_nothing_held_has_no_correlation():
    found = summarise(panel(10), csr_array((2, INSTRUMENTS)))

    for one in found[1:]:
        assert {reason_of(int(code)) for code in one.nulls} == {NullReason.NO_HOLDINGS}


def test_a_perfect_hedge_has_no_bets():
    returns = panel(11)
    returns[:, 1] = returns[:, 0]

    found = summarise(returns, csr_array([[5.0, -5.0, 0, 0, 0, 0, 0, 0]]))

    assert reason_of(int(found.effective_bets.nulls[0])) == NullReason.UNDEFINED_DENOMINATOR
    assert_allclose(found.mean.values, 1)
    assert_allclose(found.effective_rank.values, 1)


def test_a_session_that_is_missing_for_all_changes_nothing_but_itself():
    returns = panel(12)
    rows = np.delete(returns, SESSIONS - 10, axis=0)
    returns[SESSIONS - 10] = np.nan

    found = matrix_of(returns, np.ones(INSTRUMENTS))

    assert_allclose(found.correlation, np.corrcoef(rows[-89:].T), rtol=1e-9, atol=1e-12)


def test_a_crash_that_has_left_the_window_leaves_nothing_behind():
    returns = panel(13)
    crashed = returns.copy()
    crashed[SESSIONS - 91, :3] = 1e4

    found = matrix_of(crashed, np.ones(INSTRUMENTS))

    assert_array_equal(found.correlation, matrix_of(returns, np.ones(INSTRUMENTS)).correlation)
