"""``riskmark``: the root of the command line."""

import gc
import os
from pathlib import Path
from typing import Annotated

import typer

from riskmark import __version__
from riskmark.cli import (
    backups,
    demo,
    exporting,
    maintenance,
    pruning,
    runs,
    show,
    status,
    what_if,
)
from riskmark.cli.attribution import show_attribution
from riskmark.cli.benchmarks import benchmark_commands
from riskmark.cli.explain import explain
from riskmark.cli.factors import factor_commands
from riskmark.cli.group import BOOKS, CARE, DAILY, RiskmarkGroup
from riskmark.cli.metrics import metrics
from riskmark.cli.opening import GlobalOptions
from riskmark.cli.options import NEGATIVE_VALUES
from riskmark.cli.outbox import outbox_commands
from riskmark.cli.people import token_commands, user_commands
from riskmark.cli.portfolio import portfolio_commands
from riskmark.cli.prices import price_commands
from riskmark.cli.providers import provider_commands
from riskmark.cli.reporting import report
from riskmark.cli.scheduler import scheduler, show_schedule
from riskmark.cli.serving import serve, work
from riskmark.cli.symbols import symbol_commands

app = typer.Typer(
    cls=RiskmarkGroup,
    name="riskmark",
    help="Positions go in; every session, every portfolio's numbers come out.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

app.command("demo", rich_help_panel=CARE)(demo.demo)
app.command("status", rich_help_panel=DAILY)(status.show_status)
app.command("plan", rich_help_panel=DAILY)(status.show_plan)
app.command("run", rich_help_panel=DAILY)(runs.run)
app.add_typer(runs.run_commands, name="runs", rich_help_panel=DAILY)
app.command("schedule", rich_help_panel=DAILY)(show_schedule)
app.command("worker", rich_help_panel=DAILY)(work)
app.command("serve", rich_help_panel=DAILY)(serve)
app.command("show", rich_help_panel=DAILY)(show.show_snapshot)
app.command("history", rich_help_panel=DAILY)(show.show_history)
app.command("attribution", rich_help_panel=DAILY)(show_attribution)
app.command("explain", rich_help_panel=DAILY)(explain)
app.command("export", rich_help_panel=DAILY)(exporting.export)
app.command("report", rich_help_panel=DAILY)(report)
app.command(
    "what-if",
    rich_help_panel=DAILY,
    cls=what_if.TradingCommand,
    context_settings=NEGATIVE_VALUES,
)(what_if.what_if)
app.add_typer(portfolio_commands, name="portfolio", rich_help_panel=BOOKS)
app.add_typer(price_commands, name="prices", rich_help_panel=BOOKS)
app.add_typer(provider_commands, name="providers", rich_help_panel=BOOKS)
app.add_typer(symbol_commands, name="symbols", rich_help_panel=BOOKS)
app.add_typer(factor_commands, name="factors", rich_help_panel=BOOKS)
app.add_typer(benchmark_commands, name="benchmarks", rich_help_panel=BOOKS)
app.command("init", rich_help_panel=CARE)(maintenance.init)
app.command("verify", rich_help_panel=CARE)(maintenance.verify_all)
app.command("backup", rich_help_panel=CARE)(backups.backup)
app.command("restore", rich_help_panel=CARE)(backups.restore)
app.command("prune", rich_help_panel=CARE)(pruning.prune)
app.command("scheduler", rich_help_panel=CARE)(scheduler)
app.command("metrics", rich_help_panel=CARE)(metrics)
app.add_typer(outbox_commands, name="outbox", rich_help_panel=CARE)
app.add_typer(user_commands, name="user", rich_help_panel=CARE)
app.add_typer(token_commands, name="token", rich_help_panel=CARE)
app.add_typer(maintenance.config_commands, name="config", rich_help_panel=CARE)

_COLLECT_AFTER = 50_000
"""Objects made before garbage is looked for: imports make many, and none of them is garbage."""


def _show_version(value: bool) -> None:  # noqa: FBT001 - how typer calls it
    if value:
        typer.echo(f"riskmark {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    *,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="SQLite or PostgreSQL; default: sqlite:///riskmark.db.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Settings; default: riskmark.toml, if it is here.",
            show_default=False,
        ),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say more, also of errors.")
    ] = False,
    version: Annotated[  # noqa: ARG001 - the callback does it
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Positions go in; every session, every portfolio's numbers come out."""
    ctx.obj = GlobalOptions(database, config, verbose)


def run() -> None:
    """Carry out the command line of this process."""
    # Arrays here are small: threads of the linear algebra cost more than they bring.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(_COLLECT_AFTER)
    app(prog_name="riskmark")
