"""Signing in and out, and setting a password by a link that was handed out.

These are plain forms, which work without scripts; a script only saves typing a password twice
where a code is needed as well.
"""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import SecretStr

from riskmark.access.people import LinkRefused, set_up
from riskmark.access.signing_in import (
    CodeNeeded,
    Credentials,
    SignInRefused,
    TooManyTries,
    sign_in,
)
from riskmark.api.identity import Installation, actor_of, check_origin
from riskmark.api.models.bodies import Body
from riskmark.api.problems import status_of
from riskmark.api.signing_in import end_session, keep_session
from riskmark.app import App
from riskmark.errors import InputError
from riskmark.storage import accounts
from riskmark.web.guard import HOME, SIGN_IN, Viewer, Visitor, own_address
from riskmark.web.rendering import pages_of

router = APIRouter()


class SignInForm(Body):
    """What somebody types to sign in; ``next`` is where he goes on to."""

    email: str = ""
    password: SecretStr = SecretStr("")
    code: str = ""
    next: str = ""


class SetUpForm(Body):
    """The secret of a link, and the password to be, twice."""

    link: str = ""
    password: SecretStr = SecretStr("")
    again: SecretStr = SecretStr("")


@router.get("/")
async def first_page() -> Response:
    """Lead to the portfolios."""
    return RedirectResponse(HOME, HTTPStatus.SEE_OTHER)


@router.get(SIGN_IN)
def show_sign_in(
    request: Request,
    visitor: Visitor,
    app: Installation,
    next: str | None = None,  # noqa: A002 - as addresses have it
    done: str | None = None,
) -> Response:
    """Show the form; whoever is signed in goes on."""
    wanted = own_address(next)
    if visitor is not None:
        return RedirectResponse(wanted, HTTPStatus.SEE_OTHER)
    return _form(request, app, SignInForm(next=wanted), is_set_up=done == "set-up")


@router.post(SIGN_IN)
def open_session(
    form: Annotated[SignInForm, Form()], request: Request, app: Installation
) -> Response:
    """Sign in, and go on to the page that was wanted."""
    check_origin(request)
    code = "".join(form.code.split()) or None
    try:
        found = sign_in(
            app.database,
            Credentials(form.email, form.password.get_secret_value(), code),
            actor_of(request, None),
            client=request.headers.get("user-agent", ""),
            lifetime=timedelta(hours=app.settings.server.session_hours),
            at=app.wall.now(),
        )
    except (SignInRefused, CodeNeeded, TooManyTries) as error:
        return _form(request, app, form, error=error)
    answer = RedirectResponse(own_address(form.next), HTTPStatus.SEE_OTHER)
    keep_session(answer, found)
    return answer


@router.post("/sign-out")
def close_session(viewer: Viewer, app: Installation) -> Response:
    """Sign out: the session is gone from the server."""
    answer = RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)
    end_session(answer, app, viewer)
    return answer


@router.get("/set-up")
def show_set_up(request: Request, visitor: Visitor) -> Response:
    """Show where a link's secret becomes a password.

    The secret stands after the ``#`` of an address, which browsers send to nobody.
    """
    return pages_of(request).render(request, "set_up.html", visitor, error=None, link="")


@router.post("/set-up")
def set_up_account(
    form: Annotated[SetUpForm, Form()], request: Request, app: Installation
) -> Response:
    """Set a password by a link; the link serves once."""
    check_origin(request)
    password = form.password.get_secret_value()
    try:
        if password != form.again.get_secret_value():
            raise InputError("the two passwords are not the same")  # noqa: TRY301 - one way out
        set_up(
            app.database, actor_of(request, None), form.link.strip(), password, at=app.wall.now()
        )
    except (InputError, LinkRefused) as error:
        return pages_of(request).render(
            request,
            "set_up.html",
            None,
            code=status_of(error),
            error=str(error),
            link=form.link,
        )
    return RedirectResponse(f"{SIGN_IN}?done=set-up", HTTPStatus.SEE_OTHER)


def _form(
    request: Request,
    app: App,
    form: SignInForm,
    *,
    error: InputError | None = None,
    is_set_up: bool = False,
) -> Response:
    headers = {}
    if isinstance(error, TooManyTries):
        headers["retry-after"] = str(error.retry_after_s)
    return pages_of(request).render(
        request,
        "sign_in.html",
        None,
        code=HTTPStatus.OK if error is None else status_of(error),
        headers=headers,
        email=form.email,
        next=own_address(form.next),
        needs_code=isinstance(error, CodeNeeded) or bool(form.code),
        error=None if error is None else str(error),
        is_set_up=is_set_up,
        is_new=_is_new(app),
    )


def _is_new(app: App) -> bool:
    """Whether nobody can sign in yet."""
    with app.database.read() as connection:
        return not any(one.has_password for one in accounts.list_accounts(connection))
