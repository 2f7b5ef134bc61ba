"""VaR and ES, and what positions add to it."""

from collections.abc import Iterator

import numpy as np
from scipy import stats
from tests.conformance import market
from tests.conformance.cells import CELLS, cells
from tests.conformance.comparisons import PLAIN_PYTHON, Against, Oracle, Row
from tests.conformance.oracles import empyrical
from tests.conformance.portfolios import filled_returns

from riskmark.calc.forecasts import forecast_volatility
from riskmark.calc.tail import component_es, historical_risk, parametric_var

AREA = "Value at risk and expected shortfall"

VAR = Oracle("empyrical `value_at_risk`", "empyrical-reloaded")
SHORTFALL = Oracle("empyrical `conditional_value_at_risk`", "empyrical-reloaded")
NORMAL = Oracle("scipy `norm.ppf`", "scipy")

BOOKS = "12 books of the stocks of skfolio"
YEARS = "arch: S&P 500 and Nasdaq, every tenth window of 252"
SIGN = "losses are positive here, negative there"


def rows() -> Iterator[Row]:
    """Compare the books' x, every year of two indices, and components with holes."""
    yield from tails(cells(with_holes=False).series.x, BOOKS)
    windows = np.lib.stride_tricks.sliding_window_view(market.arch_returns(), 252, axis=0)[::10]
    yield from tails(windows.reshape(-1, 252), YEARS)
    yield from parametric()
    yield from components()


def tails(x: np.ndarray, source: str) -> Iterator[Row]:
    """Compare the historical measures of the last 252 values."""
    found = historical_risk(x)
    for oracle, measures, theirs in (
        (VAR, ("var_95", "var_99"), empyrical.value_at_risk),
        (SHORTFALL, ("es_95", "es_99"), empyrical.conditional_value_at_risk),
    ):
        for measure in measures:
            cutoff = 1 - int(measure[-2:]) / 100
            expected = [-theirs(one[-252:], cutoff) for one in x]
            ours = getattr(found, measure).values
            yield Against(oracle, source).relative(f"`{measure}`", ours, expected, note=SIGN)


def parametric() -> Iterator[Row]:
    """Compare VaR of a normal x."""
    volatility = forecast_volatility(cells(with_holes=False).series.x).vol_ewma
    against = Against(NORMAL, BOOKS)
    for confidence in (0.95, 0.99):
        scale = volatility.values / np.sqrt(252)
        expected = -stats.norm.ppf(1 - confidence, scale=scale)
        found = parametric_var(volatility, confidence).values
        yield against.relative(f"`var_{confidence * 100:.0f}_param`", found, expected)


def components() -> Iterator[Row]:
    """Compare what each position adds to ES with a loop; and their sums with ES."""
    of = cells(with_holes=True)
    found = component_es(of.series, of.holdings)
    expected, sums = [], []
    for cell in range(CELLS):
        row, sessions = int(of.cell_row[cell]), of.sessions(cell)
        x = of.series.x[cell, -252:]
        inside = x <= np.quantile(x, 0.05)
        kept = of.included(cell)
        for instrument in np.flatnonzero(of.weights[cell]):
            known, _ = filled_returns(of, int(instrument), sessions, row)
            mean = known[-252:][inside].mean()
            part = -of.weights[cell, instrument] * mean if instrument in kept else np.nan
            expected.append(part)
        entries = slice(*of.holdings.indptr[cell : cell + 2])
        sums.append(np.nansum(found.values[entries]))
    yield Against(PLAIN_PYTHON, market.HOLED).relative(
        "component ES of positions", found.values, expected, least=1e-5
    )
    es = [-empyrical.conditional_value_at_risk(one[-252:], 0.05) for one in of.series.x]
    yield Against(SHORTFALL, market.HOLED).relative("sum of component ES", sums, es)
