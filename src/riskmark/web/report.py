"""The report of a session, to print or to send: a file, not a page."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from riskmark.api.identity import Installation
from riskmark.api.models.bodies import Day
from riskmark.api.visible import find_visible
from riskmark.domain.exports import ReportFormat
from riskmark.reports.printed import render_report
from riskmark.storage.calendar import load_calendar
from riskmark.web.guard import Viewer

router = APIRouter()


@router.get("/portfolios/{portfolio_id}/report")
def send_report(
    portfolio_id: str,
    viewer: Viewer,
    app: Installation,
    *,
    session: Annotated[Day | None, Query()] = None,
    form: Annotated[ReportFormat, Query(alias="format")] = ReportFormat.PDF,
) -> Response:
    """Send the report of a session; the HTML has styles of its own, so that no page shows it."""
    with app.database.read() as connection:
        find_visible(connection, viewer, portfolio_id)
        printed = render_report(
            connection,
            viewer.principal,
            portfolio_id,
            settings=app.settings,
            calendar=load_calendar(connection),
            session=session,
            report_format=form,
        )
    headers = {
        "content-disposition": f'attachment; filename="{printed.name}"',
        "cache-control": "private, no-store",
    }
    return Response(printed.content, 200, headers, media_type=printed.media_type)
