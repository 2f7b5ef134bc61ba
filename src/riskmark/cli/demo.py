"""``riskmark demo``: a small installation from real prices, run and shown.

Five portfolios are imported and run. One of them holds a symbol that nobody has a price of, so
the first run ends partial; the demo then accepts that reason, as an operator would, and a
second run computes again exactly what depends on it. In a folder that is a demo already
everything is there, and nothing is computed.
"""

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmark.cli import exits, formats, output
from riskmark.cli.group import is_verbose
from riskmark.cli.opening import rules_for
from riskmark.cli.options import AsJson
from riskmark.domain.reasons import RunStatus, Source

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from riskmark.app import App
    from riskmark.cli.demo_setup import Filled
    from riskmark.engine.recorder import Observer
    from riskmark.engine.run import RunResult
    from riskmark.reports.snapshot import SnapshotReport
    from riskmark.reports.status import Status

FOLDER = Path("riskmark-demo")

_TOUR = (
    ("riskmark show Growth", "every number of a portfolio, and where it comes from"),
    ("riskmark show Family --session 2022-06-30", "another session"),
    ("riskmark history Energy", "its sessions, one a line"),
    ("riskmark runs list", "what was computed, when, and how it ended"),
    ("riskmark run", "nothing is missing, so nothing is computed"),
)


def demo(
    *,
    ctx: typer.Context,
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where to build it.")
    ] = FOLDER,
    as_json: AsJson = False,
) -> None:
    """Build a small installation from real prices, run it, and show the result."""
    from riskmark.cli.demo_setup import open_demo, prepare_folder
    from riskmark.cli.runs import terminated_as_interrupted

    with terminated_as_interrupted():
        with _doing("reading the exchange's calendar, making the database"):
            was_there = prepare_folder(folder)
            app = open_demo(folder)
        try:
            is_fine = _build(app, folder, is_new=not was_there, is_verbose=is_verbose(ctx))
            status, snapshots = _load(app)
        finally:
            app.database.close()
    if as_json:
        output.show_json(status.document())
    else:
        output.show("", _overview(status, snapshots), "", *_what_next(folder))
    if not is_fine:
        raise typer.Exit(exits.FAILED)
    if not status.is_current:
        raise typer.Exit(exits.NOT_CURRENT)
