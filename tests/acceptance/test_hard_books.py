"""Books that are hard on arithmetic: each has all its sessions, and every null its reason."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import numpy as np
import pytest
from tests.acceptance.options_by_hand import by_hand, own_volatility
from tests.acceptance.parts import assert_in_parts
from tests.acceptance.soundness import assert_sound
from tests.acceptance.world import FACTORS, LAST, World
from tests.unit.reports.shown_books import episode, null_names, show

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.portfolio import InvestmentClass, Lot
from riskmark.domain.reasons import NullReason, RunStatus
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.storage.books import Account
from riskmark.storage.instruments import guess_kind
from riskmark.storage.positions import Moment, Positions, create_book
from riskmark.storage.quarantine import release
from riskmark.storage.symbols import value_private

BEGIN = date(2025, 4, 1)
"""The first session with prices: short enough that some windows are never full."""
ENTRY = date(2025, 11, 3)
EPISODE = episode("2025-05-01", "2025-10-31")
MANY = tuple(f"M{number:03d}" for number in range(500))


def _lot(symbol: str, quantity: str, price: str, **more) -> Lot:
    return Lot(symbol, Decimal(quantity), more.pop("entry", ENTRY), Decimal(price), **more)


def _create(world: World, name: str, *lots: Lot, equity: str | None = "100000") -> None:
    def kind(lot: Lot) -> InstrumentKind:
        if lot.investment_class is InvestmentClass.PRIVATE:
            return InstrumentKind.PRIVATE
        return guess_kind(lot.symbol)

    hints = {lot.symbol: InstrumentHint(lot.symbol, kind(lot), None) for lot in lots}
    with world.app.database.write() as connection:
        create_book(
            connection,
            world.app.principal,
            Account(name, opening_equity=None if equity is None else Decimal(equity)),
            Positions(lots, tuple(hints.values())),
            calendar=world.calendar,
            currency="USD",
            moment=Moment(world.app.today, world.app.clock.now()),
        )


def _add_market(world: World) -> None:
    days = world.sessions(BEGIN, LAST)
    world.add_prices(*FACTORS, "S00", "S01", *MANY, first=BEGIN)
    world.add_bars("CONSTANT", dict.fromkeys(days, 50.0))
    world.add_bars("CRASH", {day: 100.0 if day < date(2025, 12, 1) else 1.0 for day in days})
    with world.app.database.write() as connection:
        release(connection, "CRASH", date(2025, 12, 1), at=world.app.clock.now())
    rise = np.linspace(10, 60, len(days)).round(4)
    world.add_bars("ROCKET", dict(zip(days, rise.tolist(), strict=True)))
    world.add_prices("NEW", first=date(2026, 1, 6))
    world.add_bars("PENNY", dict.fromkeys(days, 1e-6))


def _add_books(world: World) -> None:
    sold = {"exit_date": date(2025, 11, 20), "exit_price": Decimal(101)}
    same = {"exit_date": ENTRY, "exit_price": Decimal(99)}
    _create(world, "empty")
    _create(world, "sold", _lot("S00", "10", "100", **sold))
    _create(world, "sold holdings", _lot("S00", "10", "100", **sold), equity=None)
    _create(world, "traded within the day", _lot("S00", "10", "100", **same))
    _create(world, "traded holdings", _lot("S00", "10", "100", **same), equity=None)
    _create(world, "ruined", _lot("ROCKET", "-400", "40"), equity="1000")
    _create(world, "hundredfold", _lot("S00", "1000", "100"), equity="1000")
    _create(world, "shorts", _lot("S00", "-5", "100"), _lot("S01", "20", "100"), equity=None)
    _create(world, "short", _lot("S00", "-5", "100"), equity=None)
    _create(
        world, "thin", _lot("CONSTANT", "-19", "50"), _lot("CONSTANT", "10", "50"),
        _lot("S00", "5", "100"), equity=None,
    )  # fmt: skip
    _create(world, "neutral", _lot("S00", "50", "100"), _lot("S01", "-50", "100"))
    _create(world, "offset", _lot("S00", "50", "100"), _lot("S00", "-50", "100"))
    _create(world, "one", _lot("S00", "1", "100"))
    _create(world, "five hundred", *(_lot(symbol, "2", "100") for symbol in MANY))
    _create(world, "never priced", _lot("NOBODY", "5", "20"), _lot("NOONE", "-5", "10"))
    _create(world, "new listings", _lot("NEW", "5", "100"), equity=None)
    _create(world, "constant", _lot("CONSTANT", "100", "50"))
    _create(world, "crash", _lot("CRASH", "500", "100"))
    _create(world, "crash on margin", _lot("CRASH", "1500", "100"))
    _create(world, "last session", _lot("S00", "3", "100", entry=LAST))
    _create(world, "tiny", _lot("PENNY", "0.00000001", "0.00000001"), equity=None)
    _create(world, "huge", _lot("S00", "99999999999", "100"), equity="999999999999")
    private = {"investment_class": InvestmentClass.PRIVATE}
    _create(world, "private", _lot("HOUSE", "1", "500000", **private), equity=None)
    _create(world, "mixed", _lot("BOAT", "2", "9000", **private), _lot("S01", "5", "100"))
    _create(
        world, "option", _lot("S00   270115C00100000", "2", "7.5", multiplier=Decimal(100),
                              investment_class=InvestmentClass.OPTIONS),
    )  # fmt: skip
    for day, price in ((date(2025, 11, 29), 510_000), (date(2025, 12, 31), 498_000)):
        _value(world, "HOUSE", day, price)
    _value(world, "BOAT", date(2025, 10, 1), 0)


def _value(world: World, symbol: str, day: date, price: int) -> None:
    with world.app.database.write() as connection:
        at = world.app.clock.now()
        value_private(connection, symbol, day, Decimal(price), calendar=world.calendar, at=at)


def _nulls_of(world: World, name: str) -> dict[str, set[str]]:
    """Return the reasons of each null of a book on any session."""
    import json  # noqa: PLC0415

    found: dict[str, set[str]] = {}
    for (text,) in world.rows(
        "SELECT nulls FROM snapshot s JOIN portfolio p ON p.id = s.portfolio_id WHERE p.name = ?",
        name,
    ):
        for key, reason in json.loads(text).items():
            found.setdefault(key, set()).add(reason)
    return found


def _last(world: World, name: str, *columns: str) -> tuple:
    listed = ", ".join(f's."{column}"' for column in columns)
    (row,) = world.rows(
        f"SELECT {listed} FROM snapshot s JOIN portfolio p ON p.id = s.portfolio_id "
        "WHERE p.name = ? ORDER BY s.session DESC LIMIT 1",
        name,
    )
    return tuple(row)


def test_hard_books_have_every_session_and_every_null_a_reason(world: World):
    _add_market(world)
    _add_books(world)

    result = world.run()

    sessions = {name: len(world.stored_sessions(name)) for (name,) in _names(world)}
    every = len(world.sessions(ENTRY, LAST))
    assert result.status is RunStatus.PARTIAL
    assert result.cells.failed == 0
    assert {name for name, count in sessions.items() if count != every} == {
        "empty", "last session",
    }  # fmt: skip
    assert (sessions["empty"], sessions["last session"]) == (0, 1)
    assert world.run().cells.planned == 0
    assert_sound(world.rows)
    _check_each(world)
    for (name,) in _names(world):
        if sessions[name]:
            _check_shown(world, name)
            (gross,) = _last(world, name, "gross")
            size = max(1.0, gross)
            assert_in_parts(world, name, world.stored_sessions(name), size=size)


def _check_shown(world: World, name: str) -> None:
    """Check that what is computed when shown goes with what is stored, null by null."""
    for session in {LAST, world.stored_sessions(name)[0]}:
        found = show(world, name, session, **EPISODE)
        where = (name, session)
        assert null_names(found) == found["nulls"].keys(), where
        assert set(found["nulls"].values()) <= set(NullReason), where
        for one in found["stress"]:
            for kind, parts in product(("direct", "predictive"), ("factors", "positions")):
                total = sum(part[kind] or 0.0 for part in one[parts])
                scale = max(1.0, found["snapshot"]["gross"])
                assert total == pytest.approx(one[kind] or 0.0, rel=1e-9, abs=1e-9 * scale), where
        correlation = found["correlation"]
        if correlation["mean"] is not None:
            n = len(correlation["symbols"])
            off = (np.sum(correlation["matrix"]) - n) / (n * (n - 1))
            assert off == pytest.approx(correlation["mean"], rel=1e-9, abs=1e-12), where


def _names(world: World) -> list:
    return world.rows("SELECT name FROM portfolio")


def _check_each(world: World) -> None:
    close = world.closes("S00")[LAST]
    assert _last(world, "sold", "nav", "cash", "gross", "beta", "vol_21", "hhi") == (
        100_010.0, 100_010.0, 0.0, 0.0, 0.0, None,
    )  # fmt: skip
    assert _last(world, "sold holdings", "nav", "beta", "return") == (0.0, None, None)
    assert _last(world, "traded within the day", "nav", "cum_realized") == (99_990.0, -10.0)
    assert _last(world, "traded holdings", "nav", "cum_realized") == (0.0, -10.0)
    nav, gross, beta = _last(world, "ruined", "nav", "gross", "beta")
    assert nav == pytest.approx(1000 + 400 * 40 - gross)
    assert nav < 0
    assert beta is None
    assert "nav_not_positive" in _nulls_of(world, "ruined")["risk.beta"]
    assert _last(world, "hundredfold", "cash") == (-99_000.0,)
    assert _last(world, "short", "nav", "short_value") == (
        pytest.approx(-5 * close), pytest.approx(-5 * close),
    )  # fmt: skip
    assert _nulls_of(world, "short")["risk.beta"] == {"nav_not_positive"}
    assert "nav_too_small" in _nulls_of(world, "thin")["risk.beta"]
    assert _last(world, "neutral", "net")[0] == pytest.approx(
        50 * (close - world.closes("S01")[LAST])
    )
    assert _last(world, "offset", "gross", "net", "positions") == (0.0, 0.0, 1)
    assert _last(world, "five hundred", "positions") == (500,)
    assert _nulls_of(world, "never priced")["risk.beta"] == {"all_excluded"}
    assert _last(world, "never priced", "excluded_weight") == (1.0,)
    assert _last(world, "new listings", "excluded_weight") == (1.0,)
    assert _last(world, "constant", "vol_21", "pnl", "max_drawdown") == (0.0, 0.0, 0.0)
    assert _last(world, "constant", "beta")[0] == pytest.approx(0.0, abs=1e-12)
    assert _last(world, "crash", "nav")[0] == pytest.approx(50_500)
    assert _last(world, "crash on margin", "nav")[0] == pytest.approx(-48_500)
    assert _last(world, "private", "nav", "state", "excluded_weight", "beta")[:2] == (
        498_000.0, "complete",
    )  # fmt: skip
    assert _last(world, "mixed", "gross")[0] == pytest.approx(5 * world.closes("S01")[LAST])
    volatility = own_volatility(world, "S00", LAST)
    price, *_ = by_hand("call", close, 100, (date(2027, 1, 15) - LAST).days / 365, volatility)
    assert _last(world, "option", "net", "state") == (pytest.approx(200 * price), "complete")


def test_books_without_a_market_factor_are_valued_and_say_why_there_is_no_risk(world: World):
    world.add_prices("S00", first=BEGIN)
    _create(world, "book", _lot("S00", "10", "100"))

    result = world.run()

    assert result.status is RunStatus.SUCCEEDED
    assert_sound(world.rows)
    assert _nulls_of(world, "book")["risk.beta"] == {"no_factor_data"}
    assert _last(world, "book", "nav")[0] > 0


def test_a_market_that_never_moves_has_no_beta(world: World):
    days = world.sessions(BEGIN, LAST)
    for symbol in FACTORS:
        world.add_bars(symbol, dict.fromkeys(days, 100.0))
    world.add_prices("S00", first=BEGIN)
    _create(world, "book", _lot("S00", "10", "100"))

    result = world.run()

    assert result.status is RunStatus.SUCCEEDED
    assert_sound(world.rows)
    assert _nulls_of(world, "book")["risk.beta"] >= {"no_factor_variation"}


def test_a_price_that_stops_is_carried_then_stale_and_the_book_goes_on(world: World):
    stop = date(2025, 12, 10)
    world.add_prices(*FACTORS, "S00", first=BEGIN)
    world.add_prices("S01", first=BEGIN, last=stop)
    _create(world, "book", _lot("S00", "10", "100"), _lot("S01", "10", "100"))

    world.run()

    kinds = world.rows(
        "SELECT v.session, v.mark_kind, v.mark_age FROM position_value v "
        "JOIN instrument i ON i.id = v.instrument_id WHERE i.symbol = 'S01' ORDER BY v.session"
    )
    after = [(kind, age) for day, kind, age in kinds if str(day) > str(stop)]
    assert after[:5] == [("carried", age) for age in range(1, 6)]
    assert after[5:] == [("stale", age) for age in range(6, len(after) + 1)]
    assert_sound(world.rows)


def test_books_with_the_same_lots_in_other_pieces_have_the_same_numbers(world: World):
    world.add_prices(*FACTORS, "S00", "S01", first=BEGIN)
    whole = [_lot("S00", "10", "100"), _lot("S01", "-4", "90")]
    pieces = [
        _lot("S01", "-1.5", "90"), _lot("S00", "2.25", "100"), _lot("S00", "7.75", "100"),
        _lot("S01", "-2.5", "90"),
    ]  # fmt: skip
    _create(world, "whole", *whole)
    _create(world, "pieces", *pieces)
    _create(world, "doubled", *(replace(lot, quantity=lot.quantity * 2) for lot in whole))

    world.run()

    columns = ("nav", "pnl", "return", "beta", "vol_21", "hhi", "twr_inception", "mwr_inception")
    assert _last(world, "whole", *columns) == pytest.approx(_last(world, "pieces", *columns))
    gross, doubled = _last(world, "whole", "gross")[0], _last(world, "doubled", "gross")[0]
    assert doubled == pytest.approx(2 * gross)
    assert world.sessions(ENTRY, LAST)[-1] - ENTRY > timedelta(days=60)
