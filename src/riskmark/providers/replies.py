"""HTTP replies: their common meanings, whatever the provider.

A reply is what came over the wire, before any client library looked at it: the libraries
make one error of many, or none. Redirects are never followed; JSON is JSON (no NaN).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote, quote_plus

import msgspec

from riskmark.domain.reasons import AnswerReason
from riskmark.providers.outcomes import Stopped

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a reply; fifty years of daily bars are a hundredth of it."""
DEFAULT_WAIT_S = 60.0
"""For how long a provider that says "too many" and no more is left alone."""
MAX_WAIT_S = 20 * 3600.0
"""The longest that a provider can close itself for: less than a day, so the next night asks."""

SHORTEST_KEY = 8
"""Characters; a shorter text is a placeholder, and a part of ordinary words."""
_READ_FOR_START = 1 << 16

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    secret: str = field(default="", repr=False)
    """What is shown to nobody, even if the provider repeats it: the key."""

    @property
    def start(self) -> str:
        """The first words of the body, to be shown."""
        # Cut only after the secret is out, as half of one is a secret, too.
        text = self.body[:_READ_FOR_START].decode("utf-8", errors="replace")
        if len(self.secret) >= SHORTEST_KEY:
            for spelled in {self.secret, quote(self.secret, safe=""), quote_plus(self.secret)}:
                text = text.replace(spelled, "(key)")
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:120]


class Body:
    """A body as it arrives: more of it than a reply may hold ends it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def whole(self) -> bytes:
        """What has arrived."""
        return b"".join(self._parts)

    @property
    def is_too_long(self) -> bool:
        """Whether more arrived than is kept."""
        return self._size > MAX_BODY

    def add(self, part: bytes) -> None:
        """Keep a part, or stop."""
        self._size += len(part)
        if self.is_too_long:
            self._parts.clear()
            raise Stopped(AnswerReason.BAD_PAYLOAD, "a reply of more than 64 MB")
        self._parts.append(part)


def check_status(reply: Reply, now: datetime) -> None:
    """Stop at a status that means the same for every provider; let 200, 400 and 404 pass."""
    status, reason = reply.status, AnswerReason
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Stopped(reason.RATE_LIMITED, _said(reply), until=retry_at(reply, now))
    if status == HTTPStatus.SERVICE_UNAVAILABLE and "retry-after" in reply.headers:
        raise Stopped(reason.RATE_LIMITED, _said(reply), until=retry_at(reply, now))
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise Stopped(reason.AUTH, _said(reply))
    if status == HTTPStatus.PAYMENT_REQUIRED:
        raise Stopped(reason.ENDPOINT_NOT_IN_PLAN, _said(reply))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        raise Stopped(reason.TRANSIENT, _said(reply))
    if status not in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}:
        raise Stopped(reason.BAD_PAYLOAD, _said(reply))


def refuse(reply: Reply) -> Stopped:
    """Make the end of a reply that is not what the provider documents."""
    return Stopped(AnswerReason.BAD_PAYLOAD, _said(reply))


def decode(reply: Reply, kind: type[T]) -> T:
    """Read the body as JSON of this form, or stop."""
    if not reply.body.strip():
        raise Stopped(AnswerReason.TRANSIENT, "an empty body")
    try:
        return msgspec.json.decode(reply.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        detail = f"not the JSON that is documented ({error}): {reply.start}"
        raise Stopped(AnswerReason.BAD_PAYLOAD, detail) from error


def retry_at(reply: Reply, now: datetime) -> datetime:
    """Return when the provider wants to be asked again, within bounds."""
    said = reply.headers.get("retry-after", "")
    wait_s = DEFAULT_WAIT_S
    if said.strip().isdecimal():
        wait_s = float(said)
    elif said:
        try:
            at = parsedate_to_datetime(said)
            wait_s = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
        except (ValueError, TypeError, OverflowError):
            wait_s = DEFAULT_WAIT_S
    return now + timedelta(seconds=min(max(wait_s, 1.0), MAX_WAIT_S))


def _said(reply: Reply) -> str:
    return f"HTTP {reply.status}: {reply.start}"
