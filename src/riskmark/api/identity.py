"""Who asks: a session's cookie or a bearer token becomes a caller, or the request ends here.

A cookie is sent by a browser whether its owner wants or not; a request that changes something
must therefore come from our own pages, as the browser itself says (``Sec-Fetch-Site``, or the
``Origin``). A token is sent on purpose.

What waits for nothing is a coroutine here, which costs no thread.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, NamedTuple

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from riskmark.access.secrets import digest_of
from riskmark.access.signing_in import IDLE
from riskmark.api.problems import Problem
from riskmark.app import App
from riskmark.domain.accounts import AccountHolder, Role, Scope
from riskmark.storage import accounts, web_sessions
from riskmark.storage.audit import Actor
from riskmark.storage.books import Principal

COOKIE = "__Host-riskmark"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_bearer = HTTPBearer(auto_error=False, description="A token, from POST /api/v1/tokens.")
_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="A session, from sign-in.")
EVERYTHING = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what he may ask for.

    ``session`` is the digest of the session, None for a token.
    """

    account: AccountHolder
    scopes: frozenset[Scope]
    session: str | None
    actor: Actor

    @property
    def principal(self) -> Principal:
        """Return on whose behalf the layers below work; nobody sees all through the API."""
        return Principal(self.account.account_id)

    @property
    def is_admin(self) -> bool:
        """Whether he may operate the installation."""
        return self.account.role is Role.ADMIN and Scope.ADMIN in self.scopes


def machine_of(request: Request) -> str:
    """Return the machine that asks; headers that anybody can send are not believed."""
    return request.client.host if request.client is not None else "-"


def actor_of(request: Request, account_id: str | None) -> Actor:
    """Return who acts, as the audit log has it."""
    return Actor(account_id, machine_of(request), getattr(request.state, "request_id", "-"))


async def installation(request: Request) -> App:
    """Return the installation that the application serves."""
    app: App = request.app.state.installation
    return app


Installation = Annotated[App, Depends(installation)]


def find_caller(
    request: Request,
    app: Installation,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    cookie: Annotated[str | None, Depends(_cookie)],
) -> Caller:
    """Return who asks; a request without a valid session or token ends with 401."""
    if bearer is not None:
        digest, is_session = digest_of(bearer.credentials), False
    elif cookie is not None:
        digest, is_session = digest_of(cookie), True
        if request.method not in _SAFE:
            check_origin(request)
    else:
        raise _unauthorised("sign in, or send a token: Authorization: Bearer …")
    proof = _prove(app, digest, is_session=is_session)
    if proof is None or not proof.account.is_enabled:
        raise _unauthorised("the session or token has ended, or never was")
    own = actor_of(request, proof.account.account_id)
    return Caller(proof.account, proof.scopes, digest if is_session else None, own)


class _Proof(NamedTuple):
    account: AccountHolder
    scopes: frozenset[Scope]


def _prove(app: App, digest: str, *, is_session: bool) -> _Proof | None:
    """Return whose secret this is; its use is noted once a minute, not on every read."""
    at = app.wall.now()
    with app.database.read() as connection:
        session = token = None
        if is_session:
            session = web_sessions.find_session(connection, digest, at=at, idle=IDLE)
        else:
            token = web_sessions.find_token(connection, digest, at=at)
        found = session or token
        if found is None:
            return None
        account = accounts.find_account(connection, found.account_id)
    if found.used_at is None or at - found.used_at >= web_sessions.NOTED_EVERY:
        with app.database.write() as connection:
            if token is not None:
                web_sessions.note_token(connection, token.token_id, at=at)
            else:
                web_sessions.note_session(connection, digest, at=at)
    return _Proof(account, EVERYTHING if token is None else token.scopes)


def check_origin(request: Request) -> None:
    """Refuse what another site's page makes a browser send."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    own = f"{request.url.scheme}://{request.url.netloc}"
    is_own = site in ("same-origin", "none") if site is not None else origin in (None, own)
    if not is_own:
        raise Problem(HTTPStatus.FORBIDDEN, "foreign_origin", "this came from another site's page")


async def reader(caller: Annotated[Caller, Depends(find_caller)]) -> Caller:
    """Return a caller who may read."""
    return _with(caller, Scope.READ)


async def writer(caller: Annotated[Caller, Depends(find_caller)]) -> Caller:
    """Return a caller who may change what is his."""
    return _with(caller, Scope.WRITE)


async def admin(caller: Annotated[Caller, Depends(find_caller)]) -> Caller:
    """Return a caller who may operate the installation."""
    if not caller.is_admin:
        raise Problem(HTTPStatus.FORBIDDEN, "not_admin", "this is for admins alone")
    return caller


Reader = Annotated[Caller, Depends(reader)]
Writer = Annotated[Caller, Depends(writer)]
Admin = Annotated[Caller, Depends(admin)]


def _with(caller: Caller, scope: Scope) -> Caller:
    if scope not in caller.scopes:
        detail = f"the token lacks the scope {scope.value!r}"
        raise Problem(HTTPStatus.FORBIDDEN, "scope_missing", detail)
    return caller


def _unauthorised(detail: str) -> Problem:
    headers = {"WWW-Authenticate": 'Bearer realm="riskmark"'}
    return Problem(HTTPStatus.UNAUTHORIZED, "not_signed_in", detail, headers=headers)
