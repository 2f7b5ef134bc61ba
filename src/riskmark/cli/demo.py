"""``riskmark demo``: a small installation from real prices, run and shown.

Five portfolios are imported and run. One of them has a private asset, with its valuations; one
holds a symbol that nobody has a price of, so the first run ends partial. The demo then accepts
that reason, as an operator would, and a second run computes again exactly what depends on it. In
a folder that is a demo already everything is there, and nothing is computed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmark.cli import exits, output
from riskmark.cli.group import is_verbose
from riskmark.cli.opening import rules_for
from riskmark.cli.options import AsJson
from riskmark.domain.reasons import RunStatus, Source

if TYPE_CHECKING:
    from riskmark.app import App
    from riskmark.reports.snapshot import SnapshotReport
    from riskmark.reports.status import Status

FOLDER = Path("riskmark-demo")


def demo(
    ctx: typer.Context,
    *,
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where to build it.")
    ] = FOLDER,
    as_json: AsJson = False,
) -> None:
    """Build a small installation from real prices, run it, and show the result."""
    from riskmark.cli.interrupting import terminated_as_interrupted

    with terminated_as_interrupted():
        with _doing("starting"):
            app = _open(folder)
        try:
            ended = _build(app, folder, is_verbose=is_verbose(ctx))
            status, snapshots = _load(app)
        finally:
            app.database.close()
    if as_json:
        output.show_json(status.document())
    else:
        _show(folder, status, snapshots)
    if ended in {RunStatus.FAILED, RunStatus.CANCELLED}:
        raise typer.Exit(exits.EXIT_OF[ended])
    if not status.is_current:
        raise typer.Exit(exits.NOT_CURRENT)


def _show(folder: Path, status: "Status", snapshots: list["SnapshotReport"]) -> None:
    from riskmark.cli.demo_view import overview, shell_lines, tour_view

    output.show("", *overview(status, snapshots))
    for line in shell_lines(folder):
        typer.echo(f"  {line}")  # never broken into two: these are there to be copied
    output.show("", *tour_view())


def _open(folder: Path) -> "App":
    from riskmark.app import prepare
    from riskmark.cli.demo_setup import open_demo, prepare_folder

    prepare_folder(folder)
    app = open_demo(folder)
    prepare(app)
    return app


def _build(app: "App", folder: Path, *, is_verbose: bool) -> RunStatus:
    """Fill the database and run until every portfolio is current; return how that ended."""
    from riskmark.cli.demo_setup import ACCEPTED_BECAUSE, UNPRICED, accept_unpriced, fill
    from riskmark.cli.demo_view import filled_view

    with _doing("importing prices and portfolios"):
        filled = fill(app, folder)
    if filled is None:
        output.note("the demo is there already")
    else:
        for line in filled_view(filled, folder):
            output.note(line)
    ended = _run(app, is_verbose=is_verbose)
    if ended is not RunStatus.FAILED and accept_unpriced(app):
        text = f"[green]accepted[/]: {UNPRICED} at cost, {ACCEPTED_BECAUSE}"
        output.note(output.styled(text))
        ended = _run(app, is_verbose=is_verbose)
    return ended


def _run(app: "App", *, is_verbose: bool) -> RunStatus:
    """Carry out the batch for every portfolio, and say how it ended."""
    from riskmark.cli.run_view import end_view, open_run_view
    from riskmark.cli.watching import watch
    from riskmark.reports.runs import load_run

    with open_run_view(is_verbose=is_verbose) as view:
        result = app.run(Source.CLI, observe=view.observe)
        while result.joined and not watch(app, result.run_id, view):
            result = app.run(Source.CLI, observe=view.observe)
    with app.database.read() as connection:
        found = load_run(connection, app.principal, result.run_id)
    lines = list(end_view(found))
    if found.summary.status is not RunStatus.SUCCEEDED:
        lines.pop()  # it names a command that needs the settings that are told at the end
    for line in lines:
        output.note(line)
    return found.summary.status


def _load(app: "App") -> tuple["Status", list["SnapshotReport"]]:
    """Read the status, and the newest snapshot of every portfolio that has one."""
    from riskmark.reports.snapshot import load_snapshot
    from riskmark.reports.status import load_status

    with app.database.read() as connection:
        status = load_status(connection, app.principal, rules=rules_for(app, connection))
        snapshots = [
            load_snapshot(
                connection, app.principal, one.portfolio_id, settings=app.settings, parts=()
            )
            for one in status.portfolios
            if one.valued_through is not None
        ]
    return status, snapshots


@contextmanager
def _doing(what: str) -> Iterator[None]:
    """Show on a terminal that something is being done which takes a moment."""
    console = output.error_console()
    if not console.is_terminal:
        yield
        return
    with console.status(f"{what} …"):
        yield
