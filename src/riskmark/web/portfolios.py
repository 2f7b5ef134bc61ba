"""The list of portfolios: what each is worth, did and risks, and whether it is up to date."""

from fastapi import APIRouter, Request, Response

from riskmark.web.guard import HOME, Viewer
from riskmark.web.rendering import pages_of

router = APIRouter()


@router.get(HOME)
def list_portfolios(request: Request, viewer: Viewer) -> Response:
    """Show every portfolio that one may read."""
    return pages_of(request).render(request, "portfolios.html", viewer)
