"""What-if on real prices: for each of the ten books, what trades would bring is what they do.

Skipped unless RISKMARK_MARKET_DATA names the folder of the data, which is not ours to give.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.acceptance.real_books import BOOKS, TODAY
from tests.acceptance.real_market import FOLDER
from tests.acceptance.real_world import RealWorld, open_world
from tests.acceptance.test_what_if import assert_foretold

from riskmark.domain.portfolio import Lot
from riskmark.reports.snapshot import load_snapshot
from riskmark.reports.what_if import StatedTrade, Wanted, WhatIf, what_if
from riskmark.storage.books import find_portfolio
from riskmark.storage.instruments import find_instruments
from riskmark.storage.lots import BookEditor, load_lots

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="RISKMARK_MARKET_DATA names no folder with market data"
)

UNHELD = ("KO", "TLT", "XLF")


@pytest.fixture
def real_world(tmp_path: Path) -> Iterator[RealWorld]:
    """Import everything and run."""
    world = open_world(f"sqlite:///{tmp_path / 'real.db'}", TODAY)
    world.import_symbols(tmp_path / "symbols.csv")
    world.import_market()
    for book in BOOKS:
        world.add(book)
    world.run()
    yield world
    world.close()


def _closed(world: RealWorld, name: str) -> Lot | None:
    """Return an open lot that no split has touched, and whose symbol has a close."""
    with world.app.database.read() as connection:
        portfolio = find_portfolio(connection, world.app.principal, name)
        lots = load_lots(connection, portfolio.portfolio_id)
    rows = world.rows(
        "SELECT i.symbol, v.quantity FROM position_value v "
        "JOIN instrument i ON i.id = v.instrument_id "
        "WHERE v.portfolio_id = ? AND v.session = ? AND v.mark_kind = 'close'",
        portfolio.portfolio_id,
        world.target.isoformat(),
    )
    is_held = dict(rows)
    alone = (
        lot
        for lot in lots
        if lot.exit_date is None and is_held.get(lot.symbol) == float(lot.quantity)
    )
    return next(alone, None)


def _foretell(world: RealWorld, name: str, *trades: StatedTrade) -> WhatIf:
    with world.app.database.read() as connection:
        return what_if(
            connection,
            world.app.principal,
            name,
            Wanted(trades),
            calendar=world.calendar,
            settings=world.app.settings,
        )


def _enter(world: RealWorld, name: str, found: WhatIf, sold: Lot | None) -> None:
    with world.app.database.write() as connection:
        portfolio = find_portfolio(connection, world.app.principal, name)
        editor = BookEditor(
            connection, portfolio, world.calendar, today=world.today, at=world.app.clock.now()
        )
        ids = find_instruments(connection, [one.symbol for one in found.trades])
        for made in found.trades:
            # Closes have more digits than people write, or lots can hold.
            price = Decimal(made.price).quantize(Decimal("1e-8"))
            quantity = Decimal(made.quantity)
            if sold is not None and made.symbol == sold.symbol:
                editor.close_lot(sold.lot_id, day=found.session, price=price, quantity=quantity)
            else:
                lot = Lot(made.symbol, quantity, found.session, price)
                editor.add_lots([lot], {made.symbol: ids[made.symbol].instrument_id})
        editor.finish()


def test_what_trades_would_bring_is_what_they_do_bring_in_each_book(
    real_world: RealWorld,
) -> None:
    foretold: dict[str, tuple[WhatIf, Lot | None]] = {}
    for book in BOOKS:
        sold = _closed(real_world, book.name)
        held = {lot.symbol for lot in book.read()[0]}
        trades = [
            StatedTrade(symbol, Decimal(quantity))
            for symbol, quantity in zip(UNHELD, (-37, 120, 15), strict=True)
            if symbol not in held
        ]
        if sold is not None:
            trades.append(StatedTrade(sold.symbol, -sold.quantity / 5))
        foretold[book.name] = _foretell(real_world, book.name, *trades), sold

    for name, (found, sold) in foretold.items():
        _enter(real_world, name, found, sold)
    real_world.run()

    assert sum(sold is not None for _, sold in foretold.values()) >= 5
    for name, (found, _) in foretold.items():
        with real_world.app.database.read() as connection:
            stored = load_snapshot(
                connection,
                real_world.app.principal,
                name,
                settings=real_world.app.settings,
            ).document()
        assert_foretold(found.after.document(), found.after.nulls, stored)
