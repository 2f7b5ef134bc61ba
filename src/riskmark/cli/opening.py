"""Opening the installation that the global options, the environment and the file name."""

import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from riskmark.cli import output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from riskmark.app import App
    from riskmark.reports.rules import Rules
    from riskmark.settings import LoadedSettings


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
    """Open the installation for one command; an SQLite database is made on first use."""
    from riskmark.app import build, clock_from, prepare

    app = build(load_chosen_settings(ctx), clock_from(os.environ.get("RISKMARK_NOW")))
    try:
        if prepared:
            path = sqlite_path(app)
            is_new = path is not None and not path.exists()
            prepare(app)
            if is_new:
                output.note(f"created the database {path}")
        yield app
    finally:
        app.database.close()


def sqlite_path(app: "App") -> Path | None:
    """Return the file of an SQLite database; None for PostgreSQL and in memory."""
    name = app.database.engine.url.database
    if not app.database.is_sqlite or not name or name == ":memory:":
        return None
    return Path(name)


def rules_for(app: "App", connection: "Connection", as_of: date | None = None) -> "Rules":
    """Return what decides whether numbers are up to date now, or as of a date."""
    from riskmark.engine.version import ENGINE_VERSION
    from riskmark.planning.facts import Version
    from riskmark.reports.rules import Rules
    from riskmark.storage.calendar import load_calendar

    calendar = load_calendar(connection)
    return Rules(
        calendar=calendar,
        target=app.target(calendar, as_of),
        version=Version(ENGINE_VERSION, app.settings.numbers_hash),
        factor_symbols=app.settings.factor_symbols,
    )
