"""Arguments and options that several commands have, each declared once."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmark.errors import InputError

if TYPE_CHECKING:
    from datetime import date

    from riskmark.app import App

PortfolioName = Annotated[
    str, typer.Argument(metavar="P", help="A portfolio's name or id.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="DATE",
        help="The last session to look at; the one before, if the date is none.",
        show_default=False,
    ),
]
Portfolios = Annotated[
    list[str] | None,
    typer.Option(
        "--portfolio",
        "-p",
        metavar="P …",
        help="Only these portfolios (names or ids).",
        show_default=False,
    ),
]
MorePortfolios = Annotated[
    list[str] | None,
    typer.Argument(metavar="P", help="The same, without the option.", show_default=False),
]
ListAll = Annotated[bool, typer.Option("--all", help="List all, however many there are.")]

NEGATIVE_VALUES = {"ignore_unknown_options": True}
"""Context settings of a command whose arguments may begin with a minus."""


def chosen_portfolios(named: list[str] | None, more: list[str] | None) -> tuple[str, ...] | None:
    """Join the portfolios named in either way; None: all."""
    return (*(named or ()), *(more or ())) or None


def day_of(app: "App", text: str | None, *, name: str) -> "date | None":
    """Read a date that is not after today."""
    from riskmark.intake.arguments import parse_day

    return None if text is None else parse_day(text, today=app.today, name=name)


def read_input(path: Path, *, most: int | None = None) -> bytes:
    """Read a file that the caller named, or standard input for ``-``."""
    try:
        if str(path) == "-":
            return typer.get_binary_stream("stdin").read(-1 if most is None else most)
        with path.open("rb") as file:
            return file.read(-1 if most is None else most)
    except OSError as error:
        raise InputError(f"cannot read {str(path)!r}: {error.strerror}") from error
