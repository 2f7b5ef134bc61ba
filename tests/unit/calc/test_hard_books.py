"""Books and markets at the edge: every risk number is one, or has a reason; none is infinite."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from tests.holdings import books_of, value

from riskmark.calc.arrays import Measure, measure
from riskmark.calc.correlation import correlation_summaries
from riskmark.calc.diversification import diversification_ratio
from riskmark.calc.forecasts import forecast_volatility
from riskmark.calc.tail import component_es, historical_risk, parametric_var
from riskmark.calc.tracking import track
from riskmark.calc.volatility import volatility_percentile, volatility_trend

SESSIONS, INSTRUMENTS = 620, 500
LAST = range(SESSIONS - 1, SESSIONS)


def panel():
    """Make returns that are observed throughout."""
    rng = np.random.default_rng(1)
    market = rng.normal(0, 0.01, SESSIONS)
    returns = market[:, None] * rng.normal(1, 0.5, INSTRUMENTS)
    return returns + rng.standard_t(4, returns.shape) * 0.015, market


def risk_of(returns, market, amounts, *, nav=None, cells=1):
    """Compute every number of books that hold ``amounts``."""
    held = csr_array(np.tile(np.asarray(amounts, float), (cells, 1)))
    cell_row = np.full(cells, SESSIONS - 1)
    world = value(returns, market, held, cell_row, LAST)
    books = world.books if nav is None else books_of(held, nav=nav)
    forecasts = forecast_volatility(world.series.x)
    one = measure(np.ones(cells))
    tracking = track(
        world.series,
        market,
        beta=one,
        benchmark_beta=one,
        counted=np.diff(held.indptr) > 0,
        books=books,
    )
    correlations = correlation_summaries(returns, held, cell_row=cell_row, books=books)
    return {
        **forecasts._asdict(),
        **historical_risk(world.series.x)._asdict(),
        **tracking._asdict(),
        **{k: v for k, v in correlations._asdict().items() if isinstance(v, Measure)},
        "trend": volatility_trend(world.series.x),
        "percentile": volatility_percentile(world.series.x),
        "var_99_param": parametric_var(forecasts.vol_ewma, 0.99),
        "component_es": component_es(world.series, held),
        "diversification": diversification_ratio(world.series, held, books=books),
    }


def hedge():
    """Return as much long as short."""
    return np.where(np.arange(INSTRUMENTS) % 2, 1e6, -1e6) * (np.arange(INSTRUMENTS) < 40)


def crash(returns, market):
    """Lose all but a hundredth within one session."""
    returns[-100], market[-100] = -0.99, -0.3


def mistake(returns, _market):
    """Multiply by ten thousand what one instrument returns."""
    returns[-60, 3] = 1e4


def standstill(returns, market):
    """Let nothing but the market move."""
    returns[:] = 0.0
    assert market.any()


def private(returns, _market):
    """Observe no return."""
    returns[:] = np.nan


def listings(returns, _market):
    """List everything at different times, of late."""
    for instrument in range(INSTRUMENTS):
        returns[: SESSIONS - 5 - instrument % 100, instrument] = np.nan


def no_market(_returns, market):
    """Observe no market."""
    market[:] = np.nan


ONE = np.eye(INSTRUMENTS)[3] * 1e6
EVERYTHING = np.full(INSTRUMENTS, 2e4)
SOME = np.where(np.arange(INSTRUMENTS) < 30, 1e5, 0.0)
CHANGES = [None, crash, mistake, standstill, private, listings, no_market]
BOOKS = {
    "some": SOME,
    "one": ONE,
    "everything": EVERYTHING,
    "hedged": hedge(),
    "nothing": np.zeros(INSTRUMENTS),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("book", BOOKS)
def test_every_number_is_finite_or_has_a_reason(change, book):
    returns, market = panel()
    if change is not None:
        change(returns, market)

    found = risk_of(returns, market, BOOKS[book])

    for name, one in found.items():
        assert (np.isnan(one.values) == (one.nulls != 0)).all(), name
        assert np.isfinite(one.values[one.nulls == 0]).all(), name


@pytest.mark.parametrize("nav", [1e4, 0.0, -1e6])
def test_leverage_and_ruin_are_no_reason_for_warnings(nav):
    returns, market = panel()

    found = risk_of(returns, market, SOME, nav=nav)

    for one in found.values():
        assert (np.isnan(one.values) == (one.nulls != 0)).all()


def test_no_cells_have_no_numbers():
    returns, market = panel()

    found = risk_of(returns, market, SOME, cells=0)

    assert all(one.values.shape == (0,) for one in found.values())
