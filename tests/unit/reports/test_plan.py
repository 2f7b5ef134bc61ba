from datetime import date, timedelta

from sqlalchemy import text
from tests.acceptance.world import FACTORS, LAST
from tests.unit.reports.worlds import MON, THU, TUE, WED, rules_of

from riskmark.domain.reasons import PlanReason
from riskmark.reports.documents import to_json
from riskmark.reports.plan import SESSIONS_BEFORE, load_plan_report
from riskmark.storage.aliases import rename

ENTRY = date(2025, 11, 3)


def plan_of(world, **how):
    rules = how.pop("rules", None) or rules_of(world)
    with world.app.database.read() as connection:
        return load_plan_report(connection, rules=rules, **how)


def ranges(found):
    return {one.symbol: (one.first, one.last) for one in found.symbols}


def test_a_new_portfolio_is_planned_from_its_first_session(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), MON)

    found = plan_of(world)

    assert [(cell.name, cell.session, cell.reason) for cell in found.cells] == [
        ("book", day, PlanReason.NEW) for day in (MON, TUE, WED, THU)
    ]


def test_a_current_portfolio_needs_nothing(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), MON)
    world.run()

    found = plan_of(world)

    assert (found.cells, found.symbols, found.settled) == ((), (), 1)


def test_prices_are_needed_from_the_windows_before_the_first_entry(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), ENTRY)

    found = plan_of(world)

    first = world.calendar.on_or_after(ENTRY) - SESSIONS_BEFORE
    span = (world.calendar.sessions[first], LAST)
    assert ranges(found) == dict.fromkeys(("AAA", *FACTORS), span)


def test_prices_of_what_was_sold_are_needed_to_the_exit(world):
    world.add_prices("AAA", "BBB")
    world.add_book("book", ("AAA", "BBB"), ENTRY)
    with world.app.database.write() as connection:
        editor = world.editor(connection, "book")
        lot = connection.execute(
            text(
                "SELECT l.id FROM lot l JOIN instrument i ON i.id = l.instrument_id "
                "WHERE i.symbol = 'AAA'"
            )
        ).scalar_one()
        editor.close_lot(lot, day=MON, price=100)
        editor.finish()

    found = ranges(plan_of(world))

    assert (found["AAA"][1], found["BBB"][1]) == (MON, LAST)


def test_a_factor_that_was_renamed_is_asked_for_under_its_present_symbol(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), MON)
    with world.app.database.write() as connection:
        rename(connection, "SPY", "SPYX", MON, calendar=world.calendar, at=world.app.clock.now())

    found = ranges(plan_of(world))

    assert "SPYX" in found
    assert "SPY" not in found


def test_a_private_asset_needs_no_prices(world):
    world.add_book("book", ("HOUSE",), MON)
    with world.app.database.write() as connection:
        connection.execute(text("UPDATE instrument SET kind = 'private' WHERE symbol = 'HOUSE'"))

    found = plan_of(world)

    assert set(ranges(found)) == set(FACTORS)


def test_a_portfolio_out_of_scope_is_neither_planned_nor_asked_for(world):
    world.add_prices("AAA", "BBB")
    wanted = world.add_book("wanted", ("AAA",), MON)
    world.add_book("other", ("BBB",), MON)

    found = plan_of(world, scope=[wanted])

    assert {cell.name for cell in found.cells} == {"wanted"}
    assert "BBB" not in ranges(found)


def test_a_session_that_should_not_exist_is_planned_as_surplus(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), MON)
    world.run()
    with world.app.database.write() as connection:
        editor = world.editor(connection, "book")
        lot = connection.execute(text("SELECT id FROM lot")).scalar_one()
        editor.replace_lot(lot, world.lot("AAA", WED))
        editor.finish()

    found = plan_of(world)

    assert [(cell.session, cell.reason) for cell in found.cells] == [
        (MON, PlanReason.SURPLUS),
        (TUE, PlanReason.SURPLUS),
        (WED, PlanReason.HOLDINGS),
        (THU, PlanReason.HOLDINGS),
    ]


def test_force_plans_what_is_up_to_date(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), MON)
    world.run()

    found = plan_of(world, force=True, from_session=WED)

    assert [(cell.session, cell.reason) for cell in found.cells] == [
        (WED, PlanReason.FORCED),
        (THU, PlanReason.FORCED),
    ]


def test_the_document_has_the_names_of_the_interface(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), THU)

    document = plan_of(world).document()

    assert document["target"] == LAST
    (cell,) = document["cells"]
    assert (cell["portfolio"], cell["session"], cell["reason"]) == ("book", THU, "new")
    assert {one["symbol"] for one in document["symbols"]} == {"AAA", *FACTORS}
    assert document["symbols"][0].keys() == {"symbol", "from", "to"}
    assert f'"session": "{THU}"' in to_json(document)


def test_a_plan_changes_nothing(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), LAST - timedelta(days=30))
    before = world.rows("SELECT revision FROM input_clock"), world.rows("SELECT id FROM run")

    plan_of(world)

    after = world.rows("SELECT revision FROM input_clock"), world.rows("SELECT id FROM run")
    assert after == before
