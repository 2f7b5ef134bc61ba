"""Who may do what: every route, asked by everybody; and ids of others, which are no way in.

There is one table. A route without a line in it, or a line without a route, is an error.
"""

import random
from datetime import date, timedelta
from typing import Any, NamedTuple

import pytest
from tests.acceptance.serving import READ, served

from riskmark.access.people import new_link
from riskmark.storage import accounts
from riskmark.storage.audit import Actor

ENTRY = date(2026, 1, 5)
CANARIES = ("CNRY", "canary account", "canary note", "canary name")
"""What stands in the owner's book, and nobody but he and his grantee may read.

An admin sees the names of portfolios in the status, and nothing else of them.
"""
SWAPS = 1_000

ANYBODY = ("stranger", "expired", "disabled")
ROLES = (*ANYBODY, "reader", "other", "grantee", "admin", "owner")


class Line(NamedTuple):
    """A route's answers: to a token of the owner that only reads, to another user, to a grantee
    to read, to an admin, to the owner; ``all_others`` are not signed in."""

    reader: int
    other: int
    grantee: int
    admin: int
    owner: int
    all_others: int = 401
    body: dict[str, Any] | None = None

    def of(self, role: str) -> int:
        """Return what a role is answered."""
        return self.all_others if role in ANYBODY else getattr(self, role)


def everybody(status: int, **how: Any) -> Line:
    """Return the line of what all who are signed in may do with what is theirs."""
    return Line(status, status, status, status, status, **how)


def own(status: int, body: dict[str, Any] | None = None) -> Line:
    """Return the line of what changes a portfolio: only its owner may, and not by a read token."""
    return Line(403, 404, 403, 404, status, body=body)


def mine(status: int, body: dict[str, Any] | None = None) -> Line:
    """Return the line of what changes one's own account, which a read token may not."""
    return Line(403, status, status, status, status, body=body)


def admins(status: int, body: dict[str, Any] | None = None) -> Line:
    """Return the line of what is for admins alone."""
    return Line(403, 403, 403, status, 403, body=body)


READING = Line(200, 404, 200, 404, 200)
"""What is shown of a portfolio."""
NUMBERS = Line(404, 404, 404, 404, 404)
"""The same, of a portfolio that has not been valued: numbers are tested elsewhere."""
P = "/portfolios/{portfolio_id}"
LOT = {"symbol": "AAA", "quantity": 1, "entry_price": 1, "entry_date": "2026-01-05"}
FLOW = {"date": "2026-01-07", "amount": 1}

TABLE: dict[tuple[str, str], Line] = {
    ("GET", "/health/live"): everybody(200, all_others=200),
    ("GET", "/health/ready"): everybody(200, all_others=200),
    ("GET", "/metrics"): admins(200),
    ("POST", "/session"): everybody(422, all_others=422),
    ("POST", "/setup"): everybody(422, all_others=422),
    ("GET", "/me"): everybody(200),
    ("PUT", "/me/password"): mine(422, {"old": "wrong", "new": "a goat that sings"}),
    ("POST", "/me/totp"): mine(200),
    ("PUT", "/me/totp"): mine(422, {"secret": "x", "password": "wrong", "code": "1"}),
    ("POST", "/me/totp/removal"): mine(403, {"password": "wrong", "code": "1"}),
    ("GET", "/tokens"): everybody(200),
    ("POST", "/tokens"): mine(201, {"name": "another"}),
    ("DELETE", "/tokens/{token_id}"): Line(403, 404, 404, 404, 204),
    ("GET", "/portfolios"): everybody(200),
    ("POST", "/portfolios"): mine(422),
    ("POST", "/portfolios/combined"): own(201, {"name": "sum", "members": ["{portfolio_id}"]}),
    ("GET", P): READING,
    ("PATCH", P): own(200, {"account_name": CANARIES[1]}),
    ("PUT", P + "/members"): own(422, {"members": ["{portfolio_id}"]}),
    ("POST", P + "/calculate"): own(202),
    ("GET", P + "/lots"): READING,
    ("POST", P + "/lots"): own(201, LOT),
    ("PATCH", P + "/lots/{lot_id}"): own(200, {"quantity": 3}),
    ("POST", P + "/lots/{lot_id}/close"): own(200, {"date": "2026-01-07", "price": 1}),
    ("DELETE", P + "/lots/{lot_id}"): own(204),
    ("GET", P + "/flows"): READING,
    ("POST", P + "/flows"): own(201, FLOW),
    ("DELETE", P + "/flows/{flow_id}"): own(204),
    ("GET", P + "/grants"): Line(200, 404, 403, 404, 200),
    ("POST", P + "/grants"): own(201, {"email": "grantee@example.com"}),
    ("GET", P + "/snapshot"): NUMBERS,
    ("GET", P + "/history"): READING,
    ("GET", P + "/factors"): NUMBERS,
    ("GET", P + "/risk"): NUMBERS,
    ("GET", P + "/stress"): NUMBERS,
    ("GET", P + "/correlation"): NUMBERS,
    ("GET", P + "/sectors"): NUMBERS,
    ("GET", P + "/positions"): NUMBERS,
    ("GET", P + "/quality"): READING,
    ("GET", P + "/explain"): NUMBERS,
    ("GET", P + "/attribution"): NUMBERS,
    ("POST", P + "/what-if"): NUMBERS._replace(body={"hedge_beta": "SPY"}),
    ("GET", "/runs"): everybody(200),
    ("GET", "/runs/{run_id}"): Line(200, 404, 404, 200, 200),
    ("GET", "/runs/{run_id}/events"): Line(204, 404, 404, 204, 204),
    ("POST", "/admin/runs"): admins(202, {"from": "2026-01-06"}),
    ("GET", "/admin/runs"): admins(200),
    ("POST", "/admin/runs/{run_id}/cancel"): admins(202),
    # By then an admin has cancelled it.
    ("POST", "/runs/{run_id}/cancel"): Line(403, 404, 404, 404, 409),
    ("PUT", "/admin/acceptance"): admins(404, {"symbol": "NONE"}),
    ("POST", "/admin/releases"): admins(404, {"symbol": "NONE", "from": "2026-01-06"}),
    ("POST", "/admin/providers/{provider}/reset"): admins(422),
    ("POST", "/admin/outbox/retry"): admins(202, {}),
    ("GET", "/admin/status"): admins(200),
    ("GET", "/admin/users"): admins(200),
    ("POST", "/admin/users"): admins(201, {"email": "new@example.com", "name": "New"}),
    ("PATCH", "/admin/users/{account_id}"): admins(200, {"is_disabled": True}),
    ("POST", "/admin/users/{account_id}/link"): admins(201),
    ("GET", "/admin/audit"): admins(200),
    ("DELETE", P + "/grants/{account_id}"): own(404),
    ("POST", P + "/restore"): Line(403, 404, 404, 404, 404),
    ("DELETE", P): own(409),
    ("DELETE", "/session"): everybody(204),
}


@pytest.fixture
def site(world):
    with served(world) as opened:
        yield opened


@pytest.fixture
def people(site):
    """Everybody who may ask, by role; the owner has a book that is granted to the grantee."""
    found = {name: site.person(name) for name in ("owner", "other", "grantee", "disabled")}
    found["admin"] = site.person("admin", role="admin")
    owner, app = found["owner"], site.world.app
    found["reader"] = site.way_in(owner.account, scopes=READ)
    found["expired"] = site.way_in(owner.account, by_cookie=True, lasts=timedelta(0))
    found["stranger"] = site.person("stranger")
    found["stranger"].headers.clear()
    with app.database.write() as connection:
        accounts.set_disabled(connection, found["disabled"].account.account_id, app.wall.now())
    return found


@pytest.fixture
def ids(site, people):
    """What the places in paths stand for."""
    owner = people["owner"]
    file = f"Symbol,Quantity,Entry Price Per Share,Entry Date\nCNRYA,1,1,{ENTRY}\nCNRYB,1,1,{ENTRY}"
    made = owner.post(
        "/portfolios",
        data={"name": CANARIES[3], "opening_equity": "1000", "account_name": CANARIES[1]},
        files={"csv": ("p.csv", file)},
    ).json()
    path = f"/portfolios/{made['id']}"
    flow = owner.post(path + "/flows", json=FLOW | {"note": CANARIES[2]}).json()
    owner.post(path + "/grants", json={"email": "grantee@example.com"})
    owner.post("/tokens", json={"name": "spare"})
    return {
        "portfolio_id": made["id"],
        "lot_id": owner.get(path + "/lots").json()[0]["id"],
        "flow_id": flow["id"],
        "run_id": made["run"],
        "token_id": next(
            one["id"] for one in owner.get("/tokens").json() if one["name"] == "spare"
        ),
        "account_id": site.person("spare").account.account_id,
        "provider": "nobody",
    }


def ask(site, person, method, path, *, body, ids):
    """Ask as somebody, with ``ids`` in their places."""
    if body is not None:
        body = {
            key: [one.format(**ids) for one in value] if isinstance(value, list) else value
            for key, value in body.items()
        }
    base = "" if path.startswith(("/health", "/metrics")) else "/api/v1"
    headers = person.headers | {"if-match": "*", "last-event-id": "1-end"}
    return site.client.request(method, base + path.format(**ids), headers=headers, json=body)


def routes(site):
    """Return every route that the description of the API has."""
    return {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in site.api.openapi()["paths"].items()
        for method in methods
    }


def test_every_route_answers_everybody_as_the_table_says(site, people, ids):
    assert routes(site) == set(TABLE)

    found, leaks = {}, []
    for role in ROLES:
        person = people[role]
        for (method, path), line in TABLE.items():
            reply = ask(site, person, method, path, body=line.body, ids=ids)
            if reply.status_code != line.of(role):
                found[role, method, path] = (reply.status_code, reply.text[:200])
            if role not in {"reader", "grantee", "owner"} and is_leak(reply, path):
                leaks.append((role, method, path))

    assert found == {}
    assert leaks == []


def is_leak(reply, path):
    canaries = CANARIES[:3] if path == "/admin/status" else CANARIES
    return any(one in reply.text for one in canaries)


def test_ids_of_others_in_any_place_are_no_way_in(site, people, ids):
    other, chance = people["other"], random.Random(8)
    own_book = site.as_owner(other).add_book("own", ("AAA",), ENTRY)
    known = [*ids.values(), own_book, people["owner"].account.account_id, "own", "%27"]
    paths = [one for one in TABLE if "{" in one[1] and not one[1].startswith("/admin")]
    before = site.world.rows("SELECT id, quantity, exit_date FROM lot ORDER BY id")

    for _ in range(SWAPS):
        method, path = chance.choice(paths)
        mixed = {place: chance.choice(known) for place in ids}
        if method != "GET" and mixed["portfolio_id"] == own_book:
            continue
        reply = ask(site, other, method, path, body=TABLE[method, path].body, ids=mixed)
        assert not is_leak(reply, path), (method, path, mixed)
        if mixed["portfolio_id"] != own_book or "portfolio_id" not in path:
            assert reply.status_code in {404, 405, 422}, (method, path, mixed, reply.text)

    assert site.world.rows("SELECT id, quantity, exit_date FROM lot ORDER BY id") == before


def test_what_is_over_is_over_at_once(site, people):
    owner = people["owner"]
    session = site.way_in(owner.account, by_cookie=True)
    assert session.get("/me").status_code == 200
    assert session.ask("DELETE", "/session").status_code == 204
    assert session.get("/me").status_code == 401
    with site.world.app.database.write() as connection:
        actor = Actor(None, "-", "-")
        new_link(connection, actor, owner.account, at=site.world.app.wall.now())
        accounts.set_disabled(connection, owner.account.account_id, site.world.app.wall.now())
    assert owner.get("/me").status_code == 401
