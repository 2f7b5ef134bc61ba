"""``riskmark backup`` and ``riskmark restore``: a whole database in a file, and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmark.cli import output
from riskmark.cli.interrupting import terminated_as_interrupted
from riskmark.cli.opening import opened, sqlite_path
from riskmark.errors import InputError

if TYPE_CHECKING:
    from riskmark.app import App


def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")],
) -> None:
    """Copy an SQLite database to a new file, also while it is in use."""
    from riskmark.storage.copies import back_up

    with opened(ctx, prepared=False) as app, terminated_as_interrupted():
        source = sqlite_path(app)
        if source is None:
            raise InputError(
                "a PostgreSQL database is backed up with: "
                f"pg_dump --format=custom --file={file} '{_server(app)}'"
            )
        if not source.exists():
            raise InputError(f"there is no database {str(source)!r}")
        back_up(source, file)
    output.note(f"backed up to {file} ({file.stat().st_size / 1e6:,.1f} MB), and checked")


def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    *,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="Move the database that is there aside; nothing may use it."
        ),
    ] = False,
) -> None:
    """Put a backup of an SQLite database in its place, checked before and whole or not at all."""
    from riskmark.storage.copies import put_back

    with opened(ctx, prepared=False) as app, terminated_as_interrupted():
        target = sqlite_path(app)
        if target is None:
            raise InputError(
                "a PostgreSQL database is restored into an empty one with: "
                "pg_restore --exit-on-error --single-transaction --no-owner "
                f"--dbname='{_server(app)}' {file}"
            )
        aside = put_back(file, target, replace=replace, stamp=app.wall.now())
    if aside is not None:
        output.note(f"what was there is now {aside}")
    output.note(f"restored {target}; next: riskmark status")


def _server(app: "App") -> str:
    """Return the address of a PostgreSQL database as its own tools read it, without password."""
    return app.database.shown_url
