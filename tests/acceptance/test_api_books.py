"""Books over HTTP: onboarding, edits and the runs that follow, sharing, deletion, undoing it."""

import gzip
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from tests.acceptance.serving import served
from tests.acceptance.working import wait_for_end, worker_of
from tests.acceptance.world import FACTORS, LAST

from riskmark.api.models import books
from riskmark.app import FixedClock
from riskmark.engine.edits import submit_due
from riskmark.storage.edits import QUIET

BEGIN, ENTRY = date(2025, 10, 1), date(2026, 1, 5)
HEADER = "Symbol,Quantity,Entry Price Per Share,Entry Date\n"
FILE = HEADER + f"AAA,10,100,{ENTRY}\nBBB,-4,90.5,{ENTRY}\n"


@pytest.fixture
def site(world):
    with served(world) as opened:
        yield opened


@pytest.fixture
def ann(site):
    return site.person("ann")


@pytest.fixture
def book(site, ann):
    return site.as_owner(ann).add_book("growth", ("AAA", "BBB"), ENTRY)


def onboard(person, text=FILE, **fields):
    form = {"name": "growth", "opening_equity": "100000"} | fields
    return person.post("/portfolios", data=form, files={"csv": ("p.csv", text, "text/csv")})


def later(site, seconds):
    """Move the clock by which edits become due."""
    app = site.world.app
    object.__setattr__(app, "wall", FixedClock(app.wall.now() + timedelta(seconds=seconds)))
    return app


def test_one_request_makes_a_portfolio_and_its_run(site, ann):
    site.world.add_prices(*FACTORS, "AAA", "BBB", first=BEGIN)

    reply = onboard(ann)

    assert reply.status_code == 201, reply.text
    made = books.Created.model_validate_json(reply.content)
    assert (made.lots, made.symbols, made.warnings) == (2, 2, [])
    with worker_of(site.world.app):
        assert wait_for_end(site.world.app, made.run) == ["succeeded"]
    assert site.world.rows("SELECT source FROM run") == [("onboarding",)]
    shown = ann.get(f"/portfolios/{made.id}/snapshot").json()
    assert shown["session"] == LAST.isoformat()
    assert shown["state"] == "complete"
    (line,) = ann.get("/portfolios").json()["portfolios"]
    assert books.Portfolio.model_validate(line).state == "current"


@pytest.mark.parametrize(
    ("text", "fields", "status"),
    [
        (HEADER + "AAA,0,1,2026-01-05\n,1,x,2026-01-05\n", {}, 422),
        ("", {}, 422),
        (b"\xff\xfe\x00", {}, 422),
        (FILE, {"name": " "}, 422),
        (FILE, {"name": "a\x00b"}, 422),
        (FILE, {"opening_equity": "-1"}, 422),
        (FILE, {"opening_equity": "1e9"}, 422),
        (FILE, {"account_type": "offshore"}, 422),
        (FILE, {"owner": "somebody"}, 422),
    ],
)
def test_what_is_wrong_stores_nothing(site, ann, text, fields, status):
    before = site.world.rows("SELECT COUNT(*) FROM portfolio")

    reply = onboard(ann, text, **fields)

    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert site.world.rows("SELECT COUNT(*) FROM portfolio") == before
    assert site.world.rows("SELECT COUNT(*) FROM run") == [(0,)]


def test_all_errors_of_a_file_are_listed_and_a_name_is_taken_once(ann):
    reply = onboard(ann, HEADER + "AAA,0,1,2026-01-05\n,1,x,2026-01-05\n")

    assert reply.json()["code"] == "invalid_positions"
    assert {one["code"] for one in reply.json()["errors"]} >= {"POS_006", "POS_001", "POS_009"}
    assert onboard(ann).status_code == 201
    assert onboard(ann).status_code == 409


def test_edits_are_stored_with_the_run_to_come_and_one_run_follows(site, ann, book):
    path = f"/portfolios/{book}"
    listed = ann.get(f"{path}/lots")
    tag = listed.headers["etag"]
    first = listed.json()[0]["id"]
    new = {"symbol": "ccc", "quantity": 5, "entry_price": 10.25, "entry_date": "2026-01-06"}

    added = ann.post(f"{path}/lots", json=new)
    assert added.status_code == 201, added.text
    assert books.Lot.model_validate_json(added.content).symbol == "CCC"
    stale = ann.ask("PATCH", f"{path}/lots/{first}", json={}, headers={"if-match": tag})
    assert stale.status_code == 412
    assert ann.ask("PATCH", f"{path}/lots/{first}", json={"quantity": 3}).status_code == 428

    tag = {"if-match": added.headers["etag"]}
    changed = ann.ask("PATCH", f"{path}/lots/{first}", json={"quantity": "7"}, headers=tag)
    assert changed.json()["quantity"] == 7
    end = {"date": "2026-01-07", "price": "101.5", "quantity": 2}
    tag = {"if-match": changed.headers["etag"]}
    closed = ann.post(f"{path}/lots/{first}/close", json=end, headers=tag)
    assert closed.json()["quantity"] == 2
    assert closed.json()["exit_price"] == 101.5
    flow = ann.post(f"{path}/flows", json={"date": "2026-01-07", "amount": -500})
    assert flow.status_code == 201, flow.text
    assert [one["amount"] for one in ann.get(f"{path}/flows").json()] == [-500]
    whatever = {"if-match": "*"}
    gone = ann.ask("DELETE", f"{path}/flows/{flow.json()['id']}", headers=whatever)
    assert gone.status_code == 204
    other = closed.json()["id"]
    assert ann.ask("DELETE", f"{path}/lots/{other}", headers=whatever).status_code == 204
    assert [one["quantity"] for one in ann.get(f"{path}/lots").json()] == [5, 10, 5]

    assert submit_due(later(site, QUIET.total_seconds() - 2)) == []
    (submitted,) = submit_due(later(site, 4))
    assert submit_due(site.world.app) == []
    assert site.world.rows("SELECT id, source, scope FROM run") == [
        (submitted.run_id, "settings", f'["{book}"]')
    ]
    actions = [one for (one,) in site.world.rows("SELECT action FROM audit_entry ORDER BY id")]
    assert actions == [
        "add_lot",
        "change_lot",
        "close_lot",
        "add_flow",
        "delete_flow",
        "delete_lot",
    ]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("lots", {"symbol": "AAA", "quantity": 0, "entry_price": 1, "entry_date": "2026-01-05"}),
        ("lots", {"symbol": "AAA", "quantity": 1, "entry_price": 1, "entry_date": "2036-01-05"}),
        ("lots", {"symbol": "A A", "quantity": "٣", "entry_price": 1, "entry_date": "2026-01-05"}),
        ("lots", {"symbol": "AAA", "quantity": 10**400, "entry_price": 1}),
        ("flows", {"date": "2026-01-07", "amount": "NaN"}),
        ("flows", {"date": "2026-01-07", "amount": 0}),
        ("flows", {"date": "2046-01-07", "amount": 1}),
        ("flows", {"date": 20260107, "amount": 1}),
        ("grants", {"email": "nobody"}),
    ],
)
def test_a_wrong_edit_changes_nothing_and_starts_nothing(site, ann, book, path, body):
    before = site.world.dump()

    assert ann.post(f"/portfolios/{book}/{path}", json=body).status_code == 422

    assert site.world.dump() == before
    assert site.world.rows("SELECT COUNT(*) FROM portfolio_edit") == [(0,)]


def test_a_grantee_reads_and_changes_nothing_until_the_grant_is_taken_back(site, ann, book):
    ben = site.person("ben")
    path = f"/portfolios/{book}"
    assert ben.get(path).status_code == 404
    granted = ann.post(f"{path}/grants", json={"email": "BEN@example.com "})
    assert granted.status_code == 201, granted.text
    assert ann.get(f"{path}/grants").json() == [granted.json()]

    assert ben.get(path).json()["owner"] == ann.account.account_id
    assert [one["id"] for one in ben.get("/portfolios").json()["portfolios"]] == [book]
    flow = {"date": "2026-01-07", "amount": 1}
    for reply in (
        ben.post(f"{path}/flows", json=flow),
        ben.post(f"{path}/calculate"),
        ben.ask("DELETE", path),
        ben.get(f"{path}/grants"),
        ben.post(f"{path}/grants", json={"email": "ann@example.com"}),
    ):
        assert reply.status_code == 403
        assert reply.json()["code"] == "not_owner"

    account = granted.json()["account"]
    assert ann.ask("DELETE", f"{path}/grants/{account}").status_code == 204
    assert ann.ask("DELETE", f"{path}/grants/{account}").status_code == 404
    assert ben.get(path).status_code == 404


def test_a_deleted_portfolio_can_be_taken_back_for_a_while(site, ann, book):
    path = f"/portfolios/{book}"
    gone = ann.ask("DELETE", path)
    assert books.Deleted.model_validate_json(gone.content).name == "growth"
    assert ann.get(path).status_code == 404
    assert site.person("eve").post(f"{path}/restore").status_code == 404

    assert ann.post(f"{path}/restore").json()["id"] == book
    assert ann.post(f"{path}/restore").status_code == 404
    ann.ask("DELETE", path)
    assert onboard(ann).status_code == 201
    assert ann.post(f"{path}/restore").json()["code"] == "portfolio_exists"


def test_heads_change_and_lists_have_pages(site, ann, book):
    own = site.as_owner(ann)
    for name in ("alpha", "beta"):
        own.add_book(name, ("AAA",), ENTRY)
    tag = {"if-match": ann.get(f"/portfolios/{book}").headers["etag"]}

    renamed = ann.ask("PATCH", f"/portfolios/{book}", json={"name": "zeta"}, headers=tag)

    assert renamed.json()["name"] == "zeta"
    assert books.Portfolio.model_validate_json(renamed.content).id == book
    again = ann.ask("PATCH", f"/portfolios/{book}", json={"name": "x"}, headers=tag)
    assert again.status_code == 412
    tag = {"if-match": "*"}
    taken = ann.ask("PATCH", f"/portfolios/{book}", json={"name": "beta"}, headers=tag)
    assert taken.status_code == 409
    names, after = [], ""
    while after is not None:
        page = ann.get(f"/portfolios?limit=2{after and f'&after={after}'}").json()
        names += [one["name"] for one in page["portfolios"]]
        after = page["next"]
    assert names == ["alpha", "beta", "zeta"]


def test_books_are_combined_and_an_edit_of_one_is_one_of_the_sum(site, ann, book):
    own = site.as_owner(ann)
    other = own.add_book("other", ("AAA",), ENTRY)
    eves = site.as_owner(site.person("eve")).add_book("eves", ("AAA",), ENTRY)

    made = ann.post("/portfolios/combined", json={"name": "all", "members": [book]})
    assert made.status_code == 201, made.text
    key = made.json()["id"]
    for members in ([book, eves], [eves]):
        reply = ann.ask("PUT", f"/portfolios/{key}/members", json={"members": members})
        assert reply.status_code == 404
    changed = ann.ask("PUT", f"/portfolios/{key}/members", json={"members": [book, other]})
    assert changed.json()["added"] == ["other"]
    submit_due(later(site, 6))
    ann.post(f"/portfolios/{other}/flows", json={"date": "2026-01-07", "amount": 10})

    assert sorted(site.world.rows("SELECT portfolio_id FROM portfolio_edit")) == sorted(
        [(key,), (other,)]
    )


def test_of_two_who_saw_the_same_book_one_changes_it(ann, book):
    path = f"/portfolios/{book}/lots"
    listed = ann.get(path)
    tag, lot = {"if-match": listed.headers["etag"]}, listed.json()[0]["id"]

    def change(quantity):
        body = {"quantity": quantity}
        return ann.ask("PATCH", f"{path}/{lot}", json=body, headers=tag).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(change, (3, 4))) == [200, 412]


def test_a_bomb_and_a_body_without_end_are_refused(site, ann):
    bomb = gzip.compress(b"\n" * 60_000_000)
    long = b"A" * (12 << 20)

    assert onboard(ann, bomb).json()["errors"][0]["code"] == "CSV_001"
    assert onboard(ann, long).status_code == 413
    stranger = site.client.post("/api/v1/portfolios", content=long[: 2 << 20])
    assert stranger.status_code == 413


def test_a_sum_comes_back_after_what_it_is_the_sum_of(ann, book):
    key = ann.post("/portfolios/combined", json={"name": "all", "members": [book]}).json()["id"]
    assert ann.ask("DELETE", f"/portfolios/{book}").json()["code"] == "member_of_combined"
    for one in (key, book):
        assert ann.ask("DELETE", f"/portfolios/{one}").status_code == 200

    early = ann.post(f"/portfolios/{key}/restore")
    back = [ann.post(f"/portfolios/{one}/restore").status_code for one in (book, key)]

    assert (early.status_code, back) == (422, [200, 200])


def test_a_run_that_is_asked_for_twice_is_one(ann, book):
    first, second = (ann.post(f"/portfolios/{book}/calculate") for _ in range(2))

    assert first.status_code == second.status_code == 202
    assert first.json()["run"] == second.json()["run"]
    assert [first.json()["joined"], second.json()["joined"]] == [False, True]
