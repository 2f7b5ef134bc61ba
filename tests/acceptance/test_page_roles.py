"""Who may see which page: every page, asked by everybody; and what never leaves with a page.

There is one table. A page without a line in it, or a line without a page, is an error.
"""

from datetime import date, timedelta
from typing import NamedTuple

import pytest
from tests.acceptance.serving import served

from riskmark.web.application import ROUTERS, create_site
from riskmark.web.guard import own_address

ENTRY = date(2026, 1, 5)
CANARY = "canary name"
ROLES = ("stranger", "expired", "token", "other", "grantee", "admin", "owner")
NOT_SIGNED_IN = ("stranger", "expired", "token")
"""A token is for programs: to pages it is nobody."""
P = "/portfolios/{portfolio_id}"


class Line(NamedTuple):
    """A page's answers to another user, a grantee, an admin and the owner; all others sign in."""

    other: int
    grantee: int
    admin: int
    owner: int
    nobody: int = 303

    def of(self, role):
        return self.nobody if role in NOT_SIGNED_IN else getattr(self, role)


def everybody(status, nobody=303):
    return Line(status, status, status, status, nobody)


READING = Line(404, 200, 404, 200)
OPERATING = Line(403, 403, 200, 403)
NUMBERS = Line(404, 404, 404, 404)
"""Of a portfolio that has not been valued: there is none."""
NAMED = ("admin", "/operation")
"""An admin sees which portfolios are behind, by name, and nothing that is in them."""
TABLE = {
    "/": everybody(303),
    "/sign-in": everybody(303, nobody=200),
    "/set-up": everybody(200, nobody=200),
    "/favicon.ico": everybody(200, nobody=200),
    "/static/{digest}/{name}": everybody(200, nobody=200),
    "/account": everybody(200),
    "/portfolios": everybody(200),
    "/portfolios/new": everybody(200),
    "/portfolios/new/template.csv": everybody(200),
    "/runs/{run_id}": Line(404, 404, 404, 200),
    "/operation": OPERATING,
    "/operation/runs": OPERATING,
    "/operation/runs/{run_id}": OPERATING,
    "/operation/symbols": OPERATING,
    "/operation/prices": OPERATING,
    "/operation/providers": OPERATING,
    "/operation/schedule": OPERATING,
    "/operation/outbox": OPERATING,
    "/operation/users": OPERATING,
    "/operation/audit": OPERATING,
    P: READING,
    P + "/settings": Line(404, 403, 404, 200),
    P + "/report": NUMBERS,
    P + "/figures.json": NUMBERS._replace(nobody=401),
    P + "/figures/{figure}.json": NUMBERS._replace(nobody=401),
}


@pytest.fixture
def site(world):
    with served(world, create_site) as opened:
        yield opened


@pytest.fixture
def people(site):
    found = {name: site.person(name, by_cookie=True) for name in ("owner", "other", "grantee")}
    found["admin"] = site.person("admin", role="admin", by_cookie=True)
    owner = found["owner"].account
    found["token"] = site.way_in(owner)
    found["expired"] = site.way_in(owner, by_cookie=True, lasts=timedelta(0))
    found["stranger"] = site.way_in(owner)
    found["stranger"].headers.clear()
    return found


@pytest.fixture
def ids(site, people):
    file = f"Symbol,Quantity,Entry Price Per Share,Entry Date\nCNRY,1,1,{ENTRY}"
    owner = site.way_in(people["owner"].account)
    form = {"name": CANARY, "opening_equity": "1000"}
    made = owner.post("/portfolios", data=form, files={"csv": ("p.csv", file)}).json()
    owner.post(f"/portfolios/{made['id']}/grants", json={"email": "grantee@example.com"})
    static = site.api.state.static
    return {
        "portfolio_id": made["id"],
        "run_id": made["run"],
        "figure": "nav",
        "digest": static.digest,
        "name": "app.css",
    }


def look(site, person, path):
    return site.client.get(path, headers=person.headers, follow_redirects=False)


def pages():
    return {
        one.path.replace("/figures/{name}", "/figures/{figure}")
        for router in ROUTERS
        for one in router.routes
        if "GET" in one.methods
    }


def test_every_page_answers_everybody_as_the_table_says(site, people, ids):
    assert pages() == set(TABLE)

    found, leaks = {}, []
    for role in ROLES:
        for path, line in TABLE.items():
            reply = look(site, people[role], path.format(**ids))
            if reply.status_code != line.of(role):
                found[role, path] = (reply.status_code, reply.text[:200])
            may_read = role in {"grantee", "owner"} or (role, path) == NAMED
            if not may_read and CANARY in reply.text:
                leaks.append((role, path))

    assert found == {}
    assert leaks == []


def test_whoever_is_not_signed_in_comes_back_to_the_page_that_he_wanted(site, people, ids):
    path = f"/portfolios/{ids['portfolio_id']}?session=2026-01-06"

    reply = look(site, people["stranger"], path)

    assert reply.headers["location"].startswith("/sign-in?next=%2Fportfolios%2F")
    assert reply.headers["location"].endswith("%3Fsession%3D2026-01-06")


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "x"],
)
def test_signing_in_leads_to_no_other_site(wanted):
    assert own_address(wanted) == "/portfolios"


def test_every_page_has_the_strict_policy_and_is_kept_by_nobody(site, people, ids):
    for path in ("/sign-in", "/portfolios", f"/portfolios/{ids['portfolio_id']}", "/nowhere"):
        reply = look(site, people["stranger" if path == "/sign-in" else "owner"], path)

        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert reply.headers["cache-control"] == "private, no-store"
        assert " style=" not in reply.text
        assert "<style" not in reply.text
        assert "onclick" not in reply.text


def test_a_form_of_another_site_signs_nobody_in_and_nobody_out(site, people):
    foreign = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}

    entered = site.client.post("/sign-in", data={"email": "a@b"}, headers=foreign)
    left = site.client.post("/sign-out", headers=people["owner"].headers | foreign)

    assert entered.status_code == 403
    assert left.status_code == 403
    assert look(site, people["owner"], "/account").status_code == 200


def test_signing_out_ends_the_session_on_the_server(site, people):
    owner = people["owner"]

    site.client.post("/sign-out", headers=owner.headers, follow_redirects=False)

    assert look(site, owner, "/account").status_code == 303


def test_names_are_text_on_every_page(site, people):
    owner = site.way_in(people["owner"].account)
    name = "<script>alert(1)</script>"
    file = f"Symbol,Quantity,Entry Price Per Share,Entry Date\nAAA,1,1,{ENTRY}"
    form = {"name": name, "opening_equity": "1000"}
    made = owner.post("/portfolios", data=form, files={"csv": ("p.csv", file)}).json()

    for path in ("/portfolios", f"/portfolios/{made['id']}", f"/portfolios/{made['id']}/settings"):
        text = look(site, people["owner"], path).text
        assert "&lt;script&gt;alert" in text
        assert name not in text
