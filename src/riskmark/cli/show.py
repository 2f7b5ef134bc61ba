"""``riskmark show`` and ``riskmark history``: one session of a portfolio, and all of them."""

import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmark.cli import formats, output
from riskmark.cli.opening import opened, rules_for
from riskmark.cli.options import AsJson, ListAll, PortfolioName, day_of
from riskmark.domain.exports import FileFormat
from riskmark.errors import InputError

if TYPE_CHECKING:
    from riskmark.reports.history import History

LAST_SESSIONS = 30
"""Sessions of a history that are shown to people who name no range."""


class HistoryFormat(StrEnum):
    """How a series is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


def show_snapshot(
    ctx: typer.Context,
    portfolio: PortfolioName,
    more: Annotated[
        list[str] | None,
        typer.Argument(metavar="M", help="As --measure.", show_default=False),
    ] = None,
    *,
    session: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Default: the newest.", show_default=False),
    ] = None,
    measures: Annotated[
        list[str] | None,
        typer.Option(
            "--measure",
            "-m",
            metavar="M …",
            help="Only these, by name: beta, sectors, positions.AAPL …",
            show_default=False,
        ),
    ] = None,
    every: ListAll = False,
    as_json: AsJson = False,
) -> None:
    """Show everything that is known of a portfolio on one session."""
    from riskmark.cli.measure_view import measure_view
    from riskmark.cli.snapshot_view import snapshot_view
    from riskmark.reports.selection import choose_measures, parts_of
    from riskmark.reports.shown import EVERY_PART
    from riskmark.reports.snapshot import load_snapshot
    from riskmark.reports.status import load_status

    chosen = [*(measures or ()), *(more or ())]
    with opened(ctx) as app, app.database.read() as connection:
        day = day_of(app, session, name="--session")
        found = load_snapshot(
            connection,
            app.principal,
            portfolio,
            settings=app.settings,
            session=day,
            parts=parts_of(chosen) if chosen else EVERY_PART,
        )
        scope = [found.portfolio.portfolio_id]
        rules = rules_for(app, connection)
        status = load_status(connection, app.principal, rules=rules, scope=scope)
    document = found.document()
    if chosen:
        document = choose_measures(document, chosen)
    if as_json:
        output.show_json(document)
    elif chosen:
        output.show(measure_view(document))
    else:
        output.show(*snapshot_view(found, status.portfolios[0], every_position=every))


def show_history(
    ctx: typer.Context,
    portfolio: PortfolioName,
    *,
    first: Annotated[str | None, typer.Option("--from", metavar="D", show_default=False)] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="D", show_default=False)] = None,
    file_format: Annotated[
        HistoryFormat, typer.Option("--format", help="How to write it.")
    ] = HistoryFormat.TABLE,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write here; it must not exist."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show or write the series of a portfolio's snapshots."""
    from riskmark.reports.documents import to_json
    from riskmark.reports.history import load_history

    chosen = HistoryFormat.JSON if as_json else file_format
    with opened(ctx) as app, app.database.read() as connection:
        found = load_history(
            connection,
            app.principal,
            portfolio,
            first=range_day(first, "--from"),
            last=range_day(last, "--to"),
        )
    if chosen is HistoryFormat.TABLE:
        _show_history(found, is_whole=first is not None)
    elif chosen is HistoryFormat.JSON:
        _write((to_json(found.document()) + "\n").encode(), out)
    else:
        _write(_table_file(found, chosen), out)


def range_day(text: str | None, name: str) -> date | None:
    """Read an end of a range of sessions, which may lie in the future."""
    from riskmark.intake.arguments import parse_day

    return None if text is None else parse_day(text, today=date.max, name=name)


def _table_file(found: "History", file_format: HistoryFormat) -> bytes:
    import io

    from riskmark.reports.exports import history_frame, write_table

    buffer = io.BytesIO()
    write_table(history_frame(found), FileFormat(file_format.value), buffer)
    return buffer.getvalue()


def _write(content: bytes, out: Path | None) -> None:
    if out is None:
        stream = typer.get_binary_stream("stdout")
        if content.startswith(b"PAR1") and sys.stdout.isatty():
            raise InputError("a Parquet file is not for a terminal; use --out FILE")
        stream.write(content)
        stream.flush()
        return
    with output.new_file(out) as file:
        file.write(content)
    output.note(f"written to {out}")


def _show_history(found: "History", *, is_whole: bool) -> None:
    from riskmark.cli.tables import make_table

    if not found.rows:
        output.note("no snapshots in this range; next: riskmark run")
        return
    rows = found.rows if is_whole else found.rows[-LAST_SESSIONS:]
    wide = () if output.is_narrow() else ("Gross>", "Positions>")
    table = make_table("Session", "NAV>", "P&L>", "Return>", "Flow>", "Income>", *wide, "State")
    for row in rows:
        values = row.document()
        more = (formats.money(values["gross"]), str(values["positions"]))
        table.add_row(
            formats.day(row.session),
            formats.money(values["nav"]),
            formats.signed_money(values["pnl"]),
            formats.signed_percent(values["return"]),
            formats.money(values["flow"]) if values["flow"] else "",
            formats.money(values["income"]) if values["income"] else "",
            *more[: len(wide)],
            formats.state(row.state),
        )
    output.show(table)
    if len(rows) < len(found.rows):
        output.note(f"the last {len(rows)} of {len(found.rows):,} sessions; --from shows more")
