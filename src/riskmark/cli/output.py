"""Where output goes: reports and JSON to standard output, everything else to standard error."""

import sys
from typing import IO, TYPE_CHECKING

import typer

from riskmark.reports.documents import Document, to_json

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

WIDTH = 100
"""Columns that output takes at most."""


def show(*renderables: "RenderableType") -> None:
    """Print to standard output."""
    console = _console(sys.stdout)
    for renderable in renderables:
        console.print(renderable)


def show_json(document: Document) -> None:
    """Print a document, and nothing else, to standard output."""
    typer.echo(to_json(document))


def note(renderable: "RenderableType") -> None:
    """Print to standard error."""
    error_console().print(renderable)


def fail(message: str) -> None:
    """Print an error in one line to standard error."""
    from rich.text import Text

    note(Text.assemble(("error: ", "bold red"), " ".join(message.split())))


def error_console() -> "Console":
    """Return a console on standard error."""
    return _console(sys.stderr)


def _console(stream: IO[str]) -> "Console":
    from rich.console import Console

    console = Console(file=stream, highlight=False, soft_wrap=False)
    if not console.is_terminal or console.width > WIDTH:
        console.width = WIDTH
    return console
