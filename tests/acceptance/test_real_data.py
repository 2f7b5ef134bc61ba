"""Real prices, six years of them, and ten books: every number against a plain day loop.

Skipped unless RISKMARK_MARKET_DATA names the folder of the data, which is not ours to give.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.acceptance.real_books import (
    BOOKS,
    INDEX,
    LONG_SHORT,
    MARKET_NEUTRAL,
    OPTIONS,
    SAVER,
    SPIN_OFFS,
    SPLITS,
    TODAY,
    RealBook,
)
from tests.acceptance.real_market import FOLDER, read_market
from tests.acceptance.real_world import RealWorld, open_world
from tests.acceptance.soundness import assert_sound
from tests.oracles.day_loop import Day, Market, walk_book

from riskmark.domain.reasons import RunStatus
from riskmark.intake.market_data import make_bars

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="RISKMARK_MARKET_DATA names no folder with market data"
)

CENT = 0.005
MONEY = (
    "nav", "cash", "long_value", "short_value", "gross", "net", "flow", "inflow", "outflow",
    "pnl", "income", "cum_realized", "cum_unrealized", "cum_income",
)  # fmt: skip
PARTIAL = {OPTIONS.name, "new listings"}
"""Books with a symbol that has no price, for ever or at first."""
EARLIER = date(2022, 4, 30)
FEW = (SPLITS, SPIN_OFFS, SAVER)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Import everything, run, and give the file of the installation."""
    folder = tmp_path_factory.mktemp("real")
    world = open_world(f"sqlite:///{folder / 'real.db'}", TODAY)
    world.import_symbols(folder / "symbols.csv")
    imported = world.import_market()
    assert len({row[0] for row in world.rows("SELECT instrument_id FROM price")}) == 166
    assert imported.checked == ((), (), ())
    for book in BOOKS:
        world.add(book)
    world.run()
    world.close()
    return folder / "real.db"


@pytest.fixture
def real_world(template: Path, tmp_path: Path) -> Iterator[RealWorld]:
    """Give a copy of the installation."""
    shutil.copy(template, tmp_path / "real.db")
    opened = open_world(f"sqlite:///{tmp_path / 'real.db'}", TODAY, is_new=False)
    yield opened
    opened.close()


def _walk(book: RealBook, market: Market, today: date) -> dict[date, Day]:
    days = walk_book(
        book.read(today)[0],
        book.flows_until(today),
        market,
        opening_equity=None if book.equity is None else Decimal(book.equity),
    )
    return {day.session: day for day in days}


def _market(books: tuple[RealBook, ...], last: date) -> Market:
    symbols = {lot.symbol for book in books for lot in book.read()[0]}
    return read_market(symbols, last)


def _with_marks_of_options(world: RealWorld, book: RealBook, market: Market) -> Market:
    """Give the loop the marks of options as closes; what they are is tested elsewhere."""
    closes = dict(market.closes)
    for hint in book.read(world.today)[1]:
        if hint.terms is not None:
            rows = world.rows(
                "SELECT v.session, v.mark FROM position_value v "
                "JOIN instrument i ON i.id = v.instrument_id WHERE i.symbol = ? "
                "AND v.mark IS NOT NULL",
                hint.symbol,
            )
            closes[hint.symbol] = {
                date.fromisoformat(str(session)): Decimal(repr(mark)) for session, mark in rows
            }
    return replace(market, closes=closes)


def _check_book(world: RealWorld, book: RealBook, market: Market) -> None:
    expected = _walk(book, _with_marks_of_options(world, book, market), world.today)
    found = world.series(book.name, *MONEY, "return", "positions")
    assert list(found) == list(expected)
    for session, (*money, simple, positions) in found.items():
        day = expected[session]
        for name, number in zip(MONEY, money, strict=True):
            where = (book.name, session, name)
            assert number == pytest.approx(float(getattr(day, name)), abs=CENT), where
        assert positions == sum(one.held for one in day.positions.values())
        if day.simple_return is None:
            assert simple is None
        else:
            assert simple == pytest.approx(float(day.simple_return), abs=1e-9)
    _check_positions(world, book, expected)


def _check_positions(world: RealWorld, book: RealBook, expected: dict[date, Day]) -> None:
    rows = world.rows(
        "SELECT v.session, i.symbol, v.quantity, v.market_value, v.pnl FROM position_value v "
        "JOIN instrument i ON i.id = v.instrument_id JOIN portfolio p ON p.id = v.portfolio_id "
        "WHERE p.name = ?",
        book.name,
    )
    assert len(rows) == sum(len(day.positions) for day in expected.values())
    for session, symbol, *numbers in rows:
        one = expected[date.fromisoformat(str(session))].positions[symbol]
        wanted = (one.quantity, one.market_value, one.pnl)
        assert numbers == pytest.approx([float(number) for number in wanted], abs=CENT)


def test_ten_books_over_six_years_equal_a_plain_day_loop_to_a_cent(real_world: RealWorld):
    world = real_world
    market = _market(BOOKS, world.target)

    for book in BOOKS:
        _check_book(world, book, market)

    states = {
        (name, state)
        for name, state in world.rows(
            "SELECT DISTINCT p.name, s.state FROM snapshot s "
            "JOIN portfolio p ON p.id = s.portfolio_id"
        )
    }
    assert world.target == date(2026, 2, 27)
    assert {name for name, state in states if state == "partial"} == PARTIAL
    assert_sound(world.rows)
    assert world.verify().violations == ()
    assert world.run().cells.planned == 0


def test_three_books_over_two_years_equal_the_loop_on_both_databases(url: str, tmp_path: Path):
    world = open_world(url, EARLIER, is_new=False)
    try:
        world.import_symbols(tmp_path / "symbols.csv")
        world.import_market()
        for book in FEW:
            world.add(book)

        result = world.run()

        market = _market(FEW, world.target)
        for book in FEW:
            _check_book(world, book, market)
        assert result.status is RunStatus.SUCCEEDED
        assert world.verify().violations == ()
        assert world.run().cells.planned == 0
    finally:
        world.close()


def test_a_correction_of_a_real_price_recomputes_its_holders_and_no_other(real_world: RealWorld):
    world = real_world
    corrected, symbol = date(2023, 3, 15), "MSFT"
    close = world.rows(
        "SELECT close FROM price p JOIN instrument i ON i.id = p.instrument_id "
        "WHERE i.symbol = ? AND p.session = ?",
        symbol,
        corrected.isoformat(),
    )[0][0]
    bars = make_bars([(symbol, corrected, round(close * 1.01, 2))])
    first_held = {
        MARKET_NEUTRAL.name: corrected,
        OPTIONS.name: date(2023, 3, 27),
        SAVER.name: date(2023, 4, 10),
    }

    world.import_bars(bars)
    result = world.run()

    computed = world.rows(
        "SELECT p.name, MIN(s.session), COUNT(*) FROM snapshot s "
        "JOIN portfolio p ON p.id = s.portfolio_id WHERE s.run_id = ? GROUP BY p.name",
        result.run_id,
    )
    assert {name: date.fromisoformat(day) for name, day, _ in computed} == first_held
    expected = [
        sum(1 for day in world.series(name, "nav") if day >= first)
        for name, first in sorted(first_held.items())
    ]
    assert [count for *_, count in sorted(computed)] == expected
    market = _market((MARKET_NEUTRAL,), world.target)
    market.closes[symbol][corrected] = Decimal(str(round(close * 1.01, 2)))
    _check_book(world, MARKET_NEUTRAL, market)
    assert world.verify().violations == ()


def test_risk_of_real_books_equals_plain_numpy_and_is_what_one_would_expect(real_world: RealWorld):
    world = real_world
    names = ("beta", "beta_1y", "vol_21", "vol_252", "excluded_weight", "proxied_weight")
    last = {
        book.name: dict(zip(names, world.series(book.name, *names)[world.target], strict=True))
        for book in BOOKS
    }

    index, neutral = last[INDEX.name], last[MARKET_NEUTRAL.name]
    assert index["beta"] == pytest.approx(_weight_of(world, INDEX, "SPY"), rel=1e-9)
    assert 0.05 < index["vol_252"] < 0.4
    assert abs(neutral["beta"]) < 0.3
    for book in (INDEX, MARKET_NEUTRAL, LONG_SHORT, SPLITS, SPIN_OFFS):
        beta, vol = _risk_by_hand(world, book)
        assert last[book.name]["beta"] == pytest.approx(beta, rel=1e-9, abs=1e-12)
        assert last[book.name]["vol_252"] == pytest.approx(vol, rel=1e-9)


def _weight_of(world: RealWorld, book: RealBook, symbol: str) -> float:
    return dict(_weights(world, book))[symbol]


def _weights(world: RealWorld, book: RealBook) -> list[tuple[str, float]]:
    return [
        (symbol, weight)
        for symbol, weight in world.rows(
            "SELECT i.symbol, v.weight FROM position_value v "
            "JOIN instrument i ON i.id = v.instrument_id "
            "JOIN portfolio p ON p.id = v.portfolio_id "
            "WHERE p.name = ? AND v.session = ? AND v.quantity <> 0",
            book.name,
            world.target.isoformat(),
        )
    ]


def _risk_by_hand(world: RealWorld, book: RealBook) -> tuple[float, float]:
    """Compute beta and the one-year volatility of today's holdings, without Riskmark."""
    market = _market((book,), world.target)
    sessions = market.sessions[-253:]
    returns = {s: _returns(market, s, sessions) for s in {"SPY", *dict(_weights(world, book))}}
    spy = returns["SPY"][-90:]
    beta, x = 0.0, np.zeros(252)
    for symbol, weight in _weights(world, book):
        own = returns[symbol]
        slope, _ = np.polyfit(spy, own[-90:], 1)
        beta += weight * slope
        x += weight * own
    return beta, float(np.std(x, ddof=1) * np.sqrt(252))


def _returns(market: Market, symbol: str, sessions: list[date]) -> Any:
    closes, dividends = market.closes[symbol], market.dividends.get(symbol, {})
    splits = market.splits.get(symbol, {})
    return np.array(
        [
            float(
                splits.get(day, Decimal(1))
                * (closes[day] + dividends.get(day, Decimal(0)))
                / closes[before]
                - 1
            )
            for before, day in pairwise(sessions)
        ]
    )


def test_the_return_since_inception_is_the_chain_of_the_sessions_of_the_loop(real_world: RealWorld):
    world = real_world
    days = _walk(SAVER, _market((SAVER,), world.target), world.today)
    chained = 1.0
    for day in days.values():
        if day.simple_return is not None:
            chained *= 1 + float(day.simple_return)

    found = world.series(SAVER.name, "twr_inception", "max_drawdown")[world.target]

    assert found[0] == pytest.approx(chained - 1, rel=1e-9)
    assert -0.5 < found[1] < -0.1
