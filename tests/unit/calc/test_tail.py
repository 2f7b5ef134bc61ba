"""VaR, ES and components: what must hold for any holdings, and at the edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from tests.holdings import filled_history, make_world, value

from riskmark.calc.arrays import CODE_OF, Measure, reason_of
from riskmark.calc.tail import component_es, historical_risk, parametric_var
from riskmark.domain.reasons import NullReason

seeds = st.integers(0, 2**32 - 1)
gaps = st.sampled_from([0.0, 0.05, 0.3])
values = st.floats(-1, 10, allow_subnormal=False)


def component_sums(world, confidence=0.95):
    """Return the components of each cell, added up, and their sizes."""
    found = component_es(world.series, world.holdings, confidence=confidence).values
    cell = np.repeat(np.arange(len(world.cell_row)), np.diff(world.holdings.indptr))
    counted = np.nan_to_num(found)
    return np.bincount(cell, counted, minlength=6), np.bincount(cell, np.abs(counted), minlength=6)


@given(arrays(np.float64, (2, 252), elements=values), st.integers(126, 252))
def test_var_is_a_quantile_and_es_the_mean_at_or_below_it(x, length):
    x[:, : 252 - length] = np.nan

    found = historical_risk(x)

    for cell, row in enumerate(x[:, 252 - length :]):
        for var, shortfall, tail in (
            (found.var_95, found.es_95, 1 - 0.95),
            (found.var_99, found.es_99, 1 - 0.99),
        ):
            quantile = np.quantile(row, tail)
            assert_allclose(var.values[cell], -quantile, rtol=1e-12, atol=1e-15)
            below = row[row <= quantile + 1e-9 * abs(quantile)]
            assert_allclose(shortfall.values[cell], -below.mean(), rtol=1e-12, atol=1e-15)


@given(seeds, gaps, st.sampled_from([0.95, 0.99]))
def test_the_components_of_positions_add_up_to_es(seed, missing, confidence):
    world = make_world(seed, missing=missing)

    total, size = component_sums(world, confidence)

    risk = historical_risk(world.series.x)
    shortfall = risk.es_95 if confidence == 0.95 else risk.es_99
    known = shortfall.nulls == 0
    assert known.any()
    difference = np.abs(total - shortfall.values)[known]
    assert (difference <= 1e-12 * np.maximum(size, np.abs(total))[known]).all()


@given(seeds, gaps)
def test_a_component_is_the_mean_of_its_filled_returns_in_the_tail(seed, missing):
    world = make_world(seed, missing=missing, cells=1)
    x = world.series.x[0, -252:]

    found = component_es(world.series, world.holdings)

    inside = x <= np.quantile(x[np.isfinite(x)], 1 - 0.95)
    for place, instrument in enumerate(world.holdings.indices.tolist()):
        if not world.series.excluded[place]:
            returns = filled_history(world, 0, instrument)[-252:]
            expected = -world.holdings.data[place] * returns[inside].mean()
            assert_allclose(found.values[place], expected, rtol=1e-9, atol=1e-9)


@given(seeds, st.floats(0.1, 1e6))
def test_larger_holdings_lose_more_in_proportion(seed, scale):
    world = make_world(seed)
    larger = value(
        world.returns, world.market, scale * world.holdings, world.cell_row, range(196, 200)
    )

    found, plain = historical_risk(larger.series.x), historical_risk(world.series.x)

    for one, other in zip(found, plain, strict=True):
        assert_allclose(one.values, scale * other.values, rtol=1e-9, atol=1e-9 * scale)
    total, size = component_sums(larger)
    expected, _ = component_sums(world)
    assert (np.abs(total - scale * expected) <= 1e-9 * size).all()


def test_positions_can_be_taken_so_many_at_a_time(monkeypatch):
    world = make_world(7, missing=0.3)
    whole = component_es(world.series, world.holdings)
    monkeypatch.setattr("riskmark.calc.tail.ENTRIES", 2)

    found = component_es(world.series, world.holdings)

    assert_array_equal(found.values, whole.values)
    assert_array_equal(found.nulls, whole.nulls)


def test_an_excluded_position_has_no_component_for_the_reason_of_its_fit():
    world = make_world(8, missing=0)
    returns = world.returns.copy()
    returns[:198, 1] = np.nan
    holdings = csr_array([[100.0, 50.0, 0.0, 0.0, 0.0]])
    held = value(returns, world.market, holdings, np.array([199]), range(196, 200))

    found = component_es(held.series, holdings)

    assert [reason_of(int(code)) for code in found.nulls] == [
        None,
        NullReason.TOO_FEW_OBSERVATIONS,
    ]
    assert_allclose(found.values[0], historical_risk(held.series.x).es_95.values[0])


@pytest.mark.parametrize("length", [0, 125, 126])
def test_half_a_year_is_needed(length):
    world = make_world(9, missing=0, length=length, rows=range(199, 200))

    found = historical_risk(world.series.x)
    components = component_es(world.series, world.holdings)

    expected = None if length == 126 else NullReason.TOO_FEW_OBSERVATIONS
    for one in (*found, components):
        assert {reason_of(int(code)) for code in one.nulls} == {expected}
        assert (np.isnan(one.values) == (expected is not None)).all()


def test_a_var_below_zero_is_a_gain_and_stays():
    x = np.linspace(0.01, 0.02, 252)[None]

    found = historical_risk(x)

    assert found.var_95.values < 0
    assert found.es_99.values > found.es_95.values


def test_values_that_are_equal_but_for_rounding_are_all_in_the_tail():
    x = np.concatenate([np.full(20, -0.05), np.full(232, 0.01)])[None]
    x[0, :20:3] *= 1 + 1e-15

    found = historical_risk(x)

    assert_allclose([found.es_95.values[0], found.es_99.values[0]], 0.05, rtol=1e-12)
    assert_allclose(found.var_95.values, 0.05, rtol=1e-12)


def test_nothing_held_loses_nothing():
    found = historical_risk(np.zeros((2, 504)))

    assert all(not one.values.any() and not one.nulls.any() for one in found)


def test_parametric_var_is_a_quantile_of_the_normal_distribution():
    few = CODE_OF[NullReason.TOO_FEW_OBSERVATIONS]
    volatility = Measure(np.array([0.2, np.nan]), np.array([0, few], np.int8))

    found = [parametric_var(volatility, confidence) for confidence in (0.95, 0.99)]

    expected = [1.6448536269514722 * 0.2 / 252**0.5, 2.3263478740408408 * 0.2 / 252**0.5]
    assert_allclose([one.values[0] for one in found], expected)
    assert all(np.isnan(one.values[1]) and one.nulls[1] == few for one in found)
