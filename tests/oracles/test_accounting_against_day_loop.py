"""Every number of the accounting against a plain day loop, on random books and markets."""

from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles.day_loop import Day, Market, Position, SymbolHistory, effective, walk_book

from riskmark.calc import book_paths, market_values, positions, running
from riskmark.calc.accounting import Books, Flows, value_books
from riskmark.calc.arrays import reason_of
from riskmark.calc.lots import Lots
from riskmark.calc.marks import Events, MarkPanel, build_marks
from riskmark.domain.portfolio import Flow, Lot

MONDAY = date(2024, 1, 1)
SESSIONS = [
    day
    for day in (MONDAY + timedelta(days=n) for n in range(28))
    if day.weekday() < 5 and day != date(2024, 1, 15)
]
SYMBOLS = ("AAA", "BBB", "CCC", "DDD")
FOREIGN = "DDD"
NEVER = 1 << 40


class Book(NamedTuple):
    lots: list[Lot]
    flows: list[Flow]
    opening_equity: Decimal | None


def hundredths(low, high):
    return st.integers(low, high).map(lambda n: Decimal(n) / 100)


dates = st.integers(0, 27).map(lambda n: MONDAY + timedelta(days=n))
prices = hundredths(50, 30_000)
ratios = st.sampled_from([Decimal(n) for n in ("2", "3", "1.5", "0.1", "0.25", "20")])
quantities = st.one_of(
    st.integers(-50, 50).filter(bool).map(Decimal), hundredths(-500, 500).filter(bool)
)


@st.composite
def closes(draw):
    """A walk through the sessions, with gaps; now and then no close at all."""
    chance = Random(draw(st.integers(0, 2**32 - 1)))
    missing = draw(st.sampled_from([0.0, 0.4, 0.9, 1.0]))
    return {
        session: Decimal(chance.randint(50, 30_000)) / 100
        for session in SESSIONS
        if chance.random() >= missing
    }


@st.composite
def markets(draw):
    def actions(values, most):
        return {symbol: draw(st.dictionaries(dates, values, max_size=most)) for symbol in SYMBOLS}

    return Market(
        sessions=SESSIONS,
        closes={symbol: draw(closes()) if symbol != FOREIGN else {} for symbol in SYMBOLS},
        splits=actions(ratios, 2),
        spinoffs=actions(hundredths(101, 180), 1),
        dividends=actions(hundredths(1, 500), 3),
    )


@st.composite
def lots(draw):
    entry = draw(dates)
    leaves = draw(st.none() | st.integers(0, 12))
    exit_date = None if leaves is None else min(entry + timedelta(days=leaves), date(2024, 1, 28))
    symbol = draw(st.sampled_from(SYMBOLS))
    return Lot(
        symbol=symbol,
        quantity=draw(quantities),
        entry_date=entry,
        entry_price=draw(prices),
        exit_date=exit_date,
        exit_price=None if exit_date is None else draw(prices),
        multiplier=Decimal(100) if symbol == FOREIGN else Decimal(1),
    )


@st.composite
def books(draw):
    held = draw(st.lists(lots(), max_size=8))
    if draw(st.booleans()):
        return Book(held, [], None)
    amounts = hundredths(-500_000, 500_000).filter(bool)
    flows = draw(st.lists(st.builds(Flow, dates, amounts), max_size=4))
    return Book(held, flows, draw(hundredths(100, 10_000_000)))


def number_of(value):
    return float("nan") if value is None else float(value)


def row_at_or_after(day):
    session = effective(day, SESSIONS)
    return NEVER if session is None else SESSIONS.index(session)


def row_at_or_before(day):
    return sum(session <= day for session in SESSIONS) - 1


def events_of(series):
    found = [
        (row_at_or_after(day), SYMBOLS.index(symbol), float(value))
        for symbol, actions in series.items()
        for day, value in actions.items()
        if row_at_or_after(day) < NEVER
    ]
    rows, columns, values = zip(*found, strict=True) if found else ((), (), ())
    return Events(np.array(rows, int), np.array(columns, int), np.array(values, float))


def panel_of(market: Market) -> MarkPanel:
    close = np.full((len(SESSIONS), len(SYMBOLS)), np.nan)
    for symbol, series in market.closes.items():
        for session, price in series.items():
            close[SESSIONS.index(session), SYMBOLS.index(symbol)] = float(price)
    return build_marks(
        close, events_of(market.splits), events_of(market.spinoffs), events_of(market.dividends)
    )


def first_row_of(book: Book) -> int:
    return min((row_at_or_after(lot.entry_date) for lot in book.lots), default=NEVER)


def arrays_of(held: list[Book]) -> tuple[Books, Lots, Flows]:
    first = [first_row_of(book) for book in held]
    opening = [number_of(book.opening_equity) for book in held]
    all_lots = [(place, lot) for place, book in enumerate(held) for lot in book.lots]
    # What is dated after the last session has no row to take effect on.
    all_flows = [
        (place, max(row_at_or_after(flow.date), first[place]), flow.amount)
        for place, book in enumerate(held)
        for flow in book.flows
    ]
    lots = Lots(
        portfolio=np.array([place for place, _ in all_lots], int),
        instrument=np.array([SYMBOLS.index(lot.symbol) for _, lot in all_lots], int),
        quantity=np.array([float(lot.quantity) for _, lot in all_lots]),
        multiplier=np.array([float(lot.multiplier) for _, lot in all_lots]),
        stated_row=np.array([row_at_or_before(lot.entry_date) for _, lot in all_lots], int),
        entry_row=np.array([row_at_or_after(lot.entry_date) for _, lot in all_lots], int),
        entry_price=np.array([float(lot.entry_price) for _, lot in all_lots]),
        exit_stated_row=np.array(
            [row_at_or_before(lot.exit_date or SESSIONS[-1]) for _, lot in all_lots], int
        ),
        exit_row=np.array(
            [NEVER if lot.exit_date is None else row_at_or_after(lot.exit_date)
             for _, lot in all_lots], int
        ),
        exit_price=np.array([number_of(lot.exit_price) for _, lot in all_lots]),
        cost_only=np.array([lot.symbol == FOREIGN for _, lot in all_lots], bool),
    )  # fmt: skip
    flows = Flows(
        portfolio=np.array([place for place, _, _ in all_flows], int),
        row=np.array([row for _, row, _ in all_flows], int),
        amount=np.array([float(amount) for _, _, amount in all_flows]),
    )
    return Books(np.array(first, int), np.array(opening)), lots, flows


def walk(book: Book, market: Market) -> dict[date, Day]:
    days = walk_book(
        book.lots,
        book.flows,
        market,
        opening_equity=book.opening_equity,
        cost_only=frozenset({FOREIGN}),
    )
    return {day.session: day for day in days}


def scale_of(days: dict[date, Day]) -> float:
    """What rounding is measured against: the most that was ever at stake."""
    sizes = [day.gross + abs(day.cash) + day.inflow + day.outflow for day in days.values()]
    traded = [abs(p.pnl) for day in days.values() for p in day.positions.values()]
    return float(max([*sizes, *traded], default=Decimal(1))) or 1.0


@given(markets())
def test_marks_and_income_equal_the_loop(market):
    panel = panel_of(market)

    for column, symbol in enumerate(SYMBOLS):
        history = SymbolHistory(symbol, market)
        marks = [history.marks[session] for session in SESSIONS]
        ages = [-1 if mark is None else mark.age for mark in marks]
        prices = [number_of(mark and mark.price) for mark in marks]
        income = [float(history.income[session]) for session in SESSIONS]
        assert panel.age[:, column].tolist() == ages
        np.testing.assert_allclose(panel.mark[:, column], prices, rtol=1e-12)
        np.testing.assert_allclose(panel.income[:, column], income, rtol=1e-12, atol=1e-12)


@given(markets(), st.lists(books(), min_size=1, max_size=3), st.data())
def test_books_equal_the_loop(market, held, data):
    start = data.draw(st.integers(0, len(SESSIONS) - 1))
    rows = range(start, data.draw(st.integers(start + 1, len(SESSIONS))))
    cells = data.draw(st.sampled_from([1, 50, 1 << 17]))

    with in_pieces(cells):
        found = value_books(*arrays_of(held), panel_of(market), rows=rows)

    for place, book in enumerate(held):
        days = walk(book, market)
        scale = scale_of(days)
        check_paths(found, place, days, rows=rows, scale=scale)
        check_totals(found, place, days, rows=rows, scale=scale)
        check_positions(found, place, days, rows=rows, scale=scale)


@contextmanager
def in_pieces(cells):
    """Make the pieces that arrays are taken in small, so that books of a test have several."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((market_values, "CELLS"), (positions, "CELLS")):
            patch.setattr(module, name, cells)
        patch.setattr(book_paths, "BLOCK", min(cells, book_paths.BLOCK))
        patch.setattr(running, "WIDE", min(cells, running.WIDE))
        yield


def assert_close(found, expected, name, *, scale):
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * scale, err_msg=name)


def check_paths(found, place, days, *, rows, scale):
    row_of = SESSIONS[: rows.stop]
    path = [days.get(day, Day(day, {}, return_null="no_capital")) for day in row_of]
    for name in ("nav", "inflow", "outflow", "pnl"):
        expected = [float(getattr(day, name)) for day in path]
        assert_close(getattr(found.paths, name)[:, place], expected, name, scale=scale)
    assert found.paths.held[:, place].tolist() == [day.lots_held for day in path]
    nulls = [reason_of(int(code)) for code in found.paths.returns.nulls[:, place]]
    assert nulls == [day.return_null for day in path]
    returns = [number_of(day.simple_return) for day in path]
    np.testing.assert_allclose(found.paths.returns.values[:, place], returns, 1e-6, 1e-9)


TOTALS = (
    "cash", "long_value", "short_value", "gross", "net", "flow", "income",
    "cum_realized", "cum_unrealized", "cum_income",
)  # fmt: skip


def check_totals(found, place, days, *, rows, scale):
    asked = [days.get(SESSIONS[row], Day(SESSIONS[row], {})) for row in rows]
    for name in TOTALS:
        expected = [float(getattr(day, name)) for day in asked]
        assert_close(getattr(found.totals, name)[:, place], expected, name, scale=scale)
    count = np.array([sum(p.held for p in day.positions.values()) for day in asked])
    np.testing.assert_array_equal(found.totals.positions[:, place], count)
    assert np.all(found.totals.net[count == 0, place] == 0.0)


def check_positions(found, place, days, *, rows, scale):
    listed = np.flatnonzero(found.positions.portfolio == place)
    symbols = [SYMBOLS[column] for column in found.positions.instrument[listed]]
    asked = [days[SESSIONS[row]].positions if SESSIONS[row] in days else {} for row in rows]
    assert symbols == sorted({symbol for positions in asked for symbol in positions})
    for symbol, k in zip(symbols, listed, strict=True):
        expected = [positions.get(symbol, Position()) for positions in asked]
        for name in ("quantity", "market_value", "pnl"):
            numbers = [float(getattr(position, name)) for position in expected]
            assert_close(getattr(found.positions, name)[k], numbers, name, scale=scale)
        for name in ("held", "closed_today", "at_cost"):
            claims = [getattr(position, name) for position in expected]
            assert getattr(found.positions, name)[k].tolist() == claims
        marks = [number_of(position.cost_mark) for position in expected]
        np.testing.assert_allclose(found.positions.cost_mark[k], marks, 1e-9)
