"""``riskmark metrics``: what Prometheus would read, once."""

import typer

from riskmark import __version__
from riskmark.cli.opening import opened
from riskmark.errors import StoreError

_DOWN = "riskmark_database_up 0.0"


def metrics(ctx: typer.Context) -> None:
    """Print the metrics of the installation, as Prometheus reads them.

    Of a database that cannot be read they say that it is down; the reason is an error besides.
    """
    from prometheus_client import generate_latest

    from riskmark.app import prepare
    from riskmark.reports.metrics import open_registry

    with opened(ctx, prepared=False) as app:
        registry = open_registry(app.database, app.target, version=__version__)
        try:
            prepare(app)
        finally:
            found = generate_latest(registry).decode()
            typer.echo(found, nl=False)
    if _DOWN in found:
        raise StoreError("the database cannot be read")
