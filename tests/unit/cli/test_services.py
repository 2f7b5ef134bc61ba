"""``schedule``, ``outbox``, ``metrics`` and the log: what an operator sees, and never sees."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, text, update
from tests.acceptance.world import LAST, at_close
from tests.receivers import mail_receiver, webhook_receiver

from riskmark.domain.reasons import RunStatus
from riskmark.domain.runs import PHASES
from riskmark.engine.notices import send_due
from riskmark.engine.scheduler import tick
from riskmark.settings import load_settings
from riskmark.storage import runs, schedule, schema
from riskmark.storage.outbox import note_run_end

CANARIES = {
    "NOTIFY__WEBHOOK__SECRET": "canary-signing",
    "NOTIFY__EMAIL__PASSWORD": "canary-password",
    "PROVIDERS__FMP__API_KEY": "canary-key",
}
WEDNESDAY = date(2026, 1, 7)


@pytest.fixture
def hook(monkeypatch):
    with webhook_receiver() as inbox:
        monkeypatch.setenv("RISKMARK_NOTIFY__WEBHOOK__URL", inbox.url)
        monkeypatch.setenv(
            "RISKMARK_NOTIFY__WEBHOOK__EVENTS", "run_succeeded,run_partial,run_failed"
        )
        yield inbox


def begin_schedule(riskmark):
    """Let the schedule have begun on Wednesday morning, so that that evening is made up for."""
    with riskmark.world.app.database.write() as connection:
        schedule.begin_schedule(connection, at=datetime(2026, 1, 7, 12, 30, tzinfo=UTC))


def test_the_schedule_shows_what_comes_and_what_was(riskmark):
    done = riskmark("schedule", "--json", now=WEDNESDAY)
    shown = riskmark("schedule", now=WEDNESDAY)

    first = done.json["upcoming"][0]
    assert first == {
        "instant": "2026-01-07T23:30:00Z",
        "local": "2026-01-07T18:30:00-05:00",
        "expression": "30 18 * * 1-5",
    }
    assert (done.json["due"], done.json["fired"]) == (None, [])
    assert "Wed 2026-01-07 18:30 EST" in shown.out


def test_what_is_due_is_fired_and_shown_with_its_run(riskmark):
    begin_schedule(riskmark)
    due = riskmark("schedule", "--json").json["due"]

    fired = tick(riskmark.world.app)

    after = riskmark("schedule", "--json").json
    assert due["instant"] == "2026-01-08T12:00:00Z"
    assert after["due"] is None
    assert [(one["run"], one["status"]) for one in after["fired"]] == [(fired.run_id, "queued")]
    assert fired.run_id[-12:] in riskmark("schedule").out


def test_portfolios_that_the_night_left_behind_are_told_once(riskmark, hook, monkeypatch):
    monkeypatch.setenv("RISKMARK_NOTIFY__WEBHOOK__EVENTS", "portfolio_behind")
    settings = load_settings(None, os.environ).settings
    riskmark.world.add_book("growth", ("SPY",), date(2026, 1, 2))
    begin_schedule(riskmark)
    app = riskmark.world.app
    fired = tick(app)
    with app.database.write() as connection:
        runs.end_run(connection, fired.run_id, 0, RunStatus.FAILED, error="no room")

    for _ in range(2):
        tick(app)
        send_due(app.database, settings)

    ((_, body),) = hook.posts
    told = json.loads(body)
    assert (told["event"], told["count"], told["target"]) == ("portfolio_behind", 1, "2026-01-08")
    assert told["portfolios"][0]["name"] == "growth"
    assert told["portfolios"][0]["missing"] == len(riskmark.world.sessions(date(2026, 1, 2), LAST))


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("SCHEDULE__NIGHTLY", "61 18 * * 1-5", "schedule: nightly: '61 18 * * 1-5'"),
        ("SCHEDULE__TIMEZONE", "Mars/Olympus", "schedule: timezone: 'Mars/Olympus'"),
        ("NOTIFY__WEBHOOK__URL", "ftp://x", "notify: webhook: url"),
        ("NOTIFY__WEBHOOK__URL", "https://u:canary@x/", "notify: webhook: url"),
        ("NOTIFY__EMAIL__HOST", "mail.example.org", "notify: email: recipients"),
        ("NOTIFY__EMAIL__PORT", "0", "notify: email: port"),
        ("NOTIFY__WEBHOOK__EVENTS", "run_ended", "known: run_succeeded"),
        ("NOTIFY__EMAIL__TLS", "ssl", "known: none, starttls, implicit"),
        ("LOG_LEVEL", "loud", "known: auto, debug"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_at_the_start(
    riskmark, monkeypatch, variable, value, said
):
    monkeypatch.setenv(f"RISKMARK_{variable}", value)

    done = riskmark("scheduler")

    assert done.code == 2
    assert said in " ".join(done.err.split())
    assert "canary" not in done.err


def test_a_run_in_the_foreground_tells_how_it_ended(riskmark, hook):
    riskmark("run", "--offline")

    assert [json.loads(body)["event"] for _, body in hook.posts] == ["run_succeeded"]
    assert riskmark("outbox", "list", "--all", "--json").json[0]["status"] == "sent"


def test_a_receiver_that_is_away_does_not_fail_the_run(riskmark, hook):
    hook.statuses.append(500)

    done = riskmark("run", "--offline")

    assert done.code == 0
    (one,) = riskmark("outbox", "list", "--json").json
    assert (one["status"], one["attempts"]) == ("waiting", 1)
    assert one["error"].endswith("/*** answered 500")


def test_outbox_retry_sends_at_once_and_says_whether_it_worked(riskmark, hook):
    hook.statuses += [500, 500]
    riskmark("run", "--offline")

    failed = riskmark("outbox", "retry")
    (one,) = riskmark("outbox", "list", "--json").json
    done = riskmark("outbox", "retry", one["id"])

    assert (failed.code, done.code) == (1, 0)
    assert "1 sent" in done.err
    assert "no notices wait" in riskmark("outbox", "list").err
    assert riskmark("outbox", "retry", one["id"]).code == 2


def test_metrics_are_printed_as_prometheus_reads_them(riskmark):
    riskmark("run", "--offline")

    done = riskmark("metrics")

    assert done.code == 0
    assert 'riskmark_runs_total{source="cli",status="succeeded"} 1.0' in done.out
    assert done.out.endswith("\n")


@pytest.mark.parametrize("is_reachable", [True, False])
def test_of_a_database_that_is_down_metrics_say_so_and_fail(riskmark, tmp_path, *, is_reachable):
    path = tmp_path / "broken.db"
    path.write_text("not a database " * 1000)
    url = f"sqlite:///{path}" if is_reachable else "postgresql://nobody@127.0.0.1:1/nothing"

    done = riskmark("--database", url, "metrics")

    assert done.code == 1
    assert "riskmark_database_up 0.0" in done.out
    assert "riskmark_runs" not in done.out
    assert done.err.startswith("error: ")


def test_a_run_logs_to_standard_error_alone(riskmark, monkeypatch):
    monkeypatch.setenv("RISKMARK_LOG_FORMAT", "json")
    riskmark.world.add_book("growth", ("SPY",), date(2026, 1, 2))

    done = riskmark("run", "--offline", "--json")

    lines = [json.loads(line) for line in done.err.splitlines() if line.startswith("{")]
    assert done.json["id"] in {line.get("run_id") for line in lines}
    assert any("to compute" in line["event"] for line in lines)


def test_no_secret_is_ever_seen(riskmark, monkeypatch):
    for name, value in CANARIES.items():
        monkeypatch.setenv(f"RISKMARK_{name}", value)
    monkeypatch.setenv("RISKMARK_LOG_LEVEL", "debug")
    monkeypatch.setenv("RISKMARK_NOTIFY__EMAIL__USER", "desk")
    seen = []
    with webhook_receiver() as hook, mail_receiver() as mail:
        for name, value in {
            "WEBHOOK__URL": hook.url,
            "WEBHOOK__EVENTS": "run_succeeded",
            "EMAIL__EVENTS": "run_succeeded",
            "EMAIL__HOST": "127.0.0.1",
            "EMAIL__PORT": str(mail.port),
            "EMAIL__SENDER": "a@example.org",
            "EMAIL__RECIPIENTS": "b@example.org",
        }.items():
            monkeypatch.setenv(f"RISKMARK_NOTIFY__{name}", value)
        hook.statuses += [500, 302]
        for words in (
            ("run", "--offline"),
            ("outbox", "retry"),
            ("outbox", "retry"),
            ("outbox", "list", "--all"),
            ("outbox", "list", "--all", "--json"),
            ("config", "show"),
            ("config", "show", "--json"),
            ("metrics",),
            ("schedule",),
            ("runs", "list", "--json"),
        ):
            done = riskmark("-v", *words)
            seen += [done.out, done.err]
        bodies = [body.decode() for _, body in hook.posts]

    whole = "\n".join([*seen, *bodies, _every_row(riskmark.world.app.database)])
    assert len(bodies) == 3
    for canary in (*CANARIES.values(), "path-canary-77"):
        assert canary not in whole
    assert "***" in whole


def _every_row(database):
    tables = schema.metadata.sorted_tables
    with database.read() as connection:
        return "\n".join(str(row) for table in tables for row in connection.execute(select(table)))


def test_an_error_of_a_run_is_told_without_the_secrets_in_it(riskmark, hook, monkeypatch):
    monkeypatch.setenv("RISKMARK_PROVIDERS__FMP__API_KEY", "canary-key")
    settings = load_settings(None, os.environ).settings
    riskmark("run", "--offline")
    database = riskmark.world.app.database
    with database.write() as connection:
        connection.execute(update(schema.run).values(error="GET https://fmp/?apikey=canary-key"))
        connection.execute(text("DELETE FROM outbox"))
        run_id = connection.execute(select(schema.run.c.id)).scalar()
        note_run_end(connection, run_id, RunStatus.FAILED)
    hook.posts.clear()

    send_due(database, settings)

    ((_, body),) = hook.posts
    assert json.loads(body)["run"]["error"] == "GET https://fmp/?apikey=***"


def test_the_scheduler_stops_when_asked_and_serves_metrics_until_then(riskmark):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = started(riskmark, "scheduler", "--metrics-port", str(port))
    try:
        shown = _get(f"http://127.0.0.1:{port}/metrics", process)
    finally:
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)

    assert "riskmark_database_up 1.0" in shown
    assert (process.returncode, out) == (0, "")
    assert time.monotonic() - begun < 10
    assert [json.loads(line)["event"] for line in err.splitlines()] == [
        "metrics served",
        "scheduler started",
        "scheduler stopped",
    ]


def test_one_process_fires_carries_out_and_tells(riskmark, hook):
    begin_schedule(riskmark)
    riskmark.world.add_book("growth", ("SPY",), date(2026, 1, 2))
    told = threading.Event()
    hook.received = told.set

    process = started(riskmark, "serve")
    try:
        assert told.wait(60)
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)

    ((_, body),) = hook.posts
    run = json.loads(body)["run"]
    lines = [json.loads(line) for line in err.splitlines()]
    assert (process.returncode, out) == (0, "")
    assert (run["source"], run["status"]) == ("cron", "succeeded")
    assert riskmark("status").code == 0
    assert "fired" in {line["event"] for line in lines}
    done = {line["phase"] for line in lines if line["event"] == "phase done"}
    assert done == {phase.key for phase in PHASES}
    assert {line.get("run_id") for line in lines if "phase" in line} == {run["id"]}


BREAKING = {
    "scheduler": """
import riskmark.engine.scheduler

def run_scheduler(*_):
    raise RuntimeError("the clock of canary-word stands still")

riskmark.engine.scheduler.run_scheduler = run_scheduler
""",
    "worker": """
from riskmark.engine import claims

def settle_dead_runs(*_, **__):
    raise RuntimeError("nobody knows who lives")

claims.settle_dead_runs = settle_dead_runs
""",
}


@pytest.mark.parametrize("part", BREAKING)
def test_a_process_of_which_a_part_breaks_ends_as_failed_and_says_why(riskmark, part, monkeypatch):
    monkeypatch.setenv("RISKMARK_PROVIDERS__FMP__API_KEY", "canary-word")
    process = started(riskmark, "serve", before=BREAKING[part])

    out, err = process.communicate(timeout=30)

    *lines, last = err.splitlines()
    (error,) = [line for line in map(json.loads, filter(_is_json, lines)) if _is_error(line)]
    assert (process.returncode, out) == (1, "")
    assert error["event"] == f"{part} broke off"
    assert "Traceback" in error["traceback"]
    assert f"the {part} broke off: RuntimeError" in err
    assert "canary-word" not in err
    assert "dropped" not in last


def _is_json(line):
    return line.startswith("{")


def _is_error(line):
    return line["level"] == "error"


def started(riskmark, *words, before=""):
    """Start a command in a process of its own, on the last evening of the world."""
    command = f"{before}\nfrom riskmark.cli.main import run; run()"
    return subprocess.Popen(
        [sys.executable, "-c", command, "--database", riskmark.world.url, *words],
        env={**os.environ, "RISKMARK_NOW": at_close(LAST).isoformat()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _get(url, process):
    for _ in range(200):
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own
                return answer.read().decode()
        except OSError:
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
    raise AssertionError("nobody serves metrics")


def test_metrics_are_served_at_the_address_that_is_named(riskmark):
    with socket.socket() as probe:
        probe.bind(("127.0.0.2", 0))
        port = probe.getsockname()[1]
    words = ("--metrics-port", str(port), "--metrics-host", "127.0.0.2")
    process = started(riskmark, "serve", "--no-worker", "--no-scheduler", *words)
    try:
        shown = _get(f"http://127.0.0.2:{port}/metrics", process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)

    assert "riskmark_database_up 1.0" in shown
    assert process.returncode == 0


def test_an_address_without_a_port_is_refused(riskmark):
    done = riskmark("scheduler", "--metrics-host", "0.0.0.0")  # noqa: S104 - it is refused

    assert done.code == 2
    assert "--metrics-port" in done.err


def test_a_port_that_is_taken_is_said_so(riskmark):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        done = riskmark("scheduler", "--metrics-port", taken.getsockname()[1])

    assert done.code == 2
    assert "--metrics-port" in done.err
