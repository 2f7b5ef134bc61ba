"""Every number of the accounting against a plain day loop, on random books and markets."""

from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmark.calc.accounting import Books, BookValues, Flows, Lots, value_books
from riskmark.calc.arrays import reason_of
from riskmark.calc.marks import Events, MarkPanel, build_marks
from riskmark.domain.portfolio import Flow, Lot
from tests.oracles.day_loop import Day, Market, SymbolHistory, effective, walk_book

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
    observed = draw(st.lists(st.booleans(), min_size=len(SESSIONS), max_size=len(SESSIONS)))
    walk = draw(st.lists(prices, min_size=len(SESSIONS), max_size=len(SESSIONS)))
    if draw(st.integers(0, 5)) == 0:
        return {}
    share = draw(st.sampled_from([0, 1]))
    return {
        session: price
        for session, seen, price in zip(SESSIONS, observed, walk, strict=True)
        if seen or share
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


def value(held: list[Book], market: Market, rows: range) -> BookValues:
    return value_books(*arrays_of(held), panel_of(market), rows=rows)


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
        for row, session in enumerate(SESSIONS):
            mark = history.marks[session]
            assert panel.age[row, column] == (-1 if mark is None else mark.age)
            expected = np.nan if mark is None else float(mark.price)
            np.testing.assert_allclose(panel.mark[row, column], expected, rtol=1e-12)
            income = float(history.income[session])
            np.testing.assert_allclose(panel.income[row, column], income, rtol=1e-12, atol=1e-12)


@given(markets(), st.lists(books(), min_size=1, max_size=3), st.data())
def test_books_equal_the_loop(market, held, data):
    start = data.draw(st.integers(0, len(SESSIONS) - 1))
    rows = range(start, data.draw(st.integers(start + 1, len(SESSIONS))))

    found = value(held, market, rows)

    for place, book in enumerate(held):
        days = walk(book, market)
        close = {"rel": 1e-9, "abs": 1e-9 * scale_of(days)}
        check_paths(found, place, days, rows=rows, close=close)
        check_totals(found, place, days, rows=rows, close=close)
        check_positions(found, place, days, rows=rows, close=close)


def check_paths(found, place, days, *, rows, close):
    for row in range(rows.stop):
        day = days.get(SESSIONS[row], Day(SESSIONS[row], {}, return_null="no_capital"))
        for name in ("nav", "inflow", "outflow", "pnl"):
            number = getattr(found.paths, name)[row, place]
            assert number == pytest.approx(float(getattr(day, name)), **close), name
        assert found.paths.held[row, place] == day.lots_held
        null = reason_of(int(found.paths.returns.nulls[row, place]))
        assert null == day.return_null
        if null is None:
            number = found.paths.returns.values[row, place]
            assert number == pytest.approx(float(day.simple_return), rel=1e-6, abs=1e-9)


TOTALS = (
    "cash", "long_value", "short_value", "gross", "net", "flow", "income",
    "cum_realized", "cum_unrealized", "cum_income",
)  # fmt: skip


def check_totals(found, place, days, *, rows, close):
    for at, row in enumerate(rows):
        day = days.get(SESSIONS[row], Day(SESSIONS[row], {}))
        for name in TOTALS:
            number = getattr(found.totals, name)[at, place]
            assert number == pytest.approx(float(getattr(day, name)), **close), name
        count = sum(position.held for position in day.positions.values())
        assert found.totals.positions[at, place] == count
        if not count:
            assert found.totals.net[at, place] == 0.0


def check_positions(found, place, days, *, rows, close):
    positions = found.positions
    listed = {
        SYMBOLS[positions.instrument[k]]: k
        for k in np.flatnonzero(positions.portfolio == place)
    }
    assert list(listed) == sorted(listed)
    for at, row in enumerate(rows):
        expected = days[SESSIONS[row]].positions if SESSIONS[row] in days else {}
        assert set(expected) <= set(listed)
        for symbol, k in listed.items():
            position = expected.get(symbol)
            if position is None:
                assert not positions.held[k, at]
                assert not positions.closed_today[k, at]
                assert positions.pnl[k, at] == positions.market_value[k, at] == 0.0
                continue
            for name in ("quantity", "market_value", "pnl"):
                number = getattr(positions, name)[k, at]
                assert number == pytest.approx(float(getattr(position, name)), **close), name
            assert positions.held[k, at] == position.held
            assert positions.closed_today[k, at] == position.closed_today
            assert positions.at_cost[k, at] == position.at_cost
            mark = number_of(position.cost_mark)
            np.testing.assert_allclose(positions.cost_mark[k, at], mark, rtol=1e-9)
