"""Runs and people over HTTP: progress as it is made, what admins do, links and second factors."""

import json
from datetime import date, timedelta

import pyotp
import pytest
from tests.acceptance.serving import READ, served
from tests.acceptance.working import worker_of
from tests.acceptance.world import FACTORS

from riskmark.access import passwords
from riskmark.api.models import people, runs
from riskmark.app import FixedClock

BEGIN, ENTRY = date(2025, 10, 1), date(2026, 1, 5)
EMAIL, PASSWORD = "ben@example.com", "a horse that reads"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Hash with the least work that argon2 allows; what is tested does not hang on it."""
    hasher = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: hasher)
    passwords._nobodys.cache_clear()


@pytest.fixture
def site(world):
    with served(world) as opened:
        yield opened


@pytest.fixture
def ann(site):
    return site.person("ann")


@pytest.fixture
def root(site):
    return site.person("root", role="admin")


@pytest.fixture
def book(site, ann):
    return site.as_owner(ann).add_book("growth", ("AAA",), ENTRY)


def frames(text):
    """Read a stream of events."""
    found = []
    for part in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in part.splitlines())
        if "event" in fields:
            found.append((fields["event"], fields["id"], json.loads(fields["data"])))
    return found


def sign_in(site, email, password, code=None):
    body = {"email": email, "password": password, "code": code}
    return site.client.post("/api/v1/session", json=body)


def test_a_run_is_followed_to_its_end_and_taken_up_where_it_was_left(site, ann, book):
    site.world.add_prices(*FACTORS, "AAA", first=BEGIN)
    run_id = ann.post(f"/portfolios/{book}/calculate").json()["run"]
    with worker_of(site.world.app):
        reply = ann.get(f"/runs/{run_id}/events")

    assert reply.headers["content-type"].startswith("text/event-stream")
    told = frames(reply.text)
    kinds = [kind for kind, _, _ in told]
    assert kinds.index("log") < kinds.index("end") == len(kinds) - 1
    assert told[-1][2] == {"status": "succeeded", "error": None}
    progress = [runs.Run.model_validate(one) for kind, _, one in told if kind == "progress"]
    assert [one.status for one in progress] == sorted(
        (one.status for one in progress), key=["queued", "running", "succeeded"].index
    )
    assert progress[-1].cells.complete == progress[-1].cells.planned > 0
    logged = [(number, one["message"]) for kind, number, one in told if kind == "log"]
    assert len(logged) == len({number for number, _ in logged})

    half = logged[len(logged) // 2]
    again = frames(ann.get(f"/runs/{run_id}/events", headers={"last-event-id": half[0]}).text)
    later = [(number, one["message"]) for kind, number, one in again if kind == "log"]
    assert later == logged[logged.index(half) + 1 :]
    done = {"last-event-id": told[-1][1]}
    assert ann.get(f"/runs/{run_id}/events", headers=done).status_code == 204


def test_a_run_is_seen_by_who_asked_for_it_and_by_admins(site, ann, book, root):
    eve = site.person("eve")
    run_id = ann.post(f"/portfolios/{book}/calculate").json()["run"]

    for person, status in ((ann, 200), (root, 200), (eve, 404)):
        for path in (f"/runs/{run_id}", f"/runs/{run_id[:13]}"):
            expected = status if path.endswith(run_id) else 404
            assert person.get(path).status_code == expected
        assert len(person.get("/runs").json()) == (person is ann)
    assert eve.get(f"/runs/{run_id}/events").status_code == 404
    assert eve.get("/admin/runs").status_code == 403
    joined = root.post("/admin/runs", json={"portfolios": [book]}).json()
    assert joined == {"run": run_id, "joined": True}
    assert [one["id"] for one in root.get("/runs").json()] == [run_id]


def test_admins_start_and_cancel_runs_and_see_states_but_no_books(site, ann, book, root):
    started = root.post("/admin/runs", json={"force": True, "from": "2026-01-06"})
    assert started.status_code == 202, started.text
    run_id = started.json()["run"]
    assert site.world.rows("SELECT source, scope FROM run") == [("admin", "all")]
    assert ann.get(f"/runs/{run_id}").status_code == 404

    listed = root.get("/admin/runs").json()
    assert [runs.RunLine.model_validate(one).id for one in listed] == [run_id]
    assert root.post(f"/admin/runs/{run_id}/cancel").json()["status"] == "queued"
    assert root.post(f"/admin/runs/{run_id}/cancel").status_code == 409
    state = people.Status.model_validate_json(root.get("/admin/status").content)
    assert [one.id for one in state.portfolios] == [book]
    assert root.get(f"/portfolios/{book}").status_code == 404
    reader = site.way_in(root.account, scopes=READ)
    assert reader.get("/admin/status").status_code == 403
    told = [people.AuditLine.model_validate(one) for one in root.get("/admin/audit").json()]
    assert [one.action for one in told] == ["cancel_run", "start_run"]


def test_somebody_is_invited_sets_a_password_once_and_is_shut_out_at_once(site, root):
    new = {"email": "Ben@Example.com", "name": "Ben"}
    invited = people.Invited.model_validate(root.post("/admin/users", json=new).json())
    assert root.post("/admin/users", json=new).status_code == 409
    path = f"/admin/users/{invited.id}"
    newer = root.post(f"{path}/link").json()["link"]
    setup = {"link": newer, "password": PASSWORD}

    old = site.client.post("/api/v1/setup", json=setup | {"link": invited.link})
    assert old.json()["code"] == "link_refused"
    easy = site.client.post("/api/v1/setup", json=setup | {"password": "short"})
    assert easy.status_code == 422
    assert site.client.post("/api/v1/setup", json=setup).status_code == 204
    assert site.client.post("/api/v1/setup", json=setup).status_code == 403

    entered = sign_in(site, EMAIL, PASSWORD)
    assert entered.status_code == 201, entered.text
    cookie = entered.headers["set-cookie"]
    for word in ("__Host-riskmark=rms_", "HttpOnly", "Secure", "Path=/", "SameSite=lax"):
        assert word in cookie
    assert site.client.get("/api/v1/me").json()["email"] == "ben@example.com"
    foreign = {"origin": "https://evil.example"}
    body = {"name": "t"}
    assert site.client.post("/api/v1/tokens", json=body, headers=foreign).status_code == 403
    changed = root.ask("PATCH", path, json={"is_disabled": True})
    assert people.User.model_validate(changed.json()).disabled_at is not None
    assert site.client.get("/api/v1/me").status_code == 401
    assert sign_in(site, EMAIL, PASSWORD).status_code == 401
    itself = root.ask("PATCH", f"/admin/users/{root.account.account_id}", json={"role": "owner"})
    assert itself.status_code == 422


def test_a_second_factor_counts_once_a_code_of_it_was_shown(site, root):
    new = {"email": "ben@example.com", "name": "Ben"}
    link = root.post("/admin/users", json=new).json()["link"]
    site.client.post("/api/v1/setup", json={"link": link, "password": PASSWORD})
    assert sign_in(site, EMAIL, PASSWORD).status_code == 201
    offered = site.client.post("/api/v1/me/totp").json()
    assert offered["secret"] in offered["uri"]
    assert site.client.get("/api/v1/me").json()["has_totp"] is False
    clock, at = pyotp.TOTP(offered["secret"]), site.world.app.wall.now()

    proof = {"secret": offered["secret"], "password": PASSWORD, "code": clock.at(at)}
    wrong = (proof | {"code": "12345x"}, proof | {"password": "another horse"})
    for body in wrong:
        refused = site.client.put("/api/v1/me/totp", json=body)
        assert refused.json()["code"] == "not_proven"
    assert site.client.put("/api/v1/me/totp", json=proof).status_code == 204
    assert sign_in(site, EMAIL, PASSWORD).json()["code"] == "code_needed"
    assert sign_in(site, EMAIL, PASSWORD, clock.at(at)).status_code == 401

    later = at + timedelta(seconds=30)
    object.__setattr__(site.world.app, "wall", FixedClock(later))
    gone = {"password": PASSWORD, "code": clock.at(later)}
    assert site.client.post("/api/v1/me/totp/removal", json=gone).status_code == 204
    assert sign_in(site, EMAIL, PASSWORD).status_code == 201
