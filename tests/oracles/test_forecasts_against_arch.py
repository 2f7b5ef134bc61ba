"""HAR against arch: published numbers, and series of every kind."""

import arch.data.sp500
import numpy as np
import pytest
from arch.univariate import HARX
from numpy.testing import assert_allclose

from riskmark.calc.har import fit_har


def squared_returns():
    """Return the squared log returns of arch's S&P 500, annual, in %²."""
    close = arch.data.sp500.load()["Adj Close"].to_numpy(float)
    return 252 * (100 * np.diff(np.log(close))) ** 2


def test_the_published_fit_is_met_to_its_printed_digits():
    fits = fit_har(squared_returns()[None], (1,), minimum=126)[0]

    assert fits.n == 5008
    assert round(float(fits.const[0]), 6) == 58.192285
    assert round(float(fits.daily[0]), 6) == -0.124813
    assert round(float(fits.weekly[0]), 6) == 0.409297
    assert round(float(fits.monthly[0]), 6) == 0.558450
    assert round(float(fits.r2[0]), 6) == 0.230885


@pytest.mark.parametrize("start", [0, 1000, 2500, 4527])
def test_two_years_of_returns_are_fitted_as_by_arch(start):
    variance = squared_returns()[start : start + 504]

    fits = fit_har(variance[None], (1,), minimum=126)[0]

    model = HARX(variance, lags=[1, 5, 22], rescale=False).fit(disp="off")
    found = [part[0] for part in (fits.const, fits.daily, fits.weekly, fits.monthly)]
    assert_allclose(found, model.params.to_numpy()[:4], rtol=1e-9)
    assert_allclose(fits.r2, model.rsquared, rtol=1e-9)
    forecast = model.forecast(horizon=1, reindex=False).mean.to_numpy()
    assert_allclose(fits.forecast, forecast[-1], rtol=1e-9)


def test_many_fits_at_once_are_those_of_arch():
    rng = np.random.default_rng(8)
    scale = np.exp(np.cumsum(rng.normal(0, 0.1, (70, 504)), axis=1))
    variance = (0.01 * scale * rng.standard_t(4, (70, 504))) ** 2

    fits = fit_har(variance, (1,), minimum=126)[0]

    for cell in range(0, 70, 7):
        model = HARX(1e4 * variance[cell], lags=[1, 5, 22], rescale=False).fit(disp="off")
        found = [part[cell] for part in (fits.daily, fits.weekly, fits.monthly)]
        assert_allclose(1e4 * fits.const[cell], model.params.iloc[0], rtol=1e-9)
        assert_allclose(found, model.params.to_numpy()[1:4], rtol=1e-9)


def test_the_direct_forecast_of_a_month_is_least_squares_on_its_means():
    variance = squared_returns()[-504:]

    fits = fit_har(variance[None], (21,), minimum=126)[0]

    means = [np.convolve(variance, np.full(n, 1 / n), mode="valid")[22 - n :] for n in (1, 5, 22)]
    left = np.column_stack([np.ones(483), *means])
    target = np.convolve(variance, np.full(21, 1 / 21), mode="valid")[22:]
    coefficients = np.linalg.lstsq(left[:462], target, rcond=None)[0]
    assert len(target) == 462
    assert_allclose(fits.forecast, left[-1] @ coefficients, rtol=1e-9)
