"""``riskmark metrics``: what Prometheus would read, once."""

import typer

from riskmark import __version__
from riskmark.cli.opening import opened


def metrics(ctx: typer.Context) -> None:
    """Print the metrics of the installation, as Prometheus reads them."""
    from prometheus_client import generate_latest

    from riskmark.reports.metrics import open_registry

    with opened(ctx) as app:
        found = generate_latest(open_registry(app.database, app.target, version=__version__))
    typer.echo(found.decode(), nl=False)
