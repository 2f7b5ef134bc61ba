"""Reports to print or to send: a portfolio's session on one to three pages, as PDF or HTML.

    report = render_report(connection, principal, "Growth", settings=…, calendar=…)
    report.content      the bytes of report.media_type

Both forms are written from the same ``content``, which is made of what ``show`` says.
"""

from riskmark.domain.exports import ReportFormat
from riskmark.reports.printed.rendering import Printed, render_report

__all__ = ["Printed", "ReportFormat", "render_report"]
