import pytest
from sqlalchemy import text
from tests.unit.reports.worlds import MON, TUE

from riskmark.domain.reasons import RunStatus, Source
from riskmark.domain.runs import PHASES
from riskmark.errors import InputError, UnknownRun
from riskmark.reports.documents import to_json
from riskmark.reports.runs import find_run, list_runs, load_events, load_phases, load_run
from riskmark.storage.books import Principal


def ask(world, function, *values, **how):
    with world.app.database.read() as connection:
        return function(connection, world.app.principal, *values, **how)


def test_runs_are_listed_newest_first(world):
    first = world.run().run_id
    second = world.run().run_id

    found = ask(world, list_runs)

    assert [one.run_id for one in found] == [second, first]
    assert [one.run_id for one in ask(world, list_runs, most=1)] == [second]


def test_a_run_says_who_asked_for_what_and_what_came_of_it(world):
    world.add_prices("AAA")
    key = world.add_book("book", ("AAA",), MON)

    run_id = world.run("book", source=Source.CRON).run_id

    one = ask(world, find_run, run_id)
    assert (one.source, one.status, one.scope) == (Source.CRON, RunStatus.SUCCEEDED, (key,))
    assert (one.cells.planned, one.cells.computed, one.cells.complete) == (4, 4, 4)
    assert not one.is_live
    assert not one.is_stalled
    assert one.took is not None


def test_a_symbol_without_data_stands_once_with_every_provider_and_reason(world):
    world.add_book("book", ("NONE",), MON)
    run_id = world.run().run_id
    with world.app.database.write() as connection:
        connection.execute(
            text("INSERT INTO run_symbol VALUES (:run, 'NONE', 'zzz', 'no_data', 'asked twice')"),
            {"run": run_id},
        )

    found = ask(world, load_run, run_id)

    (one,) = found.unavailable
    assert one.symbol == "NONE"
    assert [said.provider for said in one.reasons] == ["stored", "zzz"]
    assert one.reasons[0].reason == "never_priced"


def test_every_phase_is_shown_in_order(world):
    run_id = world.run().run_id

    with world.app.database.read() as connection:
        phases = load_phases(connection, run_id)

    assert [one.phase for one in phases] == [phase.key for phase in PHASES]


def test_events_can_be_read_from_where_one_left_off(world):
    run_id = world.run().run_id

    with world.app.database.read() as connection:
        every = load_events(connection, run_id)
        rest = load_events(connection, run_id, after=every[0].number)

    assert rest == every[1:]
    assert rest


def test_a_run_is_found_by_the_end_of_its_id(world):
    run_id = world.run().run_id

    assert ask(world, find_run, run_id[-12:]).run_id == run_id
    assert ask(world, find_run, run_id[:20]).run_id == run_id


@pytest.mark.parametrize("part", ["nothing-like-it", "", "a", "%", "____"])
def test_an_id_that_no_run_has_is_unknown(world, part):
    world.run()

    with pytest.raises(UnknownRun):
        ask(world, find_run, part)


def test_a_part_of_several_ids_is_refused(world):
    first = world.run().run_id
    with world.app.database.write() as connection:
        columns = [row for row in connection.execute(text("SELECT * FROM run LIMIT 1")).keys()]  # noqa: C416, SIM118
        others = ", ".join(f'"{name}"' for name in columns if name != "id")
        connection.execute(
            text(f"INSERT INTO run (id, {others}) SELECT id || '0', {others} FROM run")
        )

    with pytest.raises(InputError, match="several"):
        ask(world, find_run, first[:8])


def test_a_silent_run_is_seen_as_stalled(world):
    run_id = world.run().run_id
    with world.app.database.write() as connection:
        connection.execute(
            text("UPDATE run SET status = 'running', lease_until = :past"),
            {"past": "2000-01-01 00:00:00.000000"},
        )

    one = ask(world, find_run, run_id)

    assert one.is_live
    assert one.is_stalled


def test_an_account_sees_only_the_runs_that_it_asked_for(world):
    run_id = world.run().run_id

    with world.app.database.read() as connection:
        assert list_runs(connection, Principal("other")) == ()
        with pytest.raises(UnknownRun):
            find_run(connection, Principal("other"), run_id)


def test_the_document_has_the_names_of_the_interface(world):
    world.add_book("book", ("NONE",), TUE)
    run_id = world.run().run_id

    document = ask(world, load_run, run_id).document()

    assert {
        "id", "source", "status", "scope", "target", "attempt", "created_at", "started_at",
        "finished_at", "cells", "symbols", "unavailable", "phases", "error",
    } <= document.keys()  # fmt: skip
    assert {"planned", "computed", "complete", "partial", "failed"} <= document["cells"].keys()
    assert document["symbols"].keys() == {"asked", "received", "unavailable"}
    assert document["scope"] == "all"
    assert document["status"] == "partial"
    (symbol,) = document["unavailable"]
    assert symbol["reasons"][0].keys() == {"provider", "reason", "detail"}
    assert document["phases"][0].keys() == {"phase", "status", "seconds", "done", "total"}
    assert document["error"] is None
    assert document["created_at"].endswith("Z")
    assert to_json(document)


def test_a_failure_names_the_portfolio(world):
    key = world.add_book("book", ("NONE",), TUE)
    run_id = world.run().run_id
    with world.app.database.write() as connection:
        connection.execute(
            text(
                f"INSERT INTO run_failure VALUES (:run, :key, '{MON}', '{TUE}', 2, "
                "'ValueError: no', 'where')"
            ),
            {"run": run_id, "key": key},
        )

    (failure,) = ask(world, load_run, run_id).failures

    assert (failure.name, failure.first, failure.last, failure.cells) == ("book", MON, TUE, 2)
    assert failure.document()["reason"] == "ValueError: no"
