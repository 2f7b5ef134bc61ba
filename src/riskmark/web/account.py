"""One's own settings: password, second factor, tokens. What is changed, the API changes."""

from fastapi import APIRouter, Request, Response

from riskmark.api.identity import Installation
from riskmark.domain.accounts import Scope
from riskmark.storage import web_sessions
from riskmark.web.guard import Viewer
from riskmark.web.rendering import pages_of

router = APIRouter()


@router.get("/account")
def show_account(request: Request, viewer: Viewer, app: Installation) -> Response:
    """Show one's own settings."""
    with app.database.read() as connection:
        found = web_sessions.list_tokens(connection, viewer.account.account_id)
    now = app.wall.now()
    tokens = [
        one
        for one in found
        if one.revoked_at is None and (one.expires_at is None or one.expires_at > now)
    ]
    scopes = [one for one in Scope if one is not Scope.ADMIN or viewer.is_admin]
    return pages_of(request).render(request, "account.html", viewer, tokens=tokens, scopes=scopes)
