"""The API's description as a page: every operation, made of the description for programs.

It is plain HTML without scripts, so that it can be read without a network, under the strictest
policy, and by anybody: it says nothing of an installation but its version.
"""

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)
_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>Riskmark API</title></head><body>'
)


@router.get("/docs")
async def describe(request: Request) -> HTMLResponse:
    """Show every operation."""
    return HTMLResponse("".join(_page(request.app.openapi())))


def _page(schema: dict[str, Any]) -> Iterator[str]:
    """Yield the parts of the page."""
    about = schema["info"]
    yield f"{_HEAD}<h1>{escape(about['title'])} API {escape(about['version'])}</h1>"
    yield f"<p>{escape(about['description'])}</p>"
    yield '<p>For programs: <a href="openapi.json">openapi.json</a> (OpenAPI).</p>'
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield from _operation(method, path, operation)
    yield "</body></html>"


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"<h2><code>{escape(method.upper())} {escape(path)}</code></h2>"
    yield f"<p>{escape(operation.get('description') or operation.get('summary', ''))}</p>"
    taken = [
        f"<li><code>{escape(one['name'])}</code> in {escape(one['in'])}"
        f"{'' if one.get('required') else ', optional'} {escape(one.get('description', ''))}</li>"
        for one in operation.get("parameters", ())
        if one["in"] != "cookie"
    ]
    if taken:
        yield f"<ul>{''.join(taken)}</ul>"
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        name = body["schema"].get("$ref", "").rpartition("/")[2]
        yield f"<p>Body: {escape(kind)}, <code>{escape(name)}</code></p>"
    answers = [code for code in operation["responses"] if code.startswith("2")]
    yield f"<p>Answers: {escape(', '.join(answers))}, or a problem</p>"
