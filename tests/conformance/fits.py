"""Regressions of symbols on factors: every model, session by session, symbol by symbol."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import statsmodels.api as sm
from sklearn.linear_model import Ridge
from statsmodels.datasets import longley
from statsmodels.stats.outliers_influence import variance_inflation_factor
from tests.conformance import market
from tests.conformance.comparisons import Against, Oracle, Row
from tests.conformance.exact import hac_errors

from riskmark.calc.fit_details import detail_fits
from riskmark.calc.model_fits import detail_model, factor_groups, fit_model
from riskmark.calc.regression import fit_factors
from riskmark.domain.factor_models import Estimator, Factor, FactorModel

AREA = "Regressions"

STATSMODELS = Oracle("statsmodels `OLS`, QR", "statsmodels")
HAC = Oracle('statsmodels `OLS`, QR, `cov_type="HAC"`', "statsmodels")
INFLATION = Oracle("statsmodels `variance_inflation_factor`", "statsmodels")
RIDGE = Oracle("scikit-learn `Ridge`", "scikit-learn")
EXACT = Oracle("plain Python, in fractions", "python")
NIST = Oracle("NIST StRD, certified values")

BOTH = f"{market.SKFOLIO}, whole and with holes"
MONTHS = "arch: S&P 500 and factors of Fama and French, monthly"
LONGLEY = "statsmodels: Longley"
APART = 20
"""Sessions between two that are compared: fits are made for every one of the last 100."""

LONGLEY_ALPHA = -3482258.63459582
LONGLEY_BETA = (
    15.0618722713733, -0.0358191792925910, -2.02022980381683, -1.03322686717359,
    -0.0511041056535807, 1829.15146461355,
)  # fmt: skip
LONGLEY_STDERR = (
    84.9149257747669, 0.0334910077722432, 0.488399681651699, 0.214274163161675,
    0.226073200069370, 455.478499142212,
)  # fmt: skip
LONGLEY_FIT = (0.995479004577296, 304.854073561965)
NEAR_0 = {"beta": 1e-3, "R²": 1e-3}
"""Sizes below which a number is what rounding leaves of larger ones, on either side."""


class Pair(NamedTuple):
    """Numbers of ours, and those of the oracle for the same fits."""

    found: list[float]
    expected: list[float]


Pairs = dict[str, Pair]


def rows() -> Iterator[Row]:
    """Compare every model of the demo, the excess returns of ``ff5m``, and Longley."""
    for name in ("market", "market_1y", "rates", "style", "spread"):
        yield from least_squares(market.model(name))
    yield from excess_returns()
    yield from ridge()
    yield from certified()


@cache
def returns() -> np.ndarray:
    """Return the stocks, and the same with holes."""
    return np.hstack([market.stocks(), market.holed()])


def least_squares(model: FactorModel) -> Iterator[Row]:
    """Compare the fits of the last 100 sessions, and the details of two sessions."""
    factors = market.factors_of(model)
    pairs = compare(returns(), factors, model)
    pairs |= compare_details(returns(), factors, model)
    note = "on a fund of stocks: no bond fund is bundled" if model.name == "rates" else ""
    yield from _rows(model, pairs, BOTH, note)


def excess_returns() -> Iterator[Row]:
    """Compare fits as those of ``ff5m``: returns less the risk-free one, factors from a file."""
    months = market.months()
    chosen = tuple(Factor(name, column=name) for name in ("Mkt-RF", "SMB", "HML"))
    model = FactorModel("ff5m", Estimator.OLS, 120, 60, chosen, excess_over="RF")
    index, free = months.index[:, None], months.risk_free
    pairs = compare(index, months.factors, model, risk_free=free)
    pairs |= compare_details(index, months.factors, model, risk_free=free)
    yield from _rows(model, pairs, MONTHS, "3 of its 6 factors, 120 months")


def compare(
    panel: np.ndarray,
    factors: np.ndarray,
    model: FactorModel,
    *,
    risk_free: np.ndarray | None = None,
) -> Pairs:
    """Fit the last 100 rows; compare every twentieth of them."""
    last = range(len(panel) - 100, len(panel))
    fits = fit_model(panel, factors, model=model, rows=last, risk_free=risk_free)
    excess = panel if risk_free is None else panel - risk_free[:, None]
    pairs: Pairs = defaultdict(lambda: Pair([], []))
    for part, group in zip(fits.parts, factor_groups(factors, model), strict=True):
        for place in range(APART - 1, len(last), APART):
            for symbol in range(panel.shape[1]):
                y, f = complete(excess[:, symbol], group, last[place], model)
                assert (part.nulls[place, symbol] != 0) == (len(y) < model.minimum)
                if len(y) >= model.minimum:
                    theirs = sm.OLS(y, sm.add_constant(f)).fit(method="qr")
                    ours = (part.alpha, part.beta, part.stderr, part.r2, part.residual_sd)
                    alpha, beta, stderr, r2, sd = (one[place, symbol] for one in ours)
                    add(pairs, "alpha", alpha, theirs.params[0])
                    add(pairs, "beta", beta, theirs.params[1:])
                    add(pairs, "standard error", stderr, theirs.bse[1:])
                    add(pairs, "R²", r2, theirs.rsquared)
                    add(pairs, "residual sd", sd, np.sqrt(theirs.mse_resid))
    return dict(pairs)


def compare_details(
    panel: np.ndarray,
    factors: np.ndarray,
    model: FactorModel,
    *,
    risk_free: np.ndarray | None = None,
) -> Pairs:
    """Compare robust errors and variance inflation on the last row, and 10 before it."""
    excess = panel if risk_free is None else panel - risk_free[:, None]
    pairs: Pairs = defaultdict(lambda: Pair([], []))
    for row in (len(panel) - 1, len(panel) - 11):
        one = range(row, row + 1)
        fits = fit_model(panel, factors, model=model, rows=one, risk_free=risk_free)
        details = detail_model(panel, factors, fits, row=row, risk_free=risk_free)
        groups, first = factor_groups(factors, model), 0
        for group in groups:
            columns = slice(first, first + group.shape[1])
            first = columns.stop
            for symbol in range(panel.shape[1]):
                y, f = complete(excess[:, symbol], group, row, model)
                if len(y) < model.minimum:
                    assert np.isnan(details.stderr_hac[symbol, columns]).all()
                    continue
                robust, inflation = detailed(y, f)
                add(pairs, "HAC standard error", details.stderr_hac[symbol, columns], robust)
                if f.shape[1] > 1:
                    add(pairs, "VIF", details.vif[symbol, columns], inflation)
    return dict(pairs)


def detailed(y: np.ndarray, f: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """Return statsmodels' robust errors and variance inflation factors."""
    design = sm.add_constant(f)
    lags = int(4 * (len(y) / 100) ** (2 / 9))
    robust = sm.OLS(y, design).fit("qr", cov_type="HAC", cov_kwds={"maxlags": lags})
    places = range(1, design.shape[1]) if f.shape[1] > 1 else ()
    return robust.bse[1:], [variance_inflation_factor(design, place) for place in places]


def complete(
    y: np.ndarray, factors: np.ndarray, row: int, model: FactorModel
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the window of ``row`` on which all was observed."""
    used = slice(max(0, row - model.window + 1), row + 1)
    both = np.isfinite(y[used]) & np.isfinite(factors[used]).all(axis=1)
    return y[used][both], factors[used][both]


def ridge() -> Iterator[Row]:
    """Compare ridge fits with those on factors standardised over the rows."""
    model = market.model("ridge")
    factors, last = market.factors_of(model), range(len(returns()) - 100, len(returns()))
    fits = fit_model(returns(), factors, model=model, rows=last).parts[0]
    pairs: Pairs = defaultdict(lambda: Pair([], []))
    for place in range(APART - 1, len(last), APART):
        for symbol in np.flatnonzero(fits.nulls[place] == 0):
            y, f = complete(returns()[:, symbol], factors, last[place], model)
            deviation = f.std(axis=0, ddof=1)
            standard = (f - f.mean(axis=0)) / deviation
            theirs = Ridge(alpha=model.alpha, solver="cholesky").fit(standard, y - y.mean())
            beta = theirs.coef_ / deviation
            alpha = y.mean() - f.mean(axis=0) @ beta
            add(pairs, "alpha", fits.alpha[place, symbol], alpha)
            add(pairs, "beta", fits.beta[place, symbol], beta)
            left = y - y.mean() - theirs.predict(standard)
            explained = theirs.score(standard, y - y.mean())
            sd = np.sqrt(left @ left / (len(y) - f.shape[1] - 1))
            add(pairs, "R²", fits.r2[place, symbol], explained)
            add(pairs, "residual sd", fits.residual_sd[place, symbol], sd)
    note = "factors standardised with n − 1, betas back in return units"
    yield from _rows(model, pairs, BOTH, note)


def certified() -> Iterator[Row]:
    """Compare Longley's data, made to lose digits, with the values that NIST certifies."""
    example = longley.load_pandas()
    y, factors = example.endog.to_numpy(float)[:, None], example.exog.to_numpy(float)
    fits = fit_factors(y, factors, rows=range(15, 16), window=16, minimum=16)
    details = detail_fits(y, factors, fits, row=15, window=16)
    against = Against(NIST, LONGLEY)
    coefficients = [fits.alpha[0, 0], *fits.beta[0, 0]]
    explained = [fits.r2[0, 0], fits.residual_sd[0, 0]]
    note = "certified to 15 digits; the factors almost determine one another"
    for measure, ours, theirs in (
        ("alpha, beta", coefficients, [LONGLEY_ALPHA, *LONGLEY_BETA]),
        ("standard error", fits.stderr[0, 0], LONGLEY_STDERR),
        ("R², residual sd", explained, LONGLEY_FIT),
    ):
        yield against.relative(measure, ours, theirs, note=note)
    robust = hac_errors(y[:, 0].tolist(), factors.tolist(), lags=2)
    note = "statsmodels is 2e-8 away: the factors almost determine one another"
    exactly = Against(EXACT, LONGLEY)
    yield exactly.relative("HAC standard error", details.stderr_hac[0], robust, note=note)
    _, inflation = detailed(y[:, 0], factors)
    yield Against(INFLATION, LONGLEY).relative("VIF", details.vif[0], inflation)


def add(pairs: Pairs, measure: str, found: object, expected: object) -> None:
    """Add the numbers of one fit."""
    ours, theirs = np.ravel(found).tolist(), np.ravel(expected).tolist()
    assert len(ours) == len(theirs)
    pairs[measure].found.extend(ours)
    pairs[measure].expected.extend(theirs)


def _rows(model: FactorModel, pairs: Pairs, source: str, note: str) -> Iterator[Row]:
    usual = RIDGE if model.estimator is Estimator.RIDGE else STATSMODELS
    oracles = {"HAC standard error": HAC, "VIF": INFLATION}
    for measure, pair in pairs.items():
        against = Against(oracles.get(measure, usual), source)
        least = NEAR_0.get(measure, 0.0)
        yield against.relative(f"`{model.name}`: {measure}", *pair, note=note, least=least)
