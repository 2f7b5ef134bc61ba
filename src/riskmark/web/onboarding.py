"""A new portfolio: a positions file goes in, and every error of it comes back at once.

A script reads the file, shows each error beside its row, and sends what was corrected to the
API. Without scripts the form posts itself here, and the same errors come back as a page.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from riskmark.api.identity import Caller, Installation
from riskmark.api.portfolios import Onboarding, create_portfolio
from riskmark.api.problems import Problem, status_of
from riskmark.domain.portfolio import AccountType
from riskmark.errors import InputError
from riskmark.intake.columns import REQUIRED, Column
from riskmark.web.guard import Viewer
from riskmark.web.rendering import pages_of

router = APIRouter()
NEW: Final = "/portfolios/new"
TEMPLATE: Final = """\
Symbol,Quantity,Entry Price Per Share,Entry Date
# One line for each purchase. A negative quantity is a short position.
# Lines that begin with # are not read. Replace the three lines below by your own.
AAPL,100,182.50,2024-03-15
SPY,-20,512.30,2024-04-01
MSFT,40,415.00,2024-06-03
"""
_KINDS: Final = {
    AccountType.TAXABLE: "Taxable",
    AccountType.IRA: "IRA",
    AccountType.ROTH_IRA: "Roth IRA",
    AccountType.K401: "401(k)",
    AccountType.B403: "403(b)",
    AccountType.P529: "529",
    AccountType.HSA: "HSA",
    AccountType.TRUST: "Trust",
    AccountType.OTHER: "Other",
}
"""What people call the kinds of accounts."""


@router.get(NEW)
def show_new(request: Request, viewer: Viewer, app: Installation) -> Response:
    """Show where a positions file goes in."""
    return _page(request, viewer, app)


@router.get(NEW + "/template.csv")
def read_template(_: Viewer) -> Response:
    """Send a positions file to fill in."""
    headers = {"content-disposition": 'attachment; filename="positions.csv"'}
    return Response(TEMPLATE, HTTPStatus.OK, headers, media_type="text/csv; charset=utf-8")


@router.post(NEW)
def create_new(
    form: Annotated[Onboarding, Form(media_type="multipart/form-data")],
    request: Request,
    viewer: Viewer,
    app: Installation,
) -> Response:
    """Make a portfolio as the API does, and go on to its run; without scripts."""
    given = {
        "name": form.name,
        "account_name": form.account_name or "",
        "account_type": form.account_type or "",
        "opening_equity": form.opening_equity or "",
    }
    try:
        made = create_portfolio(form, viewer, app)
    except Problem as error:
        return _page(request, viewer, app, given=given, error=str(error), issues=error.extra)
    except InputError as error:
        answer = _page(request, viewer, app, given=given, error=str(error))
        answer.status_code = status_of(error)
        return answer
    run = json.loads(bytes(made.body))["run"]
    return RedirectResponse(f"/runs/{run}", HTTPStatus.SEE_OTHER)


def _page(
    request: Request,
    viewer: Caller,
    app: Installation,
    *,
    given: Mapping[str, str] | None = None,
    error: str | None = None,
    issues: Mapping[str, Any] | None = None,
) -> Response:
    answer = pages_of(request).render(
        request,
        "portfolio_new.html",
        viewer,
        currency=app.settings.base_currency,
        account_types=list(AccountType),
        account_kinds=_KINDS,
        required=REQUIRED,
        optional=[one for one in Column if one not in REQUIRED],
        given=given or {},
        error=error,
        issues=issues or {"errors": [], "total_errors": 0},
    )
    if error is not None:
        answer.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    return answer
