import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from riskmark.calc.book_trades import Trade, make_trade
from riskmark.calc.lots import Lots

ROW = 3
INDEX = np.array([1.0, 1.0, 2.0, 2.0, 2.0])
"""A split of two for one takes effect on row 2; trades are made on row 3."""

quantities = st.floats(-1e6, 1e6).filter(lambda q: abs(q) > 1e-3)


def lots_of(*stated, instrument=0, portfolio=0):
    """Make open lots of quantities and entry rows."""
    count = len(stated)
    rows = np.array([row for _, row in stated], dtype=np.int64)
    return Lots(
        portfolio=np.full(count, portfolio),
        instrument=np.full(count, instrument),
        quantity=np.array([float(quantity) for quantity, _ in stated]),
        multiplier=np.ones(count),
        stated_row=rows,
        entry_row=rows,
        entry_price=np.full(count, 10.0),
        exit_stated_row=np.full(count, 99),
        exit_row=np.full(count, 99),
        exit_price=np.full(count, np.nan),
        cost_only=np.zeros(count, dtype=bool),
    )


def traded(lots, quantity, *, instrument=0):
    trade = Trade(instrument, quantity, 12.0, 1.0)
    return make_trade(lots, trade, portfolio=0, row=ROW, split_index=INDEX)


def net(lots):
    """Return what is held after the trade, in the shares of its row."""
    open_ = lots.exit_row > ROW
    return float((lots.quantity / INDEX[lots.stated_row] * INDEX[ROW])[open_].sum())


def test_a_sale_ends_the_oldest_lots_first_and_splits_the_last_one():
    lots = lots_of((10, 2), (5, 0), (8, 3))

    after = traded(lots, -13)

    assert after.exit_row.tolist() == [99, ROW, 99, ROW]
    assert after.quantity.tolist() == [7, 5, 8, 3]
    assert after.exit_price[[1, 3]].tolist() == [12.0, 12.0]
    assert after.entry_row[3] == 2


def test_what_no_lot_takes_up_is_sold_short():
    after = traded(lots_of((5, 2)), -8)

    assert after.exit_row.tolist() == [ROW, len(INDEX)]
    assert after.quantity.tolist() == [5, -3]
    assert after.entry_price[1] == 12.0


def test_a_purchase_covers_short_lots_and_leaves_long_ones_alone():
    after = traded(lots_of((5, 2), (-4, 2)), 6)

    assert after.exit_row.tolist() == [99, ROW, len(INDEX)]
    assert after.quantity.tolist() == [5, -4, 2]


def test_lots_of_other_instruments_books_and_times_are_left_alone():
    ended = lots_of((5, 2))._replace(exit_row=np.array([ROW]))
    others = (
        lots_of((5, 2), instrument=1),
        lots_of((5, 2), portfolio=1),
        lots_of((5, ROW + 1)),
        ended,
    )
    for lots in others:
        after = traded(lots, -5)

        assert after.quantity.tolist() == [5, -5]
        assert after.exit_row[0] == lots.exit_row[0]


@given(st.lists(st.tuples(quantities, st.integers(0, ROW)), max_size=6), quantities)
def test_a_trade_changes_what_is_held_by_its_quantity(stated, quantity):
    lots = lots_of(*stated)

    after = traded(lots, quantity)

    size = np.abs(lots.quantity).sum() * 2 + abs(quantity)
    assert abs(net(after) - net(lots) - quantity) <= 1e-9 * size


@example([(0.01, 0), (131_072.0, 0)], -1.0)
@given(st.lists(st.tuples(quantities, st.integers(0, ROW)), max_size=6), quantities)
def test_a_trade_adds_at_most_a_split_part_and_a_lot_of_its_own(stated, quantity):
    lots = lots_of(*stated)

    after = traded(lots, quantity)

    assert after.quantity.size - lots.quantity.size in {0, 1}
    assert np.all(np.sign(after.quantity[: len(stated)]) == np.sign(lots.quantity))
