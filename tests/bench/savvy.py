"""The savvy baseline: NumPy within a portfolio, loops over portfolios and sessions.

All symbols of a session are fitted at once by normal equations, those that lack rows one by
one; a session's fits are kept for all portfolios.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from tests.bench.market import GeneratedBook, GeneratedMarket
from tests.bench.numbers import CellNumbers, ExposureNumbers, PositionNumbers, SectorNumbers

from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.domain.factor_models import FactorModel

HISTORY = 504
PROXY_SPAN = 252
YEAR = 252
DAYS_A_YEAR = 365


class BookHistory(NamedTuple):
    """A book's history: sessions from ``first`` (a row of the market) × its symbols."""

    first: int
    columns: IntArray
    quantity: FloatArray
    value: FloatArray
    pnl: FloatArray
    flow: FloatArray
    income: FloatArray
    cash: FloatArray
    nav: FloatArray
    returns: FloatArray
    cum_realized: FloatArray
    cum_unrealized: FloatArray


class SessionFits(NamedTuple):
    """Fits of all symbols on one session; ``params`` and ``stderr`` are (1 + F, N)."""

    params: FloatArray
    stderr: FloatArray
    r2: FloatArray
    residual_sd: FloatArray


class Savvy:
    """Arrays of a market, and the reports that are made from them."""

    def __init__(self, market: GeneratedMarket, models: Sequence[FactorModel]) -> None:
        self.market = market
        self.days = np.array(market.sessions, dtype="datetime64[D]")
        self.split_index = np.cumprod(market.split, axis=0)
        self.returns = np.full(market.close.shape, np.nan)
        paid = market.split[1:] * (market.close[1:] + market.dividend[1:])
        self.returns[1:] = paid / market.close[:-1] - 1
        self.column = {symbol: place for place, symbol in enumerate(market.symbols)}
        self.models = models
        self.factors = {model.name: self._factor_returns(model) for model in models}
        self._fits: dict[tuple[str, int], SessionFits] = {}
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
        x, proxied = self._holdings_series(columns, value, row)
        performance, is_annual, drawdown = self._performance(history, place)
        exposures = self._exposures(columns, value, nav, row)
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
            "return": history.returns[place],
            "income": history.income[place],
            "cum_realized": history.cum_realized[place],
            "cum_unrealized": history.cum_unrealized[place],
            "cum_income": history.income[: place + 1].sum(),
            "excluded_weight": 0.0,
            "proxied_weight": proxied,
            **performance,
            "beta": exposures["market", "Market"].exposure,
            "beta_1y": exposures["market_1y", "Market"].exposure,
            **{f"vol_{n}": x[-n:].std(ddof=1) * np.sqrt(YEAR) / nav for n in (21, 63, YEAR)},
            "hhi": hhi,
            "effective_positions": 1 / hhi,
            **{f"top_{n}": shares[:n].sum() for n in (1, 3, 10)},
        }
        return CellNumbers(
            measures,
            is_annual,
            drawdown,
            self._positions(history, place, nav),
            exposures,
            self._sectors(columns, value, nav),
        )

    def fit_all(self, session: date) -> None:
        """Fit every symbol on every model on one session."""
        for model in self.models:
            self.fits(model, bisect_left(self.market.sessions, session))

    def fits(self, model: FactorModel, row: int) -> SessionFits:
        """Return the fits of every symbol on one session."""
        key = (model.name, row)
        if key not in self._fits:
            rows = slice(max(row + 1 - model.window, 0), row + 1)
            returns, factors = self.returns[rows], self.factors[model.name][rows]
            design = np.column_stack([np.ones(len(factors)), factors])
            usable = np.isfinite(design).all(axis=1)
            returns, design = returns[usable], design[usable]
            observed = np.isfinite(returns)
            whole = observed.all(axis=0)
            found = _no_fits(design.shape[1], returns.shape[1])
            if len(design) >= model.minimum:
                _solve(found, np.flatnonzero(whole), design, returns[:, whole])
            for column in np.flatnonzero(~whole & (observed.sum(axis=0) >= model.minimum)):
                some = observed[:, column]
                _solve(found, column[None], design[some], returns[some][:, [column]])
            self._fits[key] = found
        return self._fits[key]

    def _factor_returns(self, model: FactorModel) -> FloatArray:
        legs = []
        for factor in model.factors:
            returns = self.returns[:, self.column[factor.long]]
            if factor.short is not None:
                returns = returns - self.returns[:, self.column[factor.short]]
            legs.append(returns)
        return np.column_stack(legs)

    def _holdings_series(
        self, columns: IntArray, value: FloatArray, row: int
    ) -> tuple[FloatArray, float]:
        """Return the money that today's holdings would have made, and the share filled."""
        market = self.returns[: row + 1, self.column["SPY"]]
        used = np.flatnonzero(np.isfinite(market))[-HISTORY:]
        window = self.returns[used][:, columns]
        missing = np.isnan(window)
        if not missing.any():
            return window @ value, 0.0
        proxied = float(missing[-PROXY_SPAN:].mean(axis=0) @ np.abs(value) / np.abs(value).sum())
        model = next(model for model in self.models if model.name == "market")
        fits, span = self.fits(model, row), range(max(row + 1 - model.window, 0), row + 1)
        for place in np.flatnonzero(missing.any(axis=0)).tolist():
            alpha, beta = fits.params[:, columns[place]]
            residual = self.returns[span, columns[place]] - alpha - beta * market[span]
            newest_first = residual[np.isfinite(residual)][::-1]
            gaps = np.flatnonzero(missing[:, place])[::-1]
            own = newest_first[np.arange(gaps.size) % newest_first.size]
            window[gaps, place] = beta * market[used[gaps]] + own
        return window @ value, proxied

    def _exposures(
        self, columns: IntArray, value: FloatArray, nav: float, row: int
    ) -> dict[tuple[str, str], ExposureNumbers]:
        found = {}
        gross = np.abs(value).sum()
        for model in self.models:
            betas = self.fits(model, row).params[1:, columns]
            fitted = np.isfinite(betas[0])
            coverage = np.abs(value[fitted]).sum() / gross
            money = betas[:, fitted] @ value[fitted]
            for factor, amount in zip(model.factors, money.tolist(), strict=True):
                found[model.name, factor.name] = ExposureNumbers(amount / nav, amount, coverage)
        return found

    def _positions(
        self, history: BookHistory, place: int, nav: float
    ) -> dict[str, PositionNumbers]:
        row = place + history.first
        model = next(model for model in self.models if model.name == "market")
        beta = self.fits(model, row).params[1, history.columns]
        held = history.quantity[place] != 0
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

    def _performance(
        self, history: BookHistory, place: int
    ) -> tuple[dict[str, float], bool | None, tuple[date | None, date | None, date | None]]:
        returns = history.returns[: place + 1]
        days = self.days[history.first : history.first + place + 1]
        wealth = np.concatenate([[1.0], np.cumprod(1 + returns)])
        last = wealth[-1]
        found = {}
        for name, start in _period_starts(days[-1]).items():
            base = int(np.searchsorted(days, start))
            found[f"twr_{name}"] = last / wealth[base] - 1
        for name, base_day in _rolling_bases(days[-1]).items():
            base = int(np.searchsorted(days, base_day, side="right"))
            found[f"twr_{name}"] = np.nan if base == 0 else last / wealth[base] - 1
        found["twr_inception"] = last - 1
        below = wealth / np.maximum.accumulate(wealth) - 1
        found |= {"drawdown": below[-1], "max_drawdown": below.min()}
        found |= {"volatility": np.nan, "sharpe": np.nan, "sortino": np.nan}
        if place > 0:
            spread, mean = returns.std(ddof=1), returns.mean()
            downside = np.sqrt((np.minimum(returns, 0) ** 2).mean())
            found["volatility"] = spread * np.sqrt(YEAR)
            found["sharpe"] = mean / spread * np.sqrt(YEAR)
            found["sortino"] = mean / downside * np.sqrt(YEAR) if downside > 0 else np.nan
        rate, is_annual = _money_weighted(history, days, place)
        found["mwr_inception"] = rate
        return found, is_annual, _drawdown_sessions(wealth, below, days)


def _no_fits(terms: int, symbols: int) -> SessionFits:
    shapes = ((terms, symbols), (terms, symbols), symbols, symbols)
    return SessionFits(*(np.full(shape, np.nan) for shape in shapes))


def _solve(fits: SessionFits, columns: IntArray, design: FloatArray, returns: FloatArray) -> None:
    """Fit ``returns`` (n, K) on ``design`` (n, 1 + F) and put the results into ``columns``."""
    inverse = np.linalg.inv(design.T @ design)
    params = inverse @ (design.T @ returns)
    residuals = returns - design @ params
    squares = np.einsum("nk,nk->k", residuals, residuals)
    variance = squares / (len(design) - design.shape[1])
    deviations = returns - returns.mean(axis=0)
    fits.params[:, columns] = params
    fits.stderr[:, columns] = np.sqrt(np.diag(inverse)[:, None] * variance)
    fits.r2[columns] = 1 - squares / np.einsum("nk,nk->k", deviations, deviations)
    fits.residual_sd[columns] = np.sqrt(variance)


def _period_starts(day: np.datetime64) -> dict[str, np.datetime64]:
    month = day.astype("datetime64[M]")
    quarter = month - int(month.astype(np.int64)) % 3
    return {
        "mtd": month.astype("datetime64[D]"),
        "qtd": quarter.astype("datetime64[D]"),
        "ytd": day.astype("datetime64[Y]").astype("datetime64[D]"),
    }


def _rolling_bases(day: np.datetime64) -> dict[str, np.datetime64]:
    month = day.astype("datetime64[M]")
    offset = day - month.astype("datetime64[D]")
    found = {}
    for name, back in (("1m", 1), ("3m", 3), ("6m", 6), ("1y", 12)):
        last = (month - back + 1).astype("datetime64[D]") - 1
        found[name] = min((month - back).astype("datetime64[D]") + offset, last)
    return found


def _money_weighted(
    history: BookHistory, days: FloatArray, place: int
) -> tuple[float, bool | None]:
    if place == 0:
        return np.nan, None
    amounts = -history.flow[: place + 1]
    amounts[-1] += history.nav[place]
    moved = np.flatnonzero(amounts)
    span = int((days[-1] - days[0]).astype(np.int64))
    times = (days[moved] - days[0]).astype(np.float64) / span
    amounts = amounts[moved]
    rate = brentq(lambda rate: amounts @ (1 + rate) ** -times, -0.99, 10, xtol=1e-14, rtol=1e-14)
    if span < DAYS_A_YEAR:
        return rate, False
    return (1 + rate) ** (DAYS_A_YEAR / span) - 1, True


def _drawdown_sessions(
    wealth: FloatArray, below: FloatArray, days: FloatArray
) -> tuple[date | None, date | None, date | None]:
    """``wealth`` and ``below`` begin before the first of ``days``."""
    if below.min() == 0:
        return None, None, None
    trough = int(below.argmin())
    peak = int(wealth[: trough + 1].argmax())
    recovered = np.flatnonzero(wealth[trough:] >= wealth[peak])
    return (
        None if peak == 0 else days[peak - 1].item(),
        days[trough - 1].item(),
        days[trough + int(recovered[0]) - 1].item() if recovered.size else None,
    )
