"""Makes the report of a portfolio's session."""

import re
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from riskmark.domain.exports import ReportFormat
from riskmark.domain.sessions import Calendar
from riskmark.reports.figures.numbers import Numbers, load_numbers
from riskmark.reports.printed.compose import FIGURES, compose
from riskmark.settings import Settings
from riskmark.storage.books import Principal
from riskmark.storage.engines import bind_date, read_rows
from riskmark.storage.key_lists import among

MEDIA_TYPES = {
    ReportFormat.PDF: "application/pdf",
    ReportFormat.HTML: "text/html; charset=utf-8",
}
_LONGEST = 60
"""Letters of a portfolio's name that its file is called by."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A report that is ready to be stored or sent; ``name`` is fit for a file."""

    name: str
    media_type: str
    content: bytes


def render_report(
    connection: Connection,
    principal: Principal,
    name_or_id: str,
    *,
    settings: Settings,
    calendar: Calendar,
    session: date | None = None,
    report_format: ReportFormat = ReportFormat.PDF,
) -> Printed:
    """Write the report of a portfolio's ``session``; without one, of the newest.

    Raises ``NotValued`` without a snapshot, and ``MissingExtra`` where what draws or sets it is
    not installed.
    """
    numbers = load_numbers(
        connection,
        principal,
        name_or_id,
        settings=settings,
        calendar=calendar,
        session=session,
        names=FIGURES,
    )
    content = compose(numbers, sources=_load_sources(connection, numbers))
    if report_format is ReportFormat.PDF:
        from riskmark.reports.printed.pdf import write_pdf  # noqa: PLC0415 - one of the two

        written = write_pdf(content)
    else:
        from riskmark.reports.printed.page import write_page  # noqa: PLC0415 - the other

        written = write_page(content)
    name = f"{_file_name(content.title)}-{numbers.session}.{report_format}"
    return Printed(name, MEDIA_TYPES[report_format], written)


def _file_name(title: str) -> str:
    """Return what of a name any file system and any header can take."""
    kept = re.sub(r"[^A-Za-z0-9]+", "-", title)[:_LONGEST].strip("-").lower()
    return kept or "portfolio"


def _load_sources(connection: Connection, numbers: Numbers) -> tuple[str, ...]:
    """Read which providers the closes of the session are from."""
    symbols = [line["symbol"] for line in numbers.snapshot["positions"] or ()]
    held = among(connection, symbols)
    session = date.fromisoformat(numbers.session)
    rows = read_rows(
        connection,
        "SELECT DISTINCT p.provider FROM price p JOIN instrument i ON i.id = p.instrument_id "
        f"WHERE p.session = ? AND i.symbol {held.sql} ORDER BY p.provider",
        (bind_date(connection, session), *held.values),
    )
    return tuple(provider for (provider,) in rows)
