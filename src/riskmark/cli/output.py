"""Where output goes: reports and JSON to standard output, everything else to standard error.

A string is printed as it is, whatever brackets a name or a message has in it; ``styled``
makes a text of one with markup.
"""

import shutil
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, BinaryIO

import typer

from riskmark.errors import InputError
from riskmark.reports.documents import Document, to_json, to_json_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console, RenderableType
    from rich.text import Text

WIDTH = 100
"""Columns that output takes at most, and where there is no terminal."""
NARROW = 96
"""On fewer columns, tables stand closer and leave out what can be missed."""


def width() -> int:
    """Return the columns that output may take."""
    return min(shutil.get_terminal_size((WIDTH, 24)).columns, WIDTH)


def is_narrow() -> bool:
    """Whether there is little room."""
    return width() < NARROW


def styled(markup: str, **values: object) -> "Text":
    """Return a text of ``markup``, with ``values`` in its braces as they are."""
    from rich.markup import escape
    from rich.text import Text

    escaped = {name: escape(str(value)) for name, value in values.items()}
    return Text.from_markup(markup.format(**escaped), emoji=False)


def show(*renderables: "RenderableType") -> None:
    """Print to standard output."""
    console = _console(sys.stdout)
    for renderable in renderables:
        console.print(renderable)


def show_json(document: Document) -> None:
    """Print a document, and nothing else, to standard output."""
    typer.echo(to_json(document))


def show_json_line(document: Document) -> None:
    """Print a document to standard output as one line of a stream, at once."""
    sys.stdout.write(to_json_line(document) + "\n")
    sys.stdout.flush()


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


@contextmanager
def new_file(out: "Path") -> "Iterator[BinaryIO]":
    """Open a file that is not there yet; nothing is left of one that cannot be finished."""
    try:
        with out.open("xb") as file:
            try:
                yield file
            except BaseException:
                out.unlink()
                raise
    except OSError as error:
        raise InputError(f"cannot write {str(out)!r}: {error.strerror}") from error


def natural_width(renderable: "RenderableType") -> int:
    """Return the columns that something takes where there is room enough."""
    from rich.console import Console
    from rich.measure import Measurement

    roomy = Console(file=sys.stdout, width=10 * WIDTH)
    return Measurement.get(roomy, roomy.options, renderable).maximum


def _console(stream: IO[str]) -> "Console":
    from rich.console import Console

    return Console(file=stream, highlight=False, markup=False, emoji=False, width=width())
