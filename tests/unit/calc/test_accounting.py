"""What must hold of any books, and the cases that the definitions name."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmark.calc.accounting import Books, Flows, value_books
from riskmark.calc.arrays import CODE_OF
from riskmark.calc.lots import Lots
from riskmark.calc.marks import Events, MarkPanel, build_marks
from riskmark.domain.reasons import NullReason
from riskmark.errors import ShapeError

NAN = np.nan
OPEN = 1 << 40
NO_EVENTS = Events(np.zeros(0, int), np.zeros(0, int), np.zeros(0))
NO_FLOWS = Flows(np.zeros(0, int), np.zeros(0, int), np.zeros(0))
T, N, P = 14, 4, 3


class Case(NamedTuple):
    books: Books
    lots: Lots
    flows: Flows
    panel: MarkPanel

    def value(self, rows=None):
        return value_books(*self, rows=rows or range(len(self.panel.mark)))


def panel_of(*columns, splits=NO_EVENTS, dividends=NO_EVENTS):
    return build_marks(np.array(columns, float).T, splits, NO_EVENTS, dividends)


def lots_of(*lots):
    """Make lots of (instrument, quantity, entry row, entry price, exit row, exit price)."""
    instrument, quantity, entry, price, leave, proceeds = zip(
        *((*lot, OPEN, NAN)[:6] for lot in lots), strict=True
    )
    return Lots(
        portfolio=np.zeros(len(lots), int),
        instrument=np.array(instrument),
        quantity=np.array(quantity, float),
        multiplier=np.ones(len(lots)),
        stated_row=np.array(entry),
        entry_row=np.array(entry),
        entry_price=np.array(price, float),
        exit_stated_row=np.array(leave),
        exit_row=np.array(leave),
        exit_price=np.array(proceeds, float),
        cost_only=np.zeros(len(lots), bool),
    )


def one_book(lots, panel, *, opening=NAN, flows=NO_FLOWS):
    first = int(lots.entry_row.min(initial=OPEN))
    return Case(Books(np.array([first]), np.array([opening])), lots, flows, panel)


def random_events(rng, values):
    rows, columns = np.nonzero(rng.random((T, N)) < 0.1)
    return Events(rows, columns, rng.choice(values, len(rows)))


def random_case(seed, *, opening=None) -> Case:
    rng = np.random.default_rng(seed)
    close = np.where(rng.random((T, N)) < 0.2, NAN, rng.uniform(1, 100, (T, N)))
    close[: T // 2, 0] = NAN
    close[:, 1] = NAN
    panel = build_marks(
        close,
        random_events(rng, [2.0, 3.0, 0.25]),
        random_events(rng, [1.1, 1.3]),
        random_events(rng, [0.1, 2.0]),
    )
    count = int(rng.integers(1, 25))
    entry = rng.integers(0, T, count)
    leave = np.where(rng.random(count) < 0.6, entry + rng.integers(0, 6, count), OPEN)
    portfolio = rng.integers(0, P, count)
    lots = Lots(
        portfolio=portfolio,
        instrument=rng.integers(0, N, count),
        quantity=rng.choice([-1.0, 1.0], count) * rng.integers(1, 1000, count) / 8,
        multiplier=rng.choice([1.0, 100.0], count),
        stated_row=entry - rng.integers(0, 2, count),
        entry_row=entry,
        entry_price=rng.integers(1, 10_000, count) / 64,
        exit_stated_row=np.minimum(leave, T - 1),
        exit_row=leave,
        exit_price=np.where(leave < OPEN, rng.integers(1, 10_000, count) / 64, NAN),
        cost_only=rng.random(count) < 0.1,
    )
    first = np.full(P, OPEN)
    np.minimum.at(first, portfolio, entry)
    equity = rng.choice([NAN, 1e4], P) if opening is None else np.full(P, opening)
    payers = rng.choice(np.flatnonzero(~np.isnan(equity)), 4) if not np.isnan(equity).all() else []
    flows = Flows(
        np.array(payers, int),
        np.maximum(rng.integers(0, T, len(payers)), first[payers]),
        rng.integers(-1000, 1000, len(payers)).astype(float),
    )
    return Case(Books(first, equity), lots, flows, panel)


seeds = st.integers(0, 2**32 - 1)


def scale_of(case, values):
    """What rounding is measured against."""
    traded = np.abs(case.lots.quantity * case.lots.entry_price * case.lots.multiplier).sum()
    return 1.0 + traded + np.abs(values.paths.nav).max() + values.totals.gross.max()


def assert_same(found, expected, *, scale):
    """Compare nested tuples of arrays."""
    if isinstance(found, tuple):
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other, scale=scale)
    else:
        np.testing.assert_allclose(
            found.astype(float), expected.astype(float), rtol=1e-9, atol=1e-10 * scale
        )


def by_key(values):
    """Positions that are listed on any session, by portfolio and instrument."""
    positions = values.positions
    keys = zip(positions.portfolio.tolist(), positions.instrument.tolist(), strict=True)
    return {key: place for place, key in enumerate(keys)}


@given(seeds)
def test_nav_is_cash_and_all_market_values(seed):
    case = random_case(seed)

    values = case.value()

    totals, scale = values.totals, scale_of(case, values)
    assert_same(totals.cash + totals.net, values.paths.nav, scale=scale)
    assert_same(totals.long_value + totals.short_value, totals.net, scale=scale)
    assert_same(totals.long_value - totals.short_value, totals.gross, scale=scale)
    assert np.all(totals.short_value <= 0)
    worth = np.zeros((T, P))
    np.add.at(worth.T, values.positions.portfolio, values.positions.market_value)
    assert_same(worth, totals.net, scale=scale)


@given(seeds)
def test_pnl_is_the_change_of_nav_less_flows_and_the_sum_of_positions(seed):
    case = random_case(seed)

    values = case.value()

    paths, scale = values.paths, scale_of(case, values)
    change = np.diff(paths.nav, axis=0, prepend=0.0) - (paths.inflow - paths.outflow)
    assert_same(paths.pnl, change, scale=scale)
    earned = np.zeros((T, P))
    np.add.at(earned.T, values.positions.portfolio, values.positions.pnl)
    assert_same(paths.pnl, earned, scale=scale)


@given(seeds)
def test_realized_unrealized_and_income_add_up_to_all_pnl(seed):
    case = random_case(seed)

    values = case.value()

    totals = values.totals
    together = totals.cum_realized + totals.cum_unrealized + totals.cum_income
    scale = scale_of(case, values)
    assert_same(together, np.cumsum(values.paths.pnl, axis=0), scale=scale)
    assert_same(np.cumsum(totals.income, axis=0), totals.cum_income, scale=scale)


@given(seeds)
def test_a_return_is_what_nav_and_flows_say(seed):
    paths = random_case(seed).value().paths

    before = np.vstack([np.zeros(P), paths.nav[:-1]])
    capital = before + paths.inflow
    some = capital > 1e-6
    expected = (paths.nav + paths.outflow)[some] / capital[some] - 1
    np.testing.assert_allclose(paths.returns.values[some], expected, rtol=1e-6, atol=1e-6)
    assert np.all(paths.returns.nulls[capital <= 0] != 0)


@given(seeds, st.integers(0, T - 1), st.integers(1, T))
def test_sessions_alone_equal_the_same_sessions_in_a_range(seed, start, length):
    case = random_case(seed)
    rows = range(start, min(start + length, T))

    whole, part = case.value(), case.value(rows)

    scale = scale_of(case, whole)
    asked = slice(rows.start, rows.stop)
    for full, short in zip(whole.totals, part.totals, strict=True):
        assert_same(short, full[asked], scale=scale)
    for full, short in zip(whole.paths[:4], part.paths[:4], strict=True):
        assert_same(short, full[: rows.stop], scale=scale)
    listed = by_key(whole)
    for key, place in by_key(part).items():
        for full, short in zip(whole.positions[2:], part.positions[2:], strict=True):
            assert_same(short[place], full[listed[key], asked], scale=scale)


@given(seeds)
def test_the_order_of_lots_changes_nothing(seed):
    case = random_case(seed)
    order = np.random.default_rng(seed).permutation(len(case.lots.quantity))
    shuffled = case._replace(lots=Lots(*(column[order] for column in case.lots)))

    expected = case.value()

    assert_same(shuffled.value(), expected, scale=scale_of(case, expected))


@given(seeds)
def test_two_lots_equal_one(seed):
    case = random_case(seed)
    half = case.lots._replace(quantity=case.lots.quantity / 2)
    halves = case._replace(lots=Lots(*(np.tile(column, 2) for column in half)))

    expected, values = case.value(), halves.value()

    scale = scale_of(case, expected)
    assert_same(values.positions, expected.positions, scale=scale)
    assert_same(values.totals, expected.totals, scale=scale)
    assert_same(values.paths[:5], expected.paths[:5], scale=scale)


@given(seeds)
def test_twice_the_quantities_are_twice_the_money_in_holdings_mode(seed):
    case = random_case(seed, opening=NAN)
    double = case._replace(lots=case.lots._replace(quantity=2 * case.lots.quantity))

    expected, values = case.value(), double.value()

    scale = scale_of(case, expected)
    for name in ("nav", "inflow", "outflow", "pnl"):
        once = getattr(expected.paths, name)
        assert_same(getattr(values.paths, name), 2 * once, scale=2 * scale)
    assert_same(values.paths.returns, expected.paths.returns, scale=1)


@given(seeds, st.sampled_from([2.0, 3.0, 0.1]), st.integers(1, T - 1), st.integers(0, N - 1))
def test_a_split_with_consistent_prices_changes_no_nav_and_no_pnl(seed, ratio, row, column):
    rng = np.random.default_rng(seed)
    close = np.where(rng.random((T, N)) < 0.2, NAN, rng.uniform(1, 100, (T, N)))
    after = np.ones((T, N))
    after[row:, column] = ratio
    case = random_case(seed)
    case = case._replace(panel=build_marks(close, NO_EVENTS, NO_EVENTS, NO_EVENTS))
    there = case.lots.instrument == column
    lots = case.lots._replace(
        quantity=case.lots.quantity * np.where(there & (case.lots.stated_row >= row), ratio, 1),
        entry_price=case.lots.entry_price
        / np.where(there & (case.lots.stated_row >= row), ratio, 1),
        exit_price=case.lots.exit_price
        / np.where(there & (case.lots.exit_stated_row >= row), ratio, 1),
    )
    split = Events(np.array([row]), np.array([column]), np.array([ratio]))
    panel = build_marks(close / after, split, NO_EVENTS, NO_EVENTS)

    expected, values = case.value(), case._replace(lots=lots, panel=panel).value()

    scale = scale_of(case, expected)
    assert_same(values.paths[:5], expected.paths[:5], scale=scale)
    assert_same(values.totals, expected.totals, scale=scale)
    assert_same(values.positions.pnl, expected.positions.pnl, scale=scale)


def test_a_book_with_equity_keeps_its_cash():
    panel = panel_of([10, 12, 11])
    flows = Flows(np.array([0]), np.array([1]), np.array([-50.0]))

    values = one_book(lots_of((0, 5, 0, 9)), panel, opening=100, flows=flows).value()

    np.testing.assert_array_equal(values.totals.cash[:, 0], [55, 5, 5])
    np.testing.assert_array_equal(values.paths.nav[:, 0], [105, 65, 60])
    np.testing.assert_array_equal(values.paths.inflow[:, 0], [100, 0, 0])
    np.testing.assert_array_equal(values.paths.outflow[:, 0], [0, 50, 0])
    np.testing.assert_array_equal(values.paths.pnl[:, 0], [5, 10, -5])
    np.testing.assert_allclose(values.paths.returns.values[:, 0], [0.05, 10 / 105, -5 / 65])


def test_a_book_of_holdings_has_no_cash_and_pays_income_out():
    dividends = Events(np.array([1]), np.array([0]), np.array([0.5]))
    panel = panel_of([10, 12, 11], dividends=dividends)

    values = one_book(lots_of((0, 4, 0, 9, 2, 11)), panel).value()

    np.testing.assert_array_equal(values.totals.cash[:, 0], [0, 0, 0])
    np.testing.assert_array_equal(values.paths.nav[:, 0], [40, 48, 0])
    np.testing.assert_array_equal(values.totals.flow[:, 0], [36, -2, -44])
    np.testing.assert_array_equal(values.totals.income[:, 0], [0, 2, 0])
    np.testing.assert_array_equal(values.positions.closed_today, [[False, False, True]])
    np.testing.assert_array_equal(values.positions.quantity, [[4, 4, 0]])


def test_a_day_trade_is_never_held_but_earns():
    panel = panel_of([10, 10])

    values = one_book(lots_of((0, 100, 1, 10, 1, 10.5)), panel).value()

    np.testing.assert_array_equal(values.paths.inflow[:, 0], [0, 1000])
    np.testing.assert_array_equal(values.paths.outflow[:, 0], [0, 1050])
    np.testing.assert_allclose(values.paths.returns.values[1, 0], 0.05)
    np.testing.assert_array_equal(values.totals.cum_realized[:, 0], [0, 50])
    np.testing.assert_array_equal(values.totals.positions[:, 0], [0, 0])
    assert not values.positions.held.any()
    assert values.positions.closed_today[0, 1]


def test_a_session_without_capital_has_no_return():
    panel = panel_of([10, 10, 10, 10])

    values = one_book(lots_of((0, 1, 1, 10, 2, 10)), panel).value()

    none = CODE_OF[NullReason.NO_CAPITAL]
    np.testing.assert_array_equal(values.paths.returns.nulls[:, 0], [none, 0, 0, none])


def test_a_book_that_is_only_short_has_no_positive_capital():
    panel = panel_of([10, 11, 9])

    values = one_book(lots_of((0, -3, 0, 9.5)), panel).value()

    np.testing.assert_array_equal(values.paths.nav[:, 0], [-30, -33, -27])
    assert set(values.paths.returns.nulls[:, 0]) == {CODE_OF[NullReason.NAV_NOT_POSITIVE]}
    np.testing.assert_array_equal(values.totals.short_value[:, 0], [-30, -33, -27])


def test_lots_that_cancel_up_to_rounding_are_worth_exactly_nothing():
    panel = panel_of([7.3, 7.3], [7.3, 7.3])

    values = one_book(
        lots_of((0, 0.1, 0, 7), (0, 0.2, 0, 7), (0, -0.3, 1, 7), (1, 1, 0, 7, 1, 7)), panel
    ).value()

    assert values.paths.nav[1, 0] == 0.0
    assert values.totals.gross[1, 0] == 0.0
    assert values.positions.quantity[0, 1] == 0.0
    assert values.totals.positions[1, 0] == 1


def test_cash_that_cancels_up_to_rounding_is_exactly_nothing():
    panel = panel_of([7.0, 7.0])
    flows = Flows(np.zeros(2, int), np.array([0, 1]), np.array([0.2, -0.3]))

    values = one_book(lots_of((0, 1, 0, 7, 0, 7)), panel, opening=0.1, flows=flows).value()

    assert values.totals.cash[1, 0] == 0.0
    assert values.paths.nav[1, 0] == 0.0


def test_a_lot_stands_at_cost_until_the_first_close():
    panel = panel_of([NAN, NAN, 8], splits=Events(np.array([1]), np.array([0]), np.array([2.0])))

    values = one_book(lots_of((0, 3, 0, 10)), panel).value()

    np.testing.assert_array_equal(values.positions.market_value, [[30, 30, 48]])
    np.testing.assert_array_equal(values.positions.quantity, [[3, 6, 6]])
    np.testing.assert_array_equal(values.positions.at_cost, [[True, True, False]])
    np.testing.assert_array_equal(values.positions.cost_mark, [[10, 5, NAN]])


def test_a_lot_may_be_told_to_stand_at_cost_for_good():
    lots = lots_of((0, 3, 0, 10))._replace(cost_only=np.array([True]), multiplier=np.array([100.0]))

    values = one_book(lots, panel_of([8, 9])).value()

    np.testing.assert_array_equal(values.positions.market_value, [[3000, 3000]])
    np.testing.assert_array_equal(values.positions.cost_mark, [[10, 10]])


def test_long_and_short_lots_of_one_symbol_are_netted():
    values = one_book(lots_of((0, 5, 0, 10), (0, -2, 0, 10)), panel_of([10])).value()

    assert values.totals.long_value[0, 0] == values.totals.gross[0, 0] == 30
    assert values.totals.short_value[0, 0] == 0
    np.testing.assert_array_equal(values.positions.quantity, [[3]])


def test_an_exit_between_sessions_is_in_the_shares_of_its_date():
    # Sold on a Saturday for 10 a share, before the split of Monday, when it takes effect.
    panel = panel_of([10, 5], splits=Events(np.array([1]), np.array([0]), np.array([2.0])))
    lots = lots_of((0, 3, 0, 8, 1, 10))._replace(exit_stated_row=np.array([0]))

    values = one_book(lots, panel).value()

    np.testing.assert_array_equal(values.totals.cum_realized[:, 0], [0, 6])


def test_what_comes_after_the_sessions_asked_for_does_not_count():
    dividends = Events(np.array([2]), np.array([0]), np.array([5.0]))
    splits = Events(np.array([2]), np.array([0]), np.array([2.0]))
    panel = panel_of([10, 10, 10], dividends=dividends, splits=splits)
    lots = lots_of((0, 1, 0, 10, 2, 99), (0, 7, 2, 10))

    values = one_book(lots, panel).value(range(1, 2))

    np.testing.assert_array_equal(values.paths.nav[:, 0], [10, 10])
    np.testing.assert_array_equal(values.positions.quantity, [[1]])
    np.testing.assert_array_equal(values.totals.cum_income, [[0]])


def test_without_lots_or_books_there_is_nothing():
    no_lots = Lots(*(column[:0] for column in lots_of((0, 1, 0, 1))))
    panel = panel_of([10, 11])
    no_books = Books(np.zeros(0, int), np.zeros(0))

    empty = one_book(no_lots, panel).value()
    none = value_books(no_books, no_lots, NO_FLOWS, panel, rows=range(1, 2))

    assert not empty.paths.nav.any()
    assert empty.positions.quantity.shape == (0, 2)
    assert none.paths.nav.shape == (2, 0)
    assert none.totals.gross.shape == (1, 0)


@pytest.mark.parametrize("rows", [range(3), range(0), range(-1, 1), range(0, 2, 2)])
def test_rows_must_be_consecutive_rows_of_the_panel(rows):
    case = one_book(lots_of((0, 1, 0, 10)), panel_of([10, 11]))

    with pytest.raises(ShapeError):
        value_books(*case, rows=rows)


def test_a_book_of_holdings_takes_no_flows():
    flows = Flows(np.array([0]), np.array([0]), np.array([1.0]))

    with pytest.raises(ShapeError, match="no flows"):
        one_book(lots_of((0, 1, 0, 10)), panel_of([10]), flows=flows).value()
