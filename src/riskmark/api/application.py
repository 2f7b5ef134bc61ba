"""The application: routes under ``/api/v1``, problems, boundaries, and its own description."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.trustedhost import TrustedHostMiddleware

from riskmark.api import (
    admin,
    description,
    grants,
    health,
    lots,
    operating,
    portfolios,
    runs,
    sessions,
    signing_in,
)
from riskmark.api.boundaries import Boundaries
from riskmark.api.examples import add_examples
from riskmark.api.kept import Kept
from riskmark.api.problems import PROBLEMS, add_problems
from riskmark.app import App

PREFIX = "/api/v1"
AREAS = (signing_in, portfolios, lots, grants, sessions, runs, admin, operating, description)
THREADS = 8
"""Requests that are worked on at once; each takes a connection: storage.engines has the sum."""
DESCRIPTION = (
    "Portfolio risk: positions go in; every session, every portfolio's numbers come out. "
    "Errors are problem documents (RFC 9457) with a code."
)


def create_api(app: App, *, stop: threading.Event | None = None) -> FastAPI:
    """Return the application that serves an installation; ``stop`` ends its open streams."""
    api = _Described(
        title="Riskmark",
        version="1",
        description=DESCRIPTION,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
        generate_unique_id_function=_name_of,
        lifespan=_lifespan,
    )
    api.state.installation = app
    api.state.kept = Kept()
    api.state.stop = stop or threading.Event()
    add_problems(api)
    routes = APIRouter(prefix=PREFIX, responses=PROBLEMS)
    for one in (
        signing_in,
        portfolios,
        lots,
        grants,
        sessions,
        runs,
        admin,
        operating,
        description,
    ):
        routes.include_router(one.router)
    api.include_router(routes)
    api.include_router(health.router)
    api.add_middleware(TrustedHostMiddleware, allowed_hosts=list(app.settings.server.allowed_hosts))
    api.add_middleware(Boundaries)
    return api


class _Described(FastAPI):
    """An application whose description has examples."""

    def openapi(self) -> dict[str, Any]:
        """Return the description; it is made once."""
        if self.openapi_schema is None:
            add_examples(super().openapi())
        return super().openapi()


def _name_of(route: APIRoute) -> str:
    """Return an operation's id: its name, so that a path may change and a made client does not."""
    return route.name


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Let no more requests be worked on at once than there are connections for."""
    current_default_thread_limiter().total_tokens = THREADS
    yield
