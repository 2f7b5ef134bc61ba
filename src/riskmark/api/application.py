"""The application: routes under ``/api/v1``, problems, boundaries, and its own description."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI
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
    api = FastAPI(
        title="Riskmark",
        version="1",
        description=DESCRIPTION,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
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


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Let no more requests be worked on at once than there are connections for."""
    current_default_thread_limiter().total_tokens = THREADS
    yield
