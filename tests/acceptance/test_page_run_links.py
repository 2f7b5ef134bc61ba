"""A page links to the run of its numbers where, and only where, its reader may open that run."""

import re
from datetime import date

import pytest
from tests.acceptance.serving import served
from tests.acceptance.working import worker_of
from tests.acceptance.world import FACTORS

from riskmark.web.application import create_site

BEGIN, ENTRY = date(2025, 10, 1), date(2026, 1, 5)
LINK = re.compile(r'href="((?:/operation)?/runs/[0-9a-f-]+)"')


@pytest.mark.parametrize("asks", ["owner", "admin"])
def test_every_link_to_a_run_can_be_opened(world, asks):
    world.add_prices(*FACTORS, "AAA", first=BEGIN)
    with served(world, create_site) as site:
        people = {name: site.person(name) for name in ("owner", "grantee")}
        people["admin"] = site.person("admin", role="admin")
        key = site.as_owner(people["owner"]).add_book("growth", ("AAA",), ENTRY)
        for name in ("grantee", "admin"):
            body = {"email": f"{name}@example.com"}
            people["owner"].post(f"/portfolios/{key}/grants", json=body)
        if asks == "owner":
            run = people["owner"].post(f"/portfolios/{key}/calculate").json()["run"]
        else:
            run = people["admin"].post("/admin/runs", json={}).json()["run"]
        with worker_of(world.app):
            people[asks].get(f"/runs/{run}/events")

        found = {}
        for name, person in people.items():
            headers = site.way_in(person.account, by_cookie=True).headers
            for path in ("/portfolios", f"/portfolios/{key}"):
                text = site.client.get(path, headers=headers).text
                assert f"{run[:8]}…" in text
                found.setdefault(name, set()).update(LINK.findall(text))
            for address in found[name]:
                assert site.client.get(address, headers=headers).status_code == 200

    own, operation = {f"/runs/{run}"}, {f"/operation/runs/{run}"}
    assert found["grantee"] == set()
    assert found["owner"] == (own if asks == "owner" else set())
    assert found["admin"] == (own if asks == "admin" else operation)
