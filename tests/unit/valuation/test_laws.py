"""Laws of whole books: what must not matter to any number, and what must scale it.

Each law is held against all numbers of a shard at once: of the snapshot, of positions,
sectors, factors and scenarios.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from tests.support import BOOK_EXAMPLES
from tests.unit.valuation.laws import (
    assert_close,
    assert_same,
    is_kept_by_leverage,
    is_money,
    is_share_of_nav,
    money_of,
    sizes_of,
)
from tests.whole_books import (
    HELD,
    OPEN,
    SYMBOLS,
    Action,
    Book,
    Case,
    Lot,
    Numbers,
    inputs_of,
    measure_case,
    random_case,
)

from riskmark.domain.factor_models import Estimator

_LINEAR = (
    ".exposure", ".money", ".direct", ".predictive", ".weight", ".net", ".beta", ".beta_1y",
)  # fmt: skip
"""Ends of the names of numbers that change their sign with what is held."""

pytestmark = pytest.mark.timeout(600)
"""Each law measures a thousand shards, and a busy machine takes its time."""

seeds = st.integers(0, 2**32 - 1)
cases = st.builds(
    random_case,
    seeds,
    sessions=st.sampled_from([40, 150, 300, 560]),
    gaps=st.sampled_from([0.0, 0.01, 0.08]),
    books=st.sampled_from([1, 3]),
)


def lots_changed(book: Book, change) -> Book:
    """Return the book with each lot changed."""
    return replace(book, lots=tuple(change(lot) for lot in book.lots))


def scaled(book: Book, by: float) -> Book:
    """Return ``by`` times the book."""
    flows = tuple((row, amount * by) for row, amount in book.flows)
    grown = lots_changed(book, lambda lot: lot._replace(quantity=lot.quantity * by))
    return replace(grown, equity=book.equity * by, flows=flows)


@settings(max_examples=BOOK_EXAMPLES)
@given(cases, st.sampled_from([2.0, 0.5, 10.0, 1 / 3]))
def test_a_book_of_another_size_has_other_money_and_the_same_shares(case: Case, by: float):
    numbers = measure_case(case)

    grown = measure_case(case.changed(books=tuple(scaled(book, by) for book in case.books)))

    assert_same(numbers, grown, money=by)


@settings(max_examples=BOOK_EXAMPLES)
@given(cases, st.sampled_from([100.0, 0.07]))
def test_another_unit_of_money_changes_amounts_alone(case: Case, unit: float):
    def change(book: Book) -> Book:
        flows = tuple((row, amount * unit) for row, amount in book.flows)
        priced = lots_changed(
            book,
            lambda lot: lot._replace(price=lot.price * unit, proceeds=lot.proceeds * unit),
        )
        return replace(priced, equity=book.equity * unit, flows=flows)

    actions = tuple(
        one._replace(value=one.value * unit) if one.kind == "dividend" else one
        for one in case.actions
    )
    numbers = measure_case(case)

    found = measure_case(
        case.changed(close=case.close * unit, actions=actions, books=tuple(map(change, case.books)))
    )

    marks = tuple(f"positions.{symbol}.mark" for symbol in SYMBOLS)
    assert_same(numbers, found, money=unit, quantity=1.0, without=marks)
    for name in set(marks) & set(numbers.names):
        np.testing.assert_allclose(found[name], numbers[name] * unit, rtol=1e-12)


@settings(max_examples=BOOK_EXAMPLES)
@given(cases, st.floats(0.1, 8), st.sampled_from([1.0, -1.0]))
def test_leverage_scales_what_is_at_risk_and_not_how_it_is_mixed(
    case: Case, leverage: float, side: float
):
    books = tuple(replace(book, equity=1e6, flows=()) for book in case.books)
    factor = leverage * side
    levered = tuple(
        lots_changed(book, lambda lot: lot._replace(quantity=lot.quantity * factor))
        for book in books
    )

    numbers, found = (measure_case(case.changed(books=each)) for each in (books, levered))

    names = tuple(name for name in numbers.names if _scales(name, side))
    one, other = numbers.ordered(names), found.ordered(names)
    np.testing.assert_array_equal(one.codes, other.codes)
    times = np.array([1.0 if is_kept_by_leverage(name) else factor for name in names])
    assert_close(names, money_of(one, numbers) * times, money_of(other, found), sizes_of(found))


def _scales(name: str, side: float) -> bool:
    """Tell whether a number is proportional to what is held, or does not depend on its size."""
    if name.startswith(("snapshot.", "performance.")) or name.endswith((".pnl", ".quantity")):
        return name in {"snapshot.excluded_weight", "snapshot.proxied_weight"}
    if not (is_money(name) or is_share_of_nav(name) or is_kept_by_leverage(name)):
        return False
    is_linear = name.endswith(_LINEAR) and not name.endswith("component_es_95")
    return side > 0 or (is_linear and "var_" not in name and "es_9" not in name)


@settings(max_examples=BOOK_EXAMPLES)
@given(cases, seeds, st.integers(1, 8))
def test_pieces_of_lots_and_the_order_of_all_there_is_do_not_matter(
    case: Case, seed: int, eighths: int
):
    def cut(lot: Lot) -> tuple[Lot, ...]:
        part = lot.quantity * eighths / 8
        rest = lot._replace(quantity=lot.quantity - part)
        return (lot._replace(quantity=part), *((rest,) if eighths < 8 else ()))

    rng = np.random.default_rng(seed)
    columns = rng.permutation(len(SYMBOLS))
    places = rng.permutation(len(case.books))
    scenarios = tuple(
        case.settings.scenario[place] for place in rng.permutation(len(case.settings.scenario))
    )
    pieces = [tuple(part for lot in book.lots for part in cut(lot)) for book in case.books]
    shuffled = tuple(
        replace(book, lots=tuple(lots[place] for place in rng.permutation(len(lots))))
        for book, lots in zip(case.books, pieces, strict=True)
    )
    numbers = measure_case(case)

    found = measure_case(
        case.changed(
            close=case.close[:, columns],
            symbols=tuple(SYMBOLS[column] for column in columns),
            actions=tuple(reversed(case.actions)),
            books=tuple(shuffled[place] for place in places),
            settings=structs.replace(case.settings, scenario=scenarios),
        )
    )

    assert_same(numbers, found.renamed(places))


@settings(max_examples=BOOK_EXAMPLES)
@given(cases, st.integers(0, 8), st.booleans())
def test_a_session_and_a_book_alone_have_the_numbers_that_they_have_among_others(
    case: Case, back: int, some_books
):
    entries = [min(lot.entry for lot in book.lots) for book in case.books]
    begun, oldest = min(entries), int(np.argmin(entries))
    wide = case.changed(rows=range(max(case.rows.stop - 9, begun), case.rows.stop))
    row = max(wide.rows.stop - 1 - back, wide.rows.start)
    numbers = measure_case(wide)

    planned = np.zeros((len(case.books), 1), dtype=bool)
    planned[oldest if some_books else slice(None)] = True
    alone = measure_case(wide.changed(rows=range(row, row + 1)), planned=planned)

    chosen = numbers.ordinal == row + case.first
    if some_books:
        chosen &= numbers.portfolio == oldest
    assert_same(numbers.where(chosen), alone)


@settings(max_examples=BOOK_EXAMPLES)
@given(seeds, st.sampled_from([505, 520]), st.sampled_from([0.0, 0.02]), st.integers(1, 40))
def test_prices_from_before_every_window_do_not_matter(
    seed: int, sessions: int, gaps: float, more: int
):
    case = random_case(seed, sessions=sessions + more + 3, gaps=gaps, rows=1)
    market = SYMBOLS.index("SPY")
    close = np.where(np.isnan(case.close), np.nan, case.close)
    close[:, market] = random_case(seed, sessions=sessions + more + 3).close[:, market]
    case = case.changed(close=close)
    numbers = measure_case(case)

    shift = _last_needed(case, more)
    begun = case.changed(
        close=case.close[shift:],
        first=case.first + shift,
        rows=range(case.rows.start - shift, case.rows.stop - shift),
        actions=tuple(
            one._replace(row=one.row - shift) for one in case.actions if one.row >= shift
        ),
        books=tuple(_earlier(book, shift) for book in case.books),
    )

    assert_same(numbers, measure_case(begun))


def _last_needed(case: Case, more: int) -> int:
    """Return how many sessions may be cut: not the last close of a symbol that has no later one."""
    observed = np.isfinite(case.close)
    last = np.where(observed.any(axis=0), len(case.close) - 1 - observed[::-1].argmax(axis=0), more)
    return int(min(more, last.min()))


def _earlier(book: Book, by: int) -> Book:
    flows = tuple((row - by, amount) for row, amount in book.flows)
    return replace(
        lots_changed(
            book,
            lambda lot: lot._replace(
                entry=lot.entry - by, exit=lot.exit if lot.exit == OPEN else lot.exit - by
            ),
        ),
        flows=flows,
    )


@settings(max_examples=BOOK_EXAMPLES)
@given(cases, st.sampled_from(HELD[:4]), st.sampled_from([2.0, 3.0, 0.1, 1.5]), st.integers(0, 80))
def test_a_split_with_consistent_prices_changes_no_number(
    case: Case, symbol: str, ratio: float, back: int
):
    column, row = SYMBOLS.index(symbol), max(1, len(case.close) - 1 - back)
    close = case.close.copy()
    close[row:, column] /= ratio
    actions = tuple(
        one._replace(value=one.value / ratio)
        if one.kind == "dividend" and one.symbol == symbol and one.row >= row
        else one
        for one in case.actions
    )

    def restated(lot: Lot) -> Lot:
        if lot.symbol != symbol:
            return lot
        if lot.entry >= row:
            lot = lot._replace(quantity=lot.quantity * ratio, price=lot.price / ratio)
        if lot.exit >= row:
            lot = lot._replace(proceeds=lot.proceeds / ratio)
        return lot

    numbers = measure_case(case)

    found = measure_case(
        case.changed(
            close=close,
            actions=(*actions, Action("split", row, symbol, ratio)),
            books=tuple(lots_changed(book, restated) for book in case.books),
        )
    )

    moved = tuple(f"positions.{symbol}.{what}" for what in ("quantity", "mark"))
    assert_same(numbers, found, without=moved)
    if moved[0] in numbers.names:
        after = np.where(numbers.ordinal - case.first >= row, ratio, 1.0)
        np.testing.assert_allclose(found[moved[0]], numbers[moved[0]] * after, rtol=1e-12)
        np.testing.assert_allclose(found[moved[1]], numbers[moved[1]] / after, rtol=1e-12)


@settings(max_examples=BOOK_EXAMPLES)
@given(cases, seeds)
def test_nothing_that_comes_later_changes_a_number(case: Case, seed: int):
    rng = np.random.default_rng(seed)
    last = case.rows.stop - 3  # of three rows, the numbers of the first are compared
    close = case.close.copy()
    after = close[last + 1 :]
    after *= rng.uniform(0.5, 2, after.shape)
    after[rng.random(after.shape) < 0.2] = np.nan
    later = (
        Action("split", last + 1, "AAA", 3.0),
        Action("dividend", last + 2, "SPY", 9.0),
        Action("spinoff", last + 2, "BBB", 1.4),
    )
    actions = (*(one for one in case.actions if one.row <= last), *later)

    def change(book: Book) -> Book:
        lots = tuple(
            lot._replace(exit=last + 1, proceeds=1.0) if lot.exit > last else lot
            for lot in book.lots
            if lot.entry <= last
        )
        flows = tuple(flow for flow in book.flows if flow[0] <= last)
        if not np.isnan(book.equity):
            flows += ((last + 2, 12_345.0),)
        return replace(book, lots=(*lots, Lot("DDD", 7.0, last + 1, 3.0)), flows=flows)

    numbers = measure_case(case)

    found = measure_case(
        case.changed(close=close, actions=actions, books=tuple(map(change, case.books)))
    )

    then = [one.where(one.ordinal == last + case.first) for one in (numbers, found)]
    assert_same(*then)


@settings(max_examples=BOOK_EXAMPLES)
@given(cases)
def test_money_of_two_books_together_is_the_sum_and_their_risk_no_more(case: Case):
    books = (*case.books, *case.books)[:2]
    books = tuple(replace(book, equity=1e6) for book in books)
    first = min(lot.entry for book in books for lot in book.lots)
    # All begin together, so that each has every cell.
    books = tuple(replace(book, lots=(*book.lots, Lot("AAA", 1.0, first, 50.0))) for book in books)
    joined = Book(
        lots=books[0].lots + books[1].lots, equity=2e6, flows=books[0].flows + books[1].flows
    )

    numbers = measure_case(case.changed(books=(*books, joined)))

    parts = [numbers.where(numbers.portfolio == place) for place in range(3)]
    additive = tuple(name for name in numbers.names if _adds_up(name))
    one, other, both = (money_of(part.ordered(additive), part) for part in parts)
    known = np.isfinite(one) & np.isfinite(other)
    assert np.isfinite(both[known]).all()
    wanted = np.where(known, one + other, np.nan)
    assert_close(additive, wanted, np.where(known, both, np.nan), sizes_of(parts[2]))
    for name in ("risk.es_95_money", "risk.es_99_money"):
        alone, beside, together = (part[name] for part in parts)
        rounding = 1e-9 * parts[2]["snapshot.gross"]
        assert not (together > alone + beside + rounding).any()


def _adds_up(name: str) -> bool:
    """Tell whether a number of two books together is the sum of theirs, in money."""
    if name.startswith("risk."):
        return name in {"risk.beta", "risk.beta_1y", "risk.rates_beta"}
    of_size = name.endswith((".gross", ".long_value", ".short_value", "flow"))
    return (is_money(name) and not of_size) or name.endswith((".weight", ".exposure", ".net"))


@settings(max_examples=BOOK_EXAMPLES)
@given(seeds, st.sampled_from(["market", "market_1y", "rates", "style", "spread"]))
def test_exposures_are_those_of_the_series_of_what_is_held(seed: int, model_name: str):
    case = random_case(seed, sessions=300, rows=1)
    model = case.settings.model(model_name)
    inputs, _ = inputs_of(case)
    factors = inputs.factors.returns[model_name][-model.window :]

    numbers = measure_case(case)

    returns = inputs.panel.marks.returns[-model.window :]
    for place in range(len(numbers.portfolio)):
        one = numbers.where(np.array([place]))
        values = [_held(one, symbol) for symbol in case.symbols]
        x = returns @ np.array(values)
        groups = [[k] for k in range(len(model.factors))]
        if model.estimator is not Estimator.OLS_EACH:
            groups = [list(range(len(model.factors)))]
        for group in groups:
            design = np.column_stack([np.ones(len(x)), factors[:, group]])
            wanted = np.linalg.lstsq(design, x, rcond=None)[0][1:]
            names = [f"factors.{model_name}.{model.factors[k].name}.money" for k in group]
            found = [one[name][0] for name in names]
            np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-9 * np.abs(values).sum())


def _held(numbers: Numbers, symbol: str) -> float:
    """Return what the only cell holds of a symbol."""
    name = f"positions.{symbol}.market_value"
    if name not in numbers.names or numbers.code(name)[0] != 0:
        return 0.0
    return float(numbers[name][0])
