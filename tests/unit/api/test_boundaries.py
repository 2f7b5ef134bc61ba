"""What every request passes, seen from outside: ids, headers, hosts, bodies, problems."""

import pytest
from fastapi.testclient import TestClient

from riskmark.api.application import create_api
from riskmark.api.boundaries import HEADERS, MAX_BODY
from riskmark.app import build as build_app
from riskmark.app import clock_from, initialise
from riskmark.settings import load_settings


@pytest.fixture
def client(database):
    url = database.engine.url.render_as_string(hide_password=False)
    app = build_app(load_settings(None, {}, database_url=url), clock_from("2026-03-02T23:00Z"))
    initialise(app)
    with TestClient(create_api(app), base_url="https://localhost") as opened:
        yield opened
    app.database.close()


def test_every_answer_has_an_id_and_the_headers_of_the_house(client):
    for path in ("/health/live", "/health/ready", "/api/v1/me", "/nothing"):
        answer = client.get(path, headers={"x-request-id": "mine-1"})

        assert answer.headers["x-request-id"] == "mine-1"
        for name, value in HEADERS.items():
            assert answer.headers[name] == value


def test_an_id_that_is_none_is_replaced(client):
    answer = client.get("/health/live", headers={"x-request-id": "a b\u00e9".encode("latin-1")})

    assert len(answer.headers["x-request-id"]) == 32


def test_a_stranger_gets_a_problem(client):
    answer = client.get("/api/v1/me")

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "not_signed_in"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_an_address_tells_all_that_may_be_done_there(client):
    answer = client.options("/api/v1/portfolios/some-id")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, PATCH, DELETE"
    assert client.options("/api/v1/portfolios/combined").headers["allow"] == "POST"


def test_a_foreign_host_is_refused(client):
    assert client.get("/health/live", headers={"host": "evil.example"}).status_code == 400


def test_a_long_body_is_refused_as_announced_and_as_it_comes(client):
    def endless():
        for _ in range(64):
            yield b" " * (MAX_BODY // 32)

    announced = client.post("/api/v1/session", content=b" " * (MAX_BODY + 1))
    streamed = client.post("/api/v1/session", content=endless())

    for answer in (announced, streamed):
        assert answer.status_code == 413
        assert answer.json()["code"] == "too_large"


def test_what_breaks_the_schema_is_told_without_repeating_it(client):
    answer = client.post("/api/v1/session", json={"email": "a@b.c", "passwort": "hush hush"})

    assert answer.status_code == 422
    assert "hush" not in answer.text
    assert {one["where"] for one in answer.json()["errors"]} == {"body.password", "body.passwort"}


def test_the_page_that_describes_the_api_needs_nothing_from_elsewhere(client):
    page = client.get("/api/v1/docs")
    paths = client.get("/api/v1/openapi.json").json()["paths"]

    assert page.status_code == 200
    assert all(f"{path}</code>" in page.text for path in paths)
    for loaded in ("<script", "<style", "src=", "http://", "https://", "style="):
        assert loaded not in page.text
