"""Templates: everything is escaped, and a name that is not given is an error.

What each page has besides its own: ``viewer`` (None: nobody is signed in), ``path``, ``theme``
as the reader chose it, and ``asset`` for addresses of static files.
"""

from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from riskmark import __version__
from riskmark.api.boundaries import HEADERS
from riskmark.api.identity import Caller
from riskmark.reports import words
from riskmark.web import numbers
from riskmark.web.charts_bundle import bundle_version
from riskmark.web.numbered import place_of
from riskmark.web.static_files import FONT, StaticFiles

WORDS = {
    "state": words.STATE_WORDS,
    "symbol": words.SYMBOL_WORDS,
    "plan": words.PLAN_WORDS,
    "mark": words.MARK_WORDS,
    "light": words.LIGHT_WORDS,
    "left_out": words.LEFT_OUT_WORDS,
    "null": words.NULL_WORDS,
    "run": words.RUN_WORDS,
}
"""Codes in words, by kind."""
THEME = "riskmark-theme"
_THEMES = ("light", "dark")
_OWN = {**HEADERS, "cache-control": "private, no-store"}
"""Headers of pages: a shared machine keeps none of them. The policy is said here as well, for
answers that are made outside the layer that says it."""


class Pages:
    """The templates of the site."""

    def __init__(self, static: StaticFiles) -> None:
        self._static = static
        self._templates = Environment(
            loader=PackageLoader("riskmark.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(numbers.FILTERS)
        self._templates.globals.update(
            asset=static.address,
            version=__version__,
            words=WORDS,
            place_of=place_of,
            has_charts=bool(bundle_version()),
            has_font=static.find(static.digest, FONT) is not None,
        )

    def render(
        self,
        request: Request,
        name: str,
        viewer: Caller | None,
        *,
        code: int = HTTPStatus.OK,
        headers: dict[str, str] | None = None,
        **given: Any,  # noqa: ANN401 - what a template shows
    ) -> HTMLResponse:
        """Return a page."""
        theme = request.cookies.get(THEME)
        text = self._templates.get_template(name).render(
            viewer=viewer,
            path=request.url.path,
            theme=theme if theme in _THEMES else None,
            **given,
        )
        return HTMLResponse(text, code, _OWN | (headers or {}))


def pages_of(request: Request) -> Pages:
    """Return the templates of the site that answers a request."""
    pages: Pages = request.app.state.pages
    return pages
