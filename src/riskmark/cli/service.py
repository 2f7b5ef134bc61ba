"""What every service has: a log, notices that it sends, and metrics on a port."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from riskmark import __version__, logs
from riskmark.cli.logging import start_logs
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
def service(ctx: typer.Context, app: "App", metrics_port: int | None) -> Iterator[None]:
    """Log, send notices and serve metrics while the block runs."""
    from riskmark.engine.notices import Postman

    start_logs(ctx, app.settings, is_service=True)
    with _served_metrics(app, metrics_port), Postman(app.database, app.settings):
        yield


@contextmanager
def _served_metrics(app: "App", port: int | None) -> Iterator[None]:
    """Serve the installation's metrics while the block runs; no port: do not."""
    if port is None:
        yield
        return
    from prometheus_client import start_http_server

    from riskmark.reports.metrics import open_registry

    registry = open_registry(app.database, app.target, version=__version__)
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
