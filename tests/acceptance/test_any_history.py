"""Whatever happens to the inputs, in whatever order, the last run makes the results right.

A machine corrects prices, records splits, edits lots, combines books, lets days go by, damages
the stored results, and runs the batch now and then, whole, in part, by force, or until it
breaks. At the end one run must give what a fresh installation gives that is told everything
at once.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from tests.acceptance.soundness import assert_sound
from tests.acceptance.world import FACTORS, LAST, World, assert_equal_results
from tests.support import DATABASE_EXAMPLES

from riskmark import faults
from riskmark.domain.portfolio import Flow, Lot
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.intake.market_data import Action, ActionKind
from riskmark.settings import load_settings
from riskmark.storage import books
from riskmark.storage.books import Account, MemberOfCombined
from riskmark.storage.combining import change_members, combine_books
from riskmark.storage.instruments import guess_kind
from riskmark.storage.positions import Moment, Positions, add_lots, create_book
from riskmark.storage.symbol_files import SymbolRow
from riskmark.storage.symbols import accept, import_symbols, unaccept

BEGIN = date(2025, 8, 1)
"""The first session with prices."""
START = date(2025, 12, 22)
"""The evening on which the machine begins."""
HELD = ("S00", "S01", "S02", "NOBODY")
"""What books may hold; nobody has a price of the last at first."""
STEPS = 20
ACTIONS = (("split", 2.0), ("split", 0.5), ("dividend", 1.25), ("spinoff", 1.3))
OUTSIDE = {"claim.committed", "run.created", "run.finished"}
BREAKS = [name for name in faults.NAMES if name not in OUTSIDE]
"""Where an error is recorded; what dies just after the claim is a process (``tests/faults``)."""

places = st.integers(0, 200)
"""A session, counted back from the last."""
symbols = st.sampled_from(HELD)
moves = st.sampled_from([0.5, 0.9, 0.97, 1.004, 1.03, 1.1, 2.0])
"""What a close is multiplied by; a half and a double look like splits."""
days = st.integers(0, 60)
"""Days before today, sessions or not."""


@dataclass
class Book:
    """A book as it should be."""

    equity: int | None
    lots: dict[str, Lot] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)


@dataclass
class Inputs:
    """Everything that the numbers are a function of."""

    today: date
    closes: dict[str, dict[date, float]] = field(default_factory=dict)
    actions: dict[tuple[str, date, str], float] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)
    sectors: dict[str, str] = field(default_factory=dict)
    risk_free: str = "0.0"
    books: dict[str, Book] = field(default_factory=dict)
    combined: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Every portfolio there should be."""
        return sorted({*self.books, *self.combined})


class Broken(Exception):
    """What breaks a run off."""


class History(RuleBasedStateMachine):
    """Changes of inputs and runs, in any order."""

    def __init__(self, template: Path, folder: Path) -> None:
        super().__init__()
        self._template = template
        self._paths = [folder / "history.db", folder / "fresh.db"]
        self._numbers = count()
        self.world = self._open(self._paths[0], START)
        self.inputs = Inputs(START)

    def _open(self, path: Path, today: date) -> World:
        for left in path.parent.glob(f"{path.name}*"):
            left.unlink()
        shutil.copy(self._template, path)
        return World(f"sqlite:///{path}").at(today)

    @initialize()
    def two_books(self):
        self.create(equity=100_000)
        self.create(equity=None)
        for name in list(self.inputs.books):
            self._buy(name, "S00", 30, quantity=10)
        self._buy("book 0", "S01", 20, quantity=-7)
        self.world.run()

    @rule(equity=st.sampled_from([None, 5_000, 100_000]))
    def create(self, equity: int | None):
        name = f"book {next(self._numbers)}"
        _create(self.world, name, Book(equity))
        self.inputs.books[name] = Book(equity)

    @precondition(lambda self: len(self.inputs.books) > 2)
    @rule(data=st.data())
    def delete(self, data: st.DataObject):
        name = data.draw(st.sampled_from(self.inputs.names))
        is_held = any(name in members for members in self.inputs.combined.values())
        with self.world.app.database.write() as connection:
            refused = pytest.raises(MemberOfCombined) if is_held else nullcontext()
            with refused:
                books.delete_portfolio(
                    connection, self.world.app.principal, name, at=self.world.app.clock.now()
                )
        if not is_held:
            self.inputs.books.pop(name, None)
            self.inputs.combined.pop(name, None)

    @rule(data=st.data())
    def combine(self, data: st.DataObject):
        changed = data.draw(st.sampled_from([None, *self.inputs.combined]))
        alike = self.inputs.combined[changed] if changed else sorted(self.inputs.books)
        is_cash = self.inputs.books[data.draw(st.sampled_from(alike))].equity is not None
        fitting = [n for n, b in self.inputs.books.items() if (b.equity is not None) == is_cash]
        members = data.draw(st.sets(st.sampled_from(sorted(fitting)), min_size=1, max_size=3))
        name = changed or f"all {next(self._numbers)}"
        _combine(self.world, name, sorted(members), change=changed is not None)
        self.inputs.combined[name] = tuple(sorted(members))

    @rule(symbol=st.sampled_from([*HELD, "SPY", "TLT"]), back=places, move=moves)
    def price(self, symbol: str, back: int, move: float):
        session = self._session(back)
        close = round(self.world.closes(symbol)[session] * move, 4)
        self.world.add_bars(symbol, {session: close})
        self.inputs.closes.setdefault(symbol, {})[session] = close

    @rule(
        symbol=symbols,
        back=days,
        what=st.sampled_from(ACTIONS),
    )
    def act(self, symbol: str, back: int, what: tuple[str, float]):
        kind, value = what
        day = self.inputs.today - timedelta(days=back)
        self.world.add_action(symbol, day, kind, value)
        self.inputs.actions[symbol, day, kind] = value

    @rule(data=st.data(), symbol=symbols, back=days, quantity=st.integers(-30, 30).filter(bool))
    def buy(self, data: st.DataObject, symbol: str, back: int, quantity: int):
        self._buy(data.draw(st.sampled_from(sorted(self.inputs.books))), symbol, back, quantity)

    def _buy(self, name: str, symbol: str, back: int, quantity: int) -> None:
        entry = self.inputs.today - timedelta(days=back)
        lot = Lot(symbol, Decimal(quantity), entry, Decimal(100))
        hints = (InstrumentHint(symbol, guess_kind(symbol), None),)
        with self._edit(name) as (connection, editor):
            portfolio = books.find_portfolio(connection, self.world.app.principal, name)
            (stored,) = add_lots(connection, editor, Positions((lot,), hints), portfolio)
        self.inputs.books[name].lots[str(stored.lot_id)] = stored

    @rule(data=st.data(), back=days, share=st.sampled_from([None, Decimal("0.5")]))
    def sell(self, data: st.DataObject, back: int, share: Decimal | None):
        name, lot_id = self._draw_lot(data, is_open=True)
        if name is None:
            return
        lot = self.inputs.books[name].lots[lot_id]
        day = max(self.inputs.today - timedelta(days=back), lot.entry_date)
        part = None if share is None else abs(lot.quantity) * share
        with self._edit(name) as (_, editor):
            closed = editor.close_lot(lot_id, day=day, price=Decimal(101), quantity=part)
        if closed.lot_id != lot_id:
            rest = replace(lot, quantity=lot.quantity - closed.quantity)
            self.inputs.books[name].lots[lot_id] = rest
        self.inputs.books[name].lots[str(closed.lot_id)] = closed

    @rule(data=st.data())
    def delete_lot(self, data: st.DataObject):
        name, lot_id = self._draw_lot(data, is_open=False)
        if name is None:
            return
        with self._edit(name) as (_, editor):
            editor.delete_lot(lot_id)
        del self.inputs.books[name].lots[lot_id]

    @rule(data=st.data(), back=days, amount=st.sampled_from(["-4000", "250.5", "10000"]))
    def flow(self, data: st.DataObject, back: int, amount: str):
        names = sorted(n for n, book in self.inputs.books.items() if book.equity is not None)
        if not names:
            return
        name = data.draw(st.sampled_from(names))
        flow = Flow(self.inputs.today - timedelta(days=back), Decimal(amount))
        with self._edit(name) as (_, editor):
            editor.add_flow(flow.date, flow.amount)
        self.inputs.books[name].flows.append(flow)

    @rule(symbol=symbols)
    def accept(self, symbol: str):
        if not self.world.rows("SELECT id FROM instrument WHERE symbol = ?", symbol):
            return
        with self.world.app.database.write() as connection:
            at = self.world.app.clock.now()
            if symbol in self.inputs.accepted:
                unaccept(connection, symbol, at=at)
            else:
                accept(connection, symbol, "known", at=at)
        self.inputs.accepted ^= {symbol}

    @rule(symbol=st.sampled_from(HELD[:3]), sector=st.sampled_from(["Energy", "Materials"]))
    def classify(self, symbol: str, sector: str):
        _classify(self.world, symbol, sector)
        self.inputs.sectors[symbol] = sector

    @rule(risk_free=st.sampled_from(["0.0", "0.02", "0.05"]))
    def change_settings(self, risk_free: str):
        _set_risk_free(self.world, risk_free)
        self.inputs.risk_free = risk_free

    @precondition(lambda self: self.inputs.today < LAST)
    @rule(missing=st.sets(st.sampled_from([*HELD, "SPY", "QUAL"]), max_size=3))
    def advance(self, missing: set[str]):
        ordinal = self.world.calendar.on_or_after(self.inputs.today)
        today = self.world.calendar.sessions[ordinal + 1]
        self.inputs.today = today
        self.world.at(today)
        priced = sorted({*FACTORS, *HELD[:3]} - missing)
        self.world.add_prices(*priced, first=today, last=today)
        for symbol in priced:
            self.inputs.closes.setdefault(symbol, {})[today] = self.world.closes(symbol)[today]

    @rule(back=places, table=st.sampled_from(["snapshot", "cell_pack"]))
    def damage(self, back: int, table: str):
        session = self._session(back)
        with self.world.app.database.write() as connection:
            if table == "cell_pack":
                _delete(connection, table, session)
            _delete(connection, "snapshot", session)

    @rule(data=st.data(), back=places, how=st.sampled_from(["one", "all", "force", "to", "from"]))
    def run(self, data: st.DataObject, back: int, how: str):
        if how == "one":
            self.world.run(data.draw(st.sampled_from(self.inputs.names)))
        elif how == "to":
            self.world.run(as_of=self._session(back))
        elif how == "from":
            self.world.run(from_session=self._session(back))
        else:
            self.world.run(force=how == "force")

    @rule(point=st.sampled_from(BREAKS), hit=st.integers(1, 2))
    def run_until_it_breaks(self, point: str, hit: int):
        passes = iter(range(1, hit + 1))

        def hook(name: str) -> None:
            if name == point and next(passes, None) == hit:
                raise Broken

        faults.set_hook(hook)
        try:
            self.world.run()
        except Broken:
            pass
        finally:
            faults.set_hook(None)

    def teardown(self):
        try:
            self._compare()
        finally:
            self.world.close()

    def _compare(self) -> None:
        result = self.world.run()
        assert not result.joined
        assert result.cells.failed == 0
        assert self.world.run().cells.planned == 0
        assert_sound(self.world.rows)
        fresh = self._open(self._paths[1], self.inputs.today)
        try:
            _tell(fresh, self.inputs)
            fresh.run()
            assert_equal_results(self._dump(self.world), self._dump(fresh))
        finally:
            fresh.close()

    def _dump(self, world: World) -> dict[str, list[dict[str, object]]]:
        """Dump the live books: those that were deleted keep what they had."""
        return {
            table: [row for row in rows if row["portfolio"] in self.inputs.names]
            for table, rows in world.dump().items()
        }

    def _session(self, back: int) -> date:
        last = self.world.calendar.on_or_before(self.inputs.today)
        first = self.world.calendar.on_or_after(BEGIN)
        return self.world.calendar.sessions[max(last - back, first)]

    def _draw_lot(self, data: st.DataObject, *, is_open: bool) -> tuple[str | None, str]:
        found = [
            (name, place)
            for name, book in self.inputs.books.items()
            for place, lot in enumerate(book.lots.values())
            if not is_open or lot.exit_date is None
        ]
        if not found:
            return None, ""
        name, place = data.draw(st.sampled_from(found))
        return name, list(self.inputs.books[name].lots)[place]

    @contextmanager
    def _edit(self, name: str) -> Iterator[tuple]:
        with self.world.app.database.write() as connection:
            editor = self.world.editor(connection, name)
            yield connection, editor
            editor.finish()


def _delete(connection, table: str, session: date) -> None:
    connection.execute(
        text(f"DELETE FROM {table} WHERE session = :day"), {"day": session.isoformat()}
    )


def _create(world: World, name: str, book: Book) -> None:
    lots = tuple(replace(lot, lot_id=None) for lot in book.lots.values())
    hints = {lot.symbol: InstrumentHint(lot.symbol, guess_kind(lot.symbol), None) for lot in lots}
    with world.app.database.write() as connection:
        create_book(
            connection,
            world.app.principal,
            Account(name, opening_equity=None if book.equity is None else Decimal(book.equity)),
            Positions(lots, tuple(hints.values())),
            calendar=world.calendar,
            currency="USD",
            moment=Moment(world.app.today, world.app.clock.now()),
        )
    with world.app.database.write() as connection:
        editor = world.editor(connection, name)
        for flow in book.flows:
            editor.add_flow(flow.date, flow.amount)
        editor.finish()


def _combine(world: World, name: str, members: Sequence[str], *, change: bool) -> None:
    with world.app.database.write() as connection:
        (change_members if change else combine_books)(
            connection,
            world.app.principal,
            name,
            members,
            calendar=world.calendar,
            at=world.app.clock.now(),
        )


def _classify(world: World, symbol: str, sector: str) -> None:
    row = SymbolRow("symbols.csv", 2, symbol, None, None, sector, None)
    with world.app.database.write() as connection:
        import_symbols(connection, [row], currency="USD", at=world.app.clock.now())


def _set_risk_free(world: World, risk_free: str) -> None:
    environment = {"RISKMARK_RISK_FREE": risk_free}
    loaded = load_settings(None, environment, database_url=world.url)
    world.app = replace(world.app, loaded=loaded)


def _tell(world: World, inputs: Inputs) -> None:
    """Tell a fresh installation everything at once."""
    _set_risk_free(world, inputs.risk_free)
    bars = [
        (symbol, session, close)
        for symbol, closes in inputs.closes.items()
        for session, close in closes.items()
    ]
    actions = tuple(
        Action(symbol, day, ActionKind(kind), value)
        for (symbol, day, kind), value in inputs.actions.items()
    )
    world._import(bars, actions)
    for name, book in inputs.books.items():
        _create(world, name, book)
    for name, members in inputs.combined.items():
        _combine(world, name, members, change=False)
    for symbol, sector in inputs.sectors.items():
        _classify(world, symbol, sector)
    for symbol in sorted(inputs.accepted):
        if world.rows("SELECT id FROM instrument WHERE symbol = ?", symbol):
            with world.app.database.write() as connection:
                accept(connection, symbol, "known", at=world.app.clock.now())


@pytest.fixture(scope="module")
def started(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare an installation with the prices of the first months."""
    path = tmp_path_factory.mktemp("started") / "started.db"
    shutil.copy(sqlite_template, path)
    world = World(f"sqlite:///{path}").at(START)
    world.add_prices(*FACTORS, *HELD[:3], first=BEGIN, last=START)
    world.close()
    return path


@pytest.mark.timeout(600)  # a counterexample is worth the time that it takes to shorten it
def test_the_last_run_makes_right_whatever_happened_before(started: Path, tmp_path: Path):
    run_state_machine_as_test(
        partial(History, started, tmp_path),
        settings=settings(max_examples=DATABASE_EXAMPLES, stateful_step_count=STEPS),
    )
