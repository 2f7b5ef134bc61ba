"""Runs that wait, work elsewhere or fall silent, as the command line shows and ends them."""

import io
import json

import pytest
from sqlalchemy import text

from riskmark.domain.reasons import Source
from riskmark.storage.engines import db_now


def submit(book, source=Source.CRON, **how):
    return book.world.app.submit(source, **how).run_id


def silence(book, run_id, *, heard_s, lease_s):
    """Make a run one that a process elsewhere works on, heard from a while ago."""
    with book.world.app.database.write() as connection:
        connection.execute(
            text(
                "UPDATE run SET status = 'running', owner = 'elsewhere/boot/ns|1|2.0', "
                f"attempt = 1, fence = 1, heartbeat_at = {db_now(connection, -heard_s)}, "
                f"lease_until = {db_now(connection, lease_s - heard_s)} WHERE id = :id"
            ),
            {"id": run_id},
        )


def test_runs_that_wait_are_listed_with_their_places(book):
    night, new = submit(book), submit(book, Source.ONBOARDING, portfolios=("book",))

    shown = book("runs", "list")
    places = {run["id"]: run["place"] for run in book("runs", "list", "--json").json}

    assert places == {new: 1, night: 2}
    assert "queued, no. 2" in shown.out
    assert "Heartbeat" in shown.out


def test_a_run_at_work_is_listed_with_its_host_and_heartbeat(book):
    run_id = submit(book)
    silence(book, run_id, heard_s=10, lease_s=60)

    shown = book("runs", "list")
    (run,) = book("runs", "list", "--json").json

    assert (run["host"], run["attempt"], run["stalled"]) == ("elsewhere", 1, False)
    assert run["heartbeat_age"] == pytest.approx(10, abs=9)
    assert "elsewhere" in shown.out


def test_a_run_not_heard_from_for_half_its_lease_is_stalled(book):
    run_id = submit(book)
    silence(book, run_id, heard_s=40, lease_s=60)

    listed, shown = book("runs", "list"), book("runs", "show", run_id)

    assert book("runs", "list", "--json").json[0]["stalled"]
    assert "stalled" in listed.out
    assert "stalled" in shown.out
    assert "on elsewhere" in shown.out


def test_a_submitted_run_whose_lease_has_ended_waits_again_once_somebody_looks(book):
    run_id = submit(book)
    silence(book, run_id, heard_s=70, lease_s=60)

    shown = book("runs", "show", run_id)

    assert "queued" in shown.out
    assert "its lease ended" in shown.out


def test_a_run_that_waits_is_cancelled_at_once(book):
    run_id = submit(book)

    done = book("runs", "cancel", run_id)

    assert (done.code, "cancelled run" in done.err) == (0, True)
    assert book("runs", "list", "--json").json[0]["status"] == "cancelled"
    assert book("runs", "watch", run_id).code == 6


def test_a_run_at_work_is_asked_to_stop(book):
    run_id = submit(book)
    silence(book, run_id, heard_s=1, lease_s=60)

    done = book("runs", "cancel", run_id)

    assert "asked to stop" in done.err
    assert "asked to stop" in book("runs", "show", run_id).out


def test_a_run_in_the_foreground_carries_out_the_one_that_waits(book):
    run_id = submit(book)

    done = book("run", "--json")

    assert done.code == 0
    assert (done.json["id"], done.json["requests"]) == (run_id, 2)
    assert len(book("runs", "list", "--json").json) == 1


def test_watching_a_run_that_has_ended_prints_it_in_one_line(book):
    run_id = book("run", "--json").json["id"]

    done = book("runs", "watch", run_id, "--json")

    (line,) = io.StringIO(done.out)
    assert (done.code, json.loads(line)["status"]) == (0, "succeeded")
