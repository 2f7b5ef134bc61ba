"""Examples: what a request says and what is answered, for people who read the API's description.

They stand in one file, all of one installation with two portfolios; ``tests.acceptance.examples``
asks that installation and writes them anew. Long lists are cut there, numbers rounded, and secrets
are no secrets. A test compares each with the schema of its place.
"""

import functools
import json
from importlib import resources
from typing import Any, Final

FILE: Final = "examples.json"
_METHODS: Final = ("get", "post", "put", "patch", "delete")


@functools.cache
def load_examples() -> dict[str, dict[str, Any]]:
    """Return, by operation, what is sent (``body``) and what is answered (``answer``)."""
    text = resources.files("riskmark.api").joinpath(FILE).read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)
    return found


def add_examples(description: dict[str, Any]) -> None:
    """Put the examples into a description (OpenAPI)."""
    known = load_examples()
    for methods in description["paths"].values():
        for operation in (methods[one] for one in _METHODS if one in methods):
            example = known.get(operation["operationId"], {})
            if "body" in example:
                for content in operation.get("requestBody", {}).get("content", {}).values():
                    content["example"] = example["body"]
            if "answer" in example:
                for status, reply in operation["responses"].items():
                    if status.startswith("2"):
                        for content in reply.get("content", {}).values():
                            content["example"] = example["answer"]
