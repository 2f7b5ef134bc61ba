"""A market and books made of seeded random numbers: what the benchmarks work on.

Eight factor ETFs and any number of stocks, as-traded closes in cents, dividends every
quarter and a few splits. A few stocks are listed late, so that part of their history has to
be filled. No move is large enough to look like an unrecorded split.
"""

import warnings
from datetime import date
from decimal import Decimal
from functools import cache
from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import FloatArray
from riskmark.domain.portfolio import Flow, Lot
from riskmark.domain.sectors import GICS_SECTORS
from riskmark.intake.market_data import Action, ActionKind, Bars
from riskmark.storage.factor_files import FactorReturns

FACTOR_SYMBOLS = ("SPY", "VTV", "VUG", "IWM", "MTUM", "QUAL", "USMV", "TLT")
FACTOR_COLUMNS = ("mkt_rf", "smb", "hml", "rmw", "cma", "mom", "rf")
"""The columns of the model ``ff5m``; the last is the risk-free return."""
RISK_FREE = 0.00015
"""About 4 % a year."""
MARKET_BETA = (1.0, 0.95, 1.05, 1.1, 1.0, 0.98, 0.75, -0.2)
SESSIONS = 1_100
"""Rather more than the 505 sessions of returns before a year of history."""
LAST_SESSION = date(2024, 12, 31)
LARGEST_MOVE = 0.25
SPLIT_RATIOS = (2.0, 3.0, 4.0, 0.25)
LATE_EVERY = 25
"""One stock in so many is listed late."""
SPLIT_EVERY = 20
"""One stock in so many has a split."""
QUARTER = 63
FITTED = 40
"""Sessions after a listing by which a stock has a fit of the Market model."""


class GeneratedMarket(NamedTuple):
    """Closes as traded (NaN before the listing), split ratios (1: none), dividends (0: none).

    The arrays are sessions × symbols; the factor symbols come first.
    """

    sessions: tuple[date, ...]
    symbols: tuple[str, ...]
    sectors: tuple[str, ...]
    close: FloatArray
    split: FloatArray
    dividend: FloatArray
    imported: FloatArray
    """Sessions × FACTOR_COLUMNS: what would come from a file of factor returns."""

    def bars(self, first: int, stop: int) -> Bars:
        """Return the bars of the sessions from row ``first`` to before row ``stop``."""
        rows, columns = np.nonzero(np.isfinite(self.close[first:stop]))
        close = self.close[first:stop][rows, columns]
        days = np.array(self.sessions, dtype="datetime64[D]")
        unobserved = np.full(close.size, np.nan)
        return Bars(
            symbols=self.symbols,
            symbol=columns.astype(np.int64),
            session=days[first:stop][rows],
            open=unobserved,
            high=unobserved,
            low=unobserved,
            close=close,
            volume=unobserved,
        )

    def actions(self, first: int, stop: int) -> tuple[Action, ...]:
        """Return the splits and dividends of the sessions from row ``first`` to before ``stop``."""
        kinds = (
            (ActionKind.SPLIT, self.split, 1.0),
            (ActionKind.DIVIDEND, self.dividend, 0.0),
        )
        return tuple(
            Action(
                self.symbols[column],
                self.sessions[first + row],
                kind,
                float(values[first + row, column]),
            )
            for kind, values, neutral in kinds
            for row, column in np.argwhere(values[first:stop] != neutral).tolist()
        )

    def factor_returns(self, first: int, stop: int) -> FactorReturns:
        """Return the imported factors from row ``first`` to before row ``stop``."""
        days = np.array(self.sessions[first:stop], dtype="datetime64[D]")
        return FactorReturns(FACTOR_COLUMNS, days, self.imported[first:stop])


class GeneratedBook(NamedTuple):
    """A book in equity mode: 30 symbols that are held, one that was sold, two flows."""

    name: str
    opening_equity: Decimal
    lots: tuple[Lot, ...]
    flows: tuple[Flow, ...]


@cache
def real_sessions(count: int = SESSIONS) -> tuple[date, ...]:
    """Return the last ``count`` sessions of New York up to ``LAST_SESSION``."""
    import exchange_calendars  # noqa: PLC0415 - half a second that only a run needs

    with warnings.catch_warnings():
        # The library uses of pandas what pandas will change.
        warnings.simplefilter("ignore")
        calendar = exchange_calendars.get_calendar("XNYS")
    days = calendar.sessions.to_numpy().astype("datetime64[D]")
    last = int(np.searchsorted(days, np.datetime64(LAST_SESSION), side="right"))
    return tuple(days[last - count : last].tolist())


def make_market(sessions: tuple[date, ...], *, stocks: int, seed: int = 7) -> GeneratedMarket:
    """Generate a market of the factor symbols and ``stocks`` more."""
    random = np.random.default_rng(seed)
    length, width = len(sessions), len(FACTOR_SYMBOLS) + stocks
    returns = _total_returns(random, length, width)
    split = _splits(random, length, width)
    yields = _dividend_yields(random, length, width)
    first_price = random.uniform(40, 250, width)
    growth = np.cumprod((1 + returns - yields) / split, axis=0)
    close = np.round(np.maximum(first_price * growth, 2.0), 2)
    before = np.vstack([close[:1], close[:-1]])
    dividend = np.round(yields * before / split, 4)
    _list_late(random, close, split, dividend)
    stock_symbols = [f"S{number:04d}" for number in range(stocks)]
    return GeneratedMarket(
        sessions=sessions,
        symbols=(*FACTOR_SYMBOLS, *stock_symbols),
        sectors=(
            *("ETF" for _ in FACTOR_SYMBOLS),
            *(GICS_SECTORS[number % len(GICS_SECTORS)] for number in range(stocks)),
        ),
        close=close,
        split=split,
        dividend=dividend,
        imported=_imported_factors(random, returns),
    )


def make_book(
    market: GeneratedMarket, name: str, *, first_row: int, seed: int, positions: int = 30
) -> GeneratedBook:
    """Generate a book that begins on ``first_row``: mostly long, one position in six short.

    Every tenth lot is entered later; one more symbol is bought on the first session and sold.
    """
    random = np.random.default_rng(seed)
    length = len(market.sessions)
    later = first_row + (length - first_row) // 3
    listed = np.flatnonzero(np.isfinite(market.close[first_row - FITTED]))
    stocks = listed[listed >= len(FACTOR_SYMBOLS)]
    columns = random.choice(stocks, positions + 1, replace=False).tolist()
    lots = [
        _make_lot(
            market,
            random,
            column,
            row=later if number % 10 == 9 else first_row,
            sign=-1 if number % 6 == 5 else 1,
        )
        for number, column in enumerate(columns)
    ]
    sold = lots[0]
    exit_row = (first_row + length) // 2
    price = Decimal(str(float(market.close[exit_row, columns[0]])))
    lots[0] = Lot(
        sold.symbol,
        sold.quantity,
        sold.entry_date,
        sold.entry_price,
        exit_date=market.sessions[exit_row],
        exit_price=price,
    )
    flows = (
        Flow(market.sessions[later], Decimal(50_000)),
        Flow(market.sessions[exit_row], Decimal(-20_000)),
    )
    return GeneratedBook(name, Decimal(positions * 25_000), tuple(lots), flows)


def _total_returns(random: np.random.Generator, length: int, width: int) -> FloatArray:
    market = 0.0004 + 0.010 * random.standard_t(5, (length, 1)) * np.sqrt(3 / 5)
    stocks = width - len(FACTOR_SYMBOLS)
    beta = np.concatenate([MARKET_BETA, random.uniform(0.4, 1.7, stocks)])
    own = np.concatenate([[0.0005], np.full(7, 0.005), random.uniform(0.009, 0.022, stocks)])
    styles = random.normal(0, 0.004, (length, 5))
    loading = random.normal(0, 0.7, (5, width))
    loading[:, 0] = 0.0
    noise = own * random.standard_t(6, (length, width)) * np.sqrt(4 / 6)
    returns = beta * market + styles @ loading + noise
    return np.clip(returns, -LARGEST_MOVE, LARGEST_MOVE)


def _imported_factors(random: np.random.Generator, returns: FloatArray) -> FloatArray:
    """Make spreads that go a little with those of the ETFs, and a risk-free return."""
    length = len(returns)
    risk_free = RISK_FREE * (1 + 0.2 * np.sin(np.arange(length) / 200))
    excess = returns[:, 0] - risk_free + random.normal(0, 0.0005, length)
    spreads = returns[:, 1:6] - returns[:, :1] + random.normal(0, 0.003, (length, 5))
    return np.column_stack([excess, spreads, risk_free])


def _splits(random: np.random.Generator, length: int, width: int) -> FloatArray:
    split = np.ones((length, width))
    for number, column in enumerate(range(len(FACTOR_SYMBOLS) + 3, width, SPLIT_EVERY)):
        row = int(random.integers(length // 2, length - 2))
        split[row, column] = SPLIT_RATIOS[number % len(SPLIT_RATIOS)]
    return split


def _dividend_yields(random: np.random.Generator, length: int, width: int) -> FloatArray:
    """Return what is paid on each session, as a share of the price before."""
    yields = np.zeros((length, width))
    offset = random.integers(1, QUARTER, width)
    pays = random.random(width) < 0.6
    for column in np.flatnonzero(pays).tolist():
        yields[offset[column] :: QUARTER, column] = random.uniform(0.002, 0.01)
    return yields


def _list_late(
    random: np.random.Generator, close: FloatArray, split: FloatArray, dividend: FloatArray
) -> None:
    length, width = close.shape
    for column in range(len(FACTOR_SYMBOLS) + 5, width, LATE_EVERY):
        listing = length - int(random.integers(100, 480))
        close[:listing, column] = np.nan
        split[: listing + 1, column] = 1.0
        dividend[: listing + 1, column] = 0.0


def _make_lot(
    market: GeneratedMarket, random: np.random.Generator, column: int, *, row: int, sign: int
) -> Lot:
    close = float(market.close[row, column])
    price = Decimal(str(round(close * float(random.uniform(0.995, 1.005)), 2)))
    money = float(random.uniform(10_000, 40_000))
    return Lot(
        market.symbols[column],
        Decimal(sign * max(1, round(money / close))),
        market.sessions[row],
        price,
    )
