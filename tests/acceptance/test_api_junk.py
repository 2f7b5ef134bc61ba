"""Junk in every place of every route: refused as the sender's fault, and never ours."""

import random

import pytest
from tests.acceptance.serving import served

ROUNDS = 6
TEXTS = (
    "",
    "0",
    "-1",
    "1e400",
    "NaN",
    "A" * 3000,
    "..",
    "%2e%2e",
    "\u0000",
    "\u202e",
    "\ud7ff",
    "٣",
)
VALUES = (None, True, 0, -1, 10**30, 1.5, 1e300, [], {}, [None], {"a": 1}, *TEXTS, "2026-01-07")


@pytest.fixture
def site(world):
    with served(world) as opened:
        yield opened


def test_junk_is_nobodys_fault_but_the_senders(site):
    chance = random.Random(80)
    owner = site.person("owner", role="admin")
    book = site.as_owner(owner).add_book("own", ("AAA",), site.world.app.today)
    schema = site.api.openapi()
    bodies = {
        name: one.get("properties", {}) for name, one in schema["components"]["schemas"].items()
    }

    wrong = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            for _ in range(ROUNDS):
                how = made_up(operation, bodies, chance)
                place = path.replace("{portfolio_id}", chance.choice([book, "x"]))
                while "{" in place:
                    begin, _, rest = place.partition("{")
                    place = (
                        begin
                        + chance.choice(["x", "0" * 12, "%F0%9F%92%A9"])
                        + rest.partition("}")[2]
                    )
                if (method, path) == ("delete", "/api/v1/session"):
                    continue
                reply = site.client.request(method, place, headers=owner.headers, **how)
                is_problem = reply.headers.get("content-type") == "application/problem+json"
                if reply.status_code >= 500 or (reply.status_code >= 400) != is_problem:
                    wrong.append((method, place, how, reply.status_code, reply.text[:200]))
    assert wrong == []


def made_up(operation, bodies, chance):
    """Return a query and a body for an operation: its own names, and any values."""
    query = {
        one["name"]: str(chance.choice(TEXTS))
        for one in operation.get("parameters", ())
        if one["in"] == "query" and chance.random() < 0.6
    }
    content = operation.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        file = chance.choice([b"", b"\x1f\x8b", b"Symbol\n" * 50, b"\xff" * 100, TEXTS[5].encode()])
        form = {"name": chance.choice(TEXTS), "opening_equity": chance.choice(TEXTS)}
        return {"params": query, "data": form, "files": {"csv": ("x", file)}}
    if not content:
        return {"params": query}
    if chance.random() < 0.2:
        raw = chance.choice([b"", b"{", b'{"a":' * 500, b"\xff\xfe", b"[1e999]", b'"\\ud800"'])
        return {"params": query, "content": raw}
    name = content["application/json"]["schema"].get("$ref", "").rpartition("/")[2]
    body = {field: chance.choice(VALUES) for field in bodies.get(name, {}) if chance.random() < 0.8}
    return {"params": query, "json": body}
