"""The data: real prices that come with skfolio, arch and statsmodels, and what is made of them.

skfolio's are 20 American stocks, five style ETFs and the S&P 500, closes from 2014 to 2022,
adjusted by their vendor; every one is observed on every session. Where a measure is about
what is missing, seeded holes are made in their returns: a rest of 97 %, a late listing and
one that ended.
"""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import arch.data.frenchdata
import arch.data.nasdaq
import arch.data.sp500
import numpy as np
import pandas as pd

from riskmark.cli.demo_data import load_demo_bars
from riskmark.domain.factor_models import Estimator, Factor, FactorModel
from riskmark.settings import Settings, load_settings

SKFOLIO = "skfolio: 20 stocks, 2014–2022"
HOLED = f"{SKFOLIO}, with holes"
SP500 = "arch: S&P 500, 1999–2018"
INDEX, FUNDS = "SP500", ("MTUM", "QUAL", "SIZE", "USMV", "VLUE")
DEMO_FILES = files("riskmark.cli") / "demo_files"


class Panel(NamedTuple):
    """Sessions × symbols: closes, and returns, of which the first row is NaN."""

    sessions: np.ndarray
    symbols: tuple[str, ...]
    closes: np.ndarray
    returns: np.ndarray

    def of(self, symbol: str) -> np.ndarray:
        """Return the returns of one symbol."""
        return self.returns[:, self.symbols.index(symbol)]


@cache
def panel() -> Panel:
    """Return the stocks of skfolio, then the ETFs, then the index."""
    bars = load_demo_bars()
    sessions = np.unique(bars.session)
    closes = np.full((len(sessions), len(bars.symbols)), np.nan)
    closes[np.searchsorted(sessions, bars.session), bars.symbol] = bars.close
    return Panel(sessions, bars.symbols, closes, returns_of(closes))


def returns_of(closes: np.ndarray) -> np.ndarray:
    """Return simple returns, NaN on the first session."""
    returns = np.full(closes.shape, np.nan)
    returns[1:] = closes[1:] / closes[:-1] - 1
    return returns


@cache
def stocks() -> np.ndarray:
    """Return the returns of the 20 stocks."""
    known = panel()
    return known.returns[:, [s not in (INDEX, *FUNDS) for s in known.symbols]]


@cache
def holed() -> np.ndarray:
    """Return the returns of the stocks with holes; three symbols are left whole."""
    rng = np.random.default_rng(20221228)
    returns = stocks().copy()
    holes = rng.random(returns.shape) < 0.03
    holes[:, :3] = False
    returns[holes] = np.nan
    returns[:-140, 3] = np.nan  # listed in the last half-year
    returns[-25:, 4] = np.nan  # no longer traded
    returns[:-20, 5] = np.nan  # listed so late that it has no fit
    return returns


@cache
def holed_index() -> np.ndarray:
    """Return the returns of the S&P 500 with holes: sessions that x does not have."""
    rng = np.random.default_rng(500)
    index = panel().of(INDEX).copy()
    index[rng.random(len(index)) < 0.01] = np.nan
    return index


@cache
def settings() -> Settings:
    """Return the settings of the demo: its models are made of the bundled ETFs."""
    return load_settings(DEMO_FILES / "riskmark.toml", {}, database_url="sqlite://").settings


def model(name: str) -> FactorModel:
    """Return a model of the demo; ``rates``, for want of a bond fund, on USMV instead."""
    if name == "rates":
        return FactorModel("rates", Estimator.OLS, 90, 30, (Factor("Rates", "USMV"),))
    return next(one for one in settings().factor_model if one.name == name)


def factors_of(chosen: FactorModel) -> np.ndarray:
    """Return the factors' returns on the sessions of the panel, (T, F)."""
    known, columns = panel(), []
    for factor in chosen.factors:
        own = known.of(factor.long)
        columns.append(own if factor.short is None else own - known.of(factor.short))
    return np.stack(columns, axis=1)


@cache
def sp500() -> pd.DataFrame:
    """Return arch's S&P 500: closes and volumes."""
    return arch.data.sp500.load()


@cache
def arch_returns() -> np.ndarray:
    """Return the daily returns of arch's S&P 500 and Nasdaq, (T, 2), without a first NaN."""
    both = [one.load()["Adj Close"].to_numpy(float) for one in (arch.data.sp500, arch.data.nasdaq)]
    return returns_of(np.stack(both, axis=1))[1:]


class Months(NamedTuple):
    """Monthly returns of the S&P 500, of three factors of French, and of a risk-free asset."""

    index: np.ndarray
    factors: np.ndarray
    risk_free: np.ndarray


@cache
def months() -> Months:
    """Join arch's S&P 500, month by month, with the factors of Fama and French."""
    closes = sp500()["Adj Close"]
    last = closes.groupby([closes.index.year, closes.index.month]).last().to_numpy(float)
    french = arch.data.frenchdata.load()
    # Its index is a number, yyyymm, that pandas took for nanoseconds.
    first = int(np.flatnonzero(french.index.astype("int64") == 199902)[0])
    known = french.iloc[first : first + len(last) - 1].to_numpy(float) / 100
    return Months(returns_of(last[: len(known) + 1])[1:], known[:, :3], known[:, 3])
