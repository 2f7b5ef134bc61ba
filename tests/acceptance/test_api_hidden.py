"""What an admin does not see: what is in books that are neither his nor granted to him."""

from datetime import date

import pytest
from tests.acceptance.serving import served
from tests.acceptance.working import worker_of
from tests.acceptance.world import FACTORS

from riskmark.web.application import create_site

BEGIN, ENTRY = date(2025, 10, 1), date(2026, 1, 5)
SYMBOL = "NOSUCH"


@pytest.fixture
def site(world):
    world.add_prices(*FACTORS, "AAA", first=BEGIN)
    with served(world, create_site) as opened:
        yield opened


@pytest.fixture
def ann(site):
    return site.person("ann")


@pytest.fixture
def root(site):
    return site.person("root", role="admin")


@pytest.fixture
def book(ann):
    file = (
        f"Symbol,Quantity,Entry Price Per Share,Entry Date\nAAA,1,1,{ENTRY}\n{SYMBOL},1,1,{ENTRY}"
    )
    form = {"name": "growth", "opening_equity": "1000"}
    return ann.post("/portfolios", data=form, files={"csv": ("p.csv", file)}).json()["id"]


def run_to_end(site, person, book):
    run_id = person.post(f"/portfolios/{book}/calculate").json()["run"]
    with worker_of(site.world.app):
        person.get(f"/runs/{run_id}/events")
    return run_id


def share(ann, book):
    ann.post(f"/portfolios/{book}/grants", json={"email": "root@example.com"})


def test_an_audit_line_has_no_detail_of_a_book_that_is_not_open(ann, root, book):
    tag = ann.get(f"/portfolios/{book}").headers["etag"]
    changed = ann.ask(
        "PATCH", f"/portfolios/{book}", json={"name": "secret"}, headers={"if-match": tag}
    )
    assert changed.status_code == 200, changed.text

    hidden = root.get("/admin/audit").json()
    share(ann, book)
    shown = root.get("/admin/audit").json()

    assert "secret" not in str(hidden)
    assert [one["action"] for one in hidden if one["object"] == book]
    assert all(one["detail"] == {} for one in hidden if one["kind"] == "portfolio")
    assert "secret" in str(shown)


def test_symbols_of_a_book_that_is_not_open_are_counted_not_named(site, ann, root, book):
    run_id = run_to_end(site, ann, book)
    paths = ("/admin/status", f"/runs/{run_id}", f"/runs/{run_id}/events")
    browser = site.way_in(root.account, by_cookie=True)

    def page():
        return site.client.get(f"/operation/runs/{run_id}", headers=browser.headers).text

    told = [root.get(path).text for path in paths] + [page()]
    (line,) = root.get("/admin/status").json()["portfolios"]
    (without,) = root.get(f"/runs/{run_id}").json()["unavailable"]

    assert all(SYMBOL not in text for text in told)
    assert [(one["count"], one["symbols"]) for one in line["reasons"]] == [(1, None)]
    assert without["symbol"] == "not shown"
    assert SYMBOL in ann.get(f"/runs/{run_id}").text
    assert SYMBOL in ann.get(f"/runs/{run_id}/events").text

    share(ann, book)
    assert all(SYMBOL in root.get(path).text for path in paths)
    assert SYMBOL in page()


def test_a_run_of_everything_names_symbols(site, root, book):
    run_id = root.post("/admin/runs", json={}).json()["run"]
    with worker_of(site.world.app):
        root.get(f"/runs/{run_id}/events")

    assert book
    assert SYMBOL in root.get(f"/runs/{run_id}").text
