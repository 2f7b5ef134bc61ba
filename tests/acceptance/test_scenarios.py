"""The acceptance scenarios of the product, on both databases."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from sqlalchemy import text
from tests.acceptance.world import FACTORS, World, assert_equal_results

from riskmark.domain.reasons import RunStatus, Source
from riskmark.storage import books, symbols

JAN_5, JAN_6, JAN_7, JAN_8 = (date(2026, 1, day) for day in (5, 6, 7, 8))
THIRTEEN = tuple(f"S{number:02d}" for number in range(13))
FIRST_ENTRY = date(2025, 12, 1)


@pytest.mark.parametrize("source", [Source.CLI, Source.ONBOARDING, Source.CRON, Source.ADMIN])
def test_every_source_computes_the_same_numbers_for_every_symbol(world: World, source: Source):
    world.add_prices(*FACTORS, *THIRTEEN[:5])
    world.add_book("book", THIRTEEN, FIRST_ENTRY)
    world.add_prices(*THIRTEEN[5:])

    world.run("book", source=source)

    universe = {row[0] for row in world.rows("SELECT symbol FROM instrument")}
    fitted = world.rows(
        "SELECT DISTINCT i.symbol FROM symbol_fit f JOIN instrument i ON i.id = f.instrument_id "
        "WHERE f.model = 'style' AND f.beta IS NOT NULL"
    )
    exposures = world.rows("SELECT exposure FROM factor_exposure WHERE model <> 'ff5m'")
    sources = world.rows("SELECT source, status FROM run")
    assert universe >= set(THIRTEEN)
    assert {row[0] for row in fitted} >= set(THIRTEEN)
    assert len(exposures) == 20 * len(world.sessions(FIRST_ENTRY, JAN_8))
    assert all(exposure is not None for (exposure,) in exposures)
    assert sources == [(source.value, "succeeded")]


def test_a_scoped_run_and_a_run_of_all_give_equal_rows(world: World):
    world.add_prices(*FACTORS, *THIRTEEN)
    world.add_book("one", THIRTEEN[:7], FIRST_ENTRY)
    world.add_book("other", THIRTEEN[5:], date(2025, 12, 20), equity=None)
    world.run("one")
    world.run("other")
    scoped = world.dump()

    world.run(force=True)

    assert_equal_results(scoped, world.dump())


def _thirteen_books(world: World) -> None:
    """Eleven books valued to January 5, one to the 6th, one to the 7th."""
    world.at(JAN_7)
    world.add_prices(*FACTORS, *THIRTEEN, last=JAN_7)
    for number in range(13):
        world.add_book(f"book {number:02d}", THIRTEEN[number:] or THIRTEEN, FIRST_ENTRY)
    world.run(as_of=JAN_5)
    world.run("book 11", as_of=JAN_6)
    world.run("book 12", as_of=JAN_7)


def test_the_nightly_run_computes_exactly_what_each_portfolio_lacks(world: World):
    _thirteen_books(world)
    world.add_book("never valued", THIRTEEN[:3], date(2026, 1, 2))
    world.add_book("deleted", THIRTEEN[:3], FIRST_ENTRY)
    world.run("deleted", as_of=JAN_5)
    world.add_book("hole", THIRTEEN[:3], FIRST_ENTRY)
    world.run("hole", as_of=JAN_7)
    with world.app.database.write() as connection:
        books.delete_portfolio(connection, world.app.principal, "deleted", at=world.app.clock.now())
        connection.execute(
            text(
                "DELETE FROM snapshot WHERE session = :day AND portfolio_id = "
                "(SELECT id FROM portfolio WHERE name = 'hole')"
            ),
            {"day": date(2025, 12, 10) if not world.app.database.is_sqlite else "2025-12-10"},
        )
    deleted_before = world.stored_sessions("deleted")
    world.at(JAN_8)
    world.add_prices(*FACTORS, *THIRTEEN, first=JAN_8)

    result = world.run(source=Source.CRON)

    every = world.sessions(FIRST_ENTRY, JAN_8)
    computed = 11 * 3 + 2 + 1 + 5 + 2
    assert result.status is RunStatus.SUCCEEDED
    assert result.cells.planned == result.cells.computed == computed
    for number in range(13):
        assert world.stored_sessions(f"book {number:02d}") == every
    assert world.stored_sessions("never valued") == world.sessions(date(2026, 1, 2), JAN_8)
    assert world.stored_sessions("hole") == every
    assert world.stored_sessions("deleted") == deleted_before


def test_a_night_with_an_outage_is_made_up_by_the_next_run(world: World):
    world.at(JAN_5)
    world.add_prices(*FACTORS, *THIRTEEN, last=JAN_5)
    world.add_book("book", THIRTEEN, FIRST_ENTRY)
    world.run()
    world.at(JAN_8)
    without_prices = world.run()
    world.add_prices(*FACTORS, *THIRTEEN, first=JAN_6)

    made_up = world.run()

    states = world.rows("SELECT session, state FROM snapshot ORDER BY session")
    assert without_prices.status is RunStatus.PARTIAL
    assert without_prices.cells.partial == 3
    assert made_up.cells.complete == 3
    assert {state for _, state in states} == {"complete"}


def test_the_same_night_twice_computes_nothing_and_says_so(world: World):
    world.add_prices(*FACTORS, *THIRTEEN)
    world.add_book("book", THIRTEEN, FIRST_ENTRY)
    world.run()
    before = world.dump()

    again = world.run()

    said = world.rows("SELECT message FROM run_event ORDER BY id")
    assert again.status is RunStatus.SUCCEEDED
    assert again.cells.planned == again.cells.computed == 0
    assert any("nothing to compute" in row[0] for row in said)
    assert world.dump() == before


def test_a_corrected_price_recomputes_its_holders_from_that_session_on(world: World):
    world.add_prices(*FACTORS, *THIRTEEN)
    world.add_book("holder", THIRTEEN[:2], FIRST_ENTRY)
    world.add_book("later", THIRTEEN[:2], date(2026, 1, 2))
    world.add_book("other", THIRTEEN[2:4], FIRST_ENTRY)
    world.run()
    corrected = date(2025, 12, 15)
    price = world.closes(THIRTEEN[0])[corrected] * 1.02
    world.add_bars(THIRTEEN[0], {corrected: round(price, 4)})

    result = world.run()

    restated = world.rows(
        "SELECT p.name, MIN(r.session), MAX(r.reason) FROM restatement r "
        "JOIN portfolio p ON p.id = r.portfolio_id GROUP BY p.name"
    )
    expected = len(world.sessions(corrected, JAN_8)) + len(world.sessions(date(2026, 1, 2), JAN_8))
    assert result.cells.computed == expected
    assert [(name, str(day), reason) for name, day, reason in restated if name == "holder"] == [
        ("holder", "2025-12-15", "price")
    ]
    assert "other" not in {row[0] for row in restated}


def test_a_correction_is_not_forgotten_by_a_run_as_of_an_earlier_session(world: World):
    world.add_prices(*FACTORS, *THIRTEEN[:2])
    world.add_book("book", THIRTEEN[:2], FIRST_ENTRY)
    world.run()
    world.add_bars("S00", {JAN_7: round(world.closes("S00")[JAN_7] * 1.02, 4)})

    earlier = world.run(as_of=JAN_5)
    forced = world.run(as_of=JAN_5, force=True)
    full = world.run()

    assert earlier.cells.computed == 0
    assert forced.cells.computed == len(world.sessions(FIRST_ENTRY, JAN_5))
    assert full.cells.computed == len(world.sessions(JAN_7, JAN_8))


def test_a_late_split_recomputes_and_leaves_the_value_as_it_was(world: World):
    split_day = _quiet_session(world, THIRTEEN[0])
    world.add_prices(*FACTORS, *THIRTEEN[1:])
    halved = {
        day: close / 2 if day >= split_day else close
        for day, close in world.closes(THIRTEEN[0]).items()
    }
    world.add_bars(THIRTEEN[0], halved)
    world.add_book("book", THIRTEEN[:2], FIRST_ENTRY)
    first = world.run()
    world.add_action(THIRTEEN[0], split_day, "split", 2.0)

    second = world.run()

    states = {row[0] for row in world.rows("SELECT DISTINCT state FROM snapshot")}
    navs = world.rows("SELECT session, nav FROM snapshot ORDER BY session")
    twin = _value_without_split(world)
    assert first.status is RunStatus.PARTIAL
    assert second.status is RunStatus.SUCCEEDED
    assert second.cells.computed == len(world.sessions(split_day, JAN_8))
    assert states == {"complete"}
    assert [nav for _, nav in navs] == pytest.approx(twin, rel=1e-12)


def _quiet_session(world: World, symbol: str) -> date:
    """Return a session on which the close hardly moved, so that a halving looks like a split."""
    closes = world.closes(symbol)
    days = world.sessions(date(2025, 12, 8), JAN_8)
    return next(
        day for before, day in pairwise(days) if abs(closes[day] / closes[before] - 1) < 0.01
    )


def _value_without_split(world: World) -> list[float]:
    days = world.sessions(FIRST_ENTRY, JAN_8)
    lots = [world.lot(symbol, FIRST_ENTRY) for symbol in THIRTEEN[:2]]
    cost = sum(float(lot.quantity * lot.entry_price) for lot in lots)
    return [
        100_000 - cost + sum(10 * world.closes(lot.symbol)[day] for lot in lots) for day in days
    ]


def test_a_late_dividend_is_income_from_its_ex_date_on(world: World):
    world.add_prices(*FACTORS, *THIRTEEN[:2])
    world.add_book("book", THIRTEEN[:2], FIRST_ENTRY)
    world.run()
    world.add_action(THIRTEEN[0], date(2025, 12, 20), "dividend", 1.5)

    result = world.run()

    paid = world.rows("SELECT session, income FROM snapshot WHERE income <> 0")
    assert result.cells.computed == len(world.sessions(date(2025, 12, 22), JAN_8))
    assert [(str(day), income) for day, income in paid] == [("2025-12-22", 15.0)]


def test_a_lot_with_a_past_date_is_in_the_history_and_its_deletion_takes_it_out(world: World):
    world.add_prices(*FACTORS, *THIRTEEN[:3])
    world.add_book("book", THIRTEEN[:2], FIRST_ENTRY)
    world.run()
    untouched = world.dump()
    earlier = date(2025, 11, 17)
    with world.app.database.write() as connection:
        found = world.rows("SELECT id FROM instrument WHERE symbol = 'S00'")
        ids = {THIRTEEN[0]: found[0][0]}
        editor = world.editor(connection, "book")
        (lot,) = editor.add_lots([world.lot(THIRTEEN[0], earlier)], ids)
        editor.finish()
    added = world.run()
    after_addition = world.stored_sessions("book")
    with world.app.database.write() as connection:
        editor = world.editor(connection, "book")
        editor.delete_lot(str(lot.lot_id))
        editor.finish()

    deleted = world.run()

    assert added.cells.computed == len(world.sessions(earlier, JAN_8))
    assert after_addition == world.sessions(earlier, JAN_8)
    assert deleted.cells.deleted == len(world.sessions(earlier, FIRST_ENTRY)) - 1
    assert_equal_results(untouched, world.dump())


def test_a_partial_close_touches_only_sessions_from_the_exit_on(world: World):
    world.add_prices(*FACTORS, *THIRTEEN[:2])
    world.add_book("book", THIRTEEN[:2], FIRST_ENTRY)
    world.run()
    (lot_id,) = world.rows(
        "SELECT l.id FROM lot l JOIN instrument i ON i.id = l.instrument_id WHERE i.symbol = 'S00'"
    )[0]
    with world.app.database.write() as connection:
        editor = world.editor(connection, "book")
        editor.close_lot(
            lot_id, day=date(2025, 12, 20), price=Decimal("101.5"), quantity=Decimal(4)
        )
        editor.finish()

    result = world.run()

    held = world.rows(
        "SELECT v.session, v.quantity FROM position_value v JOIN instrument i "
        "ON i.id = v.instrument_id WHERE i.symbol = 'S00' ORDER BY v.session"
    )
    quantities = {str(day): quantity for day, quantity in held}
    assert result.cells.computed == len(world.sessions(date(2025, 12, 22), JAN_8))
    assert quantities["2025-12-19"] == 10.0
    assert quantities["2025-12-22"] == 6.0


def test_an_accepted_symbol_no_longer_makes_snapshots_partial(world: World):
    world.add_prices(*FACTORS, THIRTEEN[0])
    world.add_book("book", (THIRTEEN[0], "NOBODY"), FIRST_ENTRY)
    first = world.run()
    with world.app.database.write() as connection:
        symbols.accept(connection, "NOBODY", "a fund without prices", at=world.app.clock.now())

    second = world.run()

    sessions = len(world.sessions(FIRST_ENTRY, JAN_8))
    states = world.rows("SELECT state, reasons FROM snapshot")
    assert (first.status, first.cells.partial) == (RunStatus.PARTIAL, sessions)
    assert (second.status, second.cells.complete) == (RunStatus.SUCCEEDED, sessions)
    assert {state for state, _ in states} == {"complete"}
    assert all('"accepted": true' in reasons for _, reasons in states)


def test_a_portfolio_without_a_progress_row_is_planned_and_gets_one(world: World):
    world.add_prices(*FACTORS, *THIRTEEN[:2])
    world.add_book("book", THIRTEEN[:2], FIRST_ENTRY)
    world.run()
    with world.app.database.write() as connection:
        connection.execute(text("DELETE FROM portfolio_progress"))
        connection.execute(text("DELETE FROM snapshot WHERE session > '2025-12-31'"))

    result = world.run()

    every = world.sessions(FIRST_ENTRY, JAN_8)
    rows = world.rows("SELECT snapshots FROM portfolio_progress")
    assert result.status is RunStatus.SUCCEEDED
    assert world.stored_sessions("book") == every
    assert rows == [(len(every),)]
    assert world.run().cells.planned == 0
