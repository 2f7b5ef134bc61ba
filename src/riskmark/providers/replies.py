"""HTTP replies: their common meanings, whatever the provider.

A reply is what came over the wire, before any client library looked at it: the libraries
make one error of many, or none. Redirects are never followed; JSON is JSON (no NaN).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar

import msgspec

from riskmark.domain.reasons import AnswerReason
from riskmark.providers.outcomes import Stopped

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a reply; fifty years of daily bars are a hundredth of it."""
DEFAULT_WAIT_S = 60.0
"""For how long a provider that says "too many" and no more is left alone."""
MAX_WAIT_S = 20 * 3600.0
"""The longest that a provider can close itself for: less than a day, so the next night asks."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def start(self) -> str:
        """The first words of the body, to be shown."""
        text = self.body[:200].decode("utf-8", errors="replace")
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:120]


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
