"""EWMA and HAR: against loops in plain Python and numpy, and at the edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from riskmark.calc.arrays import reason_of
from riskmark.calc.forecasts import ewma_variance, forecast_volatility
from riskmark.calc.har import fit_har
from riskmark.domain.reasons import NullReason

seeds = st.integers(0, 2**32 - 1)
lengths = st.integers(0, 240)


def series(seed, *, cells=3, length=240):
    """Make series whose volatility comes and goes."""
    rng = np.random.default_rng(seed)
    scale = 0.01 * np.exp(np.cumsum(rng.normal(0, 0.1, (cells, length)), axis=1))
    return scale * rng.standard_normal((cells, length))


def shortened(x, length):
    """Return ``x`` with its first values missing."""
    short = x.copy()
    short[:, : x.shape[1] - length] = np.nan
    return short


def expected_har(variances, horizon):
    """Fit one series by numpy's least squares: coefficients, forecast and targets."""
    v = np.asarray(variances)

    def parts(u):
        return [1.0, v[u], v[u - 4 : u + 1].mean(), v[u - 21 : u + 1].mean()]

    rows = range(21, len(v) - horizon)
    target = np.array([v[u + 1 : u + 1 + horizon].mean() for u in rows])
    left = np.array([parts(u) for u in rows])
    coefficients = np.linalg.lstsq(left, target, rcond=None)[0]
    return coefficients, float(parts(len(v) - 1) @ coefficients), target


@given(seeds, st.integers(22, 240))
def test_ewma_is_the_recursion_from_the_variance_of_the_first_month(seed, length):
    x = shortened(series(seed), length)

    found = ewma_variance(x)

    for cell, row in enumerate(x[:, 240 - length :].tolist()):
        variance = np.var(row[:21], ddof=1)
        for value in row[21:]:
            variance = 0.94 * variance + 0.06 * value**2
        assert_allclose(found[cell], variance, rtol=1e-12)


@given(seeds, st.sampled_from([1, 2, 21]), st.integers(60, 240))
def test_har_is_a_least_squares_fit(seed, horizon, length):
    x = shortened(series(seed), length)

    fits = fit_har(x * x, (horizon,), minimum=5)[0]

    for cell, row in enumerate(x[:, 240 - length :] ** 2):
        (const, daily, weekly, monthly), forecast, target = expected_har(row, horizon)
        found = [fits.const, fits.daily, fits.weekly, fits.monthly]
        largest = np.abs([daily, weekly, monthly]).max()
        assert fits.n[cell] == len(target)
        assert_allclose(
            [part[cell] for part in found[1:]], [daily, weekly, monthly], atol=1e-7 * largest
        )
        assert_allclose(fits.const[cell], const, rtol=1e-6, atol=1e-7 * target.mean())
        assert_allclose(fits.forecast[cell], forecast, rtol=1e-6, atol=1e-7 * target.mean())
        assert_allclose(fits.lowest[cell], target.min(), rtol=1e-12)
        assert_allclose(fits.highest[cell], target.max(), rtol=1e-12)


@given(seeds, st.floats(1e-6, 1e9))
def test_scale_changes_volatility_alike_and_nothing_else(seed, scale):
    x = series(seed)

    scaled, plain = forecast_volatility(scale * x), forecast_volatility(x)

    for name in ("vol_ewma", "vol_har_1d", "vol_har_21d"):
        expected = scale * getattr(plain, name).values
        assert_allclose(getattr(scaled, name).values, expected, rtol=1e-6)
    assert_array_equal(scaled.har_fallback.values, plain.har_fallback.values)


@given(seeds, lengths)
def test_a_cell_alone_gives_the_numbers_of_many(seed, length):
    x = series(seed)
    x[1] = shortened(x, length)[1]

    alone, together = forecast_volatility(x[[1]]), forecast_volatility(x)

    for one, many in zip(alone, together, strict=True):
        assert_allclose(one.values, many.values[[1]], rtol=1e-7)
        assert_array_equal(one.nulls, many.nulls[[1]])


@given(seeds)
def test_a_forecast_lies_within_the_observed_targets_or_is_that_of_ewma(seed):
    x = series(seed)

    found = forecast_volatility(x)

    day, month = fit_har(x * x, (1, 21), minimum=126)
    for volatility, fits in ((found.vol_har_1d, day), (found.vol_har_21d, month)):
        variance = volatility.values**2 / 252
        within = (variance >= fits.lowest * 0.999999) & (variance <= fits.highest * 1.000001)
        as_ewma = np.isclose(volatility.values, found.vol_ewma.values, rtol=1e-12)
        assert (within | as_ewma).all()
        assert (within | (found.har_fallback.values == 1)).all()


def test_a_forecast_beyond_what_was_observed_falls_back():
    rng = np.random.default_rng(3)
    x = 0.01 * rng.standard_normal((1, 504))
    steps = np.exp(0.02 * np.arange(504))
    growing = x * steps

    plain, wild = forecast_volatility(x), forecast_volatility(growing)

    assert plain.har_fallback.values == 0
    day = fit_har(growing * growing, (1, 21), minimum=126)
    outside = [fit.forecast > fit.highest for fit in day] + [
        fit.forecast < fit.lowest for fit in day
    ]
    assert np.any(outside)
    assert wild.har_fallback.values == 1


@pytest.mark.parametrize(
    ("length", "ewma", "day", "month"),
    [
        (0, False, False, False),
        (21, False, False, False),
        (22, True, False, False),
        (147, True, False, False),
        (148, True, True, False),
        (167, True, True, False),
        (168, True, True, True),
        (504, True, True, True),
    ],
)
def test_each_forecast_has_its_least_history(length, ewma, day, month):
    x = shortened(series(4, length=504), length)

    found = forecast_volatility(x)

    numbers = [found.vol_ewma, found.vol_har_1d, found.vol_har_21d, found.har_fallback]
    for one, there in zip(numbers, [ewma, day, month, day or month], strict=True):
        assert (np.isfinite(one.values) == there).all()
        expected = None if there else NullReason.TOO_FEW_OBSERVATIONS
        assert {reason_of(int(code)) for code in one.nulls} == {expected}


def test_504_values_give_482_and_462_rows():
    x = series(5, length=504)

    day, month = fit_har(x * x, (1, 21), minimum=126)

    assert set(day.n) == {482}
    assert set(month.n) == {462}


@pytest.mark.parametrize("value", [0.0, 0.01])
def test_what_always_moves_alike_goes_on_so(value):
    x = np.full((2, 504), value)
    x[1, ::2] *= -1

    found = forecast_volatility(x)

    assert_allclose(found.vol_har_1d.values, value * 252**0.5, rtol=1e-12, atol=1e-15)
    assert_allclose(found.vol_har_21d.values, value * 252**0.5, rtol=1e-12, atol=1e-15)
    assert not found.har_fallback.values.any()


def test_series_of_any_length_can_stand_together():
    x = series(6, cells=130, length=200)
    for cell in range(130):
        x[cell, : 190 - cell] = np.nan

    found = forecast_volatility(x)

    for cell in (0, 40, 129):
        alone = forecast_volatility(x[[cell], 190 - cell :])
        for one, many in zip(alone, found, strict=True):
            assert_allclose(one.values, many.values[[cell]], rtol=1e-9)


def test_no_cells_have_no_forecasts():
    found = forecast_volatility(np.zeros((0, 504)))

    assert all(one.values.shape == (0,) for one in found)
