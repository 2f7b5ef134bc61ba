"""The arithmetic that a night spends its time in, each piece on its own."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from riskmark.calc.correlation import correlation_summaries
from riskmark.calc.exposures import Books
from riskmark.calc.forecasts import forecast_volatility
from riskmark.calc.portfolio_regression import fit_portfolios
from riskmark.calc.regression import fit_factors
from riskmark.calc.tail import historical_risk
from riskmark.calc.volatility import trailing_volatility

pytestmark = pytest.mark.bench

SYMBOLS = 5_000
CELLS = 1_000
HELD = 30


@pytest.fixture(scope="module")
def panel() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(11)
    factors = random.normal(0, 0.01, (504, 7))
    loading = random.normal(0, 1, (7, SYMBOLS))
    returns = factors @ loading + random.normal(0, 0.02, (504, SYMBOLS))
    return returns, factors


def test_style_fits_of_all_symbols_on_one_session(benchmark, panel):
    returns, factors = panel

    fits = benchmark(fit_factors, returns, factors, rows=range(503, 504), window=252, minimum=60)

    assert (fits.nulls == 0).all()


def test_style_fits_where_one_symbol_in_ten_lacks_returns(benchmark, panel):
    returns, factors = panel
    gaps = returns.copy()
    gaps[300:310, ::10] = np.nan

    fits = benchmark(fit_factors, gaps, factors, rows=range(503, 504), window=252, minimum=60)

    assert (fits.n[:, ::10] == 242).all()


def test_style_fits_of_30_symbols_on_a_year_of_sessions(benchmark, panel):
    returns, factors = panel

    fits = benchmark(
        fit_factors, returns[:, :30], factors, rows=range(252, 504), window=252, minimum=60
    )

    assert (fits.nulls == 0).all()


def test_volatility_of_a_thousand_books(benchmark, panel):
    returns, _ = panel
    x = np.ascontiguousarray(returns[:, :CELLS].T)

    found = benchmark(trailing_volatility, x, 252)

    assert (found.nulls == 0).all()


def test_forecasts_for_a_thousand_books(benchmark, panel):
    returns, _ = panel
    x = np.ascontiguousarray(returns[:, :CELLS].T)

    found = benchmark(forecast_volatility, x)

    assert (found.vol_har_21d.nulls == 0).all()


def test_tails_of_a_thousand_books(benchmark, panel):
    returns, _ = panel
    x = np.ascontiguousarray(returns[:, :CELLS].T)

    found = benchmark(historical_risk, x)

    assert (found.es_99.nulls == 0).all()


def test_style_fits_of_a_thousand_books(benchmark, panel):
    returns, factors = panel
    x = np.ascontiguousarray(returns[:, :CELLS].T)

    fits = benchmark(
        fit_portfolios,
        x,
        factors,
        market=factors[:, 0],
        cell_row=np.full(CELLS, 503),
        rows=range(503, 504),
        window=252,
        minimum=60,
    )

    assert (fits.nulls == 0).all()


def test_correlations_of_a_thousand_books(benchmark, panel):
    returns, _ = panel
    random = np.random.default_rng(12)
    held = np.concatenate([random.choice(SYMBOLS, HELD, replace=False) for _ in range(CELLS)])
    money = random.uniform(10, 20, CELLS * HELD)
    exposure = csr_array((money, held, np.arange(CELLS + 1) * HELD), shape=(CELLS, SYMBOLS))
    gross = np.asarray(exposure.sum(axis=1))
    some = np.ones(CELLS, bool)
    books = Books(nav=gross, gross=gross, held=some, holdings_mode=~some)

    found = benchmark(
        correlation_summaries, returns, exposure, cell_row=np.full(CELLS, 503), books=books
    )

    assert (found.kept == HELD).all()
