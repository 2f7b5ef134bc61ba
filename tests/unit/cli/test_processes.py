"""What needs processes of its own: start-up, signals, and two runs of the same work."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from itertools import pairwise

import pytest
from sqlalchemy import text
from tests.acceptance.world import LAST, at_close

from riskmark.domain.reasons import Source

HEAVY = (
    "alembic", "engine", "exchange_calendars", "httpx", "numpy", "pandas", "polars",
    "prometheus_client", "psycopg", "scipy", "structlog", "yfinance",
)  # fmt: skip
"""What ``status`` must not import on SQLite; ``engine`` is the engine's run."""

PLAIN = "from riskmark.cli.main import run; run()"
IMPORTS = """
import atexit, sys
from riskmark.cli.main import run
atexit.register(lambda: print(*sorted(sys.modules), sep="\\n", file=sys.stderr))
run()
"""
PAUSED = """
import os, pathlib, time
from riskmark import faults
from riskmark.cli.main import run
def pause(name):
    if name == "shard.computed":
        pathlib.Path("paused").touch()
        while not os.path.exists("go"):
            time.sleep(0.02)
faults.set_hook(pause)
run()
"""
"""A run that waits before it writes its first shard until the file ``go`` is there."""

PATIENCE_S = 30


def _hear_signals():
    """Let a child be interrupted, also where whoever runs the tests ignores it."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start(riskmark):
    """Give a way to start a command in a process of its own; end what is left of them."""
    started = []

    def start_one(*words, program=PLAIN):
        environment = {
            **os.environ,
            "RISKMARK_NOW": at_close(LAST).isoformat(),
            "RISKMARK_DATABASE_URL": riskmark.world.url,
        }
        process = subprocess.Popen(
            [sys.executable, "-c", program, *words],
            cwd=riskmark.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_hear_signals,  # noqa: PLW1509 - no thread is waited for in it
        )
        started.append(process)
        return process

    yield start_one
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process):
    """Wait for a process; return its code and what it printed."""
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, err


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_status_and_help_import_nothing_heavy(book, start):
    if not book.world.app.database.is_sqlite:
        pytest.skip("PostgreSQL needs its driver")

    for words, code in ((("status",), 4), (("status", "--json"), 4), (("--help",), 0)):
        found, _, err = ended(start(*words, program=IMPORTS))

        modules = set(err.split())
        heavy = [name for name in HEAVY if name in modules]
        assert (found, heavy) == (code, [])
        assert "riskmark.engine.run" not in modules


def test_help_opens_no_database(start):
    _, _, err = ended(start("--help", program=IMPORTS))

    assert "sqlalchemy" not in err.split()


def test_sigterm_ends_a_run_like_ctrl_c(book, start):
    process = start("run", program=PAUSED)
    wait_for((book.folder / "paused").exists)

    process.send_signal(signal.SIGTERM)
    (book.folder / "go").touch()
    code, _, err = ended(process)

    assert (code, err.splitlines()[-1]) == (130, "error: interrupted")
    (run,) = book("runs", "list", "--json").json
    assert run["status"] == "cancelled"
    assert book("run").code == 0


@pytest.fixture
def silent(monkeypatch):
    """Let runs ask a provider that takes every connection and says nothing; give its socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        monkeypatch.setenv("RISKMARK_PROVIDERS__YFINANCE__BASE_URL", address)
        monkeypatch.setenv("RISKMARK_PROVIDERS__ORDER", "yfinance")
        listener.settimeout(PATIENCE_S)
        yield listener


def _cancel(process, book):
    del process
    (run,) = book("runs", "list", "--json").json
    assert book("runs", "cancel", run["id"]).code == 0


@pytest.mark.parametrize(
    "stop",
    [
        lambda process, _: process.send_signal(signal.SIGTERM),
        lambda process, _: process.send_signal(signal.SIGINT),
        _cancel,
    ],
    ids=["SIGTERM", "SIGINT", "cancel"],
)
def test_a_run_ends_in_time_while_a_provider_says_nothing(book, start, silent, stop):
    process = start("run")
    connection, _ = silent.accept()
    asked = time.monotonic()

    stop(process, book)
    code, _, err = ended(process)

    assert time.monotonic() - asked < 8
    connection.close()
    assert (code != 0, "Traceback" in err) == (True, False), err
    (run,) = book("runs", "list", "--json").json
    assert run["status"] == "cancelled"
    assert book.world.rows("SELECT COUNT(*) FROM provider_symbol") == [(0,)]


def test_a_second_run_for_the_same_work_watches_the_first(book, start):
    first = start("run", program=PAUSED)
    wait_for((book.folder / "paused").exists)
    second = start("run", "--json")
    wait_for(lambda: book.world.rows("SELECT COUNT(*) FROM run_request")[0][0] == 2)

    (book.folder / "go").touch()

    first_code, _, _ = ended(first)
    second_code, out, err = ended(second)
    assert (first_code, second_code) == (0, 0)
    assert book.world.rows("SELECT COUNT(*) FROM run")[0][0] == 1
    assert '"requests": 2' in out
    assert "Valuation: 4 of 4" in err


def test_a_run_that_watched_a_dead_one_does_the_work_itself(book, start):
    first = start("run", program=PAUSED)
    wait_for((book.folder / "paused").exists)
    second = start("run")
    wait_for(lambda: book.world.rows("SELECT COUNT(*) FROM run_request")[0][0] == 2)

    first.kill()

    assert ended(second)[0] == 0
    assert {run["status"] for run in book("runs", "list", "--json").json} <= {
        "succeeded", "failed",
    }  # fmt: skip
    assert book("status").code == 0


@pytest.mark.parametrize("words", [("worker",), ("serve", "--no-scheduler", "--port", "0")])
def test_a_worker_carries_out_what_is_submitted_and_ends_when_it_is_told(book, start, words):
    worker = start(*words)
    run_id = book.world.app.submit(Source.CRON).run_id
    watching = start("runs", "watch", run_id, "--json")

    code, out, _ = ended(watching)
    worker.send_signal(signal.SIGTERM)
    asked = time.monotonic()
    worker_code, _, log = ended(worker)

    assert (code, worker_code) == (0, 0)
    assert time.monotonic() - asked < 10
    seen = [json.loads(line) for line in out.splitlines()]
    assert {one["id"] for one in seen} == {run_id}
    assert seen[-1]["status"] == "succeeded"
    assert all(one != other for one, other in pairwise(seen))
    told = [json.loads(line) for line in log.splitlines()]
    assert {"run taken", "run done"} <= {
        one["event"] for one in told if one.get("run_id") == run_id
    }
    assert book("status").code == 0


def test_a_run_that_watched_a_stopped_worker_takes_its_work_up(book, start):
    worker = start("worker", program=PAUSED)
    run_id = book.world.app.submit(Source.CRON).run_id
    wait_for((book.folder / "paused").exists)
    second = start("run")
    wait_for(lambda: book.world.rows("SELECT COUNT(*) FROM run_request")[0][0] == 2)

    worker.send_signal(signal.SIGTERM)
    (book.folder / "go").touch()

    assert ended(worker)[0] == 0
    assert ended(second)[0] == 0
    assert book.world.rows("SELECT id, status FROM run") == [(run_id, "succeeded")]


def test_a_run_that_was_taken_over_is_watched_to_its_end(book, start):
    process = start("run", program=PAUSED)
    wait_for((book.folder / "paused").exists)
    _change_runs(book, "fence = fence + 1, owner = 'elsewhere/boot/ns|1|2.0'")

    (book.folder / "go").touch()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1.0)  # it has lost the run, and waits for whoever has it
    _change_runs(book, "status = 'partial'")
    code, _, err = ended(process)

    assert (code, "Traceback" in err) == (3, False)
    assert book.world.rows("SELECT COUNT(*) FROM snapshot")[0][0] == 0


def _change_runs(book, changes):
    with book.world.app.database.write() as connection:
        connection.execute(text(f"UPDATE run SET {changes}"))


def test_a_reader_that_stops_reading_causes_no_traceback(book, start):
    book("run")
    process = start("history", "book", "--json")

    process.stdout.close()
    process.stdout = None
    process.wait(timeout=PATIENCE_S)

    assert "Traceback" not in process.stderr.read()
