"""Asking the server: times, what is asked again, and what an answer is read as.

Reading changes nothing, so that it is asked again when no answer came or the server said "not
now". Anything else is sent once: nobody knows whether a request that got no answer was carried
out. A connection that could not be made at all is tried again for everything.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, BinaryIO, Final, NamedTuple, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from riskmark import __version__
from riskmark.client.errors import NOT_REACHED, NOT_UNDERSTOOD, ApiError, error_of

T = TypeVar("T")

PREFIX: Final = "/api/v1"
COOKIE: Final = "__Host-riskmark"
TRIES: Final = 3
"""How often something is read at most."""
PAUSE_S: Final = 0.5
"""Before the second try; twice as long before the third."""
LONGEST_PAUSE_S: Final = 10.0
"""How long a server may make a reader wait."""
_AGAIN: Final = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)


class Limits(NamedTuple):
    """Seconds for making a connection, and for each piece of an answer."""

    connect_s: float = 5.0
    read_s: float = 30.0


class Form(NamedTuple):
    """A form with a positions file: its name, what stands in it, its kind."""

    fields: Mapping[str, str]
    file: tuple[str, bytes | BinaryIO, str]


class Transport:
    """A server, and as whom it is asked."""

    def __init__(
        self,
        url: str,
        token: str | None,
        *,
        limits: Limits,
        pause: Callable[[float], None],
    ) -> None:
        headers = {"user-agent": f"riskmark/{__version__}", "accept": "application/json"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        self.limits = limits
        self.pause = pause
        self.http = httpx.Client(
            base_url=url.rstrip("/") + PREFIX,
            headers=headers,
            timeout=httpx.Timeout(limits.read_s, connect=limits.connect_s),
            transport=httpx.HTTPTransport(retries=TRIES - 1),
        )

    def keep_session(self, secret: str | None) -> None:
        """Ask within a session from now on, or within none.

        The jar of cookies is not asked: it would send the cookie over TLS alone, also to this
        machine.
        """
        self.http.cookies.clear()
        self.http.headers.pop("cookie", None)
        if secret is not None:
            self.http.headers.pop("authorization", None)
            self.http.headers["cookie"] = f"{COOKIE}={secret}"

    def read(self, path: str, kind: type[T], *, query: Mapping[str, Any] | None = None) -> T:
        """Read something; it is asked for again if no answer came."""
        return decode(self.get(path, query=query), kind)

    def get(self, path: str, *, query: Mapping[str, Any] | None = None) -> httpx.Response:
        """Read something, as it comes."""
        params = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        for number in range(1, TRIES + 1):
            try:
                return self.send("GET", path, params=params)
            except ApiError as error:
                is_passing = error.code == NOT_REACHED or error.status in _AGAIN
                if number == TRIES or not is_passing:
                    raise
                wished = error.retry_after_s or PAUSE_S * 2 ** (number - 1)
                self.pause(min(wished, LONGEST_PAUSE_S))
        raise AssertionError  # the last try returned or raised

    def change(
        self,
        method: str,
        path: str,
        kind: type[T],
        *,
        body: object = None,
        if_match: str | None = None,
    ) -> tuple[T, str]:
        """Ask for something to be done, once; return the answer and the version after it."""
        headers = {} if if_match is None else {"if-match": if_match}
        reply = self.send(method, path, headers=headers, body=body)
        return decode(reply, kind), reply.headers.get("etag", "")

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        form: Form | None = None,
    ) -> httpx.Response:
        """Send one request; an answer that is a problem is raised."""
        try:
            reply = self.http.request(
                method,
                path,
                params=params,
                headers=headers,
                json=body,
                data=None if form is None else form.fields,
                files=None if form is None else {"csv": form.file},
            )
        except httpx.TransportError as error:
            raise unreached(error) from error
        raise_problem(reply)
        return reply


def unreached(error: httpx.TransportError) -> ApiError:
    """Return the error of a request that got no answer."""
    detail = f"no answer came: {str(error) or type(error).__name__}"
    return ApiError(None, NOT_REACHED, detail=detail)


def raise_problem(reply: httpx.Response) -> None:
    """Raise what an answer says is wrong, if it says so."""
    if reply.is_success:
        return
    document: object = None
    if "json" in reply.headers.get("content-type", ""):
        try:
            document = msgspec.json.decode(reply.content)
        except msgspec.DecodeError:
            document = None
    known = document if isinstance(document, dict) else {}
    raise error_of(reply.status_code, known, retry_after=reply.headers.get("retry-after"))


def decode(reply: httpx.Response, kind: type[T]) -> T:
    """Read an answer; one without a body is read as ``None``."""
    return decode_json(reply.content or b"null", kind)


def decode_json(content: bytes, kind: type[T]) -> T:
    """Read a document."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        detail = f"the answer is none that this version knows: {error}"
        raise ApiError(None, NOT_UNDERSTOOD, detail=detail) from error


def at(*parts: str) -> str:
    """Return a path; ids stand in it as they are, whatever they have in them."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
