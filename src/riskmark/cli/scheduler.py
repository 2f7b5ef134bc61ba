"""``riskmark scheduler`` and ``schedule``: carry the schedule out, and show it."""

from typing import TYPE_CHECKING, Annotated

import typer

from riskmark.cli import formats, output
from riskmark.cli.opening import opened
from riskmark.cli.options import AsJson
from riskmark.cli.service import METRICS_HOST, MetricsHost, MetricsPort, metrics_address, service
from riskmark.cli.serving import stopped_by_signals

if TYPE_CHECKING:
    from datetime import datetime

    from riskmark.reports.schedule import ScheduleReport


def scheduler(
    ctx: typer.Context,
    *,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = METRICS_HOST,
) -> None:
    """Submit the night's run when it is due, until stopped; a worker carries it out."""
    from riskmark.engine.scheduler import run_scheduler

    address = metrics_address(metrics_host, metrics_port)
    with opened(ctx) as app, stopped_by_signals() as stop, service(ctx, app, address):
        run_scheduler(app, stop)


def show_schedule(
    ctx: typer.Context,
    *,
    most: Annotated[int, typer.Option("--most", "-n", min=1, help="How many of each.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Show the next firings of the schedule, and the last ones with their runs."""
    from riskmark.reports.schedule import load_schedule

    with opened(ctx) as app, app.database.read() as connection:
        now = app.clock.now()
        found = load_schedule(connection, app.settings.schedule, now=now, most=most)
    if as_json:
        output.show_json(found.document())
    else:
        _show(found)


def _show(found: "ScheduleReport") -> None:
    from riskmark.cli.run_view import SHORT_ID
    from riskmark.cli.tables import make_table

    def local(at: "datetime") -> str:
        return f"{found.local(at):%a %Y-%m-%d %H:%M %Z}"

    if not found.settings.nightly:
        output.note("nothing is scheduled: schedule.nightly is empty")
    else:
        table = make_table("Next", "UTC", "Expression…", title="To come")
        for one in found.upcoming:
            table.add_row(local(one.instant), formats.instant(one.instant), one.expression)
        output.show(table)
    if found.fired:
        table = make_table("Firing", "Fired at (UTC)", "Run", "Status", title="Carried out")
        for done in found.fired:
            table.add_row(
                local(done.instant),
                formats.instant(done.fired_at),
                (done.run_id or formats.NOTHING)[-SHORT_ID:],
                formats.state(done.status or formats.NOTHING),
            )
        output.show("", table)
    if found.due is not None:
        output.note(f"due since {local(found.due.instant)}; next: riskmark scheduler")
