"""Returns of books over time: chained, in drawdown, against risk, and weighted by money."""

from collections.abc import Iterator
from datetime import date

import numpy as np
from scipy.optimize import brentq
from tests.conformance import market
from tests.conformance.comparisons import Against, Oracle, Row
from tests.conformance.oracles import empyrical
from tests.oracles.test_performance_against_empyrical import BASES, dated_drawdown, measured

from riskmark.calc.money_weighted import money_weighted_returns
from riskmark.calc.xirr import CashFlows, solve_rates

AREA = "Performance"

LOOP = Oracle("plain Python", "python")
BRENT = Oracle("scipy `brentq`", "scipy")
EXCEL = Oracle("Excel `XIRR`, as published")

INDICES = "arch: S&P 500 and Nasdaq, 1999–2018"
STOCKS = market.SKFOLIO
RISK_FREE = 0.02
YEAR = 365
PUBLISHED = (
    ([(date(2010, 1, 1), -200.0), (date(2010, 12, 31), 210.0)], "0.050140747"),
    (
        [(date(2019, 5, 24), -1560.94), (date(2020, 1, 13), -1160.0), (date(2020, 6, 29), 42.8)],
        "-0.999251643",
    ),
)


def rows() -> Iterator[Row]:
    """Compare stocks and indices held alone, and books with flows."""
    for source, returns in (
        (INDICES, market.arch_returns()),
        (STOCKS, market.stocks()[1:]),
    ):
        yield from ratios(returns, source)
    yield from money_weighted()


def by_empyrical(name: str) -> Oracle:
    """Return a function of empyrical as an oracle."""
    return Oracle(f"empyrical `{name}`", "empyrical-reloaded")


def ratios(returns: np.ndarray, source: str) -> Iterator[Row]:
    """Compare, at the last 200 sessions, what follows from all returns so far."""
    rows = range(len(returns) - 200, len(returns))
    first = np.zeros(returns.shape[1], int)
    found = measured(returns, rows, first, risk_free=RISK_FREE)
    free = RISK_FREE / 252
    for measure, name, how in (
        ("volatility", "annual_volatility", {}),
        ("sharpe", "sharpe_ratio", {"risk_free": free}),
        ("sortino", "sortino_ratio", {"required_return": free}),
        ("max_drawdown", "max_drawdown", {}),
        ("twr_inception", "cum_returns_final", {}),
    ):
        theirs = getattr(empyrical, name)
        places = range(0, len(rows), 20)
        expected = [
            [theirs(one[: rows[place] + 1], **how) for one in returns.T] for place in places
        ]
        ours = getattr(found, measure).values[::20]
        yield Against(by_empyrical(name), source).relative(f"`{measure}`", ours, expected)
    wealth = np.cumprod(1 + returns, axis=0)
    top = np.maximum(np.maximum.accumulate(wealth, axis=0), 1.0)
    expected = (wealth / top - 1)[rows.start :]
    yield Against(Oracle("numpy `maximum.accumulate`", "numpy"), source).relative(
        "`drawdown`", found.drawdown.values, expected, least=1e-3
    )
    yield from spans(returns, rows, found, source)
    dated = [dated_drawdown(one.tolist()) for one in returns.T]
    ours = np.stack([found.peak_row, found.trough_row, found.recovery_row], axis=2)[-1]
    yield Against(LOOP, source).same("dates of `max_drawdown`", ours.tolist(), dated)


def spans(returns: np.ndarray, rows: range, found: tuple, source: str) -> Iterator[Row]:
    """Compare the seven spans of time-weighted returns, here of 1 to 30 sessions."""
    expected = [
        [empyrical.cum_returns_final(returns[row + 1 - back : row + 1]) for row in rows[::20]]
        for back in BASES
    ]
    ours = [one.values[::20] for one in found[: len(BASES)]]
    yield Against(by_empyrical("cum_returns_final"), source).relative(
        "`twr_mtd` to `twr_1y`", ours, expected, least=1e-3,
        note="spans of 1 to 30 sessions; their dates stand under Stored snapshots",
    )  # fmt: skip


def money_weighted() -> Iterator[Row]:
    """Compare rates of books that hold one stock, with flows in and out, and Excel's cases."""
    closes = market.panel().closes[:, :20]
    sessions = market.panel().sessions.astype("datetime64[D]").astype(float)
    nav, flow = books_with_flows(closes)
    rows = range(30, len(closes))
    first = np.zeros(closes.shape[1], int)
    found = money_weighted_returns(nav, flow, rows=rows, day_numbers=sessions, first_row=first)
    chosen = range(0, len(rows), 150)
    expected = [
        [by_brent(nav[:, book], flow[:, book], sessions, rows[place]) for book in range(20)]
        for place in chosen
    ]
    note = "over the span itself below 365 days"
    yield Against(BRENT, STOCKS).relative(
        "`mwr_inception`", found.rates[chosen], expected, least=1e-3, note=note
    )
    problems = [problem for problem, _ in PUBLISHED]
    offsets = np.cumsum([0, *(len(problem) for problem in problems)])
    days, amounts = zip(*(pair for problem in problems for pair in problem), strict=True)
    flows = CashFlows(np.array(amounts), np.array([d.toordinal() for d in days], float), offsets)
    rates = solve_rates(flows, horizon_days=np.full(len(problems), float(YEAR)))
    printed = [float(text) for _, text in PUBLISHED]
    note = "Excel itself stops within 1e-8 of the root"
    yield Against(EXCEL, "two cases").absolute("XIRR", rates, printed, tolerance=1e-8, note=note)


def books_with_flows(closes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the NAV and the flows of books that buy and sell some of their stock now and then."""
    rng = np.random.default_rng(365)
    trades = rng.normal(2, 10, closes.shape).round()
    trades[rng.random(closes.shape) < 0.99] = 0
    trades[0] = 100
    return np.cumsum(trades, axis=0) * closes, trades * closes


def by_brent(nav: np.ndarray, flow: np.ndarray, sessions: np.ndarray, row: int) -> float:
    """Return the rate between −99 % and 1,000 %: a year's, or that of a shorter span."""
    days = sessions[: row + 1] - sessions[0]
    amounts = -flow[: row + 1]
    amounts[-1] += nav[row]
    horizon = min(YEAR, days[-1])
    return brentq(
        lambda rate: float(amounts @ (1 + rate) ** (-days / horizon)), -0.99, 10, xtol=1e-15
    )
