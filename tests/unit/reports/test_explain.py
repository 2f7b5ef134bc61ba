"""Why numbers changed, one cause at a time: each shows in its own part and in no other."""

from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from tests.unit.reports.worlds import MON, THU, TUE, WED

from riskmark.domain.portfolio import Lot
from riskmark.errors import InputError
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.reports.explain import NUMBERS, NotExplained, load_explanation
from riskmark.reports.snapshot import NotValued
from riskmark.storage import books
from riskmark.storage.instruments import guess_kind
from riskmark.storage.positions import Positions, add_lots


def explain(world, name="book", **how):
    with world.app.database.read() as connection:
        return load_explanation(
            connection,
            world.app.principal,
            name,
            calendar=world.calendar,
            settings=world.app.settings,
            **how,
        )


def numbers(found):
    return {line.name: line for line in found.numbers}


def values(line):
    return {name: part.value for name, part in line.parts.items()}


def edit(world, change):
    with world.app.database.write() as connection:
        editor = world.editor(connection, "book")
        change(editor, connection)
        editor.finish()


def buy(world, symbol, session, *, quantity, price=None):
    close = Decimal(str(world.closes(symbol)[session] if price is None else price))

    def add(editor, connection):
        portfolio = books.find_portfolio(connection, world.app.principal, "book")
        lot = Lot(symbol, Decimal(quantity), session, close)
        hint = InstrumentHint(symbol, guess_kind(symbol), None)
        add_lots(connection, editor, Positions((lot,), (hint,)), portfolio)

    edit(world, add)


def returns(world, symbol, until, n):
    closes = [close for day, close in world.closes(symbol).items() if day <= until]
    return np.array([after / before - 1 for before, after in pairwise(closes)])[-n:]


@pytest.fixture
def book(world):
    world.add_prices("AAA", "BBB")
    world.add_book("book", ("AAA", "BBB"), MON)
    world.run()
    return world


def test_without_sessions_it_is_the_last_two(book):
    found = explain(book)

    assert (found.first, found.last, found.sessions) == (WED, THU, 1)
    assert [line.name for line in found.numbers] == list(NUMBERS)
    assert [line.name for line in found.factors][:2] == ["Market", "Value"]


def test_where_nobody_traded_prices_and_the_window_are_all(book):
    found = explain(book, first=TUE)

    nav = numbers(found)["nav"]
    assert values(nav)["prices"] == nav.change != 0
    for line in (*found.numbers[1:], *found.factors):
        own = values(line)
        assert own["flows"] == own["trades"] == own["restatements"] == 0.0
        assert own["prices"] + own["window"] == pytest.approx(line.change, rel=1e-9)
    assert values(numbers(found)["beta"])["window"] != 0.0


def test_a_deposit_dilutes_and_is_no_trade(book):
    edit(book, lambda editor, _: editor.add_flow(THU, Decimal(50_000)))
    book.run()

    found = numbers(explain(book))

    before = found["nav"].start.value
    diluted = before / (before + 50_000) - 1
    assert values(found["nav"])["flows"] == pytest.approx(50_000)
    for name in ("beta", "vol_63", "var_95"):
        line = found[name]
        assert values(line)["flows"] == pytest.approx(diluted * line.start.value, rel=1e-9)
        assert values(line)["trades"] == 0.0


def test_a_purchase_at_the_close_moves_risk_and_no_money(book):
    buy(book, "SPY", THU, quantity=200)
    book.run()

    found = numbers(explain(book))

    nav = found["nav"]
    bought = 200 * book.closes("SPY")[WED] / nav.start.value
    assert values(nav)["trades"] == pytest.approx(0.0, abs=1e-6)
    assert values(found["beta"])["trades"] == pytest.approx(bought, rel=1e-9)


def test_a_purchase_below_the_close_gains_by_trading(book):
    buy(book, "SPY", THU, quantity=100, price=round(book.closes("SPY")[THU] - 2, 4))
    book.run()

    nav = numbers(explain(book))["nav"]

    assert values(nav)["trades"] == pytest.approx(200.0, abs=1e-2)


def test_a_sale_above_the_close_gains_by_trading_and_the_rest_by_prices(book):
    sold = round(book.closes("AAA")[THU] + 1, 4)
    (lot,) = book.rows(
        "SELECT l.id FROM lot l JOIN instrument i ON i.id = l.instrument_id WHERE i.symbol = 'AAA'"
    )
    edit(book, lambda editor, _: editor.close_lot(lot[0], day=THU, price=Decimal(str(sold))))
    book.run()

    nav = numbers(explain(book))["nav"]

    moved = sum(10 * (book.closes(name)[THU] - book.closes(name)[WED]) for name in ("AAA", "BBB"))
    assert values(nav)["trades"] == pytest.approx(10.0, abs=1e-6)
    assert values(nav)["prices"] == pytest.approx(moved, abs=1e-6)


def test_a_dividend_is_income_and_the_fall_of_the_price_is_prices(book):
    book.add_action("AAA", THU, "dividend", 1.5)
    book.run()

    nav = numbers(explain(book))["nav"]

    assert values(nav)["income"] == pytest.approx(15.0)
    assert sum(values(nav).values()) == pytest.approx(nav.change)


def test_a_split_is_no_trade(world):
    halved = {day: close / 2 for day, close in world.closes("AAA").items() if day >= WED}
    world.add_prices("AAA")
    world.add_action("AAA", WED, "split", 2.0)
    world.add_bars("AAA", halved)
    world.add_book("book", ("AAA",), MON, quantity=100)
    world.run()

    found = explain(world, first=TUE, last=WED)

    assert {values(line)["trades"] for line in (*found.numbers, *found.factors)} == {0.0}
    nav = numbers(found)["nav"]
    assert values(nav)["prices"] == pytest.approx(nav.change)


def test_a_correction_that_is_not_computed_yet_is_a_restatement(book):
    book.add_bars("AAA", {WED: book.closes("AAA")[WED] * 1.01})

    found = explain(book)

    lines = numbers(found)
    moved = 0.01 * 10 * book.closes("AAA")[WED]
    assert values(lines["nav"])["restatements"] == pytest.approx(moved, rel=1e-6)
    assert values(lines["beta"])["restatements"] != 0.0
    for line in (*found.numbers, *found.factors):
        assert sum(values(line).values()) == pytest.approx(line.change, rel=1e-9, abs=1e-9)


def test_after_a_run_nothing_is_restated(book):
    book.add_bars("AAA", {WED: book.closes("AAA")[WED] * 1.01})
    book.run()

    found = explain(book)

    assert {values(line)["restatements"] for line in found.numbers} == {0.0}


def test_leaving_and_entering_are_those_of_plain_standard_deviations(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), MON, quantity=100, equity=None)
    world.run()

    line = numbers(explain(world))["vol_63"]

    # All of NAV is in AAA, so x is the return of AAA.
    old, new = returns(world, "AAA", WED, 63), returns(world, "AAA", THU, 63)
    year = np.sqrt(252)
    left = old[1:].std(ddof=1) * year
    assert line.start.value == pytest.approx(old.std(ddof=1) * year)
    assert line.causes["leaving"].value == pytest.approx(left - line.start.value)
    assert line.causes["entering"].value == pytest.approx(new.std(ddof=1) * year - left)


def test_a_number_that_one_session_lacks_has_no_change_and_says_which(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), MON, equity=None)
    (lot,) = world.rows("SELECT id FROM lot")
    edit(world, lambda editor, _: editor.close_lot(lot[0], day=THU, price=Decimal(100)))
    world.run()

    found = explain(world)

    beta = found.document()["numbers"]["beta"]
    assert (beta["to"], beta["change"], beta["null_side"]) == (None, None, "to")
    assert set(beta["parts"].values()) == {None}
    nulls = found.document()["nulls"]
    assert nulls["numbers.beta.to"] == nulls["numbers.beta.change"] == "no_holdings"
    assert nulls["numbers.beta.parts.window"] == "no_holdings"
    nav = numbers(found)["nav"]
    assert sum(values(nav).values()) == pytest.approx(nav.change)


def test_every_null_of_the_document_has_a_reason(book):
    found = explain(book, first=MON)

    document = found.document()
    named = set(document["nulls"])
    for section, lines in (
        ("numbers", document["numbers"]),
        ("factors", {one["factor"]: one for one in document["factors"]["lines"]}),
    ):
        for name, line in lines.items():
            leaves = {key: line[key] for key in ("from", "to", "change")}
            leaves |= {f"parts.{key}": value for key, value in line["parts"].items()}
            leaves |= {f"window.{key}": value for key, value in line.get("window", {}).items()}
            for leaf, value in leaves.items():
                assert (value is None) == (f"{section}.{name}.{leaf}" in named), (name, leaf)


def test_sessions_that_cannot_be_compared_are_refused(book):
    with pytest.raises(InputError, match="from a session to a later one"):
        explain(book, first=THU, last=WED)
    with pytest.raises(InputError, match="is not before"):
        explain(book, first=THU)
    with pytest.raises(InputError, match="nothing to compare it with"):
        explain(book, last=MON)
    with pytest.raises(NotValued, match="no snapshot of 2025-01-02"):
        explain(book, first=MON.replace(year=2025, day=2))


def test_a_portfolio_that_was_never_valued_says_so(world):
    world.add_book("book", ("AAA",), MON)

    with pytest.raises(NotValued, match="has not been valued yet"):
        explain(world)


def test_a_book_that_begins_later_now_says_so(book):
    for (lot,) in book.rows("SELECT id FROM lot"):
        edit(book, lambda editor, _, lot=lot: editor.delete_lot(lot))
    buy(book, "AAA", THU, quantity=5)

    with pytest.raises(NotExplained, match="begins after 2026-01-07 now"):
        explain(book)
