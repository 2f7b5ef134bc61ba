"""Metrics: the same truth from any process, and the tables' own."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, text, update
from tests.acceptance.world import LAST

from riskmark.domain.reasons import RunStatus, Source
from riskmark.domain.runs import PHASES, VALUATION, RunRequest
from riskmark.planning.schedule import Firing
from riskmark.reports.metrics import StoredMetrics, open_registry
from riskmark.storage import outbox, runs, schedule, schema
from riskmark.storage.combining import combine_books
from riskmark.storage.engines import open_database
from riskmark.storage.run_totals import bucket_of

AT = datetime(2026, 3, 2, 22, tzinfo=UTC)
REQUEST = RunRequest(source=Source.CRON, requested_by="local", target=date(2026, 3, 2))
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"


def read(database, target=lambda _: 0):
    """Return every sample by its name and labels."""
    exposed = generate_latest(open_registry(database, target, version="1.2")).decode()
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(exposed)
        for sample in family.samples
    }


def end_a_run(database, status=RunStatus.PARTIAL, *, attempt=1, seconds=2.0):
    with database.write() as connection:
        run_id = runs.create_run(connection, REQUEST, at=AT)
        connection.execute(
            update(schema.run).values(
                cells_complete=7, cells_partial=2, symbols_received=4, attempt=attempt
            )
        )
        phase = schema.run_phase.c.phase
        connection.execute(
            update(schema.run_phase)
            .where(phase == VALUATION.key)
            .values(status="done", seconds=seconds)
        )
        rows = [
            {"run_id": run_id, "symbol": symbol, "provider": "fmp", "reason": reason, "detail": ""}
            for symbol, reason in (("A", "auth"), ("B", "auth"), ("C", "transient"))
        ]
        connection.execute(insert(schema.run_symbol), rows)
        assert runs.end_run(connection, run_id, 0, status)
        assert not runs.end_run(connection, run_id, 0, status)
    return run_id


def end_a_run_and_break(database):
    with database.write() as connection:
        run_id = runs.create_run(connection, REQUEST, at=AT)
        runs.end_run(connection, run_id, 0, RunStatus.FAILED)
        raise OSError("the power went")


def test_runs_that_ended_are_counted_once_each(database):
    for status in (RunStatus.PARTIAL, RunStatus.PARTIAL, RunStatus.FAILED):
        end_a_run(database, status)

    found = read(database)

    of = ("riskmark_runs_total", ("source", "cron"))
    assert found[(*of, ("status", "partial"))] == 2
    assert found[(*of, ("status", "failed"))] == 1
    assert found[(*of, ("status", "succeeded"))] == 0
    assert found["riskmark_cells_total", ("state", "complete")] == 21
    assert found["riskmark_symbols_total", ("outcome", "received")] == 12


def test_totals_outlive_the_rows_that_they_count(database):
    end_a_run(database)
    before = read(database)
    with database.write() as connection:
        for table in ("run_symbol", "run_phase", "run_request", "run"):
            connection.execute(text(f"DELETE FROM {table}"))

    assert read(database) == before


def test_any_process_tells_the_same(database):
    end_a_run(database)
    other = open_database(database.engine.url.render_as_string(hide_password=False))

    found = read(other)

    other.close()
    assert found == read(database)


def test_a_run_that_is_rolled_back_counts_nothing(database):
    with pytest.raises(OSError, match="power"):
        end_a_run_and_break(database)

    found = read(database)

    assert found["riskmark_runs_total", ("source", "cron"), ("status", "failed")] == 0


def test_answers_of_providers_are_counted_by_reason(database):
    end_a_run(database)

    found = read(database)

    of = ("riskmark_provider_outcomes_total", ("provider", "fmp"))
    assert found[(*of, ("reason", "auth"))] == 2
    assert found[(*of, ("reason", "transient"))] == 1


def test_phases_are_a_histogram_of_those_that_began(database):
    end_a_run(database, seconds=2.0)
    end_a_run(database, seconds=4_000.0)

    found = read(database)

    def below(bound, phase=VALUATION.key):
        return found["riskmark_phase_seconds_bucket", ("le", bound), ("phase", phase)]

    assert (below("1.0"), below("5.0"), below("3600.0"), below("+Inf")) == (0, 1, 1, 2)
    assert found["riskmark_phase_seconds_sum", ("phase", VALUATION.key)] == 4_002
    assert found["riskmark_phase_seconds_count", ("phase", VALUATION.key)] == 2
    assert below("+Inf", PHASES[0].key) == 0


@pytest.mark.parametrize(
    ("seconds", "bound"), [(0.0, "0.1"), (0.1, "0.1"), (3600.0, "3600.0"), (3600.1, "+Inf")]
)
def test_a_duration_belongs_to_the_first_class_that_holds_it(seconds, bound):
    assert bucket_of(seconds) == bound


def test_claims_after_the_first_are_take_overs(database):
    end_a_run(database, attempt=3)

    assert read(database)["riskmark_lease_takeovers_total",] == 2


def test_queue_outbox_and_stalled_runs_are_as_the_tables_say(database):
    end_a_run(database)
    with database.write() as connection:
        runs.create_run(connection, REQUEST, at=AT)
        outbox.address(connection, outbox.unaddressed(connection)[0], ["email"], {"run": {}})
        connection.execute(text("UPDATE outbox SET status = 'given_up'"))

    waiting = read(database)
    with database.write() as connection:
        connection.execute(
            text(
                "UPDATE run SET status = 'running', heartbeat_at = '2020-01-01 00:00:00.000000', "
                "lease_until = '2020-01-01 00:01:00.000000' WHERE status = 'queued'"
            )
        )
    stalled = read(database)

    assert (waiting["riskmark_runs_queued",], waiting["riskmark_runs_running",]) == (1, 0)
    assert waiting["riskmark_outbox_notices", ("status", "given_up")] == 1
    assert (stalled["riskmark_runs_queued",], stalled["riskmark_runs_stalled",]) == (0, 1)


def test_the_lag_of_each_portfolio_is_in_a_histogram(world):
    world.add_book("valued", ("SPY",), date(2025, 12, 30))
    world.add_book("never", ("SPY",), date(2025, 12, 30))
    world.at(date(2026, 1, 6)).run("valued")
    world.at(LAST)

    found = read(world.app.database, world.app.target)

    def below(bound):
        return found["riskmark_portfolio_lag_sessions_bucket", ("le", bound)]

    missing = len(world.sessions(date(2025, 12, 30), LAST))
    assert missing == 7
    assert (below("1.0"), below("2.0"), below("5.0"), below("10.0")) == (0, 1, 1, 2)
    assert found["riskmark_portfolio_lag_sessions_gcount",] == 2
    assert found["riskmark_portfolio_lag_sessions_gsum",] == missing + 2
    assert found["riskmark_portfolio_lag_sessions_max",] == missing


def test_a_combined_book_that_was_never_valued_lags_since_its_members_first(world):
    world.add_book("one", ("SPY",), date(2025, 12, 30))
    world.add_book("later", ("SPY",), LAST)
    with world.app.database.write() as connection:
        combine_books(
            connection,
            world.app.principal,
            "both",
            ("one",),
            calendar=world.calendar,
            at=world.app.clock.now(),
        )
    before = world.at(date(2026, 1, 6))

    found = read(before.app.database, before.app.target)

    # One book lacks five sessions, and so does the book of it; the last has none to lack yet.
    assert found["riskmark_portfolio_lag_sessions_gcount",] == 2
    assert found["riskmark_portfolio_lag_sessions_gsum",] == 10


def test_a_database_that_cannot_be_read_is_told_and_nothing_else(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'nothing.db'}")

    found = read(database)

    database.close()
    assert found == {
        ("riskmark_info", ("version", "1.2")): 1,
        ("riskmark_database_up",): 0,
    }


def test_scrapes_that_overlap_read_the_database_once(database):
    metrics = StoredMetrics(database, lambda _: 0, version="1.2")
    first = metrics.collect()
    end_a_run(database)

    assert metrics.collect() is first


def test_the_page_of_metrics_has_each_of_them_and_no_other(database):
    end_a_run(database)
    with database.write() as connection:
        schedule.record_firing(connection, Firing(AT, "* * * * *"), at=AT)
    target = StoredMetrics(database, lambda _: 0, version="1.2")
    page = PAGE.read_text(encoding="utf-8")

    listed = re.findall(r"^\| `(riskmark_\w+)` \|", page, re.MULTILINE)
    used = set(re.findall(r"riskmark_\w+", page.partition("## Alert rules")[2]))

    # Lag needs a calendar, which this database has not.
    lag = {"riskmark_portfolio_lag_sessions", "riskmark_portfolio_lag_sessions_max"}
    told = {
        {"counter": f"{one.name}_total", "info": f"{one.name}_info"}.get(one.type, one.name)
        for one in target.collect()
    }
    assert set(listed) == told | lag
    assert {name.removesuffix("_bucket") for name in used} <= told | lag
