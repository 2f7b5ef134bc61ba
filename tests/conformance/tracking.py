"""Tracking of a benchmark, and how long it takes to sell."""

from collections.abc import Iterator
from statistics import median

import arch.data.nasdaq
import numpy as np
from scipy.sparse import csr_array
from scipy.stats import pearsonr
from tests.conformance import market
from tests.conformance.cells import CELLS, cells
from tests.conformance.comparisons import PLAIN_PYTHON, Against, Oracle, Row
from tests.conformance.oracles import empyrical

from riskmark.calc.arrays import Measure, measure
from riskmark.calc.liquidity import portfolio_sessions, sessions_to_sell, usual_volume
from riskmark.calc.tracking import information_ratio, track

AREA = "Tracking and liquidity"

ERROR = Oracle("empyrical `annual_volatility`", "empyrical-reloaded")
RATIO = Oracle("empyrical `excess_sharpe` × √252", "empyrical-reloaded")
PEARSON = Oracle("scipy `pearsonr`", "scipy")

BOOKS = "12 books of the stocks of skfolio, to its S&P 500"
INDICES = "arch: Nasdaq to S&P 500, 1999–2018"
STOCKS = "skfolio: 20 stocks to its S&P 500"
VOLUMES = "arch: volumes of S&P 500 and Nasdaq"
SPAN = 252


def rows() -> Iterator[Row]:
    """Compare books and indices."""
    yield from ex_ante()
    yield from ex_post()
    yield from liquidity()


def ex_ante() -> Iterator[Row]:
    """Compare the books' x, with and without missing sessions of the benchmark."""
    of = cells(with_holes=True)
    one = measure(np.ones(CELLS))
    found = track(
        of.series,
        of.index,
        beta=one,
        benchmark_beta=one,
        counted=np.ones(CELLS, bool),
        books=of.books,
    )
    errors, correlations = [], []
    for cell in range(CELLS):
        x, benchmark = of.series.x[cell, -SPAN:], of.index[of.sessions(cell)[-SPAN:]]
        errors.append(empyrical.annual_volatility(x - benchmark))
        correlations.append(pearsonr(x, benchmark).statistic)
    source = f"{BOOKS}, with holes"
    yield Against(ERROR, source).relative("`tracking_error`", found.tracking_error.values, errors)
    yield Against(PEARSON, source).relative(
        "`benchmark_correlation`", found.benchmark_correlation.values, correlations, least=1e-3
    )


def ex_post() -> Iterator[Row]:
    """Compare information ratios of single stocks and of the Nasdaq."""
    stocks, index = market.stocks()[1:], market.panel().of(market.INDEX)[1:]
    pair = market.arch_returns()
    for source, returns, benchmark in (
        (STOCKS, stocks, index),
        (INDICES, pair[:, 1:], pair[:, 0]),
    ):
        span = range(125, len(returns))
        found = information_ratio(measure(returns), benchmark, span).values[::100]
        expected = [
            [
                np.sqrt(252) * empyrical.excess_sharpe(*(s[max(0, row - SPAN + 1) : row + 1]
                for s in (one, benchmark)))
                for one in returns.T
            ]
            for row in span[::100]
        ]  # fmt: skip
        yield Against(RATIO, source).relative("`information_ratio`", found, expected, least=1e-2)


def liquidity() -> Iterator[Row]:
    """Compare the usual volume, and the sessions of 200 books of the two indices."""
    both = (market.sp500(), arch.data.nasdaq.load())
    volume = np.stack([one["Volume"].to_numpy(float) for one in both], axis=1)
    close = np.stack([one["Adj Close"].to_numpy(float) for one in both], axis=1)
    rng = np.random.default_rng(20)
    usual, medians, values, sessions, expected, single = [], [], [], [], [], []
    for row in range(19, len(volume), 25):
        found = usual_volume(volume, np.ones(volume.shape), row=row)
        usual.append(found.values)
        medians.append([median(one) for one in volume[row - 19 : row + 1].T.tolist()])
        quantity = rng.normal(0, 1, 2) * 10.0 ** rng.integers(6, 11, 2)
        values.append(quantity * close[row])
        sessions.append(sessions_to_sell(quantity, found).values)
        single.append([abs(q) / (0.2 * m) for q, m in zip(quantity, medians[-1], strict=True)])
        expected.append(sell(values[-1].tolist(), single[-1]))
    against = Against(Oracle("plain Python `statistics.median`", "python"), VOLUMES)
    yield against.relative("usual volume", usual, medians)
    against = Against(PLAIN_PYTHON, VOLUMES)
    yield against.relative("sessions to sell a position", sessions, single)
    flat = np.concatenate(sessions)
    found = portfolio_sessions(
        csr_array(np.array(values)), Measure(flat, np.zeros(len(flat), "i1"))
    )
    yield against.relative("sessions to sell 95 % of a portfolio", found.values, expected)


def sell(values: list[float], sessions: list[float]) -> float:
    """Return when 95 % is sold: halve the time until it is known."""
    gross = sum(map(abs, values))
    low, high = 0.0, max(sessions)
    for _ in range(200):
        middle = (low + high) / 2
        sold = sum(
            abs(value) / gross * min(middle / needed, 1.0)
            for value, needed in zip(values, sessions, strict=True)
        )
        low, high = (low, middle) if sold >= 0.95 else (middle, high)
    return high
