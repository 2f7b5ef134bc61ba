"""Operation, for admins: the schedule, notices, people, and the audit log."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from riskmark.api.identity import Installation
from riskmark.domain.accounts import Role
from riskmark.reports.hidden import hide_detail, is_detail_open, open_books
from riskmark.reports.schedule import load_schedule
from riskmark.storage import accounts, audit, outbox
from riskmark.web.guard import Operator
from riskmark.web.operation import OPERATION, PageNumber, Words
from riskmark.web.paging import page_of
from riskmark.web.rendering import pages_of

router = APIRouter()
FIRINGS: Final = 8
NOTICES: Final = 100
LINES: Final = 50


@router.get(OPERATION + "/schedule")
def show_schedule(request: Request, viewer: Operator, app: Installation) -> Response:
    """Show when runs begin by themselves, and what came of the last."""
    with app.database.read() as connection:
        now = app.clock.now()
        found = load_schedule(connection, app.settings.schedule, now=now, most=FIRINGS)
    return pages_of(request).render(request, "operation_schedule.html", viewer, schedule=found)


@router.get(OPERATION + "/outbox")
def show_outbox(
    request: Request, viewer: Operator, app: Installation, *, sent: bool = False
) -> Response:
    """Show the notices that wait or were given up; ``sent`` shows the others as well."""
    with app.database.read() as connection:
        found = outbox.list_notices(connection, most=NOTICES, every_status=sent)
    return pages_of(request).render(
        request, "operation_outbox.html", viewer, notices=found, sent=sent, most=NOTICES
    )


@router.get(OPERATION + "/users")
def show_users(
    request: Request, viewer: Operator, app: Installation, *, q: Words = "", page: PageNumber = 1
) -> Response:
    """Show who may sign in."""
    with app.database.read() as connection:
        found = accounts.list_accounts(connection)
    wanted = q.casefold().split()
    chosen = [
        one
        for one in found
        if all(word in f"{one.name} {one.email or ''}".casefold() for word in wanted)
    ]
    return pages_of(request).render(
        request,
        "operation_users.html",
        viewer,
        page=page_of(chosen, page, q=q),
        q=q,
        roles=list(Role),
    )


@router.get(OPERATION + "/audit")
def show_audit(
    request: Request,
    viewer: Operator,
    app: Installation,
    *,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """Show who did what, the newest first; of books that are not open to one, only that."""
    with app.database.read() as connection:
        found = audit.list_entries(connection, before=before, limit=LINES + 1)
        names = {one.account_id: one.name for one in accounts.list_accounts(connection)}
        own = open_books(connection, viewer.principal)
    lines = found[:LINES]
    return pages_of(request).render(
        request,
        "operation_audit.html",
        viewer,
        lines=[
            (hide_detail(one, own), is_detail_open(one, own), own.get(one.object_id))
            for one in lines
        ],
        names=names,
        before=before,
        older=lines[-1].entry_id if len(found) > LINES else None,
    )
