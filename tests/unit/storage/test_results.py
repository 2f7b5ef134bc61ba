"""Result tables: cells are written and deleted whole, and progress only goes forward."""

from datetime import date

import pytest
from sqlalchemy import func, select, text, update
from tests.market import AT
from tests.unit.storage.cells import NOW, add_progress, write_cells

from riskmark.domain.measures import STORED
from riskmark.planning.facts import Version
from riskmark.storage import lines, results, schema
from riskmark.storage.results import Progress

MON, TUE, WED = (date(2024, 3, day) for day in (4, 5, 6))


def count_rows(connection):
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in results.CELL_TABLES
    }


def test_deleting_cells_deletes_their_rows_of_every_table_and_no_other(database):
    with database.write() as connection:
        write_cells(connection, ("a", MON), ("a", TUE), ("b", MON))

        results.delete_cells(connection, [("a", TUE), ("b", MON), ("c", MON)])

        assert set(count_rows(connection).values()) == {1}
        kept = connection.execute(select(schema.snapshot.c.portfolio_id, schema.snapshot.c.session))
        assert [tuple(row) for row in kept] == [("a", MON)]


def test_deleting_no_cells_deletes_nothing(database):
    with database.write() as connection:
        write_cells(connection, ("a", MON))

        results.delete_cells(connection, [])

        assert set(count_rows(connection).values()) == {1}


def test_details_without_their_snapshot_can_be_found_and_deleted(database):
    with database.write() as connection:
        write_cells(connection, ("a", MON), ("a", TUE), ("b", MON))
        connection.execute(text("DELETE FROM snapshot"))
        write_cells(connection, ("a", WED))

        results.delete_orphans(connection, "a")

        assert count_rows(connection) == {"snapshot": 1, "cell_pack": 2}


def test_stored_snapshots_are_read_within_two_sessions(database):
    with database.write() as connection:
        write_cells(connection, ("a", MON), ("a", TUE), ("b", WED), ("c", TUE))

        found = results.load_stored(connection, ["a", "b"], TUE, WED)

    assert set(found) == {("a", TUE), ("b", WED)}
    one = found["a", TUE]
    assert (one.inputs_revision, one.version, one.state) == (3, NOW, "complete")
    assert one.values[STORED.index("nav")] == 100.0
    assert one.values[STORED.index("beta")] is None


def test_snapshots_are_counted_for_each_portfolio_that_has_any(database):
    with database.write() as connection:
        write_cells(connection, ("a", MON), ("a", TUE), ("b", MON))

        found = results.count_snapshots(connection, ["a", "b", "c"])

    assert found == {"a": 2, "b": 1}


def test_the_progress_of_a_deleted_portfolio_is_not_given_out(database):
    with database.write() as connection:
        add_progress(connection, "a", "b")
        connection.execute(
            update(schema.portfolio).where(schema.portfolio.c.id == "b").values(deleted_at=AT)
        )

        found = results.lock_progress(connection, ["b", "a", "unknown"])

    assert found == {"a": Progress(0, 1, NOW)}


def test_progress_rows_are_stored_as_given(database):
    rows = {"a": Progress(5, 9, Version(2, "other")), "b": Progress(0, 1, NOW)}
    with database.write() as connection:
        add_progress(connection, "a", "b")

        results.save_progress_rows(connection, rows, {"a": MON})

        assert results.lock_progress(connection, ["a", "b"]) == rows
        stored = connection.execute(
            select(schema.portfolio_progress.c.first_session).order_by("portfolio_id")
        )
        assert list(stored.scalars()) == [MON, None]


def test_settled_portfolios_only_ever_move_forward(database):
    with database.write() as connection:
        add_progress(connection, "a", revision=3)
        add_progress(connection, "b", revision=8)

        assert results.to_advance(connection, ["a", "b"], 5) == ("a",)
        assert results.advance_settled(connection, ["a", "b"], 5) == 1

        found = results.lock_progress(connection, ["a", "b"])
        assert {key: one.inputs_revision for key, one in found.items()} == {"a": 5, "b": 8}
        assert results.to_advance(connection, ["a", "b"], 5) == ()


def test_summaries_of_one_run_add_up_and_keep_the_largest_change(database):
    with database.write() as connection:
        results.add_summaries(connection, "run", "engine", [("nav", 3, 0.5), ("beta", 1, None)])
        results.add_summaries(connection, "run", "engine", [("nav", 2, 0.25), ("beta", 1, 2.0)])
        results.add_summaries(connection, "run", "settings", [("nav", 1, 9.0)])

        table = schema.restatement_summary
        rows = connection.execute(
            select(table.c.measure, table.c.reason, table.c.snapshots, table.c.largest_change)
        )
        found = {tuple(row[:2]): tuple(row[2:]) for row in rows}

    assert found == {
        ("nav", "engine"): (5, 0.5),
        ("beta", "engine"): (2, 2.0),
        ("nav", "settings"): (1, 9.0),
    }


def test_a_cell_that_is_stored_again_takes_the_place_of_the_old_one(database):
    with database.write() as connection:
        write_cells(connection, ("a", MON))

        write_cells(connection, ("a", MON), nav=7.0)

    with database.read() as connection:
        assert set(count_rows(connection).values()) == {1}
        assert connection.execute(select(schema.snapshot.c.nav)).scalar_one() == 7.0


def test_lines_are_read_as_rows(database):
    with database.write() as connection:
        write_cells(connection, ("a", MON), ("b", TUE))

    with database.read() as connection:
        rows = {
            view.name: connection.execute(
                select(view).where(view.c.portfolio_id == "b", view.c.session == TUE)
            ).one()
            for view in schema.views.sorted_tables
            if view.name != "symbol_fit"
        }

    assert rows["position_value"].mark_kind == "close"
    assert rows["position_value"].instrument_id == 7
    assert rows["factor_exposure"].stderr == 0.1
    assert rows["factor_exposure"].risk_share_null == "not_defined"
    assert rows["stress_result"].predictive == 0.2
    assert rows["sector_exposure"].gross == 0.5


@pytest.mark.parametrize(
    ("view", "fields"),
    [
        ("position_value", (*lines.POSITION_FIELDS, *lines.OPTION_FIELDS)),
        ("factor_exposure", lines.EXPOSURE_FIELDS),
        ("stress_result", (*lines.STRESS_FIELDS, lines.BEYOND_DELTA)),
        ("sector_exposure", lines.SECTOR_FIELDS),
        ("symbol_fit", lines.FIT_FIELDS),
    ],
)
def test_a_view_has_the_fields_of_its_lines_in_their_order(database, view, fields):
    with database.read() as connection:
        columns = connection.execute(text(f"SELECT * FROM {view}")).keys()

    assert tuple(columns)[-len(fields) :] == fields
