"""Numbers over HTTP: the documents of the command line, to whom they belong, and once."""

from datetime import date

import pytest
from tests.acceptance.serving import served
from tests.acceptance.world import FACTORS, LAST

from riskmark.api.models import answers, snapshot
from riskmark.api.sessions import SECTIONS
from riskmark.reports.documents import to_json_line
from riskmark.reports.snapshot import load_snapshot
from riskmark.storage import grants

BEGIN, ENTRY = date(2025, 9, 2), date(2025, 12, 15)
MODELS = {
    "snapshot": snapshot.Snapshot,
    "history": snapshot.History,
    "explain": answers.Explanation,
    "attribution": answers.Attribution,
    "attribution?by=sector": answers.Attribution,
    "quality": answers.Quality,
    **{section.value: model for section, (model, _) in SECTIONS.items()},
}


@pytest.fixture
def site(world):
    with served(world) as opened:
        yield opened


@pytest.fixture
def ann(site):
    return site.person("ann")


@pytest.fixture
def book(site, ann):
    site.world.add_prices(*FACTORS, "AAA", "BBB", first=BEGIN)
    own = site.as_owner(ann)
    key = own.add_book("growth", ("AAA", "BBB"), ENTRY)
    own.run(key)
    return key


def test_every_route_sends_what_its_model_says_and_what_reports_make(site, ann, book):
    found = {}
    for name, model in MODELS.items():
        reply = ann.get(f"/portfolios/{book}/{name}")

        assert reply.status_code == 200, (name, reply.text)
        found[name] = reply.json()
        read = model.model_validate_json(reply.content)
        again = read.model_dump(mode="json", by_alias=True, exclude_unset=True)
        assert again == found[name], name
    with site.world.app.database.read() as connection:
        report = load_snapshot(
            connection, site.world.app.principal, book, settings=site.world.app.settings
        ).document()
    assert ann.get(f"/portfolios/{book}/snapshot").text == to_json_line(report)
    for section, (_, names) in SECTIONS.items():
        for name in names:
            assert found[section][name] == found["snapshot"][name]
        assert set(found[section]["nulls"].items()) <= set(found["snapshot"]["nulls"].items())
    assert [row["session"] for row in found["history"]][-1] == LAST.isoformat()


def test_what_a_caller_has_is_not_computed_again(site, ann, book, monkeypatch):
    paths = [f"/portfolios/{book}/{name}" for name in MODELS if name != "quality"]
    tags = {path: ann.get(path).headers["etag"] for path in paths}
    with monkeypatch.context() as patched:
        for name in ("load_snapshot", "load_history", "load_explanation", "load_attribution"):
            patched.setattr(f"riskmark.api.sessions.{name}", None)

        for path, tag in tags.items():
            reply = ann.get(path, headers={"if-none-match": f'W/{tag}, "other"'})
            assert reply.status_code == 304
            assert reply.headers["etag"] == tag
            assert not reply.content
            assert ann.get(path).status_code == 200, "it is kept for whoever has it not"

    site.world.add_prices("AAA", first=LAST, changed={LAST: 90.0})
    assert all(
        ann.get(path, headers={"if-none-match": tag}).status_code == 200
        for path, tag in tags.items()
    )


def test_a_portfolio_is_its_owners_and_a_grantees_to_read(site, ann, book):
    ben, eve = site.person("ben"), site.person("eve")
    admin = site.person("root", role="admin")
    with site.world.app.database.write() as connection:
        grants.add_grant(
            connection,
            book,
            ben.account.account_id,
            granted_by=ann.account.account_id,
            at=site.world.app.wall.now(),
        )

    for name in MODELS:
        assert ben.get(f"/portfolios/{book}/{name}").status_code == 200
        for other in (eve, admin):
            reply = other.get(f"/portfolios/{book}/{name}")
            assert reply.status_code == 404
            assert reply.json()["code"] == "unknown_portfolio"
    assert ann.get("/portfolios/growth/snapshot").status_code == 404


def test_trials_store_nothing_and_what_is_wrong_is_told(site, ann, book):
    before = site.world.dump()
    trial = {"trades": [{"symbol": "aaa", "quantity": -5}], "hedge_beta": "SPY"}

    reply = ann.post(f"/portfolios/{book}/what-if", json=trial)

    assert reply.status_code == 200, reply.text
    read = answers.WhatIf.model_validate_json(reply.content)
    assert read.model_dump(mode="json", by_alias=True, exclude_unset=True) == reply.json()
    assert site.world.dump() == before
    wrong = [
        {},
        {"trades": [{"symbol": "AAA", "quantity": "1e3"}]},
        {"trades": [{"symbol": "AAA", "quantity": 0}]},
        {"trades": [{"symbol": "A\x00A", "quantity": 1}]},
        {"target_vol": 12},
        {"session": 20260108, "hedge_beta": "SPY"},
        {"unknown": 1},
    ]
    for body in wrong:
        assert ann.post(f"/portfolios/{book}/what-if", json=body).status_code == 422, body


def test_a_session_that_is_not_there_is_not_found(ann, book):
    for query, status in (("2024-01-02", 404), ("2026-1-2", 422), ("1", 422), ("%00", 400)):
        assert ann.get(f"/portfolios/{book}/risk?session={query}").status_code == status
    assert ann.get(f"/portfolios/{book}/history?from=2026-01-08&to=2026-01-02").status_code == 422
