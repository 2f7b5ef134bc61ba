"""How long it takes to sell."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.sparse import csr_array

from riskmark.calc.arrays import CODE_OF, Measure, measure, reason_of
from riskmark.calc.liquidity import portfolio_sessions, sessions_to_sell, usual_volume
from riskmark.domain.reasons import NullReason

seeds = st.integers(0, 2**32 - 1)
FEW = CODE_OF[NullReason.TOO_FEW_OBSERVATIONS]


def sessions_of(values):
    """Make a measure; None is a position that cannot be sold."""
    numbers = np.array([np.nan if value is None else value for value in values], float)
    return Measure(numbers, np.where(np.isnan(numbers), FEW, 0).astype(np.int8))


def sell(values, sessions):
    """Return the sessions of one portfolio."""
    held = csr_array((np.asarray(values, float), np.arange(len(values)), [0, len(values)]))
    return portfolio_sessions(held, sessions_of(sessions))


@given(seeds, st.integers(0, 39))
def test_the_usual_volume_is_the_median_of_what_was_traded(seed, row):
    rng = np.random.default_rng(seed)
    volume = rng.integers(0, 1000, (40, 3)).astype(float)
    volume[rng.random(volume.shape) < 0.3] = np.nan

    found = usual_volume(volume, np.ones((40, 3)), row=row)

    for column in range(3):
        window = volume[max(0, row - 19) : row + 1, column]
        seen = window[np.isfinite(window)].tolist()
        assert (found.nulls[column] == FEW) == (len(seen) < 10)
        if len(seen) >= 10:
            assert_allclose(found.values[column], statistics.median(seen))


def test_a_split_changes_no_sessions():
    volume = np.full((30, 1), 1000.0)
    split = np.ones((30, 1))
    plain = sessions_to_sell(np.array([500.0]), usual_volume(volume, split, row=29))
    volume[25:] *= 4
    split[25:] = 4

    found = sessions_to_sell(np.array([2000.0]), usual_volume(volume, split, row=29))

    assert_allclose(found.values, plain.values)
    assert_allclose(found.values, 2.5)


def test_shorts_are_bought_back_and_what_is_not_traded_stays():
    volume = measure(np.array([100.0, 100.0, 0.0, np.nan]))
    volume.nulls[3] = FEW

    found = sessions_to_sell(np.array([40.0, -40.0, 1.0, 1.0]), volume)

    assert_allclose(found.values, [2, 2, np.nan, np.nan])
    assert [reason_of(int(code)) for code in found.nulls[2:]] == [
        NullReason.UNDEFINED_DENOMINATOR,
        NullReason.TOO_FEW_OBSERVATIONS,
    ]


@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.one_of(st.none(), st.floats(0, 1e4))),
        min_size=1,
        max_size=8,
    )
)
@example([(745831.0, 0.0), (6.86e-301, 174.0)])
def test_just_then_95_percent_is_sold(positions):
    values, sessions = zip(*positions, strict=True)
    gross = math.fsum(abs(value) for value in values)

    found = sell(values, sessions)

    def sold(moment):
        return math.fsum(
            abs(value) * (1.0 if moment >= end else moment / end)
            for value, end in positions
            if end is not None
        )

    if gross == 0:
        assert reason_of(int(found.nulls[0])) == NullReason.UNDEFINED_DENOMINATOR
    elif sold(math.inf) < 0.95 * gross * (1 - 1e-9):
        assert found.nulls[0] == FEW
    else:
        moment = float(found.values[0])
        assert sold(moment * (1 + 1e-9)) >= 0.95 * gross * (1 - 1e-6)
        if moment > 1e-8:
            assert sold(moment * 0.999) <= 0.95 * gross


@pytest.mark.parametrize(
    ("values", "sessions", "expected"),
    [
        ([100], [10], 9.5),
        ([100, -100], [1, 10], 9.0),
        ([96, 4], [2, None], 2 * 95 / 96),
        ([95, 5], [3, 1000], 3 * 95 / (95 + 5 * 3 / 1000)),
        ([50, 50], [0, 0], 0),
    ],
)
def test_examples_by_hand(values, sessions, expected):
    found = sell(values, sessions)

    assert_allclose(found.values, expected, rtol=1e-9)


def test_many_portfolios_are_those_one_by_one(monkeypatch):
    rng = np.random.default_rng(4)
    amounts = rng.normal(0, 100, (9, 6))
    amounts[rng.random(amounts.shape) < 0.4] = 0
    amounts[3] = 0
    held = csr_array(amounts)
    sessions = sessions_of(rng.uniform(0, 50, held.nnz))
    monkeypatch.setattr("riskmark.calc.liquidity.CELLS", 4)

    found = portfolio_sessions(held, sessions)

    for cell in range(9):
        some = slice(held.indptr[cell], held.indptr[cell + 1])
        if some.stop == some.start:
            assert reason_of(int(found.nulls[cell])) == NullReason.NO_HOLDINGS
        else:
            alone = sell(held.data[some], sessions.values[some])
            assert_allclose(found.values[cell], alone.values[0], rtol=1e-12)


def test_the_reason_is_that_of_the_largest_position_that_cannot_be_sold():
    held = csr_array(np.array([[60.0, -30.0, 10.0]]))
    other = CODE_OF[NullReason.UNDEFINED_DENOMINATOR]
    sessions = Measure(np.array([1.0, np.nan, np.nan]), np.array([0, other, FEW], np.int8))

    found = portfolio_sessions(held, sessions)

    assert found.nulls[0] == other
    assert np.isnan(found.values[0])
