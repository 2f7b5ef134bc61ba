"""Pages of operation and onboarding, asked without a browser: who may see what, and when."""

import re

import pytest
from fastapi.testclient import TestClient
from tests.acceptance.serving import BASE, Served
from tests.web.operated import HOSTILE, fill, make_world

from riskmark.domain.accounts import Role
from riskmark.web.application import create_site

AREAS = ("", "/runs", "/symbols", "/prices", "/providers", "/schedule", "/outbox", "/users")
OPERATION = (*("/operation" + one for one in AREAS), "/operation/audit")
EVERYBODY = ("/portfolios/new", "/portfolios/new/template.csv")
HEADER = "Symbol,Quantity,Entry Price Per Share,Entry Date\n"
GOOD = HEADER + "AAA,10,100,2025-12-01\nBBB,5,50,2025-12-02\n"
BAD = HEADER + "AAA,ten,100,2025-12-01\nB B,5,-50,yesterday\n"


@pytest.fixture(scope="module", params=["empty", "full"])
def site(request, tmp_path_factory):
    world = make_world(tmp_path_factory.mktemp(request.param))
    if request.param == "full":
        fill(world)
    api = create_site(world.app)
    with TestClient(api, base_url=BASE, follow_redirects=False) as client:
        found = Served(world, api, client)
        found.kind = request.param
        found.admin = found.person("root", role=Role.ADMIN, by_cookie=True)
        found.owner = found.person("<i>own</i>", by_cookie=True)
        yield found
    world.close()


def look(site, person, path, **how):
    return site.client.get(path, headers=person.headers if person else {}, **how)


@pytest.mark.parametrize("path", OPERATION)
def test_operation_is_for_admins_alone(site, path):
    assert look(site, site.admin, path).status_code == 200
    assert look(site, site.owner, path).status_code == 403
    nobody = look(site, None, path)
    assert (nobody.status_code, nobody.headers["location"].partition("?")[0]) == (303, "/sign-in")


@pytest.mark.parametrize("path", EVERYBODY)
def test_everybody_who_is_signed_in_may_bring_a_portfolio(site, path):
    assert look(site, site.owner, path).status_code == 200
    assert look(site, None, path).status_code == 303


@pytest.mark.parametrize("path", OPERATION)
def test_hostile_names_stand_on_pages_as_text(site, path):
    page = look(site, site.admin, path).text

    assert "<script>alert" not in page
    assert "<i>own" not in page


def test_the_status_page_says_what_the_api_says(site):
    page = look(site, site.admin, "/operation").text

    said = site.admin.get("/admin/status").json()
    assert len(re.findall(r'<th scope="row" class="name">', page)) == len(said["portfolios"])
    for one in said["portfolios"]:
        assert f'<data value="{one["missing"]}">' in page
    assert all(one["name"] in page or one["name"] == HOSTILE for one in said["portfolios"])


def test_an_admin_sees_no_symbol_of_a_book_that_is_not_his(site):
    page = look(site, site.admin, "/operation").text

    assert "NONE" not in page
    assert ("1 symbol: never priced, valued at cost" in page) is (site.kind == "full")


def test_a_list_is_searched_and_leafed_through(site):
    assert "plain" not in look(site, site.admin, "/operation?q=nothing+is+called+so").text
    assert look(site, site.admin, "/operation?page=9&state=behind").status_code == 200
    assert look(site, site.admin, "/operation?state=odd").status_code == 422
    assert look(site, site.admin, "/operation/runs?before=0&state=failed").status_code == 200
    assert look(site, site.admin, "/operation/audit?before=1").status_code == 200


def test_runs_of_others_are_unknown_to_an_owner(site):
    rows = site.world.rows("SELECT id FROM run ORDER BY id LIMIT 1")
    for (run,) in rows:
        assert look(site, site.admin, f"/operation/runs/{run}").status_code == 200
        assert look(site, site.owner, f"/operation/runs/{run}").status_code == 403
        assert look(site, site.owner, f"/runs/{run}").status_code == 404
    assert look(site, site.owner, "/runs/none").status_code == 404


def test_without_scripts_the_errors_of_a_file_come_back_as_a_page(site):
    before = site.world.rows("SELECT COUNT(*) FROM portfolio")

    reply = post(site, BAD)

    assert reply.status_code == 422
    assert "4 things are wrong in the file" in reply.text
    assert "Row 2" in reply.text
    assert "Row 3" in reply.text
    assert 'value="Mine"' in reply.text
    assert site.world.rows("SELECT COUNT(*) FROM portfolio") == before


def test_without_scripts_a_good_file_leads_to_its_run(site):
    reply = post(site, GOOD)

    assert reply.status_code == 303
    page = look(site, site.owner, reply.headers["location"])
    assert page.status_code == 200
    assert 'http-equiv="refresh"' in page.text
    assert post(site, GOOD).status_code == 409


def test_a_form_of_another_site_brings_nothing(site):
    headers = site.owner.headers | {"sec-fetch-site": "cross-site"}

    reply = site.client.post(
        "/portfolios/new", data={"name": "x"}, files={"csv": ("p.csv", GOOD)}, headers=headers
    )

    assert reply.status_code == 403


def post(site, text):
    data = {"name": "Mine", "account_name": "", "account_type": "", "opening_equity": ""}
    return site.client.post(
        "/portfolios/new", data=data, files={"csv": ("p.csv", text)}, headers=site.owner.headers
    )
