"""``riskmark report``: a portfolio's session on paper."""

from pathlib import Path
from typing import Annotated

import typer

from riskmark.cli import output
from riskmark.cli.opening import opened
from riskmark.cli.options import PortfolioName, day_of
from riskmark.domain.exports import ReportFormat
from riskmark.errors import InputError


def report(
    ctx: typer.Context,
    portfolio: PortfolioName,
    *,
    session: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Default: the newest.", show_default=False),
    ] = None,
    report_format: Annotated[
        ReportFormat | None,
        typer.Option(
            "--format",
            help="How to write it; default: as FILE ends, or PDF.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "--output",
            "-o",
            metavar="FILE",
            help="A .pdf or .html file that does not exist; default: named after P and the "
            "session, here.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write a report of one session to print or to send, as PDF or HTML."""
    chosen = _format_of(out, report_format)
    from riskmark.reports.printed import render_report
    from riskmark.storage.calendar import load_calendar

    with opened(ctx) as app, app.database.read() as connection:
        found = render_report(
            connection,
            app.principal,
            portfolio,
            settings=app.settings,
            calendar=load_calendar(connection),
            session=day_of(app, session, name="--session"),
            report_format=chosen,
        )
    target = Path(found.name) if out is None else out
    with output.new_file(target) as file:
        file.write(found.content)
    output.note(f"written to {target}")


def _format_of(out: Path | None, stated: ReportFormat | None) -> ReportFormat:
    """Choose the format; the end of the file's name and what is stated must agree."""
    if out is None:
        return stated or ReportFormat.PDF
    ending = out.suffix.lower().removeprefix(".")
    if stated is not None:
        if ending in set(ReportFormat) and ending != stated:
            raise InputError(f"{out.name!r} ends in .{ending}, but --format says {stated}")
        return stated
    if ending not in set(ReportFormat):
        raise InputError(f"{out.name!r} must end in .pdf or .html, or --format say how to write it")
    return ReportFormat(ending)
