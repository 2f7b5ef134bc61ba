"""The whole product: what the engine stored of three books, column by column.

Expected numbers are made from the closes and the lots alone, by the day loop and by the
oracles of the other areas; no function of Riskmark stands in between.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache

import numpy as np
from tests.conformance import market
from tests.conformance.by_hand import numbers_of_performance, numbers_of_risk
from tests.conformance.comparisons import Against, Oracle, Row
from tests.conformance.installation import Book, books, snapshots
from tests.oracles.day_loop import Day, Market, walk_book

AREA = "Stored snapshots"

SOURCE = "skfolio: three books, 2021–2022, through the database"
EVERY = 60
"""Sessions between those whose risk is compared; money is compared on every session."""
LEAST = 1e-3

MONEY = (
    "nav", "cash", "long_value", "short_value", "gross", "net", "flow", "inflow", "outflow",
    "pnl", "income", "cum_realized", "cum_unrealized", "cum_income",
)  # fmt: skip
GROUPS = (
    (
        Oracle("empyrical", "empyrical-reloaded"),
        (
            "twr_mtd", "twr_qtd", "twr_ytd", "twr_1m", "twr_3m", "twr_6m", "twr_1y",
            "twr_inception", "drawdown", "max_drawdown", "volatility", "sharpe", "sortino",
        ),
    ),
    (Oracle("scipy `brentq`", "scipy"), ("mwr_inception",)),
    (
        Oracle("statsmodels `OLS`, QR", "statsmodels"),
        ("beta", "beta_1y", "rates_beta", "active_beta", "factor_share", "specific_share"),
    ),
    (
        Oracle("empyrical", "empyrical-reloaded"),
        (
            "vol_21", "vol_63", "vol_252", "var_95", "var_99", "es_95", "es_99",
            "var_95_money", "var_99_money", "es_95_money", "es_99_money",
            "tracking_error", "information_ratio",
        ),
    ),
    (Oracle("arch", "arch"), ("vol_ewma", "vol_har_1d", "har_fallback")),
    (Oracle("numpy", "numpy"), ("vol_har_21d", "diversification_ratio")),
    (
        Oracle("scipy", "scipy"),
        (
            "vol_trend", "vol_percentile", "benchmark_correlation", "var_95_param",
            "var_99_param", "var_95_param_money", "var_99_param_money",
        ),
    ),
    (Oracle("pandas `corr`", "pandas"), ("corr_mean", "corr_mean_abs")),
    (Oracle("scipy `entropy`", "scipy"), ("effective_rank", "effective_bets")),
    (
        Oracle("plain Python", "python"),
        (
            "pnl_hypothetical", "hhi", "effective_positions", "top_1", "top_3", "top_10",
            "excluded_weight", "proxied_weight", "nonlinear_weight",
        ),
    ),
)  # fmt: skip
LOOP = Oracle("`tests/oracles/day_loop.py`", "python")


def rows() -> Iterator[Row]:
    """Compare every column of the snapshots that holds a number."""
    stored, days = snapshots(), {book.name: walked(book) for book in books()}
    against = Against(LOOP, SOURCE)
    for names, least in ((MONEY, 100.0), (("return",), LEAST)):
        theirs = [[number(day, name) for name in names] for walk in days.values() for day in walk]
        ours = [[one.numbers[name] for name in names] for book in stored.values() for one in book]
        yield against.relative(listed(names), ours, theirs, least=least)
    found, expected = compared()
    for oracle, names in GROUPS:
        ours = [[one[name] for name in names] for one in found]
        theirs = [[one[name] for name in names] for one in expected]
        yield Against(oracle, SOURCE).relative(listed(names), ours, theirs, least=LEAST)


@cache
def compared() -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """Return what is stored on some sessions of each book, and what is right."""
    found, expected = [], []
    for book in books():
        stored, days = snapshots()[book.name], walked(book)
        assert [one.session for one in stored] == [day.session for day in days]
        for place in range(len(days) - 1, 0, -EVERY):
            found.append(stored[place].numbers)
            expected.append(
                numbers_of_performance(days[: place + 1]) | numbers_of_risk(days[: place + 1])
            )
    return found, expected


@cache
def walked(book: Book) -> list[Day]:
    """Walk through the sessions of a book."""
    known = market.panel()
    start = int(np.searchsorted(known.sessions, np.datetime64(date(2021, 1, 4))))
    sessions = [day.item() for day in known.sessions[start:].astype("datetime64[D]")]
    closes = {
        symbol: {
            day: Decimal(repr(float(price)))
            for day, price in zip(sessions, known.closes[start:, column], strict=True)
        }
        for column, symbol in enumerate(known.symbols)
    }
    return walk_book(
        book.lots, book.flows, Market(sessions, closes), opening_equity=book.opening_equity
    )


def number(day: Day, name: str) -> float:
    """Return a number of the day loop under the name that the product gives it."""
    value = getattr(day, "simple_return" if name == "return" else name)
    return np.nan if value is None else float(value)


def listed(names: tuple[str, ...]) -> str:
    """Write names one after the other."""
    return ", ".join(f"`{name}`" for name in names)
