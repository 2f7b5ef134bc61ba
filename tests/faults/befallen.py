"""The run in the child: made to order, with whatever is to befall it."""

import os
import signal
import sqlite3
import threading
import time
import traceback
from contextlib import ExitStack
from dataclasses import asdict

from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from tests.faults import faulty, guards, happenings

from riskmark import app as application
from riskmark import faults
from riskmark.domain.reasons import Source
from riskmark.settings import settings_from_process
from riskmark.storage import engines

COMMITTED = "a commit"
"""Stands among the names of points where a transaction that writes was committed."""


class Points:
    """Counts the passes of crash points, and dies or stops at one of them."""

    def __init__(self, order, watch):
        self._order = order
        self._watch = watch
        self._lock = threading.Lock()
        self.sent_by_the_end = 0
        self.passes = dict.fromkeys(faults.NAMES, 0)
        self.steps = []
        self.meet = lambda _name: None

    def __call__(self, name):
        with self._lock:
            self.passes[name] += 1
            here = [name, self.passes[name]]
        if name == "run.finished":
            self.sent_by_the_end = len(self._watch.statements)
        self.steps.append((threading.current_thread().name, name))
        if self._order.crash == here:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._order.pause == here:
            os.kill(os.getpid(), signal.SIGSTOP)
        self.meet(name)

    def watch(self, engine):
        """Note the commits of ``engine`` that write, among the points that are passed."""

        @event.listens_for(engine, "commit")
        def committed(connection):
            options = connection.get_execution_options()
            reads = options.get("postgresql_readonly") or options.get("riskmark_begin") == "BEGIN"
            if not reads:
                self.steps.append((threading.current_thread().name, COMMITTED))


def report(order):
    """Make the run, and say how it ended."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    watch = faulty.Watch(faulty.Fault(**order.fault) if order.fault else None)
    points = Points(order, watch)
    found = {}
    try:
        result = _run(order, watch, points)
        found |= {
            "status": result.status.value,
            "joined": result.joined,
            "run_id": result.run_id,
            "cells": asdict(result.cells),
        }
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is reported
        trace = "".join(traceback.format_exception(error))
        found |= {"error": type(error).__name__, "message": str(error), "trace": trace}
    if order.count:
        found |= {
            "passes": points.passes,
            "statements": watch.statements,
            "sent_by_the_end": points.sent_by_the_end,
            "steps": points.steps,
        }
    return found


def _run(order, watch, points):
    os.environ |= {"RISKMARK_NOW": order.now, "RISKMARK_DATABASE_URL": order.url}
    happenings.prepare(order)
    if order.lock_ms is not None:
        engines.BUSY_TIMEOUT_MS = engines.LOCK_TIMEOUT_MS = order.lock_ms
    clock = application.clock_from(os.environ["RISKMARK_NOW"])
    asks = order.happening == "eventful"
    app = application.build(settings_from_process(), clock, is_connected=asks)
    _patiently(app, time.monotonic() + order.patience_s, lambda: application.prepare(app))
    with ExitStack() as stack:
        if order.without:
            stack.enter_context(guards.GUARDS[order.without]())
        if order.pages is not None:
            _limit_pages(app.database.engine, order.pages)
        watch.attach(app.database.engine)
        points.watch(app.database.engine)
        faults.set_hook(points)
        points.meet = stack.enter_context(happenings.KINDS[order.happening](app))
        return _run_or_wait(app, order)


def _run_or_wait(app, order):
    """Run; if the database goes away, wait for it and run again.

    The run that was broken off is still this process's, as far as anybody can know, until
    its lease ends.
    """
    end = time.monotonic() + order.patience_s
    while True:
        result = _patiently(app, end, lambda: app.run(Source.CLI, force=order.force))
        if not result.joined or time.monotonic() > end:
            return result
        time.sleep(0.1)


def _patiently(app, end, step):
    """Do something; if the database goes away meanwhile, wait for it and do it again."""
    while True:
        try:
            return step()
        except DBAPIError:
            if time.monotonic() > end:
                raise
            _wait_for(app.database, end)


def _wait_for(database, end):
    while True:
        try:
            with database.read() as connection:
                connection.execute(text("SELECT 1"))
        except OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def _limit_pages(engine, pages):
    engine.dispose()

    @event.listens_for(engine, "connect")
    def limit(connection: sqlite3.Connection, _record):
        connection.execute(f"PRAGMA max_page_count = {pages}")
