"""Random books in a world: what people do to them, drawn by Hypothesis."""

from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from hypothesis import strategies as st
from tests.acceptance.world import FACTORS, LAST, World

from riskmark.domain.portfolio import Flow, Lot
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.storage import books
from riskmark.storage.books import Account
from riskmark.storage.instruments import guess_kind
from riskmark.storage.lots import BookEditor
from riskmark.storage.positions import Moment, Positions, create_book

HELD = ("S00", "S01", "S02", "NOBODY")
"""What books hold; nobody has a price of the last."""
NEW_LISTING = "S02"
LISTED = LAST - timedelta(days=12)
"""When the new listing has its first close: windows have gaps to fill, and no fit."""
ACTIONS = (("split", 2.0), ("split", 0.5), ("dividend", 1.25), ("spinoff", 1.3))


class RandomBook(NamedTuple):
    """A book, and the actions of what it holds."""

    equity: int | None
    lots: tuple[Lot, ...]
    flows: tuple[Flow, ...]
    actions: tuple[tuple[str, date, str, float], ...]


days = st.integers(0, 20).map(lambda back: LAST - timedelta(days=back))


@st.composite
def _lots(draw: st.DrawFn) -> Lot:
    symbol = draw(st.sampled_from(HELD))
    entry = draw(days)
    quantity = Decimal(draw(st.integers(-30, 60).filter(bool)))
    leaving = draw(st.none() | st.integers(0, 10))
    exit_date = None if leaving is None else min(entry + timedelta(days=leaving), LAST)
    price = Decimal(draw(st.integers(60, 140)))
    proceeds = None if exit_date is None else Decimal(draw(st.integers(60, 140)))
    return Lot(symbol, quantity, entry, price, exit_date=exit_date, exit_price=proceeds)


@st.composite
def random_books(draw: st.DrawFn) -> RandomBook:
    """Draw a book of the last weeks, in either mode."""
    equity = draw(st.sampled_from([None, 3_000, 100_000]))
    flows = st.builds(Flow, days, st.sampled_from(["-900", "250.5", "10000"]).map(Decimal))
    return RandomBook(
        equity=equity,
        lots=tuple(draw(st.lists(_lots(), min_size=1, max_size=6))),
        flows=tuple(draw(st.lists(flows, max_size=3 if equity else 0))),
        actions=tuple(
            (symbol, day, *what)
            for symbol, day, what in draw(
                st.lists(
                    st.tuples(st.sampled_from(HELD[:3]), days, st.sampled_from(ACTIONS)),
                    max_size=3,
                    unique_by=lambda one: (one[0], one[1], one[2][0]),
                )
            )
        ),
    )


def add_market(world: World) -> None:
    """Import the prices that books are valued at."""
    world.add_prices(*FACTORS, *(symbol for symbol in HELD[:3] if symbol != NEW_LISTING))
    world.add_prices(NEW_LISTING, first=LISTED)


def add_random_book(world: World, name: str, book: RandomBook) -> None:
    """Create a book with its lots and flows, and record the actions."""
    for symbol, day, kind, value in book.actions:
        world.add_action(symbol, day, kind, value)
    symbols = sorted({lot.symbol for lot in book.lots})
    hints = tuple(InstrumentHint(symbol, guess_kind(symbol), None) for symbol in symbols)
    equity = None if book.equity is None else Decimal(book.equity)
    with world.app.database.write() as connection:
        create_book(
            connection,
            world.app.principal,
            Account(name, opening_equity=equity),
            Positions(book.lots, hints),
            calendar=world.calendar,
            currency="USD",
            moment=Moment(world.app.today, world.app.clock.now()),
        )
    with edit(world, name) as editor:
        for flow in book.flows:
            editor.add_flow(flow.date, flow.amount)


class edit:  # noqa: N801 - reads like a function where it is used
    """Edit a book in a transaction of its own."""

    def __init__(self, world: World, name: str) -> None:
        self._transaction = world.app.database.write()
        self._world, self._name = world, name

    def __enter__(self) -> BookEditor:
        """Begin."""
        connection = self._transaction.__enter__()
        portfolio = books.find_portfolio(connection, self._world.app.principal, self._name)
        self._editor = BookEditor(
            connection,
            portfolio,
            self._world.calendar,
            today=self._world.app.today,
            at=self._world.app.clock.now(),
        )
        return self._editor

    def __exit__(self, *raised: object) -> None:
        """Finish, or undo."""
        if raised[0] is None:
            self._editor.finish()
        self._transaction.__exit__(*raised)  # type: ignore[arg-type]
