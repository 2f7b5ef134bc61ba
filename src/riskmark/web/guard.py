"""Who looks at a page: somebody with a session. Anybody else is sent to sign in.

Pages take no tokens, and change nothing but sessions: what their forms ask for, the API does,
with its own guards. ``api.identity`` refuses what another site's page makes a browser send.
"""

from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request

from riskmark.api.identity import COOKIE, Caller, Installation, admin, find_caller
from riskmark.api.problems import Problem

SIGN_IN = "/sign-in"
HOME = "/portfolios"


def find_viewer(request: Request, app: Installation) -> Caller:
    """Return who looks; the problem that nobody is signed in becomes a redirect."""
    return find_caller(request, app, None, request.cookies.get(COOKIE))


def find_visitor(request: Request, app: Installation) -> Caller | None:
    """Return who looks at a page that is for everybody; None: nobody who is known."""
    if COOKIE not in request.cookies:
        return None
    try:
        return find_viewer(request, app)
    except Problem:
        return None


async def find_operator(caller: Annotated[Caller, Depends(find_viewer)]) -> Caller:
    """Return an admin who looks."""
    return await admin(caller)


Viewer = Annotated[Caller, Depends(find_viewer)]
Visitor = Annotated[Caller | None, Depends(find_visitor)]
Operator = Annotated[Caller, Depends(find_operator)]


def sign_in_address(request: Request) -> str:
    """Return where somebody signs in who wanted to see a page, and comes back to it."""
    if request.method != "GET" or request.url.path in ("/", HOME):
        return SIGN_IN
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"{SIGN_IN}?next={quote(wanted, safe='')}"


def own_address(wanted: str | None) -> str:
    """Return an address of this site to go on to; what leads elsewhere becomes the first page."""
    if not wanted or not wanted.startswith("/") or wanted.startswith(("//", "/\\")):
        return HOME
    parts = urlsplit(wanted)
    is_plain = all(" " < letter < "\x7f" and letter != "\\" for letter in wanted)
    return wanted if is_plain and not parts.scheme and not parts.netloc else HOME
