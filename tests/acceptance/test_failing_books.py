"""A book on which the arithmetic fails: it alone is without numbers, and the run says why."""

import warnings
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text
from tests.acceptance.soundness import assert_sound
from tests.acceptance.world import FACTORS, LAST, World

from riskmark.domain.reasons import RunStatus

ENTRY = date(2025, 12, 1)


def _add_books(world: World) -> None:
    """Two sound books, and one with a price whose value is beyond what a float can hold."""
    world.add_prices(*FACTORS, "S00")
    days = world.sessions(date(2025, 6, 2), LAST)
    world.add_bars("WILD", dict.fromkeys(days, 1e300))
    for name in ("first", "second"):
        world.add_book(name, ("S00",), ENTRY)
    world.add_book("wild", ("S00", "WILD"), ENTRY, quantity=99_999_999_999)


def _check(world: World, result, reason: str) -> None:
    failures = world.rows("SELECT p.name, f.cells, f.reason, f.detail FROM run_failure f "
                          "JOIN portfolio p ON p.id = f.portfolio_id")  # fmt: skip
    every = world.sessions(ENTRY, LAST)
    assert result.status is RunStatus.PARTIAL
    assert [(name, cells) for name, cells, *_ in failures] == [("wild", len(every))]
    assert reason in failures[0][2]
    assert world.stored_sessions("first") == world.stored_sessions("second") == every
    assert world.stored_sessions("wild") == []
    said = [message for (message,) in world.rows("SELECT message FROM run_event")]
    assert any("wild: " in message and " failed: " in message for message in said)
    assert_sound(world.rows)


def test_a_number_that_is_none_fails_its_own_book_and_no_other(world: World):
    _add_books(world)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = world.run()

    _check(world, result, "invariant:")


def test_an_error_in_the_arithmetic_fails_its_own_book_and_no_other(world: World):
    _add_books(world)

    result = world.run()  # warnings are errors here

    _check(world, result, "RuntimeWarning: ")


def test_a_failed_book_is_planned_again_and_computed_once_its_input_is_right(world: World):
    _add_books(world)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        world.run()
        again = world.run()
    days = world.sessions(date(2025, 6, 2), LAST)
    with world.app.database.write() as connection:
        connection.execute(text("UPDATE lot SET quantity = '10'"))
    world.add_bars("WILD", dict.fromkeys(days, 1.01))

    mended = world.run()

    assert again.cells.failed == again.cells.planned == len(world.sessions(ENTRY, LAST))
    assert again.status is RunStatus.FAILED
    assert mended.status is RunStatus.SUCCEEDED
    assert world.stored_sessions("wild") == world.sessions(ENTRY, LAST)


def test_rebuilds_beyond_the_time_budget_are_left_to_the_next_run(world: World):
    from dataclasses import replace  # noqa: PLC0415

    from riskmark.settings import load_settings  # noqa: PLC0415

    world.add_prices(*FACTORS, "S00")
    world.add_book("book", ("S00",), ENTRY)
    world.run()
    changed = {"RISKMARK_RISK_FREE": "0.03", "RISKMARK_REBUILD_BUDGET_SECONDS": "0"}
    loaded = load_settings(None, changed, database_url=world.url)
    world.app = replace(world.app, loaded=loaded)
    cells = len(world.sessions(ENTRY, LAST))

    postponed = world.run()
    loaded = load_settings(None, {"RISKMARK_RISK_FREE": "0.03"}, database_url=world.url)
    world.app = replace(world.app, loaded=loaded)
    done = world.run()

    assert (postponed.cells.planned, postponed.cells.computed) == (cells, 0)
    assert postponed.status is RunStatus.SUCCEEDED
    assert (done.cells.planned, done.cells.computed) == (cells, cells)
    assert world.rows("SELECT COUNT(*) FROM restatement")[0][0] == 0
    summaries = world.rows("SELECT measure, reason, snapshots FROM restatement_summary")
    assert {(measure, reason) for measure, reason, _ in summaries} == {
        ("sharpe", "settings"),
        ("sortino", "settings"),
    }
    assert Decimal("0.03") == Decimal(str(world.app.settings.risk_free))


@pytest.mark.parametrize("name", ["first", "second"])
def test_an_error_in_one_book_changes_no_number_of_the_others(world: World, name: str):
    _add_books(world)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        world.run()
        seen = [row for row in world.dump()["snapshot"] if row["portfolio"] == name]

        world.run(name, force=True)

    alone = [row for row in world.dump()["snapshot"] if row["portfolio"] == name]
    assert [row["nav"] for row in seen] == pytest.approx([row["nav"] for row in alone])
