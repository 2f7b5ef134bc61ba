"""The numbers of one snapshot, from the day loop's books and the closes, by oracles alone."""

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from tests.conformance import market, volatility
from tests.conformance.oracles import empyrical
from tests.conformance.performance import by_brent
from tests.oracles.day_loop import Day

YEAR, HISTORY = 252, 504
MONTHS = {"twr_1m": 1, "twr_3m": 3, "twr_6m": 6, "twr_1y": 12}
PERIODS = {"twr_mtd": "M", "twr_qtd": "Q", "twr_ytd": "Y"}
TREND = {"rising": 1.0, "flat": 0.0, "falling": -1.0}


def numbers_of_performance(days: list[Day]) -> dict[str, float]:
    """Return the performance of a book at the last of its days."""
    index = pd.DatetimeIndex([day.session for day in days])
    returns = pd.Series([float(day.simple_return) for day in days], index)
    today, values = index[-1], returns.to_numpy()
    found = {
        name: empyrical.cum_returns_final(values[index >= today.to_period(period).start_time])
        for name, period in PERIODS.items()
    }
    for name, months in MONTHS.items():
        base = today - pd.DateOffset(months=months)
        known = index[0] <= base
        found[name] = empyrical.cum_returns_final(values[index > base]) if known else np.nan
    nav = np.array([float(day.nav) for day in days])
    flow = np.array([float(day.inflow - day.outflow) for day in days])
    number = np.array([day.session.toordinal() for day in days], float)
    wealth = np.append(1.0, (1 + values).cumprod())
    return found | {
        "twr_inception": empyrical.cum_returns_final(values),
        "mwr_inception": by_brent(nav, flow, number, len(days) - 1),
        "drawdown": wealth[-1] / wealth.max() - 1,
        "max_drawdown": empyrical.max_drawdown(values),
        "volatility": empyrical.annual_volatility(values),
        "sharpe": empyrical.sharpe_ratio(values),
        "sortino": empyrical.sortino_ratio(values),
        "information_ratio": information_ratio(returns),
    }


def information_ratio(returns: pd.Series) -> float:
    """Return the ratio of the last year, against the S&P 500."""
    known = market.panel()
    days = known.sessions.astype("datetime64[D]")
    index = pd.Series(known.of(market.INDEX), pd.DatetimeIndex(days))
    if len(returns) < YEAR // 2:
        return np.nan
    ours, theirs = returns[-YEAR:].to_numpy(), index[returns.index][-YEAR:].to_numpy()
    return float(np.sqrt(YEAR) * empyrical.excess_sharpe(ours, theirs))


def numbers_of_risk(days: list[Day]) -> dict[str, float]:
    """Return the risk of what a book holds at the last of its days."""
    today, known = days[-1], market.panel()
    row = int(np.searchsorted(known.sessions, np.datetime64(today.session)))
    held = {s: float(p.market_value) for s, p in today.positions.items() if p.held}
    money = np.array([*held.values()])
    nav, weights = float(today.nav), money / float(today.nav)
    columns = [known.symbols.index(symbol) for symbol in held]
    returns = known.returns[row - HISTORY + 1 : row + 1, columns]
    index = known.of(market.INDEX)[row - HISTORY + 1 : row + 1]
    x = returns @ weights
    found = losses(x) | forecasts(x) | spread_out(money) | together(returns[-90:], weights)
    for name in [name for name in found if name.startswith(("var", "es"))]:
        found[f"{name}_money"] = found[name] * nav
    active = x[-YEAR:] - index[-YEAR:]
    beta = slopes(x[-90:], index[-90:]).params[1]
    return found | factor_risk(x[-YEAR:], row) | {
        "pnl_hypothetical": kept_one_session(days[-2], row),
        "beta": beta,
        "beta_1y": slopes(x[-YEAR:], index[-YEAR:]).params[1],
        "rates_beta": np.nan,
        "active_beta": beta - 1,
        "tracking_error": empyrical.annual_volatility(active),
        "benchmark_correlation": stats.pearsonr(x[-YEAR:], index[-YEAR:]).statistic,
    }  # fmt: skip


def kept_one_session(before: Day, row: int) -> float:
    """Return what the positions of the session before ``row`` earn on it."""
    known = market.panel()
    return sum(
        float(position.market_value) * known.returns[row, known.symbols.index(symbol)]
        for symbol, position in before.positions.items()
        if position.held
    )


def slopes(y: np.ndarray, factors: np.ndarray) -> sm.regression.linear_model.RegressionResults:
    """Fit ``y`` on the factors, with an intercept."""
    return sm.OLS(y, sm.add_constant(factors)).fit(method="qr")


def losses(x: np.ndarray) -> dict[str, float]:
    """Return volatility, VaR and ES."""
    scale = np.sqrt(volatility.by_arch(x))
    found = {f"vol_{n}": empyrical.annual_volatility(x[-n:]) for n in (21, 63, 252)}
    for level in (95, 99):
        cutoff = 1 - level / 100
        found[f"var_{level}"] = -empyrical.value_at_risk(x[-YEAR:], cutoff)
        found[f"es_{level}"] = -empyrical.conditional_value_at_risk(x[-YEAR:], cutoff)
        found[f"var_{level}_param"] = -stats.norm.ppf(cutoff, scale=scale)
    return found


def forecasts(x: np.ndarray) -> dict[str, float]:
    """Return forecasts of volatility, and its course."""
    ewma = volatility.by_arch(x)
    one = volatility.one_ahead(volatility.fit_by_arch(x))
    one, one_fell_back = volatility.instead_of(one, x[22:] ** 2, ewma)
    month, month_fell_back = volatility.instead_of(*volatility.direct(x**2), ewma)
    course = volatility.course_of(x)
    return {
        "vol_ewma": np.sqrt(YEAR * ewma),
        "vol_har_1d": np.sqrt(YEAR * one),
        "vol_har_21d": np.sqrt(YEAR * month),
        "har_fallback": float(one_fell_back or month_fell_back),
        "vol_trend": TREND[volatility.trend_of(course).value],
        "vol_percentile": volatility.percentile_of(course),
    }


def spread_out(money: np.ndarray) -> dict[str, float]:
    """Return the concentration; nothing is excluded or filled in whole returns."""
    shares = sorted((abs(one) / np.abs(money).sum() for one in money.tolist()), reverse=True)
    hhi = sum(one * one for one in shares)
    tops = {f"top_{n}": sum(shares[:n]) for n in (1, 3, 10)}
    whole = {"excluded_weight": 0.0, "proxied_weight": 0.0, "nonlinear_weight": 0.0}
    return {"hhi": hhi, "effective_positions": 1 / hhi} | tops | whole


def together(returns: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Return how the holdings move together over 90 sessions; each is more than 1 % of gross."""
    assert (np.abs(weights) > 0.01 * np.abs(weights).sum()).all()
    correlation = pd.DataFrame(returns).corr().to_numpy()
    off = correlation[np.triu_indices(len(weights), 1)]
    deviation = returns.std(axis=0, ddof=1)
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(returns, rowvar=False)))
    single = len(weights) == 1
    return {
        "corr_mean": np.nan if single else off.mean(),
        "corr_mean_abs": np.nan if single else np.abs(off).mean(),
        "effective_rank": np.exp(stats.entropy(np.linalg.eigvalsh(correlation))),
        "effective_bets": np.exp(stats.entropy((weights @ vectors) ** 2 * values)),
        "diversification_ratio": np.abs(weights) @ deviation / (returns @ weights).std(ddof=1),
    }


def factor_risk(x: np.ndarray, row: int) -> dict[str, float]:
    """Return the shares of variance of the style factors and of the rest."""
    factors = market.factors_of(market.model("style"))[row - YEAR + 1 : row + 1]
    fit = slopes(x, factors)
    b = fit.params[1:]
    explained = b @ np.cov(factors, rowvar=False) @ b
    total = explained + fit.mse_resid
    return {"factor_share": explained / total, "specific_share": fit.mse_resid / total}
