"""``riskmark worker`` and ``riskmark serve``: processes that go on until they are stopped."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from riskmark.cli import exits, output
from riskmark.cli.opening import opened
from riskmark.cli.service import MetricsPort, service

if TYPE_CHECKING:
    from riskmark.app import App

Concurrency = Annotated[
    int,
    typer.Option(
        min=1,
        max=4,  # each run takes up to three connections: storage.engines has the sum
        help="Runs at once, beside one more of at most ten portfolios.",
    ),
]
_WAIT_S = 9.0
"""For the parts of a process that stops; ten seconds are what a supervisor allows."""


def work(
    ctx: typer.Context, *, concurrency: Concurrency = 1, metrics_port: MetricsPort = None
) -> None:
    """Carry out runs that wait in the queue, until stopped (Ctrl-C or SIGTERM).

    Runs whose process died are taken up again. A stop finishes or drops the shard in hand and
    gives the runs back to the queue, within ten seconds.
    """
    with opened(ctx) as app, stopped_by_signals() as stop, service(ctx, app, metrics_port):
        is_clean = app.worker(concurrency=concurrency).work(stop)
        if not is_clean:
            _end_now()


def serve(
    ctx: typer.Context,
    *,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Carry out no runs.")] = False,
    no_scheduler: Annotated[
        bool, typer.Option("--no-scheduler", help="Start no runs by the clock.")
    ] = False,
    concurrency: Concurrency = 1,
    metrics_port: MetricsPort = None,
) -> None:
    """Run a worker and the scheduler in one process, until stopped (Ctrl-C or SIGTERM)."""
    with opened(ctx) as app, stopped_by_signals() as stop, service(ctx, app, metrics_port):
        parts: list[Callable[[], object]] = []
        if not no_worker:
            parts.append(lambda: app.worker(concurrency=concurrency).work(stop))
        if not no_scheduler:
            parts.append(lambda: _schedule(app, stop))
        if not _run_parts(parts, stop):
            _end_now()


def _schedule(app: "App", stop: threading.Event) -> None:
    from riskmark.engine.scheduler import run_scheduler

    run_scheduler(app, stop)


def _run_parts(parts: list[Callable[[], object]], stop: threading.Event) -> bool:
    """Run each part in a thread until ``stop``; whether all of them ended cleanly.

    A part that ends by itself, or breaks, stops the others.
    """
    ends: list[bool] = []

    def carry_out(part: Callable[[], object]) -> None:
        is_clean = False
        try:
            is_clean = part() is not False
        finally:
            ends.append(is_clean)
            stop.set()

    threads = [threading.Thread(target=carry_out, args=(part,), daemon=True) for part in parts]
    for thread in threads:
        thread.start()
    stop.wait()
    until = time.monotonic() + _WAIT_S
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return len(ends) == len(parts) and all(ends)


@contextmanager
def stopped_by_signals() -> "Iterator[threading.Event]":
    """Give an event that SIGTERM and Ctrl-C set; a second signal ends the process at once."""
    stop = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(exits.INTERRUPTED)
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {one: signal.signal(one, note) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_now() -> None:
    """End the process though a thread still computes what nobody waits for."""
    output.note("stopped; a shard was dropped")
    sys.stderr.flush()
    os._exit(exits.OK)
