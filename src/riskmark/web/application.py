"""The site: the REST API's application, with the pages beside it.

Pages stand outside ``/api``, are for people with a session, and never for tokens. An error of a
page is a page: the same problem that the API answers with, written out; whoever is not signed in
is sent to sign in, and from there back to where he wanted to go.
"""

import threading
from typing import Final

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from riskmark.api.application import create_api
from riskmark.app import App
from riskmark.web import (
    account,
    onboarding,
    operation,
    operation_people,
    operation_prices,
    portfolio,
    portfolio_settings,
    portfolios,
    report,
    serving_files,
    signing_in,
)
from riskmark.web.errors import show_errors
from riskmark.web.rendering import Pages
from riskmark.web.static_files import StaticFiles

ROUTERS = (
    signing_in.router,
    account.router,
    serving_files.router,
    onboarding.router,
    portfolios.router,
    portfolio_settings.router,
    report.router,
    portfolio.router,
    operation.router,
    operation_prices.router,
    operation_people.router,
)
"""Every router of pages; those whose addresses begin as a portfolio's do stand before it."""
_WORTH_IT: Final = 4096
"""Bytes from which compressing an answer is worth its time; streams of events are left alone."""


def create_site(app: App, *, stop: threading.Event | None = None) -> FastAPI:
    """Return the application that serves an installation's API and pages."""
    site = create_api(app, stop=stop)
    static = StaticFiles()
    site.state.static = static
    site.state.pages = Pages(static)
    for router in ROUTERS:
        site.include_router(router, include_in_schema=False)
    show_errors(site)
    # Nothing secret stands beside what a stranger could choose, so that sizes tell nothing.
    site.add_middleware(GZipMiddleware, minimum_size=_WORTH_IT, compresslevel=5)
    return site
