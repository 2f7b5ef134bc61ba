"""``riskmark run`` and ``riskmark runs``: carry out, list, show, watch and cancel runs."""

from typing import TYPE_CHECKING, Annotated

import typer

from riskmark.cli import exits, formats, output
from riskmark.cli.group import is_verbose
from riskmark.cli.interrupting import terminated_as_interrupted
from riskmark.cli.logging import start_logs
from riskmark.cli.opening import opened
from riskmark.cli.options import (
    AsJson,
    AsOf,
    MorePortfolios,
    Portfolios,
    chosen_portfolios,
    day_of,
)
from riskmark.domain.reasons import Source

if TYPE_CHECKING:
    from riskmark.app import App
    from riskmark.engine.recorder import Observer
    from riskmark.engine.run import RunResult
    from riskmark.reports.runs import RunReport

run_commands = typer.Typer(help="Runs: list, show, watch, cancel.", no_args_is_help=True)

RunId = Annotated[
    str,
    typer.Argument(metavar="ID", help="A run's id, or the beginning or end of it."),
]


def run(
    ctx: typer.Context,
    more: MorePortfolios = None,
    *,
    portfolios: Portfolios = None,
    as_of: AsOf = None,
    first: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="DATE",
            help="Work on sessions from here on; the rest stays missing.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Compute also what is up to date.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no provider.")] = False,
    source: Annotated[Source, typer.Option(help="Who starts it.")] = Source.CLI,
    as_json: AsJson = False,
) -> None:
    """Bring portfolios up to date: compute every session that is missing or out of date.

    Exit 0: all is complete; 3: some sessions are partial or failed; 1: failed; 6: cancelled.
    """
    from riskmark.cli.run_view import open_run_view
    from riskmark.cli.watching import run_to_end
    from riskmark.reports.runs import load_run

    chosen = chosen_portfolios(portfolios, more)
    with opened(ctx) as app, terminated_as_interrupted():
        start_logs(ctx, app.settings)
        target, begin = day_of(app, as_of, name="--as-of"), day_of(app, first, name="--from")
        with open_run_view(is_verbose=is_verbose(ctx)) as view:

            def start(observe: "Observer") -> "RunResult":
                return app.run(
                    source,
                    portfolios=chosen,
                    as_of=target,
                    from_session=begin,
                    force=force,
                    offline=offline,
                    observe=observe,
                )

            run_id = run_to_end(app, start, view=view)
        with app.database.read() as connection:
            found = load_run(connection, app.principal, run_id)
        _show_end(app, found, as_json=as_json)
    raise typer.Exit(exits.EXIT_OF[found.summary.status])


def _show_end(app: "App", found: "RunReport", *, as_json: bool) -> None:
    from riskmark.cli.run_view import end_view

    if as_json:
        output.show_json(found.document())
        return
    for line in end_view(found):
        output.note(line)
    if found.summary.scope is None and not found.summary.cells.planned and not _has_any(app):
        output.note("there are no portfolios; riskmark portfolio import FILE --name NAME")


def _has_any(app: "App") -> bool:
    from riskmark.storage.books import list_portfolios

    with app.database.read() as connection:
        return bool(list_portfolios(connection, app.principal))


@run_commands.command("list")
def list_all(
    ctx: typer.Context,
    *,
    most: Annotated[int, typer.Option("--most", "-n", min=1, help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the newest runs; those whose process is gone are ended first."""
    from riskmark.cli.run_view import run_tables
    from riskmark.engine.claims import end_dead_runs
    from riskmark.reports.runs import list_runs

    with opened(ctx) as app:
        end_dead_runs(app.database, at=app.wall.now(), lease=app.settings.lease)
        with app.database.read() as connection:
            found = list_runs(connection, app.principal, most=most)
    if as_json:
        output.show_json([one.document() for one in found])
    elif found:
        output.show(*run_tables(found))
    else:
        output.note("no runs yet; next: riskmark run")


@run_commands.command("show")
def show(ctx: typer.Context, run_id: RunId, *, as_json: AsJson = False) -> None:
    """Show a run: phases, symbols without data, failures and activity."""
    from riskmark.cli.run_view import run_view
    from riskmark.engine.claims import end_dead_runs
    from riskmark.reports.runs import load_events, load_run

    with opened(ctx) as app:
        end_dead_runs(app.database, at=app.wall.now(), lease=app.settings.lease)
        with app.database.read() as connection:
            found = load_run(connection, app.principal, run_id)
            events = load_events(connection, found.summary.run_id)
    if as_json:
        output.show_json(found.document())
    else:
        output.show(*run_view(found, events, every_detail=is_verbose(ctx)))


@run_commands.command("watch")
def watch_run(ctx: typer.Context, run_id: RunId, *, as_json: AsJson = False) -> None:
    """Watch a run until it ends, and exit as it does.

    With --json: a line with the run as it is now, and one more at every change.
    """
    from riskmark.cli.run_view import open_run_view
    from riskmark.cli.watching import watch, watch_as_json
    from riskmark.reports.runs import find_run, load_run

    with opened(ctx) as app:
        with app.database.read() as connection:
            key = find_run(connection, app.principal, run_id).run_id
        if as_json:
            watch_as_json(app, key)
        else:
            with open_run_view(is_verbose=is_verbose(ctx)) as view:
                watch(app, key, view)
        with app.database.read() as connection:
            found = load_run(connection, app.principal, key)
        if not as_json:
            _show_end(app, found, as_json=False)
    raise typer.Exit(exits.EXIT_OF[found.summary.status])


@run_commands.command("cancel")
def cancel(ctx: typer.Context, run_id: RunId) -> None:
    """Cancel a run that waits; ask one at work to stop, which it does between two shards.

    What is stored stays.
    """
    from riskmark.domain.reasons import RunStatus
    from riskmark.engine import queue
    from riskmark.errors import InputError
    from riskmark.reports.runs import find_run

    with opened(ctx) as app:
        with app.database.read() as connection:
            found = find_run(connection, app.principal, run_id)
        status = queue.cancel(app.database, found.run_id, at=app.wall.now())
        if status is None:
            with app.database.read() as connection:
                found = find_run(connection, app.principal, found.run_id)
            at = formats.instant(found.finished_at)
            raise InputError(f"the run has ended: {found.status}, {at} UTC")
    what = "cancelled" if status is RunStatus.QUEUED else "asked to stop:"
    output.note(f"{what} run {found.run_id}")
