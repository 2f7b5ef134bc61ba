"""Each invariant is broken by hand; verification must name it, and repair must cure it."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text
from tests.acceptance.world import assert_equal_results
from tests.damage import damage
from tests.unit.reports.worlds import MON, THU, TUE, WED, rules_of

from riskmark.domain.reasons import RunStatus
from riskmark.reports.documents import to_json
from riskmark.reports.repair import REPAIRED_BY, repair
from riskmark.reports.verify import verify

ENTRY = date(2025, 10, 1)
SATURDAY = date(2026, 1, 3)

ONE = f"session = '{WED}' AND portfolio_id = (SELECT id FROM portfolio WHERE name = 'book')"


def check(world, rules=None):
    with world.app.database.read() as connection:
        return verify(connection, rules=rules or rules_of(world), settings=world.app.settings)


def broken(world):
    return {one.invariant for one in check(world).violations}


def change(world, statement, **values):
    with world.app.database.write() as connection:
        damage(connection, statement, values)


@pytest.fixture
def valued(world):
    """Give a world with a long and short book, dividends, a split and a sale, valued."""
    world.add_prices("AAA", "BBB", "CCC")
    world.add_action("BBB", MON, "dividend", 0.5)
    world.add_action("CCC", TUE, "split", 1.0 + 0.5)
    world.add_book("book", ("AAA", "BBB", "CCC"), ENTRY)
    world.add_book("short", ("AAA",), ENTRY, quantity=-20)
    with world.app.database.write() as connection:
        editor = world.editor(connection, "book")
        lot = connection.execute(
            text(
                "SELECT l.id FROM lot l JOIN instrument i ON i.id = l.instrument_id "
                "JOIN portfolio p ON p.id = l.portfolio_id "
                "WHERE i.symbol = 'AAA' AND p.name = 'book'"
            )
        ).scalar_one()
        editor.close_lot(lot, day=MON, price=Decimal(100), quantity=Decimal(4))
        editor.finish()
    assert world.run().status is RunStatus.SUCCEEDED
    return world


def test_what_a_run_stored_holds_every_invariant(valued):
    found = check(valued)

    assert found.violations == ()
    assert found.is_clean
    assert found.portfolios == 2
    assert found.snapshots == 2 * len(valued.stored_sessions("book"))


def test_partial_closed_and_null_numbers_hold_every_invariant(world):
    closes = world.closes("AAA")
    del closes[TUE]
    world.add_bars("AAA", closes)
    world.add_book("book", ("AAA", "NONE"), ENTRY, equity=None)
    world.add_book("sunk", ("AAA",), MON, equity=1)
    with world.app.database.write() as connection:
        editor = world.editor(connection, "sunk")
        editor.add_flow(TUE, Decimal(-500_000))
        editor.finish()
    world.run()

    assert check(world).violations == ()


BREAKS = [
    ("nav_is_cash_plus_positions", "UPDATE snapshot SET cash = cash + 1 WHERE {one}"),
    ("nav_rolls_forward", "UPDATE snapshot SET nav = nav + 1, cash = cash + 1 WHERE {one}"),
    ("position_pnl_sums_to_pnl", "UPDATE position_value SET pnl = pnl + 1 WHERE {one}"),
    ("longs_sum_to_long_value", "UPDATE snapshot SET long_value = long_value + 1 WHERE {one}"),
    ("shorts_sum_to_short_value", "UPDATE snapshot SET short_value = -1 WHERE {one}"),
    ("long_and_short_are_net", "UPDATE snapshot SET net = net + 1 WHERE {one}"),
    ("long_less_short_is_gross", "UPDATE snapshot SET gross = gross + 1 WHERE {one}"),
    ("flow_is_inflow_less_outflow", "UPDATE snapshot SET inflow = 5 WHERE {one}"),
    ("cumulative_parts_sum_to_pnl", "UPDATE snapshot SET cum_income = 9 WHERE {one}"),
    ("positions_are_counted", "UPDATE snapshot SET positions = 4 WHERE {one}"),
    ("number_is_finite", "UPDATE snapshot SET beta = :infinite WHERE {one}"),
    ("null_has_a_reason", "UPDATE snapshot SET hhi = NULL WHERE {one}"),
    ("null_has_a_reason", "UPDATE snapshot SET mwr_annualized = NULL WHERE {one}"),
    ("null_has_a_reason", "UPDATE position_value SET beta = NULL, beta_null = NULL WHERE {one}"),
    ("null_has_a_reason", "UPDATE factor_exposure SET money_null = 'stale' WHERE {one}"),
    (
        "reason_stands_for_a_null",
        'UPDATE snapshot SET nulls = \'{{"risk.beta": "stale"}}\' WHERE {one}',
    ),
    ("state_follows_from_reasons", "UPDATE snapshot SET state = 'partial' WHERE {one}"),
    ("close_mark_is_stored", "UPDATE position_value SET mark = mark + 1 WHERE {one}"),
    ("unreadable_json", "UPDATE snapshot SET nulls = '{{\"risk' WHERE {one}"),
    ("unreadable_json", "UPDATE snapshot SET nulls = '[1]' WHERE {one}"),
    ("unreadable_json", "UPDATE snapshot SET nulls = '{{\"risk.beta\"\\: 1}}' WHERE {one}"),
    ("unreadable_json", "UPDATE snapshot SET reasons = '' WHERE {one}"),
    ("unreadable_json", "UPDATE snapshot SET reasons = '[{{}}]' WHERE {one}"),
    ("unreadable_json", "UPDATE snapshot SET windows = 'x' WHERE {one}"),
    ("return_is_pnl_over_capital", 'UPDATE snapshot SET "return" = 0.5 WHERE {one}'),
    ("income_adds_to_its_sum", "UPDATE snapshot SET income = income + 1 WHERE {one}"),
    (
        "income_adds_to_its_sum",
        (
            "UPDATE snapshot SET cum_income = cum_income + 1, cum_realized = cum_realized - 1 "
            "WHERE {one}"
        ),
    ),
    ("hhi_is_sum_of_squares", "UPDATE snapshot SET hhi = hhi * 1.01 WHERE {one}"),
    ("concentration_within_bounds", "UPDATE snapshot SET hhi = 1.5 WHERE {one}"),
    ("effective_positions_are_inverse", "UPDATE snapshot SET effective_positions = 9 WHERE {one}"),
    ("top_1_is_largest_share", "UPDATE snapshot SET top_1 = top_1 * 0.9 WHERE {one}"),
    ("concentration_within_bounds", "UPDATE snapshot SET top_3 = top_1 * 0.5 WHERE {one}"),
    ("drawdown_within_bounds", "UPDATE snapshot SET drawdown = 0.1 WHERE {one}"),
    ("drawdown_within_bounds", "UPDATE snapshot SET max_drawdown = -1.1 WHERE {one}"),
    ("drawdown_within_bounds", "UPDATE snapshot SET drawdown = max_drawdown - 0.1 WHERE {one}"),
    (
        "market_value_is_quantity_at_mark",
        "UPDATE position_value SET quantity = quantity * 1.01 WHERE {one}",
    ),
    ("weight_is_share_of_nav", "UPDATE position_value SET weight = weight * 2 WHERE {one}"),
    ("reasons_fit_the_marks", "UPDATE position_value SET mark_kind = 'stale' WHERE {one}"),
    (
        "reasons_fit_the_marks",
        (
            'UPDATE snapshot SET reasons = \'[{{"symbol"\\: "AAA", "reason"\\: "stale", '
            '"accepted"\\: true}}]\' WHERE {one}'
        ),
    ),
    ("exposure_is_share_of_nav", "UPDATE factor_exposure SET money = money * 2 WHERE {one}"),
    ("beta_is_exposure_to_market", "UPDATE snapshot SET beta = beta + 1 WHERE {one}"),
    ("beta_is_exposure_to_market", "UPDATE snapshot SET beta_1y = beta_1y + 1 WHERE {one}"),
    (
        "every_factor_has_an_exposure",
        "DELETE FROM factor_exposure WHERE model = 'market_1y' AND {one}",
    ),
    ("every_factor_has_an_exposure", "DELETE FROM factor_exposure WHERE {one}"),
    ("sector_adds_up", "UPDATE sector_exposure SET net = net + 0.1 WHERE {one}"),
    ("sector_adds_up", 'UPDATE sector_exposure SET "short" = NULL WHERE {one}'),
    (
        "sectors_sum_to_net",
        (
            'UPDATE sector_exposure SET "long" = "long" + 1, net = net + 1, gross = gross + 1 '
            "WHERE {one}"
        ),
    ),
    ("positions_have_sectors", "DELETE FROM sector_exposure WHERE {one}"),
    ("detail_has_snapshot", "DELETE FROM snapshot WHERE {one}"),
    ("every_session_has_a_snapshot", "DELETE FROM snapshot WHERE {one}"),
]


@pytest.mark.parametrize(("invariant", "statement"), BREAKS)
def test_a_broken_number_is_found_where_it_stands(valued, invariant, statement):
    change(valued, statement.format(one=ONE), infinite=float("inf"))

    found = check(valued)

    assert invariant in {one.invariant for one in found.violations}
    sessions = {one.session for one in found.violations if one.invariant == invariant}
    assert WED in sessions
    assert sessions <= {WED, THU}
    assert {found.name_of(one) for one in found.violations} == {"book"}


@pytest.mark.parametrize("statement", sorted({statement for _, statement in BREAKS}))
def test_repair_computes_again_what_was_broken(valued, statement):
    before = valued.dump()
    change(valued, statement.format(one=ONE), infinite=float("inf"))

    with valued.app.database.write() as connection:
        violations = verify(
            connection, rules=rules_of(valued), settings=valued.app.settings
        ).violations
        done = repair(connection, violations, at=valued.app.clock.now())
    valued.app.run("cli", portfolios=done.portfolios)

    assert check(valued).violations == ()
    assert_equal_results(before, valued.dump())
    assert len(done.portfolios) == 1


def test_repair_keeps_what_was_published(valued):
    change(valued, f"UPDATE snapshot SET cash = cash + 1 WHERE {ONE}")
    nav = valued.rows(f"SELECT nav FROM snapshot WHERE {ONE}")[0][0]

    with valued.app.database.write() as connection:
        found = verify(connection, rules=rules_of(valued), settings=valued.app.settings)
        repair(connection, found.violations, at=valued.app.clock.now())

    ((reason, old, run),) = valued.rows("SELECT reason, old_values, run_id FROM restatement")
    assert reason == "repair:nav_is_cash_plus_positions"
    assert f'"nav": {nav!r}' in old
    assert run == REPAIRED_BY


def test_a_wrong_count_of_snapshots_is_found_and_set_right(valued):
    change(valued, "UPDATE portfolio_progress SET snapshots = 7")

    found = check(valued)
    with valued.app.database.write() as connection:
        repair(connection, found.violations, at=valued.app.clock.now())

    assert {one.invariant for one in found.violations} == {"progress_counts_snapshots"}
    assert len(found.violations) == 2
    assert check(valued).violations == ()


def test_a_missing_progress_row_is_found_and_made_anew(valued):
    change(valued, "DELETE FROM portfolio_progress")

    found = check(valued)
    with valued.app.database.write() as connection:
        done = repair(connection, found.violations, at=valued.app.clock.now())

    assert {one.invariant for one in found.violations} == {"progress_row_missing"}
    assert len(done.portfolios) == len(found.violations) == 2
    count = len(valued.stored_sessions("book"))
    rows = valued.rows(
        "SELECT snapshots, inputs_revision, engine_version, settings_hash FROM portfolio_progress"
    )
    assert [tuple(row) for row in rows] == [(count, 0, 0, "")] * 2
    assert check(valued).violations == ()


def test_a_position_at_cost_is_worth_its_mark_times_the_multiplier(world):
    world.add_book("book", ("NONE",), ENTRY)
    change(world, "UPDATE lot SET multiplier = '100'")
    world.run()

    assert check(world).violations == ()

    change(world, f"UPDATE position_value SET quantity = quantity * 100 WHERE {ONE}")

    assert broken(world) == {"market_value_is_quantity_at_mark"}


def test_a_reason_may_name_a_symbol_by_its_former_name(world):
    world.add_book("book", ("AAA", "NONE"), ENTRY)
    world.run()
    change(
        world,
        "INSERT INTO instrument_alias (symbol, instrument_id, renamed_on) "
        f"SELECT 'NONE', id, '{WED}' FROM instrument WHERE symbol = 'NONE'",
    )
    change(world, "UPDATE instrument SET symbol = 'SOME' WHERE symbol = 'NONE'")

    assert check(world).violations == ()

    change(world, "DELETE FROM instrument_alias")

    assert broken(world) == {"reasons_fit_the_marks"}


def test_a_repair_tells_what_was_found_and_what_is_left(valued):
    change(valued, f"UPDATE snapshot SET cash = cash + 1 WHERE {ONE}")
    before = check(valued)

    document = before.repair_document(before, repaired=1)

    assert document["violations"] == document["left"] == before.document()["violations"]
    assert document["repaired"] == 1
    assert to_json(document)


def test_rows_of_a_portfolio_that_does_not_exist_are_found_and_deleted(valued):
    change(
        valued,
        "INSERT INTO cell_pack (portfolio_id, session, positions, exposures, stress, sectors) "
        f"VALUES ('ghost', '{WED}', '[]', '[]', '[]', '[]')",
    )

    found = check(valued)
    with valued.app.database.write() as connection:
        repair(connection, found.violations, at=valued.app.clock.now())

    assert [(one.invariant, one.portfolio_id) for one in found.violations] == [
        ("detail_has_snapshot", "ghost")
    ]
    assert check(valued).violations == ()


def test_a_snapshot_of_a_portfolio_that_does_not_exist_is_found(valued):
    change(valued, f"UPDATE snapshot SET portfolio_id = 'ghost' WHERE {ONE}")

    found = check(valued)

    ghosts = {one.invariant for one in found.violations if one.portfolio_id == "ghost"}
    assert "snapshot_has_a_portfolio" in ghosts


def test_a_snapshot_on_no_session_is_found(valued):
    change(valued, f"UPDATE snapshot SET session = '{SATURDAY}' WHERE {ONE}")

    assert "snapshot_on_a_session" in broken(valued)


def test_a_price_on_no_session_is_found(valued):
    change(valued, f"UPDATE price SET session = '{SATURDAY}' WHERE session = '2024-06-03'")

    found = check(valued)

    assert {one.invariant for one in found.violations} == {"price_is_on_a_session"}
    assert {(one.portfolio_id, one.session) for one in found.violations} == {(None, SATURDAY)}
    assert any("SPY" in one.detail for one in found.violations)


def test_numbers_that_are_only_out_of_date_are_no_violation(valued):
    valued.add_prices("AAA", changed={WED: 123.0})
    with valued.app.database.write() as connection:
        editor = valued.editor(connection, "short")
        editor.add_flow(WED, Decimal(1_000))
        editor.finish()

    assert check(valued).violations == ()

    first = valued.calendar.on_or_after(THU)
    valued.run("short", from_session=valued.calendar.sessions[first])

    assert check(valued).violations == ()


def test_a_deleted_portfolio_is_left_alone(valued):
    change(valued, f"UPDATE snapshot SET cash = 5 WHERE {ONE}")
    change(valued, "UPDATE portfolio SET deleted_at = created_at WHERE name = 'book'")

    assert check(valued).violations == ()


def test_an_empty_database_is_clean(world):
    assert check(world).is_clean


def test_the_document_lists_every_violation(valued):
    change(valued, f"UPDATE snapshot SET cash = cash + 1 WHERE {ONE}")

    document = check(valued).document()

    (one,) = document["violations"]
    assert (one["portfolio"], one["session"]) == ("book", WED)
    assert one["invariant"] == "nav_is_cash_plus_positions"
    assert "summed" in one["detail"]
    assert document["checked"]["portfolios"] == 2
    assert to_json(document)


def test_a_position_in_an_unknown_instrument_is_found(valued):
    change(valued, f"UPDATE position_value SET instrument_id = 999 WHERE {ONE} AND quantity < 12")

    assert broken(valued) == {"null_has_a_reason"}
