"""Stress against plain NumPy, what must sum, and why some of it is null."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from riskmark.calc.arrays import CODE_OF, Measure, measure, reason_of
from riskmark.calc.exposures import Books
from riskmark.calc.factor_covariance import factor_covariances
from riskmark.calc.stress import contributions, factor_moves, stress
from riskmark.domain.reasons import NullReason

NAMES = ("Market", "Value", "Size", "Rates")
SHOCKS = (
    {"Market": -0.2},
    {"Value": 0.15},
    {"Market": 0.05, "Value": -0.15},
    {"Rates": -0.1465},
    {"Market": -0.15, "Rates": -0.2},
    dict.fromkeys(NAMES, -0.1),
)
SESSIONS, WINDOW = 300, 200
ROWS = range(290, 300)
seeds = st.integers(0, 2**32 - 1)


def factors_of(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.01, (SESSIONS, 4)) @ rng.normal(0.3, 0.7, (4, 4))


def moves_of(factors, shocks=SHOCKS, *, minimum=60):
    covariances = factor_covariances(factors, rows=ROWS, window=WINDOW, minimum=minimum)
    return factor_moves(shocks, NAMES, covariances)


def books_of(cells, *, held=True):
    return Books(
        nav=np.ones(cells),
        gross=np.ones(cells),
        held=np.full(cells, held),
        holdings_mode=np.zeros(cells, bool),
    )


def reasons(codes):
    return [reason_of(int(code)) for code in codes]


@given(seeds)
def test_every_loss_is_that_of_plain_matrices(seed):
    factors = factors_of(seed)
    rng = np.random.default_rng(seed)
    place = rng.integers(0, len(ROWS), 7)
    e = rng.normal(0, 1000, (7, 4))

    found = stress(measure(e), moves_of(factors), place=place, books=books_of(7))

    for cell, session in enumerate(place):
        row = ROWS[session]
        covariance = np.cov(factors[row - WINDOW + 1 : row + 1], rowvar=False)
        for scenario, shocks in enumerate(SHOCKS):
            shocked = [NAMES.index(name) for name in shocks]
            sizes = np.array([*shocks.values()])
            among = covariance[np.ix_(shocked, shocked)]
            followed = covariance[:, shocked] @ np.linalg.solve(among, sizes)
            followed[shocked] = sizes
            scale = np.abs(e[cell]).max()
            direct, predictive = e[cell, shocked] @ sizes, e[cell] @ followed
            assert_allclose(found.direct.values[cell, scenario], direct, rtol=1e-9, atol=1e-12)
            assert_allclose(
                found.predictive.values[cell, scenario],
                predictive,
                rtol=1e-7,
                atol=1e-9 * scale * max(np.abs(followed).max(), 1),
            )


@given(seeds)
def test_contributions_of_factors_and_of_positions_sum_to_the_total(seed):
    rng = np.random.default_rng(seed)
    amounts, betas = rng.normal(0, 1000, 8), rng.normal(0.5, 1, (8, 4))
    betas[3] = np.nan
    exposures = measure((np.nan_to_num(betas).T @ amounts)[None])
    moves = moves_of(factors_of(seed))
    total = stress(exposures, moves, place=np.array([2]), books=books_of(1))

    direct = contributions(amounts, betas, moves.direct)
    predictive = contributions(amounts, betas, moves.predictive[2])

    for parts, whole in ((direct, total.direct), (predictive, total.predictive)):
        scale = np.abs(parts.positions[:, [0, 1, 2, 4, 5, 6, 7]]).sum(axis=1).max()
        assert_allclose(parts.factors.sum(axis=1), whole.values[0], rtol=1e-9, atol=1e-12 * scale)
        positions = np.nansum(parts.positions, axis=1)
        assert_allclose(positions, whole.values[0], rtol=1e-9, atol=1e-12 * scale)
        assert np.isnan(parts.positions[:, 3]).all()


@given(seeds, st.floats(-3, 3))
def test_stress_is_linear_in_the_shocks_and_in_the_holdings(seed, leverage):
    moves = moves_of(factors_of(seed), [{"Market": -0.2}, {"Market": -0.4}])
    e = np.random.default_rng(seed).normal(0, 1000, (3, 4))
    place = np.array([0, 5, 9])
    plain = stress(measure(e), moves, place=place, books=books_of(3))

    levered = stress(measure(leverage * e), moves, place=place, books=books_of(3))

    for one, other in zip(levered[:2], plain[:2], strict=True):
        assert_allclose(one.values, leverage * other.values, rtol=1e-9, atol=1e-9)
        assert_allclose(other.values[:, 1], 2 * other.values[:, 0], rtol=1e-9)


def test_the_shocked_factors_move_by_their_shocks_exactly():
    moves = moves_of(factors_of(1))

    for scenario, shocks in enumerate(SHOCKS):
        for name, size in shocks.items():
            column = NAMES.index(name)
            assert moves.direct[scenario, column] == size
            assert (moves.predictive[:, scenario, column] == size).all()


def test_a_factor_that_is_not_shocked_stays_in_the_direct_stress():
    moves = moves_of(factors_of(2), [{"Market": -0.2}])

    assert_array_equal(moves.direct, [[-0.2, 0, 0, 0]])


def test_chunks_change_no_number(monkeypatch):
    moves = moves_of(factors_of(3))
    e = np.random.default_rng(3).normal(0, 1000, (50, 4))
    place = np.arange(50) % len(ROWS)
    whole = stress(measure(e), moves, place=place, books=books_of(50))
    monkeypatch.setattr("riskmark.calc.stress.CHUNK", 50)

    found = stress(measure(e), moves, place=place, books=books_of(50))

    assert_allclose(found.predictive.values, whole.predictive.values, rtol=1e-12)


def test_a_scenario_of_what_is_no_factor_is_not_defined():
    moves = moves_of(factors_of(4), [{"Market": -0.1}, {"Market": -0.1, "Oil": 0.3}])

    found = stress(measure(np.ones((2, 4))), moves, place=np.zeros(2, int), books=books_of(2))

    for one in found[:2]:
        assert reasons(one.nulls[0]) == [None, NullReason.NOT_DEFINED]
        assert np.isnan(one.values[:, 1]).all()


def test_without_exposures_there_is_no_stress():
    nulls = np.zeros((2, 4), np.int8)
    nulls[1] = CODE_OF[NullReason.ALL_EXCLUDED]
    exposures = Measure(np.where(nulls == 0, 1.0, np.nan), nulls)

    found = stress(exposures, moves_of(factors_of(5)), place=np.zeros(2, int), books=books_of(2))

    for one in found[:2]:
        assert not one.nulls[0].any()
        assert (one.nulls[1] == CODE_OF[NullReason.ALL_EXCLUDED]).all()


def test_a_short_history_leaves_the_direct_stress_alone():
    factors = factors_of(6)
    factors[:250] = np.nan

    found = stress(
        measure(np.ones((1, 4))), moves_of(factors), place=np.array([9]), books=books_of(1)
    )

    assert not found.direct.nulls.any()
    assert (found.predictive.nulls == CODE_OF[NullReason.TOO_FEW_OBSERVATIONS]).all()


def test_holding_nothing_loses_nothing_whatever_the_history():
    factors = np.full((SESSIONS, 4), np.nan)

    found = stress(
        measure(np.zeros((1, 4))),
        moves_of(factors),
        place=np.array([9]),
        books=books_of(1, held=False),
    )

    for one in found[:2]:
        assert not one.nulls.any()
        assert not one.values.any()


@pytest.mark.parametrize(
    ("column", "reason"),
    [(None, NullReason.NO_FACTOR_VARIATION), (1, NullReason.COLLINEAR_FACTORS)],
)
def test_shocked_factors_must_move_and_not_determine_one_another(column, reason):
    factors = factors_of(7)
    factors[:, 0] = 0.001 if column is None else 2 * factors[:, column]

    moves = moves_of(factors, [{"Market": -0.1, "Value": 0.1}, {"Size": 0.1}])

    assert reasons(moves.nulls[0]) == [reason, None]
    assert np.isnan(moves.predictive[:, 0]).all()
    assert np.isfinite(moves.predictive[:, 1]).all()
    assert not moves.direct_nulls.any()


def test_no_scenarios_and_no_cells_are_no_stress():
    none = moves_of(factors_of(8), [])

    found = stress(measure(np.ones((2, 4))), none, place=np.zeros(2, int), books=books_of(2))
    empty = stress(
        measure(np.ones((0, 4))), moves_of(factors_of(8)), place=np.zeros(0, int), books=books_of(0)
    )

    assert found.direct.values.shape == found.predictive.values.shape == (2, 0)
    assert empty.predictive.values.shape == (0, len(SHOCKS))
