"""Grants: who besides its owner may read a portfolio."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Response

from riskmark.api.answers import answer
from riskmark.api.editing import note
from riskmark.api.identity import Installation, Reader, Writer
from riskmark.api.models import books as models
from riskmark.api.models.bodies import Body
from riskmark.api.problems import Problem
from riskmark.api.visible import find_own
from riskmark.domain.accounts import check_email
from riskmark.errors import InputError
from riskmark.reports.documents import instant_text
from riskmark.storage import accounts, grants
from riskmark.storage.grants import Grant

router = APIRouter(prefix="/portfolios/{portfolio_id}/grants", tags=["sharing"])


class NewGrant(Body):
    """Who is to read a portfolio."""

    email: str


@router.get("", response_model=list[models.Grant])
def list_grants(portfolio_id: str, caller: Reader, app: Installation) -> Response:
    """List who may read a portfolio; its owner alone may know."""
    with app.database.read() as connection:
        find_own(connection, caller, portfolio_id)
        found = grants.list_grants(connection, portfolio_id)
    return answer([_document(one) for one in found])


@router.post("", status_code=201, response_model=models.Grant)
def grant(portfolio_id: str, body: NewGrant, caller: Writer, app: Installation) -> Response:
    """Let somebody with an account here read a portfolio."""
    email = check_email(body.email)
    with app.database.write() as connection:
        portfolio = find_own(connection, caller, portfolio_id)
        account = accounts.find_account(connection, email)
        if account.account_id == portfolio.owner_id:
            raise InputError("a portfolio's owner needs no grant")
        grants.add_grant(
            connection,
            portfolio_id,
            account.account_id,
            granted_by=caller.account.account_id,
            at=app.wall.now(),
        )
        note(app, connection, caller, "grant", portfolio_id, account=account.account_id)
        found = grants.list_grants(connection, portfolio_id)
    made = next(one for one in found if one.account_id == account.account_id)
    return answer(_document(made), HTTPStatus.CREATED)


@router.delete("/{account_id}", status_code=204)
def revoke(portfolio_id: str, account_id: str, caller: Writer, app: Installation) -> None:
    """Take a grant back, at once."""
    with app.database.write() as connection:
        find_own(connection, caller, portfolio_id)
        if not grants.remove_grant(connection, portfolio_id, account_id):
            raise Problem(HTTPStatus.NOT_FOUND, "unknown_grant", "this account has no grant")
        note(app, connection, caller, "revoke_grant", portfolio_id, account=account_id)


def _document(one: Grant) -> dict[str, Any]:
    return {
        "account": one.account_id,
        "email": one.email,
        "granted_at": instant_text(one.granted_at),
    }
