"""The savvy baseline: NumPy within a portfolio, loops over portfolios and sessions.

All symbols of a session are fitted at once by normal equations, those that lack rows one by
one; a session's fits are kept for all portfolios.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date

import numpy as np
from tests.bench import savvy_risk as risk
from tests.bench.market import FACTOR_COLUMNS, GeneratedBook, GeneratedMarket
from tests.bench.numbers import CellNumbers, ExposureNumbers, PositionNumbers, SectorNumbers
from tests.bench.savvy_fits import (
    SessionFits,
    factor_returns,
    fit_holdings,
    fit_symbols,
    groups,
)
from tests.bench.savvy_performance import BookHistory, performance_of

from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.domain.factor_models import Estimator, FactorModel
from riskmark.domain.scenarios import STRESS_MODEL
from riskmark.settings import Settings

HISTORY = 504
PROXY_SPAN = 252
YEAR = 252


class Savvy:
    """Arrays of a market, and the reports that are made from them."""

    def __init__(self, market: GeneratedMarket, settings: Settings) -> None:
        self.market = market
        self.days = np.array(market.sessions, dtype="datetime64[D]")
        self.split_index = np.cumprod(market.split, axis=0)
        self.returns = np.full(market.close.shape, np.nan)
        paid = market.split[1:] * (market.close[1:] + market.dividend[1:])
        self.returns[1:] = paid / market.close[:-1] - 1
        self.column = {symbol: place for place, symbol in enumerate(market.symbols)}
        self.settings = settings
        self.models = settings.factor_model
        self.factors = {
            model.name: factor_returns(model, self.returns, market.imported, self.column)
            for model in self.models
        }
        self._fits: dict[tuple[str, int], list[SessionFits]] = {}
        self._moves: dict[int, tuple[FloatArray, FloatArray]] = {}
        names = sorted(set(market.sectors))
        self.sector_names = names
        self.sector = np.array([names.index(sector) for sector in market.sectors])

    def report_all(self, book: GeneratedBook, sessions: Sequence[date]) -> list[CellNumbers]:
        """Report on one book for each of ``sessions``."""
        history = self.follow(book)
        rows = np.searchsorted(self.days, np.array(sessions, dtype="datetime64[D]"))
        return [self.report(history, row) for row in rows.tolist()]

    def follow(self, book: GeneratedBook) -> BookHistory:
        """Make the arrays of a book's history from its lots and flows."""
        sessions = self.market.sessions
        first = bisect_left(sessions, min(lot.entry_date for lot in book.lots))
        columns = np.unique([self.column[lot.symbol] for lot in book.lots])
        shape = (len(sessions) - first, len(columns))
        quantity, traded, income, cost = (np.zeros(shape) for _ in range(4))
        realized = np.zeros(shape[0])
        for lot in book.lots:
            column = self.column[lot.symbol]
            place = int(np.searchsorted(columns, column))
            entry = bisect_left(sessions, lot.entry_date) - first
            leaving = shape[0]
            if lot.exit_date is not None:
                leaving = bisect_left(sessions, lot.exit_date) - first
            index = self.split_index[first:, column]
            shares = float(lot.quantity) * index / index[entry]
            spent = float(lot.quantity) * float(lot.entry_price)
            quantity[entry:leaving, place] += shares[entry:leaving]
            cost[entry:leaving, place] += spent
            earning = slice(entry + 1, leaving + 1)
            income[earning, place] += (
                shares[earning] * self.market.dividend[first:, column][earning]
            )
            traded[entry, place] -= spent
            if lot.exit_price is not None:
                proceeds = shares[leaving] * float(lot.exit_price)
                traded[leaving, place] += proceeds
                realized[leaving] += proceeds - spent
        value = np.where(quantity != 0, quantity * self.market.close[first:, columns], 0.0)
        flow = np.zeros(shape[0])
        flow[0] = float(book.opening_equity)
        for one in book.flows:
            flow[max(bisect_left(sessions, one.date) - first, 0)] += float(one.amount)
        paid = income.sum(axis=1)
        cash = np.cumsum(flow + traded.sum(axis=1) + paid)
        nav = cash + value.sum(axis=1)
        before = np.concatenate([[0.0], nav[:-1]])
        return BookHistory(
            first=first,
            columns=columns,
            quantity=quantity,
            value=value,
            pnl=np.diff(value, axis=0, prepend=0.0) + traded + income,
            flow=flow,
            income=paid,
            cash=cash,
            nav=nav,
            returns=(nav + np.maximum(-flow, 0)) / (before + np.maximum(flow, 0)) - 1,
            cum_realized=np.cumsum(realized),
            cum_unrealized=(value - cost).sum(axis=1),
        )

    def report(self, history: BookHistory, row: int) -> CellNumbers:
        """Compute everything about a book on the session in ``row`` of the market."""
        place = row - history.first
        held = history.quantity[place] != 0
        columns, value = history.columns[held], history.value[place, held]
        nav, gross = float(history.nav[place]), float(np.abs(value).sum())
        flow = float(history.flow[place])
        filled, proxied = self._filled_returns(columns, value, row)
        weights = value / nav
        x = filled @ weights
        performance, is_annual, drawdown = performance_of(
            history, self.days[history.first : row + 1], place
        )
        exposures, split = self._exposures(columns, value, nav, x, row)
        stressed = np.array([one.money for key, one in exposures.items() if key[0] == STRESS_MODEL])
        volatility = risk.volatility(x)
        observed = self.returns[row - risk.CORRELATED + 1 : row + 1][:, columns]
        kept = np.nan
        if place > 0:
            kept = history.value[place - 1] @ self.returns[row, history.columns]
        shares = np.sort(np.abs(value) / gross)[::-1]
        hhi = float(shares @ shares)
        measures = {
            "nav": nav,
            "cash": history.cash[place],
            "long_value": value[value > 0].sum(),
            "short_value": value[value < 0].sum(),
            "gross": gross,
            "net": value.sum(),
            "flow": flow,
            "inflow": max(flow, 0.0),
            "outflow": max(-flow, 0.0),
            "pnl": history.pnl[place].sum(),
            "pnl_hypothetical": kept,
            "return": history.returns[place],
            "income": history.income[place],
            "cum_realized": history.cum_realized[place],
            "cum_unrealized": history.cum_unrealized[place],
            "cum_income": history.income[: place + 1].sum(),
            "excluded_weight": 0.0,
            "nonlinear_weight": 0.0,
            "proxied_weight": proxied,
            **performance,
            "beta": exposures["market", "Market"].exposure,
            "beta_1y": exposures["market_1y", "Market"].exposure,
            "rates_beta": exposures["rates", "Rates"].exposure,
            **volatility,
            **risk.tail(x, volatility["vol_ewma"], nav),
            **self._tracking(history, x, exposures["market", "Market"].exposure, row),
            **risk.mixture(observed, filled, x, weights),
            **split,
            "hhi": hhi,
            "effective_positions": 1 / hhi,
            **{f"top_{n}": shares[:n].sum() for n in (1, 3, 10)},
        }
        return CellNumbers(
            measures,
            is_annual,
            drawdown,
            self._positions(history, place, risk.component_es(x, filled, weights)),
            exposures,
            risk.stress(self.settings.scenario, stressed, self._scenario_moves(row)),
            self._sectors(columns, value, nav),
        )

    def fit_all(self, session: date) -> None:
        """Fit every symbol on every model on one session."""
        for model in self.models:
            self.fits(model, bisect_left(self.market.sessions, session))

    def fits(self, model: FactorModel, row: int) -> list[SessionFits]:
        """Return the fits of every symbol on one session, with all factors or each alone."""
        key = (model.name, row)
        if key not in self._fits:
            rows = slice(max(row + 1 - model.window, 0), row + 1)
            returns = self.returns[rows]
            if model.excess_over is not None:
                returns = returns - self._risk_free(model, rows)[:, None]
            newest = row == len(self.days) - 1
            self._fits[key] = [
                fit_symbols(model, returns, some, detailed=newest)
                for some in groups(model, self.factors[model.name][rows])
            ]
        return self._fits[key]

    def _risk_free(self, model: FactorModel, rows: slice) -> FloatArray:
        return self.market.imported[rows, FACTOR_COLUMNS.index(model.excess_over)]

    def _scenario_moves(self, row: int) -> tuple[FloatArray, FloatArray]:
        if row not in self._moves:
            model = self.settings.model(STRESS_MODEL)
            factors = self.factors[model.name][max(row + 1 - HISTORY, 0) : row + 1]
            complete = factors[np.isfinite(factors).all(axis=1)]
            self._moves[row] = risk.scenario_moves(
                self.settings.scenario,
                self.settings.rates,
                [factor.name for factor in model.factors],
                np.cov(complete, rowvar=False),
            )
        return self._moves[row]

    def _filled_returns(
        self, columns: IntArray, value: FloatArray, row: int
    ) -> tuple[FloatArray, float]:
        """Return the returns of today's holdings, without gaps, and the share filled."""
        market = self.returns[: row + 1, self.column["SPY"]]
        used = np.flatnonzero(np.isfinite(market))[-HISTORY:]
        window = self.returns[used][:, columns]
        missing = np.isnan(window)
        if not missing.any():
            return window, 0.0
        proxied = float(missing[-PROXY_SPAN:].mean(axis=0) @ np.abs(value) / np.abs(value).sum())
        model = self.settings.model("market")
        (fits,), span = self.fits(model, row), range(max(row + 1 - model.window, 0), row + 1)
        for place in np.flatnonzero(missing.any(axis=0)).tolist():
            alpha, beta = fits.params[:, columns[place]]
            residual = self.returns[span, columns[place]] - alpha - beta * market[span]
            newest_first = residual[np.isfinite(residual)][::-1]
            gaps = np.flatnonzero(missing[:, place])[::-1]
            own = newest_first[np.arange(gaps.size) % newest_first.size]
            window[gaps, place] = beta * market[used[gaps]] + own
        return window, proxied

    def _exposures(
        self, columns: IntArray, value: FloatArray, nav: float, x: FloatArray, row: int
    ) -> tuple[dict[tuple[str, str], ExposureNumbers], dict[str, float]]:
        """Sum up the betas of the holdings, and regress x on the same factors."""
        found = {}
        gross = np.abs(value).sum()
        for model in self.models:
            names = iter(model.factors)
            for fits in self.fits(model, row):
                betas = fits.params[1:, columns]
                fitted = np.isfinite(betas[0])
                coverage = np.abs(value[fitted]).sum() / gross
                money = betas[:, fitted] @ value[fitted]
                errors, specific = self._regress_holdings(model, fits, value.sum() / nav, x, row)
                shares = np.full(money.size, np.nan)
                if model.name == self.settings.default_model:
                    factors = fits.design[:, 1:]
                    parts = money / nav * (np.cov(factors, rowvar=False) @ money / nav)
                    shares = parts / (parts.sum() + specific)
                    split = {
                        "factor_share": shares.sum(),
                        "specific_share": specific / (parts.sum() + specific),
                    }
                for amount, error, share in zip(money, errors, shares, strict=True):
                    found[model.name, next(names).name] = ExposureNumbers(
                        amount / nav, amount, error, coverage, share
                    )
        return found, split

    def _regress_holdings(
        self, model: FactorModel, fits: SessionFits, net: float, x: FloatArray, row: int
    ) -> tuple[FloatArray, float]:
        own = x[-model.window :]
        if model.estimator is Estimator.RIDGE:
            return np.full(fits.design.shape[1] - 1, np.nan), np.nan
        if model.excess_over is not None:
            own = own - net * self._risk_free(model, slice(row + 1 - model.window, row + 1))
        return fit_holdings(fits, own)

    def _tracking(
        self, history: BookHistory, x: FloatArray, beta: float, row: int
    ) -> dict[str, float]:
        column = self.column[self.settings.benchmark]
        benchmark = self.returns[: row + 1, column]
        (own,) = self.fits(self.settings.model("market"), row)
        place = row - history.first + 1
        return risk.track(
            x[-YEAR:],
            benchmark[-YEAR:],
            history.returns[:place] - benchmark[history.first :],
            beta=beta,
            own_beta=own.params[1, column],
        )

    def _positions(
        self, history: BookHistory, place: int, component_es: FloatArray
    ) -> dict[str, PositionNumbers]:
        row = place + history.first
        nav = history.nav[place]
        (fits,) = self.fits(self.settings.model("market"), row)
        beta = fits.params[1, history.columns]
        held = history.quantity[place] != 0
        components = np.full(held.size, np.nan)
        components[held] = component_es
        ended = ~held & (history.quantity[max(place - 1, 0)] != 0)
        mark = np.where(held, self.market.close[row, history.columns], np.nan)
        table = np.column_stack(
            [
                history.quantity[place],
                mark,
                history.value[place],
                history.value[place] / nav,
                history.pnl[place],
                np.where(held, beta, np.nan),
                components,
            ]
        )
        return {
            self.market.symbols[history.columns[k]]: PositionNumbers(*table[k].tolist())
            for k in np.flatnonzero(held | ended).tolist()
        }

    def _sectors(
        self, columns: IntArray, value: FloatArray, nav: float
    ) -> dict[str, SectorNumbers]:
        sector, size = self.sector[columns], len(self.sector_names)
        parts = [
            np.bincount(sector, part, size) / nav
            for part in (np.maximum(value, 0), np.minimum(value, 0), value, np.abs(value))
        ]
        return {
            self.sector_names[k]: SectorNumbers(*(float(part[k]) for part in parts))
            for k in np.unique(sector).tolist()
        }
