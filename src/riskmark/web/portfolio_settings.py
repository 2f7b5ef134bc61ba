"""The settings of a portfolio: its name, lots, flows, who may read it, and its end.

The page shows; what is changed, the API changes. A change names the version of the book that
the page was made of, so that nobody overwrites what he has not seen.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from riskmark.api.editing import book_tag
from riskmark.api.identity import Installation
from riskmark.api.portfolios import rules_of
from riskmark.api.visible import find_own
from riskmark.domain.portfolio import AccountType
from riskmark.reports.books import list_books, load_book
from riskmark.reports.status import load_status
from riskmark.storage import grants
from riskmark.web.guard import Viewer
from riskmark.web.rendering import pages_of

router = APIRouter()
A_PAGE: Final = 200
"""Lots that a page lists."""


@router.get("/portfolios/{portfolio_id}/settings")
def show_settings(
    portfolio_id: str,
    request: Request,
    viewer: Viewer,
    app: Installation,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """Show what can be changed of a portfolio, to its owner."""
    with app.database.read() as connection:
        find_own(connection, viewer, portfolio_id)
        book = load_book(connection, viewer.principal, portfolio_id)
        tag = book_tag(connection, viewer, portfolio_id)
        shared = grants.list_grants(connection, portfolio_id)
        rules = rules_of(app, connection)
        status = load_status(connection, viewer.principal, rules=rules, scope=[portfolio_id])
        books = list_books(connection, viewer.principal)
    account = viewer.account.account_id
    return pages_of(request).render(
        request,
        "portfolio_settings.html",
        viewer,
        head=book.head,
        lots=book.lots[(page - 1) * A_PAGE : page * A_PAGE],
        flows=book.flows,
        page=page,
        pages=max(1, -(-len(book.lots) // A_PAGE)),
        shared=shared,
        status=status.portfolios[0],
        own=[one for one in books if one.portfolio.owner_id == account and not one.members],
        tag=tag,
        today=app.today,
        is_own=True,
        account_types=tuple(AccountType),
    )
