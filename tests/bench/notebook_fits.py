"""The notebook's regressions: one call of statsmodels or scikit-learn for each."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import statsmodels.api as sm
from sklearn.linear_model import Ridge

from riskmark.domain.factor_models import Estimator, FactorModel


class SymbolFit(NamedTuple):
    """What is read of one regression; a ridge has no errors, and most have no ``details``."""

    params: pd.Series
    residuals: pd.Series
    stderr: pd.Series
    r2: float
    residual_sd: float
    details: pd.DataFrame | None
    """Columns hac and vif, by factor."""


def factor_returns(
    model: FactorModel, returns: pd.DataFrame, imported: pd.DataFrame
) -> pd.DataFrame:
    """Return the factors of a model, a column each."""
    found = {}
    for factor in model.factors:
        if factor.column is not None:
            found[factor.name] = imported[factor.column]
        elif factor.short is not None:
            found[factor.name] = returns[factor.long] - returns[factor.short]
        else:
            found[factor.name] = returns[factor.long]
    return pd.DataFrame(found)


def groups(model: FactorModel, factors: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Split the factors of a model into those that are fitted together."""
    if model.estimator is Estimator.OLS_EACH:
        yield from (factors[[name]] for name in factors.columns)
    else:
        yield factors


def regress(
    model: FactorModel, returns: pd.Series, factors: pd.DataFrame, *, detailed: bool = False
) -> SymbolFit | None:
    """Regress returns on factors of the same sessions; None with too few rows."""
    joined = factors.assign(y=returns).dropna()
    if len(joined) < model.minimum:
        return None
    y, x = joined["y"], joined[factors.columns]
    if model.estimator is Estimator.RIDGE:
        return _ridge(model.alpha, y, x)
    fit = sm.OLS(y, sm.add_constant(x)).fit()
    return SymbolFit(
        fit.params,
        fit.resid,
        fit.bse,
        fit.rsquared,
        np.sqrt(fit.mse_resid),
        _details(fit, x) if detailed else None,
    )


def _ridge(alpha: float, y: pd.Series, x: pd.DataFrame) -> SymbolFit:
    spread = x.std()
    fit = Ridge(alpha=alpha).fit((x - x.mean()) / spread, y)
    beta = pd.Series(fit.coef_, x.columns) / spread
    params = pd.concat([pd.Series({"const": y.mean() - beta @ x.mean()}), beta])
    residuals = y - params["const"] - x @ beta
    squares = (residuals**2).sum()
    return SymbolFit(
        params,
        residuals,
        params * np.nan,
        1 - squares / ((y - y.mean()) ** 2).sum(),
        np.sqrt(squares / (len(y) - x.shape[1] - 1)),
        None,
    )


def _details(fit: sm.regression.linear_model.RegressionResults, x: pd.DataFrame) -> pd.DataFrame:
    """Return errors by Newey and West, and variance inflation factors."""
    lags = int(np.floor(4 * (len(x) / 100) ** (2 / 9)))
    robust = fit.get_robustcov_results("HAC", maxlags=lags)
    inflation = np.diag(np.linalg.inv(x.corr()))
    return pd.DataFrame({"hac": robust.bse[1:], "vif": inflation}, index=x.columns)
