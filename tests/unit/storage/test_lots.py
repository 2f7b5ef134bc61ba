"""Edits of a book: what is stored, what is refused, and from where numbers may differ."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from tests.market import CALENDAR, closes_of, instrument_id, load

from riskmark.domain.portfolio import Lot
from riskmark.errors import InputError
from riskmark.storage import schema
from riskmark.storage.books import LOCAL_OPERATOR, Account, create_portfolio
from riskmark.storage.lots import (
    BookEditor,
    UnknownFlow,
    UnknownLot,
    compare_lots,
    load_flows,
    load_lots,
)

AT = datetime(2024, 6, 3, 15, tzinfo=UTC)
TODAY = date(2024, 6, 3)
MON, TUE, FRI = date(2024, 3, 4), date(2024, 3, 5), date(2024, 3, 8)
SATURDAY, NEXT_MON = date(2024, 3, 9), date(2024, 3, 11)
TEN = Decimal(10)


def lot(symbol="AAA", entry=MON, quantity=TEN, price="100", **more):
    return Lot(symbol, Decimal(quantity), entry, Decimal(price), **more)


class Book:
    """A stored portfolio, and edits of it, each in a transaction of its own."""

    def __init__(self, database, *, equity=Decimal(5000)):
        self.database = database
        with database.write() as connection:
            load(connection, closes_of("AAA", MON, [100]) + closes_of("BBB", MON, [50]))
            self.portfolio = create_portfolio(
                connection, LOCAL_OPERATOR, Account("book", opening_equity=equity),
                currency="USD", at=AT,
            )  # fmt: skip
            self.ids = {symbol: instrument_id(connection, symbol) for symbol in ("AAA", "BBB")}

    def edit(self, *edits):
        """Carry out edits, functions of an editor, and return what each returned."""
        with self.database.write() as connection:
            editor = BookEditor(connection, self.portfolio, CALENDAR, today=TODAY, at=AT)
            found = [edit(editor) for edit in edits]
            editor.finish()
        return found

    def add(self, *lots):
        (stored,) = self.edit(lambda editor: editor.add_lots(lots, self.ids))
        return stored

    @property
    def lots(self):
        with self.database.read() as connection:
            return load_lots(connection, self.portfolio.portfolio_id)

    @property
    def flows(self):
        with self.database.read() as connection:
            return load_flows(connection, self.portfolio.portfolio_id)

    @property
    def touched(self):
        """The sessions from which on each edit says that numbers may differ."""
        table = schema.input_change
        with self.database.read() as connection:
            rows = connection.execute(
                select(table.c.from_session)
                .where(table.c.portfolio_id == self.portfolio.portfolio_id)
                .order_by(table.c.revision)
            )
            return list(rows.scalars())


@pytest.fixture
def book(database):
    return Book(database)


def test_lots_are_stored_as_stated_and_touch_sessions_from_the_first_entry_on(book):
    stored = book.add(lot(entry=TUE, quantity="1.23456789"), lot("BBB", entry=MON))

    assert book.lots == sorted(stored, key=lambda one: one.symbol)
    assert book.lots[0].quantity == Decimal("1.23456789")
    assert book.touched == [MON]


def test_an_entry_on_a_weekend_touches_the_next_session(book):
    book.add(lot(entry=SATURDAY))

    assert book.touched == [NEXT_MON]


@pytest.mark.parametrize(
    ("changed", "first"),
    [
        ({"quantity": Decimal(5)}, TUE),
        ({"entry_price": Decimal(99)}, TUE),
        ({"entry_date": MON}, MON),
        ({"entry_date": FRI}, TUE),
        ({"exit_date": FRI, "exit_price": Decimal(110)}, FRI),
        ({"exit_date": SATURDAY, "exit_price": Decimal(110)}, NEXT_MON),
    ],
)
def test_a_changed_lot_touches_sessions_from_the_earliest_that_can_differ(book, changed, first):
    (stored,) = book.add(lot(entry=TUE))

    book.edit(lambda editor: editor.replace_lot(stored.lot_id, replace(stored, **changed)))

    assert book.lots == [replace(stored, **changed)]
    assert book.touched[1:] == [first]


def test_an_exit_that_moves_touches_sessions_from_the_earlier_of_both(book):
    closed = {"exit_date": FRI, "exit_price": Decimal(110)}
    (stored,) = book.add(lot(**closed))

    earlier = replace(stored, exit_date=TUE)
    book.edit(lambda editor: editor.replace_lot(stored.lot_id, earlier))
    book.edit(lambda editor: editor.replace_lot(stored.lot_id, replace(earlier, exit_date=FRI)))

    assert book.touched[1:] == [TUE, TUE]


def test_a_lot_that_is_replaced_by_itself_changes_nothing(book):
    (stored,) = book.add(lot())

    book.edit(lambda editor: editor.replace_lot(stored.lot_id, stored))

    assert len(book.touched) == 1


def test_closing_a_lot_gives_it_an_exit(book):
    (stored,) = book.add(lot())

    book.edit(lambda editor: editor.close_lot(stored.lot_id, day=FRI, price=Decimal(120)))

    assert book.lots == [replace(stored, exit_date=FRI, exit_price=Decimal(120))]
    assert book.touched == [MON, FRI]


@pytest.mark.parametrize("sign", [1, -1])
def test_closing_part_of_a_lot_splits_it(book, sign):
    (stored,) = book.add(lot(quantity=10 * sign))

    book.edit(
        lambda editor: editor.close_lot(
            stored.lot_id, day=FRI, price=Decimal(120), quantity=Decimal(4)
        )
    )

    rest, part = sorted(book.lots, key=lambda one: one.exit_date is not None)
    assert (rest.lot_id, rest.quantity) == (stored.lot_id, 6 * sign)
    assert (part.quantity, part.entry_date, part.entry_price) == (4 * sign, MON, Decimal(100))
    assert (part.exit_date, part.exit_price) == (FRI, Decimal(120))
    assert book.touched == [MON, FRI]


@pytest.mark.parametrize("quantity", ["0", "10.5", "-11"])
def test_no_more_can_be_closed_than_there_is(book, quantity):
    (stored,) = book.add(lot())

    with pytest.raises(InputError, match="quantity to close"):
        book.edit(
            lambda editor: editor.close_lot(
                stored.lot_id, day=FRI, price=TEN, quantity=Decimal(quantity)
            )
        )
    assert book.lots == [stored]


def test_a_lot_that_was_closed_cannot_be_closed_again(book):
    (stored,) = book.add(lot(exit_date=FRI, exit_price=Decimal(110)))

    with pytest.raises(InputError, match="was closed on 2024-03-08"):
        book.edit(lambda editor: editor.close_lot(stored.lot_id, day=FRI, price=TEN))


def test_a_deleted_lot_touches_sessions_from_its_entry_on(book):
    kept, gone = book.add(lot(), lot("BBB", entry=FRI))

    book.edit(lambda editor: editor.delete_lot(gone.lot_id))

    assert book.lots == [kept]
    assert book.touched == [MON, FRI]


def test_edits_of_one_transaction_are_one_change_from_the_earliest_on(book):
    book.edit(
        lambda editor: editor.add_lots([lot(entry=FRI)], book.ids),
        lambda editor: editor.add_flow(TUE, Decimal(100)),
        lambda editor: editor.add_lots([lot("BBB", entry=SATURDAY)], book.ids),
    )

    assert book.touched == [TUE]


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ({"quantity": 0}, "must not be 0"),
        ({"price": "0"}, "must be positive"),
        ({"entry": date(2024, 6, 4)}, "in the future"),
        ({"entry": date(1920, 1, 1)}, "before 1925"),
        ({"exit_date": date(2024, 3, 1), "exit_price": TEN}, "before the entry"),
        ({"exit_date": date(2024, 6, 4), "exit_price": TEN}, "in the future"),
        ({"exit_date": FRI, "exit_price": Decimal(-1)}, "not negative"),
        ({"exit_date": FRI}, "not negative"),
    ],
)
def test_a_lot_that_cannot_be_is_refused_and_nothing_is_stored(book, bad, problem):
    with pytest.raises(InputError, match=problem):
        book.add(lot("BBB"), lot(**bad))

    assert book.lots == []
    assert book.touched == []


def test_a_worthless_exit_is_allowed(book):
    (stored,) = book.add(lot(exit_date=FRI, exit_price=Decimal(0)))

    assert book.lots == [stored]


def test_a_lot_or_a_flow_of_another_book_is_unknown(book):
    with pytest.raises(UnknownLot):
        book.edit(lambda editor: editor.delete_lot("elsewhere"))
    with pytest.raises(UnknownFlow):
        book.edit(lambda editor: editor.delete_flow("elsewhere"))


def test_flows_come_and_go_from_their_date_on(book):
    ((flow),) = book.edit(lambda editor: editor.add_flow(SATURDAY, Decimal("-250.55"), "rent"))
    assert book.flows == [flow]

    book.edit(lambda editor: editor.delete_flow(flow.flow_id))

    assert book.flows == []
    assert book.touched == [NEXT_MON, NEXT_MON]


@pytest.mark.parametrize(
    ("day", "amount", "problem"),
    [(MON, "0", "must not be 0"), (date(2024, 6, 4), "1", "in the future")],
)
def test_a_flow_that_cannot_be_is_refused(book, day, amount, problem):
    with pytest.raises(InputError, match=problem):
        book.edit(lambda editor: editor.add_flow(day, Decimal(amount)))
    assert book.flows == []


def test_a_book_in_holdings_mode_has_no_cash_to_add_to(database):
    holdings = Book(database, equity=None)

    with pytest.raises(InputError, match="keeps no cash"):
        holdings.edit(lambda editor: editor.add_flow(MON, TEN))


def test_an_edit_without_a_change_leaves_no_trace(book):
    book.edit()

    assert book.touched == []


small_lots = st.lists(
    st.builds(
        lot,
        symbol=st.sampled_from(["AAA", "BBB"]),
        entry=st.sampled_from([MON, TUE]),
        quantity=st.integers(1, 3),
        price=st.sampled_from(["100", "101"]),
    ),
    max_size=6,
)


@given(stored=small_lots, wanted=small_lots)
def test_what_a_comparison_says_turns_the_stored_lots_into_the_wanted(stored, wanted):
    named = [replace(one, lot_id=str(n)) for n, one in enumerate(stored)]

    changes = compare_lots(named, wanted)

    left = {one.lot_id: one for one in named}
    for one in changes.removed:
        del left[one.lot_id]
    for old, new in changes.changed:
        assert (old.symbol, old.entry_date) == (new.symbol, new.entry_date)
        assert left[old.lot_id] == old
        left[old.lot_id] = new
    result = [replace(one, lot_id=None) for one in [*left.values(), *changes.added]]
    assert sorted(map(repr, result)) == sorted(map(repr, wanted))
    assert bool(changes) == (sorted(map(repr, stored)) != sorted(map(repr, wanted)))


@given(lots=small_lots, order=st.randoms())
def test_the_order_of_lots_is_no_change(lots, order):
    named = [replace(one, lot_id=str(n)) for n, one in enumerate(lots)]
    shuffled = list(lots)
    order.shuffle(shuffled)

    assert not compare_lots(named, shuffled)
