"""Problems: every error leaves as an RFC 9457 document with a ``code`` that programs can read.

    InputError      422 unless the table below says otherwise
    ProviderError   502
    StoreError      503
    anything else   500, without a word of what it was: that stands in the server's log alone

There is one table of statuses; a test walks every ``InputError`` against it.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from riskmark import logs
from riskmark.access.people import LinkRefused
from riskmark.access.second_factor import NotProven
from riskmark.access.signing_in import CodeNeeded, SignInRefused, TooManyTries
from riskmark.errors import (
    AmbiguousPortfolio,
    InputError,
    ProviderError,
    RiskmarkError,
    StoreError,
    UnknownPortfolio,
    UnknownRun,
    UnknownSymbol,
)
from riskmark.reports.explain import NotExplained
from riskmark.reports.figures.gallery import UnknownFigure
from riskmark.reports.snapshot import NotValued
from riskmark.storage.accounts import AccountExists, UnknownAccount
from riskmark.storage.books import MemberOfCombined, PortfolioExists
from riskmark.storage.lots import UnknownFlow, UnknownLot
from riskmark.storage.web_sessions import UnknownToken

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[type[RiskmarkError], HTTPStatus] = {
    InputError: HTTPStatus.UNPROCESSABLE_CONTENT
    if hasattr(HTTPStatus, "UNPROCESSABLE_CONTENT")
    else HTTPStatus.UNPROCESSABLE_ENTITY,
    ProviderError: HTTPStatus.BAD_GATEWAY,
    StoreError: HTTPStatus.SERVICE_UNAVAILABLE,
    UnknownPortfolio: HTTPStatus.NOT_FOUND,
    UnknownSymbol: HTTPStatus.NOT_FOUND,
    UnknownRun: HTTPStatus.NOT_FOUND,
    UnknownAccount: HTTPStatus.NOT_FOUND,
    UnknownToken: HTTPStatus.NOT_FOUND,
    UnknownLot: HTTPStatus.NOT_FOUND,
    UnknownFlow: HTTPStatus.NOT_FOUND,
    UnknownFigure: HTTPStatus.NOT_FOUND,
    AmbiguousPortfolio: HTTPStatus.CONFLICT,
    PortfolioExists: HTTPStatus.CONFLICT,
    MemberOfCombined: HTTPStatus.CONFLICT,
    AccountExists: HTTPStatus.CONFLICT,
    NotValued: HTTPStatus.NOT_FOUND,
    NotExplained: HTTPStatus.CONFLICT,
    SignInRefused: HTTPStatus.UNAUTHORIZED,
    CodeNeeded: HTTPStatus.UNAUTHORIZED,
    LinkRefused: HTTPStatus.FORBIDDEN,
    NotProven: HTTPStatus.FORBIDDEN,
    TooManyTries: HTTPStatus.TOO_MANY_REQUESTS,
}
"""The status of an error is that of its nearest class that stands here."""


class ProblemDocument(BaseModel):
    """What every error leaves as (RFC 9457); some have more fields, such as ``errors``."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    instance: str | None = None
    request_id: str | None = None


def _described(text: str) -> dict[str, Any]:
    schema = ProblemDocument.model_json_schema()
    return {"description": text, "content": {MEDIA_TYPE: {"schema": schema}}}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: _described("The request cannot be read."),
    401: _described("Nobody is signed in."),
    403: _described("The caller may not do this."),
    404: _described("There is no such thing, or the caller may not know of it."),
    409: _described("It does not go with what is there."),
    412: _described("What is to be changed was changed meanwhile."),
    413: _described("The body is too long."),
    422: _described("What was asked for cannot be carried out; detail says why."),
    428: _described("If-Match is missing."),
    429: _described("Too many tries."),
    503: _described("Not now; try again."),
}
"""The problems that any route may answer with, as the API describes itself."""


class Problem(Exception):
    """An answer that is not what was asked for, made by a route itself."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


def status_of(error: RiskmarkError) -> HTTPStatus:
    """Return the status by which an error leaves."""
    return next(
        (STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), STATUS[StoreError]
    )


def code_of(error: RiskmarkError) -> str:
    """Return the code of an error: its name, as programs write names."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> JSONResponse:
    """Return a problem document."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
        "instance": request.url.path,
        "request_id": getattr(request.state, "request_id", None),
        **(extra or {}),
    }
    return JSONResponse(content, int(status), dict(headers or {}), media_type=MEDIA_TYPE)


def add_problems(api: FastAPI) -> None:
    """Let every error of an application leave as a problem."""
    api.add_exception_handler(RiskmarkError, _on_error)
    api.add_exception_handler(Problem, _on_problem)
    api.add_exception_handler(RequestValidationError, _on_invalid)
    api.add_exception_handler(HTTPException, _on_http)
    api.add_exception_handler(OperationalError, _on_database)
    api.add_exception_handler(PoolTimeout, _on_database)
    api.add_exception_handler(Exception, _on_failure)


def _on_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RiskmarkError)  # noqa: S101 - by how it was registered
    headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, TooManyTries) else {}
    status = status_of(error)
    return problem(request, status, code_of(error), str(error), headers=headers)


def _on_database(request: Request, error: Exception) -> JSONResponse:
    """Say that the database does not answer, or was asked by too many at once: try again."""
    logs.warning("database cannot be used", error=type(error).__name__)
    detail = "the database cannot be used now; try again"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return problem(request, status, "database_busy", detail, headers={"Retry-After": "5"})


def _on_failure(request: Request, error: Exception) -> JSONResponse:
    """Say no more than that something failed: what it was stands in the log, with the id."""
    own = getattr(request.state, "request_id", None)
    path = request.scope["route"].path if "route" in request.scope else "-"
    logs.error("request failed", cause=error, request_id=own, method=request.method, route=path)
    detail = "something failed that should not; the log has it under the request's id"
    return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, "internal", detail)


def _on_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)  # noqa: S101 - by how it was registered
    return problem(
        request, error.status, error.code, error.detail, headers=error.headers, extra=error.extra
    )


def _on_invalid(request: Request, error: Exception) -> JSONResponse:
    """Tell where a request breaks its schema; what was sent is not repeated."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - by how it was registered
    errors = [
        {"where": ".".join(str(part) for part in one["loc"]), "problem": one["msg"]}
        for one in error.errors()
    ]
    detail = "the request is not as it must be; errors lists what is wrong and where"
    return problem(request, STATUS[InputError], "invalid_request", detail, extra={"errors": errors})


def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - by how it was registered
    code = HTTPStatus(error.status_code).name.lower()
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and (methods := _methods_of(request)):
        headers["Allow"] = ", ".join(methods)
    return problem(request, error.status_code, code, str(error.detail), headers=headers)


def _methods_of(request: Request) -> list[str]:
    """Return what may be done at an address; routing knows it of the first route there alone."""
    template: str = request.scope["route"].path if "route" in request.scope else "-"
    depth = request.url.path.count("/")
    paths = request.app.openapi()["paths"].items()
    return [
        method.upper()
        for path, methods in paths
        if path.endswith(template) and path.count("/") == depth
        for method in methods
    ]
