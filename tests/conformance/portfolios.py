"""What follows from the holdings of a book: x, exposures, their errors, the split of risk."""

from collections.abc import Iterator

import numpy as np
import statsmodels.api as sm
from tests.conformance import market
from tests.conformance.cells import (
    CELLS,
    Cells,
    cells,
    included,
    style_exposures,
    style_factors,
    style_fits,
)
from tests.conformance.comparisons import NUMPY, PLAIN_PYTHON, Against, Oracle, Row

from riskmark.calc.concentration import concentration, sector_exposures
from riskmark.calc.exposures import model_exposures
from riskmark.calc.factor_covariance import factor_covariances
from riskmark.calc.portfolio_regression import fit_portfolios
from riskmark.calc.risk_split import exposure_errors, split_risk
from riskmark.domain.factor_models import FactorModel

AREA = "Portfolios"

STATSMODELS = Oracle("statsmodels `OLS`, QR", "statsmodels")
LOOP = Oracle("plain Python, fits by statsmodels", "statsmodels")
SECTORS = 6


def rows() -> Iterator[Row]:
    """Compare twelve books, on whole returns and on returns with holes."""
    yield from filled_series()
    yield from exposures()
    for with_holes in (False, True):
        source = market.HOLED if with_holes else market.SKFOLIO
        yield from regressions(cells(with_holes=with_holes), source, with_holes=with_holes)
    yield from shares()


def filled_series() -> Iterator[Row]:
    """Compare x and the share of it that is filled, value by value."""
    of, found, expected, shares = cells(with_holes=True), [], [], []
    for cell in range(CELLS):
        sessions, x, filled = of.sessions(cell), 0.0, 0.0
        for instrument in np.flatnonzero(of.weights[cell]):
            weight = of.weights[cell, instrument]
            known, gaps = filled_returns(of, int(instrument), sessions, int(of.cell_row[cell]))
            x = x + weight * known
            filled += abs(weight) * gaps
        found.append(of.series.x[cell])
        expected.append(x)
        shares.append(filled / np.abs(of.weights[cell]).sum())
    against = Against(LOOP, market.HOLED)
    yield against.relative("x, with fills", found, expected, least=1e-4)
    yield against.relative("`proxied_weight`", of.series.filled_share, shares)


def filled_returns(
    of: Cells, instrument: int, sessions: np.ndarray, row: int
) -> tuple[np.ndarray, float]:
    """Return the returns of an instrument on ``sessions``, and the share of 252 that is filled.

    Zeros where it has something to fill, but no fit.
    """
    known = of.returns[sessions, instrument].copy()
    gaps = np.flatnonzero(np.isnan(known))[::-1]
    window = range(row - market.model("market").window + 1, row + 1)
    r, f = of.returns[window, instrument], of.index[window]
    both = np.isfinite(r) & np.isfinite(f)
    if len(gaps) and both.sum() < market.model("market").minimum:
        return np.zeros(len(sessions)), 0.0
    if len(gaps):
        fit = sm.OLS(r[both], sm.add_constant(f[both])).fit(method="qr")
        residuals = (r[both] - fit.predict(sm.add_constant(f[both])))[::-1]
        for j, gap in enumerate(gaps):
            market_return = of.index[sessions[gap]]
            known[gap] = fit.params[1] * market_return + residuals[j % len(residuals)]
    return known, sum(gap >= len(sessions) - 252 for gap in gaps) / 252


def exposures() -> Iterator[Row]:
    """Compare exposures with sums over fits of statsmodels, and beta with the fit of x."""
    of, model = cells(with_holes=True), market.model("style")
    found = model_exposures(
        included(of), style_fits(with_holes=True), fit_row=of.place, books=of.books
    )
    factors, sums, covered = style_factors(of), [], []
    for cell, row in enumerate(of.cell_row):
        total, part = np.zeros(len(model.factors)), 0.0
        for instrument in of.included(cell):
            y, f = observed(of.returns[:, instrument], factors, int(row), model)
            if len(y) >= model.minimum:
                weight = of.weights[cell, instrument]
                total += weight * sm.OLS(y, sm.add_constant(f)).fit(method="qr").params[1:]
                part += abs(weight)
        sums.append(total)
        covered.append(part / np.abs(of.weights[cell]).sum())
    against = Against(LOOP, market.HOLED)
    yield against.relative("`style`: exposure", found.fraction.values, sums, least=1e-3)
    yield against.relative("coverage", found.coverage.values[:, 0], covered)
    whole = cells(with_holes=False)
    beta = model_exposures(
        whole.holdings, whole.market_fits, fit_row=whole.place, books=whole.books
    ).fraction.values[:, 0]
    of_x = []
    for cell in range(CELLS):
        f = whole.index[whole.sessions(cell)[-90:]]
        of_x.append(sm.OLS(whole.series.x[cell, -90:], sm.add_constant(f)).fit("qr").params[1])
    note = "the regression of x itself, for windows are full"
    yield Against(STATSMODELS, market.SKFOLIO).relative("`beta`", beta, of_x, least=1e-3, note=note)


def observed(
    y: np.ndarray, factors: np.ndarray, row: int, model: FactorModel
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of a window on which ``y`` and all factors are there."""
    used = slice(row - model.window + 1, row + 1)
    both = np.isfinite(y[used]) & np.isfinite(factors[used]).all(axis=1)
    return y[used][both], factors[used][both]


def regressions(of: Cells, source: str, *, with_holes: bool) -> Iterator[Row]:
    """Compare standard errors with regressions of x, and shares of risk with their matrices."""
    model, factors = market.model("style"), style_factors(of)
    window = {"rows": of.rows, "window": model.window, "minimum": model.minimum}
    fits = fit_portfolios(of.series.x, factors, market=of.index, cell_row=of.cell_row, **window)
    b = style_exposures(with_holes=with_holes)
    covariances = factor_covariances(factors, **window)
    split = split_risk(b, fits, covariances, place=of.place, books=of.books)
    errors, shares, parts, matrices = [], [], [], []
    for cell, row in enumerate(of.cell_row):
        x = np.full(len(of.index), np.nan)
        x[of.sessions(cell)] = of.series.x[cell]
        y, f = observed(x, factors, int(row), model)
        fit = sm.OLS(y, sm.add_constant(f)).fit(method="qr")
        errors.append(fit.bse[1:])
        matrices.append(np.cov(f, rowvar=False))
        each = b.values[cell] * (matrices[-1] @ b.values[cell])
        total = each.sum() + fit.mse_resid
        shares.append([each.sum() / total, fit.mse_resid / total])
        parts.append(each / total)
    stderr = exposure_errors(b, fits, books=of.books).values
    yield Against(STATSMODELS, source).relative(
        "`style`: standard error of exposure", stderr, errors
    )
    against = Against(Oracle("numpy, residual variance by statsmodels", "numpy"), source)
    found = np.stack([split.factor_share.values, split.specific_share.values], axis=1)
    yield against.relative("`factor_share`, `specific_share`", found, shares)
    yield against.relative(
        "contributions of factors", split.contributions.values, parts, least=1e-3
    )
    yield Against(NUMPY, source).relative(
        "factor covariance", covariances.matrix[of.place], matrices, least=1e-6
    )


def shares() -> Iterator[Row]:
    """Compare concentration and sectors with loops over positions."""
    of = cells(with_holes=False)
    found = concentration(of.holdings, of.books.gross)
    expected = []
    for weights in of.weights.tolist():
        gross = sum(map(abs, weights))
        v = sorted((abs(one) / gross for one in weights), reverse=True)
        hhi = sum(one * one for one in v)
        expected.append([hhi, 1 / hhi, v[0], sum(v[:3]), sum(v[:10])])
    against = Against(PLAIN_PYTHON, market.SKFOLIO)
    ours = np.stack([one.values for one in found], axis=1)
    measures = "`hhi`, `effective_positions`, `top_1`, `top_3`, `top_10`"
    yield against.relative(measures, ours, expected)
    sector = np.arange(of.weights.shape[1]) % SECTORS
    sums = sector_exposures(of.holdings, sector, sectors=SECTORS)
    expected = [
        [
            [
                sum(w for w in own if w > 0),
                sum(w for w in own if w < 0),
                sum(own),
                sum(map(abs, own)),
            ]
            for own in (weights[one::SECTORS] for one in range(SECTORS))
        ]
        for weights in of.weights.tolist()
    ]
    ours = np.stack([sums.long, sums.short, sums.net, sums.gross], axis=2)
    yield against.relative("sectors: long, short, net, gross", ours, expected, least=1e-3)
