"""Filled returns by instrument, against the x of holdings of one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from tests.holdings import filled_history, make_world

from riskmark.calc.filled_returns import HISTORY, fills, last_returns, on_sessions_of_x

seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.integers(1, 150), st.sampled_from([0.0, 0.1, 0.4]))
def test_filled_returns_are_the_x_of_one_instrument(seed, n, missing):
    world = make_world(seed, cells=1, missing=missing)
    place = world.series.place

    for instrument in range(5):
        found = last_returns(world.series.filled, place, np.array([instrument]), n=n)

        if world.series.filled.fits.nulls[place[0], instrument] == 0:
            length = int(world.series.length[0])
            expected = filled_history(world, 0, instrument)[-min(n, length) :]
            assert_allclose(found[0, -len(expected) :], expected, rtol=1e-12, atol=1e-15)
            assert not found[0, : n - len(expected)].any()


@given(seeds, st.integers(1, HISTORY))
def test_the_last_fills_do_not_need_the_others(seed, n):
    filled = make_world(seed, missing=0.2).series.filled
    place = np.zeros(5, np.int64)
    fitted = np.flatnonzero(filled.fits.nulls[0] == 0)

    found = fills(filled, place[: len(fitted)], fitted, n=n)

    assert_array_equal(found, fills(filled, place[: len(fitted)], fitted)[:, HISTORY - n :])


def test_a_series_is_lined_up_with_the_sessions_of_x():
    world = make_world(5, missing=0.3)
    sessions = np.arange(200.0)

    found = on_sessions_of_x(world.series.filled, sessions, world.series.place, n=HISTORY)

    for cell, row in enumerate(world.cell_row):
        expected = [u for u in range(row + 1) if np.isfinite(world.market[u])]
        assert_array_equal(found[cell, HISTORY - len(expected) :], expected)
        assert np.isnan(found[cell, : HISTORY - len(expected)]).all()
