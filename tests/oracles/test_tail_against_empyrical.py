"""VaR and ES against empyrical and scipy, on the S&P 500."""

import arch.data.sp500
import empyrical
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from riskmark.calc.arrays import Measure
from riskmark.calc.tail import historical_risk, parametric_var


def years_of_returns():
    """Return windows of 252 returns of arch's S&P 500, one after the other."""
    close = arch.data.sp500.load()["Adj Close"].to_numpy(float)
    returns = close[1:] / close[:-1] - 1
    return returns[: len(returns) // 252 * 252].reshape(-1, 252)


def test_historical_var_and_es_are_those_of_empyrical():
    x = years_of_returns()

    found = historical_risk(x)

    for var, shortfall, cutoff in (
        (found.var_95, found.es_95, 1 - 0.95),
        (found.var_99, found.es_99, 1 - 0.99),
    ):
        expected = [-empyrical.value_at_risk(year, cutoff) for year in x]
        assert_allclose(var.values, expected, rtol=1e-12)
        expected = [-empyrical.conditional_value_at_risk(year, cutoff) for year in x]
        assert_allclose(shortfall.values, expected, rtol=1e-12)


@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_parametric_var_is_that_of_scipy(confidence):
    volatility = Measure(np.array([0.15, 0.6]), np.zeros(2, np.int8))

    found = parametric_var(volatility, confidence)

    expected = -stats.norm.ppf(1 - confidence, scale=volatility.values / np.sqrt(252))
    assert_allclose(found.values, expected, rtol=1e-12)
