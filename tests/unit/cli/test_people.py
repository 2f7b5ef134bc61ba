"""``user``, ``token`` and what they are good for once ``serve`` answers."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import date

import httpx
import pytest
from tests.acceptance.world import LAST, at_close

PATIENCE_S = 60


def test_accounts_are_made_listed_shut_out_and_let_in(riskmark):
    made = riskmark("user", "add", "Ann@example.com", "--role", "admin", "--json").json
    again = riskmark("user", "add", "ann@example.com")
    shown = riskmark("user", "list")

    assert made["link"].startswith("rml_")
    assert (made["email"], made["name"], made["role"]) == ("ann@example.com", "Ann", "admin")
    assert (again.code, "exists already" in again.err) == (2, True)
    assert "not yet" in shown.out
    assert made["link"] not in shown.out
    assert riskmark("user", "link", "ann@example.com").out.strip() != made["link"]
    assert riskmark("user", "disable", "ann@example.com").code == 0
    assert riskmark("user", "list", "--json").json[0]["disabled_at"] is not None
    assert riskmark("user", "enable", "ann@example.com").code == 0
    assert riskmark("user", "list", "--json").json[0]["disabled_at"] is None
    assert riskmark("user", "disable", "ben@example.com").code == 2


def test_who_is_given_the_local_account_has_the_portfolios_made_by_command(riskmark):
    made = riskmark("user", "add", "ann@example.com", "--role", "admin", "--local", "--json").json
    again = riskmark("user", "add", "ben@example.com", "--local")
    twice = riskmark("user", "add", "ann@example.com")

    assert (made["id"], made["email"], made["role"]) == ("local", "ann@example.com", "admin")
    assert (again.code, "that of ann@example.com already" in again.err) == (2, True)
    assert (twice.code, "exists already" in twice.err) == (2, True)
    assert [one["id"] for one in riskmark("user", "list", "--json").json] == ["local"]


def test_an_address_that_somebody_has_is_not_given_the_local_account(riskmark):
    riskmark("user", "add", "ann@example.com")

    taken = riskmark("user", "add", "ann@example.com", "--local")

    assert (taken.code, "exists already" in taken.err) == (2, True)
    assert riskmark("user", "add", "ben@example.com", "--local").code == 0


def test_a_token_is_shown_once_and_revoked_at_once(riskmark):
    made = riskmark("token", "create", "dashboard", "--days", "30")
    (listed,) = riskmark("token", "list", "--json").json

    assert made.out.startswith("rmt_")
    assert (listed["name"], listed["scopes"]) == ("dashboard", ["read"])
    assert made.out.strip() not in riskmark("token", "list").out
    assert riskmark("token", "revoke", listed["id"]).code == 0
    assert riskmark("token", "list", "--json").json[0]["revoked_at"] is not None
    assert riskmark("token", "revoke", "nothing").code == 2
    assert riskmark("token", "create", "t", "--user", "nobody@example.com").code == 2


@contextmanager
def serving(riskmark, *words):
    """Serve an installation in a process of its own; give it, and where it answers."""
    command = "from riskmark.cli.main import run; run()"
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            command,
            "--database",
            riskmark.world.url,
            "serve",
            "--port",
            "0",
            "--no-scheduler",
            *words,
        ],
        env={**os.environ, "RISKMARK_NOW": at_close(LAST).isoformat()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for line in process.stderr:
            told = json.loads(line)
            if told["event"] == "requests are answered":
                break
        yield process, f"http://127.0.0.1:{told['port']}"
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def follow(client, run_id):
    """Yield the names of a run's events as they come."""
    with client.stream("GET", f"/api/v1/runs/{run_id}/events", timeout=PATIENCE_S) as stream:
        for line in stream.iter_lines():
            if line.startswith("event: "):
                yield line.removeprefix("event: ")


def test_an_edit_over_http_is_followed_by_its_run_and_a_stop_waits_for_nobody(riskmark):
    riskmark.world.add_prices("AAA")
    token = riskmark("token", "create", "all", "--scope", "read", "--scope", "write").out.strip()
    file = "Symbol,Quantity,Entry Price Per Share,Entry Date\nAAA,10,100,2025-12-29\n"

    with (
        serving(riskmark) as (process, base),
        httpx.Client(base_url=base, headers={"authorization": f"Bearer {token}"}) as client,
    ):
        form = {"name": "growth", "opening_equity": "5000"}
        made = client.post("/api/v1/portfolios", data=form, files={"csv": ("p.csv", file)})
        assert made.status_code == 201, made.text
        kinds = list(follow(client, made.json()["run"]))
        path = f"/api/v1/portfolios/{made.json()['id']}"
        shown = client.get(f"{path}/snapshot", timeout=PATIENCE_S).json()
        flow = client.post(f"{path}/flows", json={"date": "2026-01-05", "amount": 100})
        deadline = time.monotonic() + PATIENCE_S
        while len(done := client.get("/api/v1/runs").json()) < 2:
            assert time.monotonic() < deadline, "no run followed"
            time.sleep(0.2)

        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code = process.wait(20)

    assert kinds[-1] == "end"
    assert kinds[0] in {"log", "progress"}
    assert shown["session"] == LAST.isoformat()
    assert flow.status_code == 201
    assert {one["source"] for one in done} == {"onboarding", "settings"}
    assert code == 0
    assert time.monotonic() - asked < 10


def test_a_stop_ends_open_streams(riskmark):
    riskmark.world.add_book("growth", ("AAA",), date(2026, 1, 5))
    token = riskmark("token", "create", "all", "--scope", "read").out.strip()
    run_id = riskmark.world.app.submit("cron").run_id

    with (
        serving(riskmark, "--no-worker") as (process, base),
        httpx.Client(base_url=base, headers={"authorization": f"Bearer {token}"}) as client,
    ):
        events = follow(client, run_id)
        first = next(events)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        rest = list(events)
        code = process.wait(20)

    assert (first, rest, code) == ("progress", [], 0)
    assert time.monotonic() - asked < 8


def test_a_door_that_is_taken_is_said_so(riskmark):
    with serving(riskmark, "--no-worker") as (_, base):
        done = riskmark("serve", "--port", base.rpartition(":")[2])

    assert done.code == 2
    assert "--port" in done.err


@pytest.mark.parametrize("port", ["70000", "x"])
def test_a_port_is_a_number(riskmark, port):
    assert riskmark("serve", "--port", port).code == 2
