"""Opening the installation that the global options, the environment and the file name."""

import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from riskmark.cli import output
from riskmark.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from riskmark.app import App
    from riskmark.reports.rules import Rules
    from riskmark.settings import LoadedSettings


_SQLITE_PROBLEMS = {
    "readonly": "cannot be written; make the file and its folder writable",
    "not a database": "is not a database; name another file with --database",
    "unable to open": "cannot be opened; its folder must exist, and file and folder be writable",
    "locked": "is busy with another process; try again when that is done",
    "is full": "has no room left on its disk; make room and try again",
    "malformed": "is damaged; put a backup in its place",
    "no such": "was not made by riskmark, or another version made it ({text})",
}
"""What SQLite says, and what that means for the file."""
_DENIED = frozenset({"42501", "25006"})
"""States of PostgreSQL: privileges are missing, or the server only reads."""


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """What was said before the command."""

    database: str | None = None
    config: Path | None = None
    verbose: bool = False


def load_chosen_settings(ctx: typer.Context) -> "LoadedSettings":
    """Read the settings as the global options choose them."""
    from riskmark.settings import settings_from_process

    chosen: GlobalOptions = ctx.obj
    return settings_from_process(chosen.config, chosen.database)


@contextmanager
def opened(ctx: typer.Context, *, prepared: bool = True) -> "Iterator[App]":
    """Open the installation for one command; an SQLite database is made on first use.

    What the driver of the database says becomes a ``StoreError`` that says what to do.
    """
    from riskmark.app import build, clock_from, prepare

    clock = clock_from(os.environ.get("RISKMARK_NOW"))
    app = build(load_chosen_settings(ctx), clock, is_connected=True)
    try:
        if prepared:
            path = sqlite_path(app)
            is_new = path is not None and not path.exists()
            prepare(app)
            if is_new:
                output.note(f"created the database {path}")
        yield app
    except Exception as error:
        problem = database_problem(app, error)
        if problem is None:
            raise
        raise StoreError(problem) from error
    finally:
        app.database.close()


def database_problem(app: "App", error: Exception) -> str | None:
    """Return what ``error`` says of the database and what to do; None: it is something else."""
    from riskmark.domain.secrets import without_secrets

    cause = getattr(error, "orig", None) or error
    is_denied = getattr(cause, "sqlstate", None) in _DENIED
    if not is_denied and not _is_of_database(cause, is_sqlite=app.database.is_sqlite):
        return None
    url = app.database.engine.url
    text = without_secrets(str(cause).strip().partition("\n")[0], app.settings.secrets)
    if app.database.is_sqlite:
        for part, problem in _SQLITE_PROBLEMS.items():
            if part in text:
                return f"the database {url.database} {problem.format(text=text)}"
        return f"the database {url.database} cannot be used: {text}"
    named = app.database.shown_url
    if is_denied:
        return f"the database {named} refuses it: {text}; its user needs the right to write"
    if getattr(cause, "sqlstate", None) is None:
        return f"cannot connect to the database {named}; does its server run? ({text})"
    return f"the database {named} cannot be used: {text}; try again"


def _is_of_database(cause: BaseException, *, is_sqlite: bool) -> bool:
    """Whether the state of the database is to blame, not what was asked of it."""
    if is_sqlite:
        import sqlite3 as driver
    else:
        import psycopg as driver  # type: ignore[no-redef]
    return isinstance(cause, driver.OperationalError) or type(cause) is driver.DatabaseError


def sqlite_path(app: "App") -> Path | None:
    """Return the file of an SQLite database; None for PostgreSQL and in memory."""
    name = app.database.engine.url.database
    if not app.database.is_sqlite or not name or name == ":memory:":
        return None
    return Path(name)


def rules_for(app: "App", connection: "Connection", as_of: date | None = None) -> "Rules":
    """Return what decides whether numbers are up to date now, or as of a date."""
    from riskmark.engine.version import current_rules
    from riskmark.storage.calendar import load_calendar

    calendar = load_calendar(connection)
    return current_rules(app.settings, calendar, target=app.target(calendar, as_of))
