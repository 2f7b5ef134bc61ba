"""The notebook baseline: what a good analyst writes with pandas and statsmodels.

A table of lots becomes series of quantities, cash and NAV; then a loop over the sessions
computes each report from what was known by then. A regression is one call for each symbol,
model and session; it is kept, so that further portfolios do not repeat it.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from tests.bench import notebook_risk as risk
from tests.bench.market import FACTOR_COLUMNS, GeneratedBook, GeneratedMarket
from tests.bench.notebook_fits import SymbolFit, factor_returns, groups, regress
from tests.bench.numbers import CellNumbers, ExposureNumbers, PositionNumbers, SectorNumbers

from riskmark.domain.factor_models import Estimator, FactorModel
from riskmark.domain.scenarios import STRESS_MODEL
from riskmark.settings import Settings

HISTORY = 504
PROXY_SPAN = 252
YEAR = 252
DAYS_A_YEAR = 365


class BookSeries(NamedTuple):
    """A book's history: by session, and by session and symbol."""

    quantity: pd.DataFrame
    value: pd.DataFrame
    pnl: pd.DataFrame
    cost: pd.DataFrame
    book: pd.DataFrame
    """Columns nav, cash, flow, pnl, return, income, cum_realized, cum_unrealized, cum_income."""


class Notebook:
    """Tables of a market, and the reports that are made from them."""

    def __init__(self, market: GeneratedMarket, settings: Settings) -> None:
        self.sessions = pd.DatetimeIndex(market.sessions)
        frame = {"index": self.sessions, "columns": list(market.symbols)}
        self.close = pd.DataFrame(market.close, **frame)
        self.split = pd.DataFrame(market.split, **frame)
        self.dividend = pd.DataFrame(market.dividend, **frame)
        self.split_index = self.split.cumprod()
        self.returns = self.split * (self.close + self.dividend) / self.close.shift() - 1
        self.sector = pd.Series(market.sectors, index=list(market.symbols))
        self.settings = settings
        self.models = {model.name: model for model in settings.factor_model}
        self.imported = pd.DataFrame(
            market.imported, index=self.sessions, columns=list(FACTOR_COLUMNS)
        )
        self.factors = {
            name: factor_returns(model, self.returns, self.imported)
            for name, model in self.models.items()
        }
        self._fits: dict[tuple[str, str, pd.Timestamp], list[SymbolFit | None]] = {}
        self._moves: dict[pd.Timestamp, dict[str, tuple[pd.Series, pd.Series]]] = {}

    def report_all(self, book: GeneratedBook, sessions: Sequence[date]) -> list[CellNumbers]:
        """Report on one book for each of ``sessions``."""
        series = self.follow(book)
        return [self.report(series, pd.Timestamp(session)) for session in sessions]

    def forget_fits(self) -> None:
        """Begin as a notebook that was just opened; it fits what a book holds anew."""
        self._fits.clear()

    def follow(self, book: GeneratedBook) -> BookSeries:
        """Make the series of a book from its lots and flows."""
        lots = pd.DataFrame([_plain_lot(lot) for lot in book.lots])
        sessions = self.sessions[self.sessions >= lots["entry"].min()]
        symbols = sorted(lots["symbol"].unique())
        quantity = pd.DataFrame(0.0, index=sessions, columns=symbols)
        traded, income, cost = quantity.copy(), quantity.copy(), quantity.copy()
        realized = pd.Series(0.0, index=sessions)
        for lot in lots.itertuples():
            index = self.split_index.loc[sessions, lot.symbol]
            shares = lot.quantity * index / index[lot.entry]
            held = (sessions >= lot.entry) & (sessions < lot.exit)
            earning = (sessions > lot.entry) & (sessions <= lot.exit)
            spent = lot.quantity * lot.entry_price
            quantity[lot.symbol] += shares.where(held, 0.0)
            cost.loc[held, lot.symbol] += spent
            income[lot.symbol] += (shares * self.dividend.loc[sessions, lot.symbol]).where(
                earning, 0.0
            )
            traded.loc[lot.entry, lot.symbol] -= spent
            if lot.exit in sessions:
                proceeds = shares[lot.exit] * lot.exit_price
                traded.loc[lot.exit, lot.symbol] += proceeds
                realized[lot.exit] += proceeds - spent
        value = quantity * self.close.loc[sessions, symbols].where(quantity != 0, 0.0)
        pnl = value - value.shift(fill_value=0.0) + traded + income
        flow = pd.Series(0.0, index=sessions)
        flow.iloc[0] = float(book.opening_equity)
        for one in book.flows:
            flow[sessions[sessions >= pd.Timestamp(one.date)][0]] += float(one.amount)
        table = pd.DataFrame({"flow": flow, "income": income.sum(axis=1), "pnl": pnl.sum(axis=1)})
        table["cash"] = (flow + traded.sum(axis=1) + table["income"]).cumsum()
        table["nav"] = table["cash"] + value.sum(axis=1)
        table["cum_realized"] = realized.cumsum()
        table["cum_unrealized"] = (value - cost).sum(axis=1)
        table["cum_income"] = table["income"].cumsum()
        before = table["nav"].shift(fill_value=0.0)
        table["return"] = (table["nav"] + (-flow).clip(lower=0)) / (before + flow.clip(lower=0)) - 1
        return BookSeries(quantity, value, pnl, cost, table)

    def report(self, series: BookSeries, session: pd.Timestamp) -> CellNumbers:
        """Compute everything about a book on one session."""
        value = series.value.loc[session]
        held = value[series.quantity.loc[session] != 0]
        gross, nav = held.abs().sum(), series.book.loc[session, "nav"]
        weights = held / nav
        filled, proxied = self._filled_returns(held, gross, session)
        x = filled @ weights
        performance, is_annual, drawdown = _performance(series.book.loc[:session])
        exposures, split = self._exposures(held, nav, x, session)
        beta = exposures["market", "Market"].exposure
        kept = series.value.shift().loc[session] * self.returns.loc[session, series.value.columns]
        volatility = risk.volatility(x)
        shares = (held.abs() / gross).sort_values(ascending=False)
        row = series.book.loc[session]
        measures = {
            **row.to_dict(),
            "pnl_hypothetical": kept.sum(skipna=False),
            "long_value": held[held > 0].sum(),
            "short_value": held[held < 0].sum(),
            "gross": gross,
            "net": held.sum(),
            "inflow": max(row["flow"], 0.0),
            "outflow": max(-row["flow"], 0.0),
            "excluded_weight": 0.0,
            "nonlinear_weight": 0.0,
            "proxied_weight": proxied,
            **performance,
            "beta": beta,
            "beta_1y": exposures["market_1y", "Market"].exposure,
            "rates_beta": exposures["rates", "Rates"].exposure,
            **volatility,
            **risk.tail(x, volatility["vol_ewma"], nav),
            **self._tracking(series, x, beta, session),
            **risk.mixture(self.returns.loc[:session, held.index], filled, x, weights),
            "factor_share": split.factor_share,
            "specific_share": split.specific_share,
            "hhi": (shares**2).sum(),
            "effective_positions": 1 / (shares**2).sum(),
            **{f"top_{n}": shares.head(n).sum() for n in (1, 3, 10)},
        }
        return CellNumbers(
            measures,
            is_annual,
            drawdown,
            self._positions(series, held, session, risk.component_es(x, filled, weights)),
            exposures,
            risk.stress(_money(exposures, STRESS_MODEL), self._scenario_moves(session)),
            self._sectors(held, nav),
        )

    def _window(self, model: FactorModel, session: pd.Timestamp) -> pd.DatetimeIndex:
        return self.sessions[self.sessions <= session][-model.window :]

    def fit(self, name: str, symbol: str, session: pd.Timestamp) -> list[SymbolFit | None]:
        """Regress a symbol on a model's factors, on each alone if the model says so."""
        key = (name, symbol, session)
        if key not in self._fits:
            model = self.models[name]
            rows = self._window(model, session)
            returns = self.returns.loc[rows, symbol]
            if model.excess_over is not None:
                returns = returns - self.imported.loc[rows, model.excess_over]
            newest = session == self.sessions[-1]
            self._fits[key] = [
                regress(model, returns, some, detailed=newest)
                for some in groups(model, self.factors[name].loc[rows])
            ]
        return self._fits[key]

    def _filled_returns(
        self, held: pd.Series, gross: float, session: pd.Timestamp
    ) -> tuple[pd.DataFrame, float]:
        """Return the returns of today's holdings, without gaps, and the share filled."""
        market = self.returns["SPY"].loc[:session].dropna().tail(HISTORY)
        window = self.returns.loc[market.index, held.index]
        proxied = window.tail(PROXY_SPAN).isna().mean().dot(held.abs()) / gross
        for symbol in window.columns[window.isna().any()]:
            (fit,) = self.fit("market", symbol, session)
            missing = window.index[window[symbol].isna()][::-1]
            newest_first = fit.residuals.to_numpy()[::-1]
            own = newest_first[np.arange(len(missing)) % len(newest_first)]
            window.loc[missing, symbol] = fit.params["Market"] * market[missing] + own
        return window, proxied

    def _exposures(
        self, held: pd.Series, nav: float, x: pd.Series, session: pd.Timestamp
    ) -> tuple[dict[tuple[str, str], ExposureNumbers], risk.RiskSplit]:
        """Sum up the betas of the holdings, and regress x on the same factors."""
        found = {}
        for name, model in self.models.items():
            rows = self._window(model, session)
            for place, factors in enumerate(groups(model, self.factors[name].loc[rows])):
                fits = {s: self.fit(name, s, session)[place] for s in held.index}
                betas = pd.DataFrame({s: fit.params for s, fit in fits.items() if fit is not None})
                fitted = held[betas.columns]
                money = betas.drop(index="const") @ fitted
                own = self._regress_holdings(model, held, nav, x.loc[rows], factors)
                for factor, amount in money.items():
                    found[name, factor] = ExposureNumbers(
                        amount / nav,
                        amount,
                        np.nan if own is None else own.stderr[factor],
                        fitted.abs().sum() / held.abs().sum(),
                        np.nan,
                    )
                if name == self.settings.default_model:
                    covariance = factors.dropna().cov()
                    split = risk.split_risk(money / nav, covariance, own.residual_sd)
        for factor, share in split.contributions.items():
            key = (self.settings.default_model, factor)
            found[key] = found[key]._replace(risk_share=share)
        return found, split

    def _regress_holdings(
        self, model: FactorModel, held: pd.Series, nav: float, x: pd.Series, factors: pd.DataFrame
    ) -> SymbolFit | None:
        if model.estimator is Estimator.RIDGE:
            return None
        if model.excess_over is not None:
            x = x - held.sum() / nav * self.imported.loc[x.index, model.excess_over]
        return regress(model, x, factors)

    def _tracking(
        self, series: BookSeries, x: pd.Series, beta: float, session: pd.Timestamp
    ) -> dict[str, float]:
        symbol = self.settings.benchmark
        (own,) = self.fit("market", symbol, session)
        return risk.track(
            x,
            self.returns[symbol],
            series.book.loc[:session, "return"],
            beta=beta,
            own_beta=own.params["Market"],
        )

    def _scenario_moves(self, session: pd.Timestamp) -> dict[str, tuple[pd.Series, pd.Series]]:
        if session not in self._moves:
            factors = self.factors[STRESS_MODEL].loc[:session].tail(HISTORY)
            self._moves[session] = risk.scenario_moves(
                self.settings.scenario, self.settings.rates, factors.dropna().cov()
            )
        return self._moves[session]

    def _positions(
        self, series: BookSeries, held: pd.Series, session: pd.Timestamp, component_es: pd.Series
    ) -> dict[str, PositionNumbers]:
        found = {}
        nav = series.book.loc[session, "nav"]
        closes, pnl = self.close.loc[session], series.pnl.loc[session]
        quantities = series.quantity.loc[session]
        for symbol, value in held.items():
            (fit,) = self.fit("market", symbol, session)
            beta = np.nan if fit is None else fit.params["Market"]
            found[symbol] = PositionNumbers(
                quantities[symbol],
                closes[symbol],
                value,
                value / nav,
                pnl[symbol],
                beta,
                component_es[symbol],
            )
        place = series.quantity.index.get_loc(session)
        if place > 0:
            ended = (series.quantity.iloc[place - 1] != 0) & (series.quantity.iloc[place] == 0)
            for symbol in series.quantity.columns[ended]:
                found[symbol] = PositionNumbers(0.0, np.nan, 0.0, 0.0, pnl[symbol], np.nan, np.nan)
        return found

    def _sectors(self, held: pd.Series, nav: float) -> dict[str, SectorNumbers]:
        table = pd.DataFrame(
            {
                "long": held.clip(lower=0),
                "short": held.clip(upper=0),
                "net": held,
                "gross": held.abs(),
            }
        )
        sums = table.groupby(self.sector[held.index]).sum() / nav
        return {sector: SectorNumbers(*row) for sector, row in zip(sums.index, sums.to_numpy())}  # noqa: B905


def _money(exposures: dict[tuple[str, str], ExposureNumbers], model: str) -> pd.Series:
    return pd.Series({key[1]: one.money for key, one in exposures.items() if key[0] == model})


def _plain_lot(lot: Any) -> dict[str, Any]:
    ends = lot.exit_date is not None
    return {
        "symbol": lot.symbol,
        "quantity": float(lot.quantity),
        "entry": pd.Timestamp(lot.entry_date),
        "entry_price": float(lot.entry_price),
        "exit": pd.Timestamp(lot.exit_date) if ends else pd.Timestamp.max,
        "exit_price": float(lot.exit_price) if ends else np.nan,
    }


def _performance(
    book: pd.DataFrame,
) -> tuple[dict[str, float], bool | None, tuple[date | None, date | None, date | None]]:
    """Compute the performance of a book up to the last row."""
    returns, session, first = book["return"], book.index[-1], book.index[0]
    starts = {
        "mtd": session.replace(day=1),
        "qtd": session.to_period("Q").start_time,
        "ytd": session.replace(month=1, day=1),
    }
    found = {
        f"twr_{name}": _compound(returns[returns.index >= start]) for name, start in starts.items()
    }
    for name, months in (("1m", 1), ("3m", 3), ("6m", 6), ("1y", 12)):
        base = book.index[book.index <= session - pd.DateOffset(months=months)]
        young = base.empty
        found[f"twr_{name}"] = np.nan if young else _compound(returns[returns.index > base[-1]])
    found["twr_inception"] = _compound(returns)
    wealth = (1 + returns).cumprod()
    below = wealth / wealth.cummax().clip(lower=1.0) - 1
    found |= {"drawdown": below.iloc[-1], "max_drawdown": below.min()}
    spread = returns.std()
    downside = np.sqrt((returns.clip(upper=0) ** 2).mean())
    found |= {
        "volatility": spread * np.sqrt(YEAR),
        "sharpe": returns.mean() / spread * np.sqrt(YEAR),
        "sortino": returns.mean() / downside * np.sqrt(YEAR) if downside > 0 else np.nan,
    }
    if len(returns) < 2:
        found |= {"volatility": np.nan, "sharpe": np.nan, "sortino": np.nan}
    rate, is_annual = _money_weighted(book, (session - first).days)
    found["mwr_inception"] = rate
    return found, is_annual, _drawdown_sessions(wealth, below)


def _compound(returns: pd.Series) -> float:
    return float((1 + returns).prod() - 1)


def _money_weighted(book: pd.DataFrame, days: int) -> tuple[float, bool | None]:
    if days == 0:
        return np.nan, None
    moved = -book["flow"]
    moved.iloc[-1] += book["nav"].iloc[-1]
    moved = moved[moved != 0]
    times = (moved.index - book.index[0]).days.to_numpy() / days

    def worth(rate: float) -> float:
        return float((moved.to_numpy() / (1 + rate) ** times).sum())

    rate = brentq(worth, -0.99, 10, xtol=1e-14, rtol=1e-14)
    if days < DAYS_A_YEAR:
        return rate, False
    return (1 + rate) ** (DAYS_A_YEAR / days) - 1, True


def _drawdown_sessions(
    wealth: pd.Series, below: pd.Series
) -> tuple[date | None, date | None, date | None]:
    if below.min() == 0:
        return None, None, None
    trough = below.idxmin()
    before = wealth.loc[:trough]
    peak = before.idxmax() if before.max() > 1 else None
    level = max(before.max(), 1.0)
    after = wealth.loc[trough:]
    recovered = after[after >= level]
    return (
        None if peak is None else peak.date(),
        trough.date(),
        None if recovered.empty else recovered.index[0].date(),
    )
