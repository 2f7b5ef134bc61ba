"""Signing in and out, one's own account, second factor and tokens."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, SecretStr
from starlette.requests import Request

from riskmark.access import second_factor, tokens, totp
from riskmark.access.people import set_up
from riskmark.access.signing_in import Credentials, SignedIn, change_password, sign_in
from riskmark.api.identity import (
    COOKIE,
    Caller,
    Installation,
    Reader,
    Writer,
    actor_of,
    check_origin,
)
from riskmark.api.models.bodies import JSON_NUMBER, Body
from riskmark.app import App
from riskmark.domain.accounts import MAX_NAME, AccountHolder, Role, Scope, parse_scopes
from riskmark.errors import InputError
from riskmark.storage import web_sessions
from riskmark.storage.web_sessions import ApiToken

router = APIRouter(tags=["account"])
LONGEST_TOKEN_DAYS = 3660


class SignIn(Body):
    """What somebody types."""

    email: str
    password: SecretStr
    code: str | None = Field(None, description="Six digits, if the account has a second factor.")


class Me(BaseModel):
    """Somebody who is signed in."""

    id: str
    name: str
    email: str | None
    role: Role
    has_totp: bool
    scopes: list[Scope]


class NewPassword(Body):
    """The present password, and the one to come."""

    old: SecretStr
    new: SecretStr


class Setup(Body):
    """The secret of a link, and the password to be."""

    link: str
    password: SecretStr


class Proof(Body):
    """The password, and a code of the second factor."""

    password: SecretStr
    code: str


class TotpProof(Proof):
    """A secret that was offered, and proof that an authenticator has it."""

    secret: SecretStr


class TotpSecret(BaseModel):
    """What an authenticator needs; it is told once."""

    secret: str
    uri: str


class NewToken(Body):
    """A token that is asked for."""

    name: str = Field(min_length=1, max_length=MAX_NAME)
    scopes: list[Scope] = Field(default_factory=lambda: [Scope.READ], min_length=1)
    days: Annotated[int, Field(ge=1, le=LONGEST_TOKEN_DAYS), JSON_NUMBER] | None = None


class Token(BaseModel):
    """A token, without its secret."""

    id: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


class FreshToken(Token):
    """A token with its secret, which is told this once."""

    token: str


@router.post("/session", status_code=201)
def open_session(body: SignIn, request: Request, response: Response, app: Installation) -> Me:
    """Sign in; the session is in a cookie that no script can read."""
    check_origin(request)
    found = sign_in(
        app.database,
        Credentials(body.email, body.password.get_secret_value(), body.code),
        actor_of(request, None),
        client=request.headers.get("user-agent", ""),
        lifetime=timedelta(hours=app.settings.server.session_hours),
        at=app.wall.now(),
    )
    keep_session(response, found)
    return _me(found.account, list(Scope))


@router.delete("/session", status_code=204)
def close_session(caller: Reader, response: Response, app: Installation) -> None:
    """Sign out: the session is gone from the server."""
    end_session(response, app, caller)


def keep_session(response: Response, found: SignedIn) -> None:
    """Hand a new session to a browser, in a cookie that no script can read."""
    response.set_cookie(
        COOKIE,
        found.secret.text,
        expires=found.expires_at,
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )


def end_session(response: Response, app: App, caller: Caller) -> None:
    """End the session of whoever asks, on the server and in his browser."""
    if caller.session is not None:
        with app.database.write() as connection:
            web_sessions.end_session(connection, caller.session)
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")


@router.get("/me")
def me(caller: Reader) -> Me:
    """Tell who is signed in."""
    return _me(caller.account, sorted(caller.scopes))


@router.put("/me/password", status_code=204)
def new_password(body: NewPassword, caller: Writer, app: Installation) -> None:
    """Change the password; every other session ends."""
    change_password(
        app.database,
        caller.account,
        caller.actor,
        old=body.old.get_secret_value(),
        new=body.new.get_secret_value(),
        keep=caller.session,
        at=app.wall.now(),
    )


@router.post("/setup", status_code=204)
def set_up_account(body: Setup, request: Request, app: Installation) -> None:
    """Set a password by a link that was handed out; the link serves once."""
    check_origin(request)
    actor = actor_of(request, None)
    set_up(app.database, actor, body.link, body.password.get_secret_value(), at=app.wall.now())


@router.post("/me/totp")
def offer_totp(caller: Writer) -> TotpSecret:
    """Offer a secret for a second factor; nothing changes until a code of it is shown."""
    if caller.account.email is None:
        raise InputError("the local account does not sign in")
    secret = totp.new_secret()
    return TotpSecret(secret=secret, uri=totp.enrolment_uri(secret, caller.account.email))


@router.put("/me/totp", status_code=204)
def add_totp(body: TotpProof, caller: Writer, app: Installation) -> None:
    """Ask for codes of a second factor from now on; every other session ends."""
    second_factor.take_on(
        app.database,
        caller.account,
        caller.actor,
        secret=body.secret.get_secret_value(),
        proof=second_factor.Proof(body.password.get_secret_value(), body.code),
        keep=caller.session,
        at=app.wall.now(),
    )


@router.post("/me/totp/removal", status_code=204)
def remove_totp(body: Proof, caller: Writer, app: Installation) -> None:
    """Ask for no second factor any more."""
    second_factor.give_up(
        app.database,
        caller.account,
        caller.actor,
        proof=second_factor.Proof(body.password.get_secret_value(), body.code),
        at=app.wall.now(),
    )


@router.get("/tokens")
def list_tokens(caller: Reader, app: Installation) -> list[Token]:
    """List one's own tokens, the newest first."""
    with app.database.read() as connection:
        found = web_sessions.list_tokens(connection, caller.account.account_id)
    return [_token(one) for one in found]


@router.post("/tokens", status_code=201)
def create_token(body: NewToken, caller: Writer, app: Installation) -> FreshToken:
    """Make a token; it can do no more than whoever makes it."""
    scopes = parse_scopes([*body.scopes])
    if not scopes <= caller.scopes:
        raise InputError("a token can be given only scopes that one has oneself")
    with app.database.write() as connection:
        made = tokens.create_token(
            connection,
            caller.actor,
            caller.account,
            body.name,
            scopes=scopes,
            lasts=None if body.days is None else timedelta(days=body.days),
            at=app.wall.now(),
        )
    return FreshToken(**_token(made.token).model_dump(), token=made.secret.text)


@router.delete("/tokens/{token_id}", status_code=204)
def end_token(token_id: str, caller: Writer, app: Installation) -> None:
    """Revoke a token, at once."""
    with app.database.write() as connection:
        tokens.revoke_token(connection, caller.actor, caller.account, token_id, at=app.wall.now())


def _me(account: AccountHolder, scopes: list[Scope]) -> Me:
    return Me(
        id=account.account_id,
        name=account.name,
        email=account.email,
        role=account.role,
        has_totp=account.has_totp,
        scopes=scopes,
    )


def _token(one: ApiToken) -> Token:
    return Token(
        id=one.token_id,
        name=one.name,
        scopes=sorted(one.scopes),
        created_at=one.created_at,
        expires_at=one.expires_at,
        used_at=one.used_at,
        revoked_at=one.revoked_at,
    )
