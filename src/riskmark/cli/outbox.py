"""``riskmark outbox``: notices that are not sent yet, and another attempt at them."""

from typing import TYPE_CHECKING, Annotated

import typer

from riskmark.cli import exits, formats, output
from riskmark.cli.opening import opened
from riskmark.cli.options import AsJson

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from riskmark.storage.outbox import Notice

outbox_commands = typer.Typer(
    help="Notices to webhook and e-mail: list, try again.", no_args_is_help=True
)

MOST_LISTED = 50


@outbox_commands.command("list")
def list_all(
    ctx: typer.Context,
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that were sent.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the notices that wait or were given up, the newest first."""
    from riskmark.storage.outbox import list_notices

    with opened(ctx) as app, app.database.read() as connection:
        found = list_notices(connection, most=MOST_LISTED, every_status=every)
    if as_json:
        output.show_json([_document(one) for one in found])
    elif found:
        _show(found)
    else:
        output.note("no notices" if every else "no notices wait; --all lists those sent")


@outbox_commands.command("retry")
def retry(
    ctx: typer.Context,
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Only these notices.", show_default=False),
    ] = None,
) -> None:
    """Try now to send what is not sent, also what was given up; exit 1 if one still fails."""
    from riskmark.engine.notices import send_due
    from riskmark.errors import InputError
    from riskmark.storage.outbox import retry_notices

    with opened(ctx) as app:
        with app.database.write() as connection:
            count = retry_notices(connection, ids)
            if ids is not None and count < len(set(ids)):
                raise InputError("not all of these are notices that wait or were given up")
        done = send_due(app.database, app.settings)
    output.note(f"{done.sent:,} sent, {done.failed:,} failed")
    if done.failed:
        raise typer.Exit(exits.FAILED)


def _show(found: "Sequence[Notice]") -> None:
    from riskmark.cli.tables import cut, make_table

    table = make_table("Id…", "About", "On", "Status", "Tries>", "Next (UTC)", "Error…")
    for one in found:
        is_waiting = one.status == "waiting"
        table.add_row(
            cut(one.notice_id),
            one.kind.value,
            one.channel.value,
            one.status.replace("_", " "),
            f"{one.attempts}",
            formats.instant(one.next_at if is_waiting else None),
            one.error or "",
        )
    output.show(table)


def _document(one: "Notice") -> "dict[str, Any]":
    return {
        "id": one.notice_id,
        "event": one.kind,
        "subject": one.subject,
        "channel": one.channel,
        "status": one.status,
        "attempts": one.attempts,
        "created_at": one.created_at,
        "next_at": one.next_at if one.status == "waiting" else None,
        "sent_at": one.sent_at,
        "error": one.error,
    }
