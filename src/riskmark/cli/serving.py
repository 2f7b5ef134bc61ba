"""What services have in common: a stop that signals set, and metrics on a port."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from riskmark import logs
from riskmark.errors import InputError

if TYPE_CHECKING:
    from riskmark.app import App

METRICS_HOST = "127.0.0.1"
"""Metrics are for this machine alone: they say which sources and providers there are."""

MetricsPort = Annotated[
    int | None,
    typer.Option(
        "--metrics-port",
        metavar="PORT",
        min=1,
        max=65_535,
        help="Serve Prometheus metrics at this port of 127.0.0.1.",
        show_default=False,
    ),
]


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """Give an event that SIGTERM and SIGINT set while the block runs."""
    stop = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def served_metrics(app: "App", port: int | None) -> Iterator[None]:
    """Serve the installation's metrics while the block runs; no port: do not."""
    if port is None:
        yield
        return
    from prometheus_client import start_http_server

    from riskmark.reports.metrics import open_registry

    registry = open_registry(app.database, app.target)
    try:
        server, thread = start_http_server(port, addr=METRICS_HOST, registry=registry)
    except OSError as error:
        raise InputError(f"--metrics-port: {port} cannot be used: {error.strerror}") from error
    logs.info("metrics served", host=METRICS_HOST, port=port)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
