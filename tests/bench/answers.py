"""Answers while a night is worked on: read routes at 200 requests a second, by their latency.

``riskmark serve`` answers and carries out the runs, as one process, on the installation of the
night; a run that computes the newest sessions of every book anew follows the other, so that one
is always at work.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import httpx
from tests.bench import installation
from tests.bench.driver import Asked, Plan

from riskmark.access.secrets import TOKEN, new_secret
from riskmark.app import App
from riskmark.domain.accounts import Scope
from riskmark.domain.reasons import Source
from riskmark.storage import web_sessions
from riskmark.storage.books import LOCAL_OPERATOR
from riskmark.storage.engines import read_rows

RATE = 200.0
SECONDS, WARM_UP_S = 30.0, 5.0
BAR_S = 0.050
NIGHT_SESSIONS = 5
"""Sessions that each of the runs computes."""
_START_S = 30.0
_ROOT = Path(__file__).parents[2]
ROUTES = (
    "/api/v1/portfolios?limit=50",
    *(
        f"/api/v1/portfolios/{{id}}{part}"
        for part in (
            "",
            "/lots",
            "/flows",
            "/snapshot",
            "/history",
            "/factors",
            "/risk",
            "/stress",
            "/correlation",
            "/sectors",
            "/positions",
        )
    ),
)
"""What a page or a program reads of portfolios; trials and explanations compute, and are rare."""


class Answered(NamedTuple):
    """Answers of a route, or of all: seconds at the quantiles, and how many were errors."""

    route: str
    count: int
    median: float
    p95: float
    p99: float
    errors: int


def answers(template: Path, session: date, *, rate: float = RATE) -> list[Answered]:
    """Measure every route while runs are carried out; the first line is of all."""
    path = installation.copy_of(template, "answers.db")
    app = installation.open_at(path, session)
    token, portfolios = _prepare(app)
    with _serving(path, session) as url, _runs(app, session):
        plan = Plan(url, token, ROUTES, portfolios, rate, WARM_UP_S)
        _drive(plan)
        asked = _drive(plan._replace(seconds=SECONDS))
    app.database.close()
    by_route = [[one for one in asked if one.route == route] for route in ROUTES]
    return [_summed("all", asked), *map(_summed, ROUTES, by_route)]


def missed(found: Sequence[Answered]) -> list[str]:
    """Name what is slower than it may be, or failed."""
    return [
        f"{one.route}: p99 {one.p99 * 1000:.0f} ms, {one.errors} errors"
        for one in found
        if one.p99 > BAR_S or one.errors
    ]


def _summed(route: str, asked: Sequence[Asked]) -> Answered:
    taken = statistics.quantiles([one.seconds for one in asked], n=100)
    errors = sum(one.status != 200 for one in asked)
    return Answered(route, len(asked), taken[49], taken[94], taken[98], errors)


def _prepare(app: App) -> tuple[str, list[str]]:
    """Value what is missing; return a token that reads, and the ids of all portfolios."""
    app.run(Source.CLI)
    secret, at = new_secret(TOKEN), app.wall.now()
    with app.database.write() as connection:
        web_sessions.save_token(
            connection,
            secret.digest,
            account_id=LOCAL_OPERATOR.account_id,
            name="bench",
            scopes=frozenset({Scope.READ}),
            at=at,
            expires_at=at + timedelta(days=1),
        )
    with app.database.read() as connection:
        rows = read_rows(connection, "SELECT id FROM portfolio")
    return secret.text, [key for (key,) in rows]


@contextmanager
def _serving(path: Path, session: date) -> Iterator[str]:
    """Serve an installation in a process of its own, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = Path(sys.executable).with_name("riskmark")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "OPENBLAS_NUM_THREADS": "1",
        "RISKMARK_DATABASE_URL": f"sqlite:///{path}",
        "RISKMARK_NOW": f"{session}T22:00:00Z",
        "RISKMARK_PROVIDERS__ORDER": "",
    }
    with path.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(
            [command, "serve", "--no-scheduler", "--port", str(port)],
            cwd=path.parent,
            env=environment,
            stderr=log,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _await(url)
            yield url
        finally:
            process.terminate()
            process.wait(30)


def _await(url: str) -> None:
    until = time.monotonic() + _START_S
    while True:
        try:
            httpx.get(f"{url}/health/ready", timeout=5).raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


@contextmanager
def _runs(app: App, session: date) -> Iterator[None]:
    """Let one run follow the other while the block lasts."""
    with app.database.read() as connection:
        found = read_rows(
            connection,
            "SELECT session FROM calendar_session WHERE session <= ? ORDER BY session DESC LIMIT ?",
            (session.isoformat(), NIGHT_SESSIONS),
        )
    first = date.fromisoformat(str(found[-1][0]))
    stop = threading.Event()

    def follow() -> None:
        while not stop.is_set():
            app.submit(Source.ADMIN, from_session=first, force=True)
            stop.wait(0.2)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _drive(plan: Plan) -> list[Asked]:
    """Carry out a plan in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.driver"],
        input=json.dumps(plan._asdict()),
        capture_output=True,
        check=True,
        text=True,
        cwd=_ROOT,
    )
    return [Asked(*one) for one in json.loads(done.stdout)]
