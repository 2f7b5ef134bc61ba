"""``riskmark prune``: take away what is older than the settings keep."""

from typing import Annotated

import typer

from riskmark.cli import formats, output
from riskmark.cli.interrupting import terminated_as_interrupted
from riskmark.cli.opening import opened
from riskmark.cli.options import AsJson

_WORDS = {
    "positions": "sessions whose positions go",
    "run_event": "events of runs",
    "run_symbol": "symbols that runs had to do without",
    "run_failure": "failures of runs",
    "run": "runs",
    "outbox": "notices sent or given up",
    "provider_symbol": "symbols unknown to a provider",
    "web_session": "sessions of people that ended",
    "setup_link": "links for passwords that ended",
    "sign_in_try": "failed sign-ins",
    "audit_entry": "lines of the audit log",
}
"""What the piles of ``storage.retention`` are called; others by the names of their tables."""


def prune(
    ctx: typer.Context,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count; nothing is taken away.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take away what is older than the settings keep; a run of all portfolios does it too."""
    from riskmark.storage import retention
    from riskmark.storage.calendar import load_calendar

    with opened(ctx) as app, terminated_as_interrupted():
        with app.database.read() as connection:
            calendar = load_calendar(connection)
            piles = retention.list_piles(
                connection,
                app.settings.retention,
                sessions=calendar.sessions[: app.target(calendar) + 1],
                at=app.wall.now(),
            )
            found = retention.count_piles(connection, piles) if dry_run else {}
        if not dry_run:
            found = dict(retention.prune(app.database, piles))
    if as_json:
        output.show_json({"dry_run": dry_run, "pruned": found})
        return
    _show(found, is_done=not dry_run)


def _show(found: dict[str, int], *, is_done: bool) -> None:
    from riskmark.cli.tables import make_table

    if not any(found.values()):
        output.note("nothing is older than the settings keep")
        return
    table = make_table("What…", "Pruned>" if is_done else "To prune>")
    for name, count in found.items():
        if count:
            table.add_row(_WORDS.get(name, name), f"{count:,}")
    output.show(table)
    if not is_done:
        total = formats.plural(sum(found.values()), "row")
        output.note(f"{total} in all; without --dry-run they go")
