"""NAV, P&L, returns and positions against the day loop, on closes of skfolio.

Books, splits, spin-offs and dividends are drawn by a seed, and a tenth of the closes is taken
out. The loop counts in decimals of 50 digits and shares no code with the accounting.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from tests.conformance import market
from tests.conformance.comparisons import Against, Oracle, Row
from tests.oracles import test_accounting_against_day_loop as day_loop
from tests.oracles.day_loop import Day, Market, Position

from riskmark.calc.accounting import BookValues, value_books
from riskmark.domain.portfolio import Flow, Lot

AREA = "Accounting"

LOOP = Oracle("`tests/oracles/day_loop.py`", "python")
SOURCE = "skfolio: 20 stocks, 2022; 8 drawn books"
SESSIONS = 250
PATHS = ("nav", "inflow", "outflow", "pnl")
TOTALS = ("cash", "long_value", "short_value", "gross", "net", "flow", "income")
CUMULATED = ("cum_realized", "cum_unrealized", "cum_income")
SMALL = 100.0
"""Money is compared relative to itself, but at least to this: a ten-thousandth of a book."""


def rows() -> Iterator[Row]:
    """Compare every session of eight books."""
    rng = np.random.default_rng(2022)
    known = market.panel()
    sessions = [day.item() for day in known.sessions[-SESSIONS:].astype("datetime64[D]")]
    symbols = known.symbols[:20]
    traded = drawn_market(rng, sessions, symbols)
    books = [drawn_book(rng, sessions, symbols, equity=place % 2 == 0) for place in range(8)]
    span = range(SESSIONS)
    with on_sessions(sessions, symbols):
        found = value_books(*day_loop.arrays_of(books), day_loop.panel_of(traded), rows=span)
        walks = [day_loop.walk(book, traded) for book in books]
    days = [[walk.get(day, Day(day, {})) for day in sessions] for walk in walks]
    against = Against(LOOP, SOURCE)
    for names, part in ((PATHS, found.paths), (TOTALS + CUMULATED, found.totals)):
        for name in names:
            ours, theirs = getattr(part, name).T, numbers(days, name)
            yield against.relative(f"`{name}`", ours, theirs, least=SMALL)
    returns = numbers(days, "simple_return")
    note = "null on the same sessions"
    yield against.relative("`return`", found.paths.returns.values.T, returns, least=1e-3, note=note)
    yield from positions(against, found, days, symbols)


@contextmanager
def on_sessions(sessions: list[date], symbols: tuple[str, ...]) -> Iterator[None]:
    """Let the day loop's own arrays have these sessions and symbols."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(day_loop, "SESSIONS", sessions)
        patch.setattr(day_loop, "SYMBOLS", symbols)
        yield


def numbers(days: list[list[Day]], name: str) -> np.ndarray:
    """Return one number of all books and sessions."""
    return np.array([[day_loop.number_of(getattr(day, name)) for day in one] for one in days])


def drawn_market(
    rng: np.random.Generator, sessions: list[date], symbols: tuple[str, ...]
) -> Market:
    """Return the closes of the last year, most of them, and actions on any date."""
    closes = market.panel().closes[-SESSIONS:, : len(symbols)].round(2)
    there = rng.random(closes.shape) >= 0.1

    def actions(values: list[str], most: int) -> dict[str, dict[date, Decimal]]:
        return {
            symbol: {
                drawn_date(rng, sessions): Decimal(rng.choice(values))
                for _ in range(int(rng.integers(0, most + 1)))
            }
            for symbol in symbols
        }

    return Market(
        sessions=sessions,
        closes={
            symbol: {
                day: Decimal(str(closes[row, column]))
                for row, day in enumerate(sessions)
                if there[row, column]
            }
            for column, symbol in enumerate(symbols)
        },
        splits=actions(["2", "3", "0.1", "1.5"], 1),
        spinoffs=actions(["1.05", "1.2"], 1),
        dividends=actions(["0.25", "0.6", "1.1"], 4),
    )


def drawn_book(
    rng: np.random.Generator, sessions: list[date], symbols: tuple[str, ...], *, equity: bool
) -> day_loop.Book:
    """Return a book with 20 lots, some sold short and some closed, and some flows."""
    lots = []
    for _ in range(20):
        entry = drawn_date(rng, sessions)
        leaves = entry + timedelta(days=int(rng.integers(0, 200)))
        closed = bool(rng.random() < 0.4) and leaves <= sessions[-1]
        lots.append(
            Lot(
                symbol=str(rng.choice(symbols)),
                quantity=Decimal(int(rng.integers(-40, 120))) or Decimal(7),
                entry_date=entry,
                entry_price=drawn_price(rng),
                exit_date=leaves if closed else None,
                exit_price=drawn_price(rng) if closed else None,
            )
        )
    if not equity:
        return day_loop.Book(lots, [], None)
    flows = [
        Flow(drawn_date(rng, sessions), Decimal(int(rng.integers(-20_000, 40_000))))
        for _ in range(5)
    ]
    return day_loop.Book(lots, flows, Decimal(1_000_000))


def drawn_date(rng: np.random.Generator, sessions: list[date]) -> date:
    """Return any date of the year, a session or not."""
    days = (sessions[-1] - sessions[0]).days
    return sessions[0] + timedelta(days=int(rng.integers(0, days)))


def drawn_price(rng: np.random.Generator) -> Decimal:
    """Return a price in cents."""
    return Decimal(int(rng.integers(2_000, 30_000))) / 100


def positions(
    against: Against, found: BookValues, days: list[list[Day]], symbols: tuple[str, ...]
) -> Iterator[Row]:
    """Compare every position of every book on every session."""
    nothing = Position()
    for name in ("quantity", "market_value", "pnl"):
        theirs = [
            [
                float(getattr(day.positions.get(symbols[instrument], nothing), name))
                for day in days[book]
            ]
            for book, instrument in zip(
                found.positions.portfolio, found.positions.instrument, strict=True
            )
        ]
        ours = getattr(found.positions, name)
        yield against.relative(f"position: `{name}`", ours, theirs, least=SMALL)
