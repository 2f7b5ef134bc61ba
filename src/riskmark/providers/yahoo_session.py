"""The session in which both Yahoo clients ask: it limits, redirects to the base, and listens.

The clients make one error of many, follow redirects, ask again on their own and lose rows;
so the reply to the one request that matters is taken from the wire (``Caught``) before the
client reads it, and what the client still does is look like a browser and hold the cookie.

A cookie or crumb that is refused is no reason to stop: prices come without. It is asked for
once; afterwards the clients are told that there is no connection, which they take calmly.
"""
# ruff: noqa: ANN401 - the clients state no types

import logging
from typing import Any
from urllib.parse import urlsplit

import curl_cffi.requests
import requests
from curl_cffi.curl import CURL_WRITEFUNC_ERROR

from riskmark.domain.reasons import AnswerReason
from riskmark.providers.adapter import Caught
from riskmark.providers.asking import Asker
from riskmark.providers.limits import Gate
from riskmark.providers.outcomes import Stopped
from riskmark.providers.replies import Body, Reply

_ANSWERS = ("/v8/finance/chart/", "/v10/finance/quoteSummary/")
_CRUMB = "/v1/test/getcrumb"
_MAX_CRUMB = 64
HTTP_ERRORS = 400


class YahooSession(curl_cffi.requests.Session[Any]):
    """A browser's session that goes only where it may."""

    def __init__(self, gate: Gate, base_url: str | None) -> None:
        super().__init__(impersonate="chrome", allow_redirects=False)
        self._gate = gate
        self._asker = Asker()
        self._base_url = base_url
        for name in ("yfinance", "yahooquery"):
            # What they have to say is in the outcome, and theirs goes to standard error.
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self._is_crumb_refused = False
        self._cookie_page: Any = None

    def close(self) -> None:
        """Close the connections."""
        self._asker.close(super().close)

    def request(self, method: Any, url: str, *_: Any, **options: Any) -> Any:
        """Ask once; raise ``Caught`` for an answer and ``Stopped`` for a failure."""
        path = urlsplit(url).path
        is_answer = path.startswith(_ANSWERS)
        if not is_answer and self._is_crumb_refused:
            raise requests.exceptions.ConnectionError("no crumb is to be had")
        is_cookie = not is_answer and path != _CRUMB
        if is_cookie and self._cookie_page is not None:
            return self._cookie_page
        where = self._where(url)
        body = Body()
        # The time is that of the whole request; the body is counted after it is unpacked.
        options |= {"timeout": self._gate.admit(), "allow_redirects": False}
        options["content_callback"] = lambda part: _keep(body, part)
        ask = super().request
        try:
            response = self._asker.ask(
                lambda: ask(method, where, **options), check=self._gate.budget.check
            )
        except (curl_cffi.requests.exceptions.RequestException, curl_cffi.CurlError) as error:
            if not is_answer:
                raise self._without_crumb() from error
            if body.is_too_long:
                raise Stopped(AnswerReason.BAD_PAYLOAD, "a reply of more than 64 MB") from error
            detail = f"no reply: {type(error).__name__}"
            raise Stopped(AnswerReason.TRANSIENT, detail) from error
        response.content = body.whole
        if is_answer:
            headers = {name.lower(): value or "" for name, value in response.headers.items()}
            raise Caught(Reply(response.status_code, headers, response.content))
        if path == _CRUMB and not _is_crumb(response):
            raise self._without_crumb()
        if is_cookie:
            self._cookie_page = response
        return response

    def _without_crumb(self) -> requests.exceptions.ConnectionError:
        self._is_crumb_refused = True
        return requests.exceptions.ConnectionError("no crumb was to be had")

    def _where(self, url: str) -> str:
        """Return the address under the base; without a base, Yahoo's own and no other."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if not (host == "yahoo.com" or host.endswith(".yahoo.com")):
            raise Stopped(AnswerReason.BAD_PAYLOAD, f"the client wanted to go to {host!r}")
        if self._base_url is None:
            return parts._replace(scheme="https").geturl()
        query = f"?{parts.query}" if parts.query else ""
        return f"{self._base_url}{parts.path}{query}"


def _keep(body: Body, part: bytes) -> int:
    """Keep a part of a body; what is not its length ends the transfer."""
    try:
        body.add(part)
    except Stopped:
        return CURL_WRITEFUNC_ERROR
    return len(part)


def _is_crumb(response: Any) -> bool:
    crumb = response.text
    is_word = 0 < len(crumb) <= _MAX_CRUMB and crumb.isprintable() and " " not in crumb
    return response.status_code < HTTP_ERRORS and is_word and "<" not in crumb
