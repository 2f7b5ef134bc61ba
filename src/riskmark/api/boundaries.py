"""What every request passes: an id, a limit on its body, headers on the way out.

    request ──▶ id ──▶ known host ──▶ body limit ──▶ routes
    answer  ◀── headers ◀────────────────────────────┘

A body is refused when its announced length is beyond the limit, and broken off when it turns
out longer than that, or comes so slowly that nobody can mean it.
"""

import asyncio
import json
import re
import uuid
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from riskmark.api.problems import MEDIA_TYPE

MAX_BODY: Final = 1 << 20
"""Bytes of a body of JSON: a thousand lots are less."""
MAX_UPLOAD: Final = 11 << 20
"""Bytes of a form with a positions file: a file of the largest size, and what surrounds it."""
UPLOAD_PATHS: Final = ("/api/v1/portfolios", "/portfolios/new")
BODY_S: Final = 60.0
"""Seconds in which a whole body must have come."""
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "strict-transport-security": "max-age=31536000",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
}


class BodyRefused(Exception):
    """A body turned out too long, or came too slowly.

    Whatever the layers within make of it, the answer is ``refusal``.
    """

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.refusal = (status, code, detail)


class Boundaries:
    """The outermost layer of the application; pure ASGI, so that streams stay streams."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, within its limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"])
        request_id = _request_id(given)
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, request_id, is_private=scope["path"].startswith("/api/"))
        limit = MAX_UPLOAD if scope["path"] in UPLOAD_PATHS and _is_named(given) else MAX_BODY
        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            await answer.refuse(BodyRefused(400, "bad_request", "an address has no NUL"))
            return
        announced = given.get(b"content-length", b"0")
        too_large = BodyRefused(413, "too_large", f"a body has at most {limit:,} bytes")
        if not announced.isdigit() or int(announced) > limit:
            await answer.refuse(too_large)
            return
        try:
            await self._app(scope, _limited(receive, answer, limit, too_large), answer)
        except BodyRefused as error:
            await answer.refuse(error)


class _Answer:
    """Sends an answer with our headers, or one problem in its place."""

    def __init__(self, send: Send, request_id: str, *, is_private: bool) -> None:
        self._send = send
        self._id = request_id
        self._is_private = is_private
        self._has_begun = self._is_over = False
        self.refused: BodyRefused | None = None

    async def __call__(self, message: Message) -> None:
        if self._is_over:
            return
        if self.refused is not None and not self._has_begun:
            await self.refuse(self.refused)
            return
        if message["type"] == "http.response.start":
            self._has_begun = True
            headers = list(message.get("headers", []))
            names = {name for name, _ in headers}
            own = HEADERS | {"x-request-id": self._id}
            if self._is_private and b"cache-control" not in names:
                own |= {"cache-control": "private, no-cache"}
            added = [(k.encode(), v.encode()) for k, v in own.items() if k.encode() not in names]
            message = {**message, "headers": headers + added}
        await self._send(message)

    async def refuse(self, error: BodyRefused) -> None:
        """Answer with a problem, unless an answer has begun already."""
        if self._has_begun:
            return
        self.refused = None
        status, code, detail = error.refusal
        body = {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "code": code,
            "detail": detail,
            "request_id": self._id,
        }
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"connection", b"close")]
        await self({"type": "http.response.start", "status": status, "headers": headers})
        await self({"type": "http.response.body", "body": json.dumps(body).encode()})
        self._is_over = True


def _is_named(given: dict[bytes, bytes]) -> bool:
    """Whether somebody says who he is: a stranger's file is not worth reading to its end."""
    return b"authorization" in given or b"cookie" in given


def _request_id(given: dict[bytes, bytes]) -> str:
    """Return the id that a proxy gave, if it is one, or a new one."""
    text = given.get(b"x-request-id", b"").decode("latin-1")
    return text if _ID.fullmatch(text) else uuid.uuid4().hex


def _limited(
    receive: Receive, answer: _Answer, limit: int, too_large: BodyRefused
) -> Callable[[], Awaitable[Message]]:
    """Return ``receive`` that breaks off a body beyond ``limit`` bytes or its time."""
    until = asyncio.get_running_loop().time() + BODY_S
    seen, is_whole = 0, False

    async def limited() -> Message:
        nonlocal seen, is_whole
        if is_whole:  # what comes now is the end of the connection, whenever that is
            return await receive()
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            detail = f"the body did not come within {BODY_S:.0f} s"
            answer.refused = BodyRefused(408, "too_slow", detail)
            raise answer.refused from None
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if seen > limit:
                answer.refused = too_large
                raise too_large
        return message

    return limited
