"""What every service has: a log, notices that it sends, and metrics on a port."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from riskmark import __version__, logs
from riskmark.cli.logging import start_logs
from riskmark.errors import InputError

if TYPE_CHECKING:
    from riskmark.app import App

METRICS_HOST = "127.0.0.1"
"""Metrics are for this machine alone unless said otherwise: they name providers and sources."""

MetricsPort = Annotated[
    int | None,
    typer.Option(
        "--metrics-port",
        metavar="PORT",
        min=1,
        max=65_535,
        help="Serve Prometheus metrics at this port.",
        show_default=False,
    ),
]
MetricsHost = Annotated[
    str,
    typer.Option(
        "--metrics-host",
        metavar="ADDRESS",
        help="The address of this machine that --metrics-port is opened at.",
    ),
]


class MetricsAddress(NamedTuple):
    """Where metrics are served."""

    host: str
    port: int


def metrics_address(host: str, port: int | None) -> MetricsAddress | None:
    """Return where metrics are served; None without a port: then no host may be named."""
    if port is None:
        if host != METRICS_HOST:
            raise InputError("--metrics-host: there is nothing to serve without --metrics-port")
        return None
    return MetricsAddress(host, port)


@contextmanager
def service(ctx: typer.Context, app: "App", metrics: MetricsAddress | None) -> Iterator[None]:
    """Log, send notices and serve metrics while the block runs."""
    from riskmark.engine.notices import Postman

    start_logs(ctx, app.settings, is_service=True)
    with _served_metrics(app, metrics), Postman(app.database, app.settings):
        yield


@contextmanager
def _served_metrics(app: "App", at: MetricsAddress | None) -> Iterator[None]:
    """Serve the installation's metrics while the block runs; without an address, do not."""
    if at is None:
        yield
        return
    from prometheus_client import start_http_server

    from riskmark.reports.metrics import open_registry

    registry = open_registry(app.database, app.target, version=__version__)
    try:
        server, thread = start_http_server(at.port, addr=at.host, registry=registry)
    except OSError as error:
        problem = f"--metrics-port: {at.port} of {at.host} cannot be used: {error.strerror}"
        raise InputError(problem) from error
    logs.info("metrics served", host=at.host, port=at.port)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
