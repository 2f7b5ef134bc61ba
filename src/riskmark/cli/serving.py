"""``riskmark worker`` and ``riskmark serve``: processes that go on until they are stopped."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from riskmark import logs
from riskmark.cli import exits, output
from riskmark.cli.opening import opened
from riskmark.cli.service import METRICS_HOST, MetricsHost, MetricsPort, metrics_address, service
from riskmark.domain.secrets import without_secrets

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
    ctx: typer.Context,
    *,
    concurrency: Concurrency = 1,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = METRICS_HOST,
) -> None:
    """Carry out runs that wait in the queue, until stopped (Ctrl-C or SIGTERM).

    Runs whose process died are taken up again. A stop finishes or drops the shard in hand and
    gives the runs back to the queue, within ten seconds.
    """
    address = metrics_address(metrics_host, metrics_port)
    with opened(ctx) as app, stopped_by_signals() as stop, service(ctx, app, address):
        try:
            is_clean = app.worker(concurrency=concurrency).work(stop)
        finally:
            stop.set()  # also for the runs of a worker that breaks off
        if not is_clean:
            _drop_and_end(exits.OK)


def serve(
    ctx: typer.Context,
    *,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Carry out no runs.")] = False,
    no_scheduler: Annotated[
        bool, typer.Option("--no-scheduler", help="Start no runs by the clock.")
    ] = False,
    concurrency: Concurrency = 1,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = METRICS_HOST,
) -> None:
    """Run a worker and the scheduler in one process, until stopped (Ctrl-C or SIGTERM)."""
    address = metrics_address(metrics_host, metrics_port)
    with opened(ctx) as app, stopped_by_signals() as stop, service(ctx, app, address):
        parts: dict[str, Callable[[], object]] = {}
        if not no_worker:
            parts["worker"] = lambda: app.worker(concurrency=concurrency).work(stop)
        if not no_scheduler:
            parts["scheduler"] = lambda: _schedule(app, stop)
        ends = _run_parts(parts, stop)
        if ends.broken is not None:
            output.fail(without_secrets(ends.broken, app.settings.secrets))
        if not ends.is_over:
            _drop_and_end(exits.OK if ends.broken is None else exits.FAILED)
        if ends.broken is not None:
            raise typer.Exit(exits.FAILED)


def _schedule(app: "App", stop: threading.Event) -> None:
    from riskmark.engine.scheduler import run_scheduler

    run_scheduler(app, stop)


class _Ends(NamedTuple):
    """How the parts of a process ended: what broke one, and whether nothing works on."""

    broken: str | None
    is_over: bool


def _run_parts(parts: Mapping[str, Callable[[], object]], stop: threading.Event) -> _Ends:
    """Run each part in a thread until ``stop``.

    A part that ends by itself, or breaks, stops the others.
    """
    ends: list[bool] = []
    broken: list[str] = []

    def carry_out(name: str, part: Callable[[], object]) -> None:
        is_over = True
        try:
            is_over = part() is not False
            if not stop.is_set():
                broken.append(f"the {name} ended by itself")
        except Exception as error:  # noqa: BLE001 - the process ends, and says why
            logs.error(f"{name} broke off", cause=error)
            broken.append(f"the {name} broke off: {type(error).__name__}: {error}")
        finally:
            ends.append(is_over)
            stop.set()

    threads = [
        threading.Thread(target=carry_out, args=one, name=one[0], daemon=True)
        for one in parts.items()
    ]
    for thread in threads:
        thread.start()
    stop.wait()
    until = time.monotonic() + _WAIT_S
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return _Ends(broken[0] if broken else None, len(ends) == len(parts) and all(ends))


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


def _drop_and_end(code: int) -> None:
    """End the process though a thread still computes what nobody waits for."""
    output.note("stopped; a shard was dropped")
    sys.stderr.flush()
    os._exit(code)
