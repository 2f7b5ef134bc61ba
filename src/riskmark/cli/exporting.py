"""``riskmark export``: a portfolio's numbers of many sessions, to a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmark.cli import formats, output
from riskmark.cli.opening import opened
from riskmark.cli.options import PortfolioName
from riskmark.domain.exports import Exported, FileFormat
from riskmark.errors import InputError

if TYPE_CHECKING:
    import polars as pl


def export(
    ctx: typer.Context,
    portfolio: PortfolioName,
    *,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="FILE", help="A .csv or .parquet file; it must not exist."
        ),
    ],
    what: Annotated[Exported, typer.Option(help="What to write.")] = Exported.HISTORY,
    first: Annotated[str | None, typer.Option("--from", metavar="D", show_default=False)] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="D", show_default=False)] = None,
) -> None:
    """Write sessions, positions, exposures or stress results to CSV or Parquet."""
    from riskmark.cli.show import range_day
    from riskmark.reports.exports import load_history_table, load_lines

    file_format = _format_of(out)
    begin, end = range_day(first, "--from"), range_day(last, "--to")
    with opened(ctx) as app, app.database.read() as connection:
        if what is Exported.HISTORY:
            frame = load_history_table(connection, app.principal, portfolio, first=begin, last=end)
        else:
            frame = load_lines(
                connection, app.principal, portfolio, what=what, first=begin, last=end
            )
    _write(frame, file_format, out)
    output.note(f"{formats.plural(frame.height, 'row')} written to {out}")


def _format_of(out: Path) -> FileFormat:
    suffix = out.suffix.lower().removeprefix(".")
    if suffix not in set(FileFormat):
        raise InputError(f"{out.name!r} must end in .csv or .parquet, which says how to write it")
    return FileFormat(suffix)


def _write(frame: "pl.DataFrame", file_format: FileFormat, out: Path) -> None:
    from riskmark.reports.exports import write_table

    with output.new_file(out) as file:
        write_table(frame, file_format, file)
