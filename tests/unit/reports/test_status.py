from datetime import date

from sqlalchemy import insert
from tests.acceptance.world import LAST
from tests.unit.reports.worlds import MON, THU, TUE, WED, rules_of

from riskmark.domain.reasons import PlanReason, PortfolioState
from riskmark.engine.version import ENGINE_VERSION
from riskmark.reports.documents import to_json
from riskmark.reports.status import load_status
from riskmark.storage import schema
from riskmark.storage.books import Principal
from riskmark.storage.symbols import accept

ENTRY = date(2025, 12, 22)


def status_of(world, rules=None, **how):
    with world.app.database.read() as connection:
        return load_status(connection, world.app.principal, rules=rules or rules_of(world), **how)


def only(world, **how):
    (line,) = status_of(world, **how).portfolios
    return line


def valued(world, name="book", symbols=("AAA",), entry=ENTRY):
    world.add_prices(*symbols)
    world.add_book(name, symbols, entry)
    world.run()


def test_a_portfolio_with_every_session_is_current(world):
    valued(world)

    line = only(world)

    assert line.state is PortfolioState.CURRENT
    assert (line.first_session, line.valued_through) == (ENTRY, LAST)
    assert (line.missing, line.stale, line.partial, line.rebuilding) == (0, 0, 0, 0)


def test_a_portfolio_that_was_never_valued_lacks_every_session(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), MON)

    line = only(world)

    assert line.state is PortfolioState.BEHIND
    assert line.valued_through is None
    assert (line.missing, line.causes) == (4, {PlanReason.NEW: 4})


def test_a_portfolio_without_lots_is_empty_and_behind_nothing(world):
    valued(world)
    world.add_book("nothing", (), ENTRY)

    found = status_of(world)

    assert [line.state for line in found.portfolios] == [
        PortfolioState.EMPTY,
        PortfolioState.CURRENT,
    ]
    assert found.is_current


def test_a_book_whose_only_lot_starts_after_the_target_is_empty(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA",), THU)

    found = status_of(world, rules_of(world, WED))

    assert found.portfolios[0].state is PortfolioState.EMPTY


def test_each_portfolio_is_judged_by_its_own_sessions(world):
    world.at(MON).add_prices("AAA", "BBB")
    world.add_book("early", ("AAA",), ENTRY)
    world.run()
    world.at(THU).add_prices("AAA", "BBB")
    world.add_book("late", ("BBB",), ENTRY)
    world.run("late")

    early, late = status_of(world).portfolios

    assert (early.name, early.valued_through, early.missing) == ("early", MON, 3)
    assert (late.name, late.valued_through, late.missing) == ("late", THU, 0)


def test_a_hole_raises_only_what_is_missing(world):
    valued(world)
    with world.app.database.write() as connection:
        connection.exec_driver_sql(f"DELETE FROM snapshot WHERE session = '{TUE}'")

    line = only(world)

    assert (line.valued_through, line.missing, line.causes) == (LAST, 1, {PlanReason.GAP: 1})


def test_a_later_change_of_a_lot_makes_its_sessions_stale(world):
    valued(world)
    with world.app.database.write() as connection:
        editor = world.editor(connection, "book")
        editor.add_flow(TUE, 1_000)
        editor.finish()

    line = only(world)

    assert line.state is PortfolioState.BEHIND
    assert (line.missing, line.stale, line.causes) == (0, 3, {PlanReason.HOLDINGS: 3})


def test_a_session_that_should_not_exist_is_stale(world):
    world.add_prices("AAA", "BBB")
    world.add_book("book", ("AAA",), MON)
    with world.app.database.write() as connection:
        editor = world.editor(connection, "book")
        (lot,) = editor.add_lots([world.lot("AAA", TUE)], {"AAA": _instrument(world, "AAA")})
        editor.finish()
    world.run()
    with world.app.database.write() as connection:
        editor = world.editor(connection, "book")
        first = next(row[0] for row in world.rows("SELECT id FROM lot") if row[0] != lot.lot_id)
        editor.delete_lot(first)
        editor.finish()

    line = only(world)

    assert line.causes[PlanReason.SURPLUS] == 1
    assert line.stale == 4


def _instrument(world, symbol):
    return world.rows("SELECT id FROM instrument WHERE symbol = ?", symbol)[0][0]


def test_a_symbol_without_a_price_makes_a_portfolio_partial_and_is_named(world):
    valued(world, symbols=("AAA",))
    world.add_book("gap", ("NONE",), TUE)
    world.run()

    found = status_of(world)

    line = found.portfolios[0]
    assert (line.name, line.state, line.partial) == ("gap", PortfolioState.PARTIAL, 3)
    assert [(one.symbol, one.reason) for one in line.reasons] == [("NONE", "never_priced")]
    assert not found.is_current


def test_an_accepted_reason_is_listed_and_leaves_a_portfolio_current(world):
    world.add_book("gap", ("NONE",), TUE)
    with world.app.database.write() as connection:
        accept(connection, "NONE", "known", at=world.app.clock.now())
    world.run()

    line = only(world)

    assert (line.state, line.partial) == (PortfolioState.CURRENT, 0)
    assert [(one.symbol, one.accepted) for one in line.reasons] == [("NONE", True)]


def test_a_partial_session_in_the_past_leaves_a_portfolio_current(world):
    closes = world.closes("AAA")
    del closes[TUE]
    world.add_bars("AAA", closes)
    world.add_book("book", ("AAA",), ENTRY)
    world.run()

    line = only(world)

    assert (line.state, line.partial, line.reasons) == (PortfolioState.CURRENT, 1, ())


def test_numbers_of_an_older_engine_are_current_and_wait_for_the_rebuild(world):
    valued(world)

    line = only(world, rules=rules_of(world, engine=ENGINE_VERSION + 1))

    assert line.state is PortfolioState.CURRENT
    assert line.rebuilding == len(world.stored_sessions("book"))
    assert (line.missing, line.stale) == (0, 0)


def test_the_worst_stands_first(world):
    world.add_prices("AAA")
    world.add_book("current", ("AAA",), MON)
    world.add_book("partial", ("NONE",), MON)
    world.run()
    world.add_book("a little behind", ("AAA",), THU)
    world.add_book("far behind", ("AAA",), MON)
    world.add_book("empty", (), MON)

    names = [line.name for line in status_of(world).portfolios]

    assert names == ["far behind", "a little behind", "partial", "empty", "current"]


def test_as_of_looks_at_nothing_after_that_session(world):
    closes = world.closes("AAA")
    del closes[WED], closes[THU]
    world.add_bars("AAA", closes)
    world.add_book("book", ("AAA",), ENTRY)
    world.run()

    line = only(world, rules=rules_of(world, TUE), only_to_target=True)

    assert (line.state, line.valued_through, line.partial) == (PortfolioState.CURRENT, TUE, 0)


def test_a_deleted_portfolio_is_not_shown(world):
    valued(world)
    with world.app.database.write() as connection:
        connection.exec_driver_sql("UPDATE portfolio SET deleted_at = created_at")

    found = status_of(world)

    assert found.portfolios == ()
    assert found.is_current


def test_an_account_sees_only_its_own_portfolios(world):
    valued(world, "mine")
    with world.app.database.write() as connection:
        connection.execute(
            insert(schema.account).values(
                id="other", name="other", role="owner", created_at=world.app.clock.now()
            )
        )

    with world.app.database.read() as connection:
        theirs = load_status(connection, Principal("other"), rules=rules_of(world))
        mine = load_status(connection, Principal("local"), rules=rules_of(world))

    assert theirs.portfolios == ()
    assert [line.name for line in mine.portfolios] == ["mine"]


def test_the_document_has_the_names_of_the_interface(world):
    valued(world)

    found = status_of(world)

    document = found.document()
    assert document["target"] == LAST
    assert {
        "id", "name", "first_session", "valued_through", "missing", "stale", "partial", "state",
    } <= document["portfolios"][0].keys()  # fmt: skip
    assert '"state": "current"' in to_json(document)
