"""Errors of pages: the problem that the API would answer with, as a page."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import WebSocketRequestValidationError
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from riskmark.api.problems import Problem
from riskmark.web.guard import find_visitor, sign_in_address
from riskmark.web.rendering import pages_of

_FOR_PROGRAMS = ("/api/", "/health/", "/metrics")
_UNEXPECTED = 500


def show_errors(site: FastAPI) -> None:
    """Let errors of pages leave as pages; programs are answered as before."""
    for kind, handler in list(site.exception_handlers.items()):
        if kind is not WebSocketRequestValidationError:
            site.add_exception_handler(kind, _as_page(handler))


def _as_page(handler: Callable[..., Any]) -> Callable[..., Any]:
    async def show(request: Request, error: Exception) -> Response:
        answered: Response = handler(request, error)
        if request.url.path.startswith(_FOR_PROGRAMS) or request.url.path.endswith(".json"):
            return answered
        if isinstance(error, Problem) and error.status is HTTPStatus.UNAUTHORIZED:
            return RedirectResponse(sign_in_address(request), HTTPStatus.SEE_OTHER)
        return await run_in_threadpool(_page, request, answered)

    return show


def _page(request: Request, answered: Response) -> Response:
    problem = json.loads(bytes(answered.body))
    status = answered.status_code
    # Whatever broke may break again: a page of a failure asks nothing of the database.
    viewer = None
    if status < _UNEXPECTED:
        viewer = find_visitor(request, request.app.state.installation)
    kept = {name: answered.headers[name] for name in ("retry-after",) if name in answered.headers}
    return pages_of(request).render(
        request, "error.html", viewer, code=status, headers=kept, problem=problem
    )
