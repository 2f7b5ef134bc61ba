"""Answers: documents as reports make them, with an ETag by which they are not made twice."""

import hashlib
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import Request, Response

from riskmark.reports.documents import Document, to_json_line

if TYPE_CHECKING:
    from riskmark.api.kept import Kept

JSON = "application/json"


def tag_of(*parts: object) -> str:
    """Return the ETag of what ``parts`` decide."""
    text = "\x1f".join(str(part) for part in parts)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def answer(
    document: Document, status: int = 200, *, headers: dict[str, str] | None = None
) -> Response:
    """Send a document as it is."""
    return Response(to_json_line(document), status, headers, media_type=JSON)


def answer_once(request: Request, tag: str, make: Callable[[], Document]) -> Response:
    """Send a document, or say that the caller has it; what is kept is not computed again.

    ``tag`` says all that decides the document, and not whose request it is.
    """
    headers = {"etag": tag}
    if names(request.headers.get("if-none-match"), tag):
        return Response(None, HTTPStatus.NOT_MODIFIED, headers)
    kept: Kept = request.app.state.kept
    address = str(request.url)
    content = kept.find(address, tag)
    if content is None:
        content = to_json_line(make()).encode()
        kept.keep(address, tag, content)
    return Response(content, HTTPStatus.OK, headers, media_type=JSON)


def names(header: str | None, tag: str) -> bool:
    """Whether a list of ETags has ``tag``, weakly compared: a proxy may have weakened it."""
    if header is None:
        return False
    given = {one.strip().removeprefix("W/") for one in header.split(",")}
    return "*" in given or tag in given
