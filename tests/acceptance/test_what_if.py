"""What-if: the numbers that trades would bring are those that they do bring, once entered.

The trades are entered by plain arithmetic on lots (first in, first out), a run computes the
book again, and everything that is stored must be what was foretold.
"""

from contextlib import suppress
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from tests.acceptance.test_hard_books import _add_books, _add_market
from tests.acceptance.world import FACTORS, LAST

from riskmark.errors import InputError
from riskmark.reports.changes import leaves
from riskmark.reports.snapshot import load_snapshot
from riskmark.reports.what_if import StatedTrade, Wanted, what_if
from riskmark.storage.benchmarks import BenchmarkWeight, MemberKind, import_weights
from riskmark.storage.instruments import find_instrument, find_instruments
from riskmark.storage.lots import load_lots

ENTRY, LATER, BEFORE = date(2025, 11, 3), date(2025, 12, 1), date(2026, 1, 6)
SPLIT = date(2025, 11, 19)
HELD = ("AAA", "BBB", "CCC", "SPY")
SECTIONS = (
    "snapshot", "performance", "risk", "concentration", "factors", "factor_risk", "sectors",
    "stress", "replays", "correlation", "greeks", "positions",
)  # fmt: skip
MONEY = 1e6


@pytest.fixture(params=[100_000, None], ids=["equity", "holdings"])
def book(world, request):
    """Give a world with a book of lots long and short, some of them closed, with a split."""
    world.add_prices(*FACTORS, "BBB", "CCC", "DDD")
    world.add_action("AAA", SPLIT, "split", 2.0)
    world.add_bars("AAA", closes(world, "AAA"))
    world.add_action("BBB", date(2025, 12, 10), "dividend", 0.4)
    world.add_book("book", HELD, ENTRY, quantity=12, equity=request.param)
    with world.app.database.write() as connection:
        editor = world.editor(connection, "book")
        ids = instrument_ids(connection)
        lots = [
            world.lot("AAA", LATER, quantity=30),
            world.lot("CCC", LATER, quantity=-7),
            world.lot("DDD", LATER, quantity=-20),
        ]
        editor.add_lots(lots, ids)
        editor.finish()
    world.run()
    return world


def closes(world, symbol):
    """Return the closes of a symbol; those of AAA are halved from its split on."""
    found = world.closes(symbol)
    is_split = symbol == "AAA"
    return {
        day: round(close / 2, 4) if is_split and day >= SPLIT else close
        for day, close in found.items()
    }


def instrument_ids(connection):
    found = find_instruments(connection, [*HELD, *FACTORS, "DDD"])
    return {symbol: one.instrument_id for symbol, one in found.items()}


def foretell(world, session, *trades, name="book", **wanted):
    with world.app.database.read() as connection:
        return what_if(
            connection,
            world.app.principal,
            name,
            Wanted([StatedTrade(symbol, Decimal(str(q))) for symbol, q in trades], **wanted),
            calendar=world.calendar,
            settings=world.app.settings,
            session=session,
        )


def stored(world, session):
    with world.app.database.read() as connection:
        return load_snapshot(
            connection,
            world.app.principal,
            "book",
            settings=world.app.settings,
            session=session,
        ).document()


def enter(world, session, *trades):
    """Enter trades at the closes of a session, in the share terms of each lot's entry."""
    with world.app.database.write() as connection:
        editor = world.editor(connection, "book")
        ids = instrument_ids(connection)
        portfolio = editor._portfolio.portfolio_id
        for symbol, quantity in trades:
            rest = Decimal(str(quantity))
            price = Decimal(str(closes(world, symbol)[session]))
            for lot in sorted(load_lots(connection, portfolio), key=lambda one: one.entry_date):
                is_open = lot.exit_date is None and lot.symbol == symbol
                if not (is_open and rest and lot.quantity * rest < 0):
                    continue
                since = 2 if symbol == "AAA" and lot.entry_date < SPLIT else 1
                part = min(abs(rest), abs(lot.quantity) * since)
                editor.close_lot(lot.lot_id, day=session, price=price, quantity=part / since)
                rest -= part.copy_sign(rest)
            if rest:
                lot = world.lot(symbol, session)
                editor.add_lots([type(lot)(symbol, rest, session, price)], ids)
        editor.finish()
    world.run()


def assert_foretold(document, nulls, found):
    """Assert that sections are those of a stored snapshot: numbers, words and reasons."""
    mine = {section: document[section] for section in SECTIONS}
    theirs = numbers_of(found)
    for leaf in leaves(mine):
        other = theirs[leaf.name]
        if leaf.value is None or other is None:
            assert (leaf.value, other) == (None, None), leaf.name
            assert nulls[leaf.name] == found["nulls"][leaf.name], leaf.name
        else:
            allowed = max(1e-9 * abs(leaf.value), 1e-12 * MONEY)
            assert abs(leaf.value - other) <= allowed, (leaf, other)
    for section in ("factors", "sectors", "stress", "replays", "positions"):
        assert len(mine[section]) == len(found[section]), section
    assert mine["risk"]["vol_trend"] == found["risk"]["vol_trend"]
    assert (
        document["performance"]["max_drawdown_sessions"]
        == (found["performance"]["max_drawdown_sessions"])
    )


def numbers_of(found):
    """Return the numbers of a snapshot's sections, as far as a what-if has them."""
    return dict(
        leaves({section: found[section] for section in SECTIONS if section != "correlation"})
    ) | {f"correlation.{name}": found["correlation"][name] for name in CORRELATIONS}


CORRELATIONS = ("mean", "mean_abs", "effective_rank")


def test_without_a_change_the_numbers_are_those_that_are_stored(book):
    found = foretell(book, None, ("SPY", 1), ("SPY", -1))

    assert_foretold(found.before.document(), found.before.nulls, stored(book, LAST))
    assert found.session == LAST


def test_sectors_that_only_the_benchmark_has_are_told_as_they_are_shown(book):
    with book.app.database.write() as connection:
        weights = [
            BenchmarkWeight(ENTRY, MemberKind.SECTOR, sector, weight)
            for sector, weight in (("Energy", 0.4), ("Unclassified", 0.6))
        ]
        spy = find_instrument(connection, "SPY", owner_id=None)
        at = book.app.clock.now()
        import_weights(connection, spy, weights, calendar=book.calendar, at=at)
    book.run()

    found = foretell(book, None, ("SPY", 1), ("SPY", -1)).before.document()

    for mine, theirs in zip(found["sectors"], stored(book, LAST)["sectors"], strict=True):
        assert mine.pop("sector") == theirs.pop("sector")
        assert mine == pytest.approx(theirs, rel=1e-9)
    assert [one["benchmark"] for one in found["sectors"]] == [0.6, 0.4]


@pytest.mark.parametrize("session", [BEFORE, LAST])
def test_what_trades_would_bring_is_what_they_do_bring(book, session):
    trades = (("AAA", -29), ("CCC", 19), ("DDD", 32.5), ("SPY", -40), ("TLT", 15), ("BBB", -12))

    found = foretell(book, session, *trades)
    enter(book, session, *trades)

    assert_foretold(found.after.document(), found.after.nulls, stored(book, session))


@pytest.mark.parametrize("seed", [1, 2])
def test_random_trades_bring_what_was_foretold(book, seed):
    random = np.random.default_rng(seed)
    symbols = random.choice([*HELD, "DDD", "TLT", "MTUM"], size=6)
    trades = tuple(
        (str(s), int(q)) for s, q in zip(symbols, random.integers(1, 60, 6), strict=True)
    )
    trades = tuple((s, q if random.random() < 0.5 else -q) for s, q in trades)

    found = foretell(book, LAST, *trades)
    enter(book, LAST, *trades)

    assert_foretold(found.after.document(), found.after.nulls, stored(book, LAST))


def test_nothing_is_stored_and_nothing_becomes_stale(book):
    before = book.dump()
    lots = book.rows("SELECT COUNT(*), SUM(quantity) FROM lot")

    foretell(book, None, ("AAA", -10), hedge_beta="SPY")

    assert book.dump() == before
    assert book.rows("SELECT COUNT(*), SUM(quantity) FROM lot") == lots
    assert book.run().cells.planned == 0


def test_a_hedge_brings_beta_to_nothing_but_the_rounding_of_one_unit(book):
    found = foretell(book, None, ("AAA", 50), hedge_beta="SPY")

    (proposal,) = found.proposals
    after = found.after.measures
    unit = book.closes("SPY")[LAST] / after["nav"]
    assert proposal.quantity == int(proposal.quantity) != 0
    assert abs(after["beta"]) <= 0.5 * unit * (1 + 1e-9) < abs(found.before.measures["beta"])
    assert found.trades[-1].origin == "hedge_beta"


def test_a_what_if_of_any_hard_book_begins_with_what_is_stored_and_gives_each_null_a_reason(world):
    _add_market(world)
    _add_books(world)
    world.run()
    books = [name for (name,) in world.rows("SELECT name FROM portfolio ORDER BY name")]
    settings = world.app.settings

    for name in set(books) - {"empty"}:
        with world.app.database.read() as connection:
            snapshot = load_snapshot(
                connection, world.app.principal, name, settings=settings
            ).document()
        found = foretell(world, None, ("S01", -3), ("CONSTANT", 7), name=name)

        document = found.document()
        assert_foretold(found.before.document(), found.before.nulls, snapshot)
        for side in ("before", "after", "change"):
            nulls = {f"{side}.{leaf.name}" for leaf in leaves(document[side]) if leaf.value is None}
            assert nulls <= document["nulls"].keys(), (name, nulls - document["nulls"].keys())
        for wanted in ({"hedge_beta": "SPY"}, {"target_vol": 0.1}):
            with suppress(InputError):
                foretell(world, None, name=name, **wanted)
