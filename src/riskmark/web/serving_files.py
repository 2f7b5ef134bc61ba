"""Routes of static files: kept by browsers for good, since an address names its content."""

import gzip
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request, Response

from riskmark.api.problems import Problem
from riskmark.web.charts_bundle import BUNDLE, load_bundle
from riskmark.web.static_files import StaticFile, StaticFiles

router = APIRouter()
_KEPT: Final = "public, max-age=31536000, immutable"


@router.get("/static/{digest}/{name}")
def read_static(digest: str, name: str, request: Request) -> Response:
    """Send a file; of another digest than today's there is none any more."""
    static: StaticFiles = request.app.state.static
    found = static.find(digest, name)
    if name == BUNDLE and digest == static.digest:
        content = load_bundle()
        found = None if content is None else StaticFile(content, "text/javascript; charset=utf-8")
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, "not_found", "there is no such file")
    return _answer(request, found)


@router.get("/favicon.ico")
def read_icon(request: Request) -> Response:
    """Send the sign of the site to browsers that ask for it by its old name."""
    static: StaticFiles = request.app.state.static
    found = static.find(static.digest, "icon.svg")
    assert found is not None  # noqa: S101 - it is part of the package
    return _answer(request, found)


def _answer(request: Request, found: StaticFile) -> Response:
    headers = {"cache-control": _KEPT, "vary": "accept-encoding"}
    content = found.content
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
    else:
        content = gzip.decompress(content)
    return Response(content, HTTPStatus.OK, headers, media_type=found.media_type)
