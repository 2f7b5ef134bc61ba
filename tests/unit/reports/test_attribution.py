"""Where P&L came from, in a small world: ranges, holes, and what cannot be explained."""

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
from tests.acceptance.parts import assert_explained, explain
from tests.acceptance.test_risk_inputs import bring_factors
from tests.unit.reports.worlds import MON, THU, TUE, WED

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.portfolio import Lot
from riskmark.errors import InputError
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.reports.attribution import load_attribution
from riskmark.reports.snapshot import NotValued
from riskmark.reports.ways import By
from riskmark.storage import books
from riskmark.storage.positions import Positions, add_lots
from riskmark.storage.symbols import value_private


def attribution(world, name="book", **how):
    with world.app.database.read() as connection:
        return load_attribution(
            connection,
            world.app.principal,
            name,
            calendar=world.calendar,
            settings=world.app.settings,
            **how,
        )


def stored(world, *names):
    listed = ", ".join(f"s.{name}" for name in names)
    return world.rows(
        f"SELECT {listed} FROM snapshot s JOIN portfolio p ON p.id = s.portfolio_id "
        "WHERE p.name = 'book' ORDER BY s.session"
    )


def parts(found):
    by = found.by_factor
    return [line.pnl for line in by.factors] + [
        by.specific,
        by.excluded,
        by.beyond_delta,
        by.trading,
        by.unexplained,
    ]


def add_private(world, symbol, session, *, price, kind=InstrumentKind.PRIVATE):
    lot = Lot(symbol, Decimal(1), session, Decimal(price))
    with world.app.database.write() as connection:
        editor = world.editor(connection, "book")
        portfolio = books.find_portfolio(connection, world.app.principal, "book")
        add_lots(connection, editor, Positions((lot,), (InstrumentHint(symbol, kind),)), portfolio)
        editor.finish()


@pytest.fixture
def book(world):
    world.add_prices("AAA", "BBB")
    world.add_book("book", ("AAA", "BBB"), MON)
    world.run()
    return world


def test_without_a_range_it_is_the_newest_session(book):
    found = attribution(book)

    assert (found.first, found.last, found.sessions) == (THU, THU, 1)
    assert found.pnl == stored(book, "pnl")[-1][0]
    assert sum(line.pnl for line in found.positions) == pytest.approx(found.pnl, rel=1e-9)
    assert sum(line.pnl for line in found.sectors) == pytest.approx(found.pnl, rel=1e-9)
    assert sum(parts(found)) == pytest.approx(found.pnl, rel=1e-9)


def test_a_factor_of_one_session_has_the_stored_exposure_and_its_return(book):
    found = attribution(book, session=WED)

    spy = book.closes("SPY")
    ((money,),) = book.rows(
        "SELECT money FROM factor_exposure WHERE model = 'style' AND factor = 'Market' "
        "AND session = ?",
        TUE.isoformat() if book.app.database.is_sqlite else TUE,
    )
    line = found.by_factor.factors[0]
    assert line.exposure == pytest.approx(money)
    assert line.factor_return == pytest.approx(spy[WED] / spy[TUE] - 1)
    assert line.pnl == pytest.approx(money * (spy[WED] / spy[TUE] - 1))


def test_a_range_has_both_its_ends_and_sums_the_sessions(book):
    found = attribution(book, first=TUE, last=WED)

    each = [attribution(book, session=day) for day in (TUE, WED)]
    assert found.sessions == 2
    assert found.pnl == pytest.approx(sum(one.pnl for one in each))
    both = zip(*map(parts, each), strict=True)
    assert parts(found) == pytest.approx([sum(pair) for pair in both])


def test_gains_since_the_start_are_those_that_are_stored(book):
    found = attribution(book, first=MON)

    realized, unrealized, income = stored(book, "cum_realized", "cum_unrealized", "cum_income")[-1]
    assert (found.realized, found.unrealized) == (realized, unrealized)
    assert found.income == income
    assert found.realized + found.unrealized + found.income == pytest.approx(found.pnl)


def test_on_the_first_session_all_pnl_is_trading(book):
    found = attribution(book, session=MON)

    assert found.by_factor.trading == pytest.approx(found.pnl)
    assert {line.pnl for line in found.by_factor.factors} == {0.0}
    assert found.document()["nulls"]["factors.Market.exposure"] == "first_session"


def test_a_private_asset_is_excluded_and_no_trading(book):
    add_private(book, "HOUSE", TUE, price=5_000)
    with book.app.database.write() as connection:
        for day, price in ((TUE, 5_000), (THU, 5_750)):
            value_private(
                connection,
                "HOUSE",
                day,
                Decimal(price),
                calendar=book.calendar,
                at=book.app.clock.now(),
            )
    book.run()

    found = attribution(book, first=WED)

    assert found.by_factor.excluded == pytest.approx(750)
    assert found.by_factor.trading == pytest.approx(0, abs=1e-6)
    assert sum(parts(found)) == pytest.approx(found.pnl, rel=1e-9)


def test_what_has_no_price_is_excluded_when_it_gets_one(book):
    add_private(book, "NEW", TUE, price=90, kind=InstrumentKind.STOCK)
    book.run()
    book.add_bars("NEW", {THU: 100.0})
    book.run()

    found = attribution(book, session=THU)

    assert found.by_factor.excluded == pytest.approx(10)
    assert found.by_factor.trading == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("model", ["market", "spread", "ridge", "ff5m"])
def test_other_models_sum_too(book, model):
    bring_factors(book)
    book.run()
    book.app = replace(
        book.app,
        loaded=replace(
            book.app.loaded,
            settings=msgspec.structs.replace(book.app.settings, default_model=model),
        ),
    )

    found = attribution(book, first=MON)

    assert found.by_factor.model == model
    assert found.by_factor.reasons == ()
    assert sum(parts(found)) == pytest.approx(found.pnl, rel=1e-9)
    changed = explain(book, "book", first=MON, last=THU)
    assert changed.model == model
    assert all(line.change is not None for line in changed.factors)
    assert_explained(changed, size=found.pnl)


def test_a_hole_is_counted_and_the_session_after_it_is_unexplained(book):
    with book.app.database.write() as connection:
        for table in ("snapshot", "cell_pack"):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE session = '{TUE}'")

    found = attribution(book, first=MON)

    assert (found.sessions, found.missing) == (3, 1)
    assert [one.reason for one in found.by_factor.reasons] == ["not_computed_yet"]
    assert (found.realized, found.unrealized) == (None, None)
    assert found.document()["nulls"]["realized"] == "not_computed_yet"
    assert sum(parts(found)) == pytest.approx(found.pnl, rel=1e-9)


def test_one_way_leaves_the_others_out_of_the_document(book):
    found = attribution(book)

    assert found.document(By.SECTOR).keys() & {"positions", "sectors", "factors"} == {"sectors"}
    assert found.document().keys() >= {"positions", "sectors", "factors"}


def test_ranges_that_cannot_be_are_refused(book):
    with pytest.raises(InputError, match="stands alone"):
        attribution(book, session=TUE, first=TUE)
    with pytest.raises(InputError, match="before it begins"):
        attribution(book, first=WED, last=TUE)
    with pytest.raises(InputError, match="has no snapshot to 2025-01-02"):
        attribution(book, last=MON.replace(year=2025, day=2))
    with pytest.raises(NotValued, match="no snapshot of 2025"):
        attribution(book, session=MON.replace(year=2025))


def test_a_portfolio_that_was_never_valued_says_so(world):
    world.add_book("book", ("AAA",), MON)

    with pytest.raises(NotValued, match="has not been valued yet"):
        attribution(world)
