"""What a run may meet, so that it comes to every transaction that it has.

``eventful``: a dead run of another scope to end, providers that are asked in vain, a heart
that beats all the time, a shard of several portfolios that fails and with it one of them, no
time for rebuilds, a request that joins just before the end. ``broken``: an error that
breaks the run off. ``queue``: before it the same work is submitted, cancelled, submitted
again, taken up and given back. ``night``: the schedule fires it; after it portfolios behind
are looked for and the notices are sent, to a server of this process.
"""

import os
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from unittest import mock

from sqlalchemy import text

from riskmark import app as application
from riskmark.domain.reasons import RunStatus, Source
from riskmark.engine import claims, notices, queue, scheduler, shard_compute
from riskmark.engine.owner import this_process
from riskmark.settings import load_settings
from riskmark.storage import runs
from riskmark.storage.calendar import load_calendar
from riskmark.storage.engines import open_database

FAILING = "long"
"""The book whose arithmetic fails in an eventful run."""
EVENTFUL = {
    "RISKMARK_REBUILD_BUDGET_SECONDS": "0",
    "RISKMARK_LEASE__HEARTBEAT_SECONDS": "0.02",
    "RISKMARK_PROVIDERS__ORDER": "fmp",
    "RISKMARK_PROVIDERS__CROSS_CHECK_SYMBOLS": "1",
    "RISKMARK_PROVIDERS__FMP__API_KEY": "k",
    "RISKMARK_PROVIDERS__FMP__REQUESTS_PER_MINUTE": "0",
    "RISKMARK_PROVIDERS__FMP__REQUESTS_PER_DAY": "0",
}
GONE_PID = 2**22 + 1
"""No process has it: Linux gives none above 2**22."""


class Broken(Exception):
    """Something that nobody expects."""


@contextmanager
def _nothing(_app):
    yield lambda _name: None


@contextmanager
def _broken(_app):
    def hook(name):
        if name == "shard.committed":
            raise Broken

    yield hook


@contextmanager
def _eventful(app):
    _leave_dead_run(app)
    joined = []

    def hook(name):
        if name == "run.before_finish" and not joined:
            joined.append(name)
            _join(app)

    with _failing_book(app):
        yield hook


@contextmanager
def _queue(app):
    at = app.wall.now()
    first = app.submit(Source.CRON)
    queue.cancel(app.database, first.run_id, at=at)
    app.submit(Source.CRON)
    taken = claims.claim_next(app.database, app.settings.lease, at=at)
    assert taken is not None
    queue.give_back(app.database, taken[0], at=at)
    yield lambda _name: None


@contextmanager
def _night(app):
    begin(app)
    assert scheduler.fire(app) is not None
    yield lambda _name: None
    scheduler.look_after(app)
    with receiving() as url:
        assert notices.send_due(app.database, notifying(url)).sent > 0


def begin(app):
    """Let the schedule begin a week before now."""
    earlier = application.FixedClock(app.clock.now() - timedelta(days=7))
    with_schedule = replace(app, clock=earlier)
    assert scheduler.fire(with_schedule) is None


def notifying(url):
    """Return settings that send every notice to ``url``."""
    events = "run_succeeded,run_partial,run_failed,run_cancelled,portfolio_behind"
    variables = {"WEBHOOK__URL": url, "WEBHOOK__EVENTS": events}
    return load_settings(
        None, {f"RISKMARK_NOTIFY__{name}": text for name, text in variables.items()}
    ).settings


@contextmanager
def receiving(ids=None):
    """Give the address of a server that takes notices, and notes their ids."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            if ids is not None:
                ids.append(self.headers["Idempotency-Key"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/notices"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _leave_dead_run(app):
    """Leave a run of one portfolio whose process is gone."""
    place, _, started = this_process().rsplit("|", 2)
    with _beside(app) as connection:
        request = _request(app, connection, "new")
        run_id = runs.create_run(connection, request, at=app.wall.now())
        assert run_id is not None
        live = runs.live_run(connection, request.scope_key)
        assert live is not None
        owner = f"{place}|{GONE_PID}|{started}"
        runs.claim_run(connection, live, owner=owner, lease_seconds=3600)


def _request(app, connection, *names):
    calendar = load_calendar(connection)
    return app.request(connection, Source.CLI, calendar=calendar, portfolios=names or None)


def _join(app):
    """Let a request join the run that is about to end."""
    with _beside(app) as connection:
        (run,) = (one for one in runs.live_runs(connection) if one.status is RunStatus.RUNNING)
        request = _request(app, connection)
        runs.add_request(connection, run.run_id, request, at=app.wall.now())


@contextmanager
def _beside(app):
    """Write as somebody else does, on a connection that nobody watches."""
    other = open_database(app.settings.database_url)
    try:
        with other.write() as connection:
            yield connection
    finally:
        other.close()


@contextmanager
def _failing_book(app):
    with app.database.read() as connection:
        guilty = connection.execute(
            text("SELECT id FROM portfolio WHERE name = :name"), {"name": FAILING}
        ).scalar_one()
    compute = shard_compute.ShardComputer._compute

    def compute_or_fail(self, task):
        if guilty in task.portfolios:
            raise ArithmeticError("on purpose")
        return compute(self, task)

    with mock.patch.object(shard_compute.ShardComputer, "_compute", compute_or_fail):
        yield


KINDS = {"": _nothing, "broken": _broken, "eventful": _eventful, "queue": _queue, "night": _night}


def prepare(order):
    """Put into the environment what the order says of settings."""
    if order.happening == "eventful":
        os.environ |= EVENTFUL
    os.environ |= order.environment
