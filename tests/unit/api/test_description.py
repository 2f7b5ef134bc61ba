"""What the API says of itself: every operation in words, with examples that fit their schemas."""

import json
import re

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from riskmark.api.application import create_api
from riskmark.api.examples import load_examples
from riskmark.app import App, SystemClock
from riskmark.settings import load_settings
from riskmark.storage.engines import open_database

OPERATIONS = """
DELETE /portfolios/{portfolio_id} remove_portfolio
DELETE /portfolios/{portfolio_id}/flows/{flow_id} remove_flow
DELETE /portfolios/{portfolio_id}/grants/{account_id} revoke
DELETE /portfolios/{portfolio_id}/lots/{lot_id} remove_lot
DELETE /session close_session
DELETE /tokens/{token_id} end_token
GET /admin/audit read_audit
GET /admin/runs list_every_run
GET /admin/status status
GET /admin/users list_users
GET /health/live live
GET /health/ready ready
GET /me me
GET /metrics metrics
GET /portfolios list_portfolios
GET /portfolios/{portfolio_id} read_portfolio
GET /portfolios/{portfolio_id}/attribution attribution
GET /portfolios/{portfolio_id}/correlation read_correlation
GET /portfolios/{portfolio_id}/explain explain
GET /portfolios/{portfolio_id}/factors read_factors
GET /portfolios/{portfolio_id}/flows list_flows
GET /portfolios/{portfolio_id}/grants list_grants
GET /portfolios/{portfolio_id}/history read_history
GET /portfolios/{portfolio_id}/lots list_lots
GET /portfolios/{portfolio_id}/positions read_positions
GET /portfolios/{portfolio_id}/quality quality
GET /portfolios/{portfolio_id}/risk read_risk
GET /portfolios/{portfolio_id}/sectors read_sectors
GET /portfolios/{portfolio_id}/snapshot read_snapshot
GET /portfolios/{portfolio_id}/stress read_stress
GET /runs list_own
GET /runs/{run_id} read_run
GET /runs/{run_id}/events follow_run
GET /tokens list_tokens
PATCH /admin/users/{account_id} change_user
PATCH /portfolios/{portfolio_id} change_portfolio
PATCH /portfolios/{portfolio_id}/lots/{lot_id} change_lot
POST /admin/outbox/retry retry
POST /admin/providers/{provider}/reset ask_again
POST /admin/releases release_closes
POST /admin/runs start_run
POST /admin/runs/{run_id}/cancel cancel_run
POST /admin/users add_user
POST /admin/users/{account_id}/link renew_link
POST /me/totp offer_totp
POST /me/totp/removal remove_totp
POST /portfolios create_portfolio
POST /portfolios/combined combine
POST /portfolios/{portfolio_id}/calculate calculate
POST /portfolios/{portfolio_id}/flows enter_flow
POST /portfolios/{portfolio_id}/grants grant
POST /portfolios/{portfolio_id}/lots enter_lot
POST /portfolios/{portfolio_id}/lots/{lot_id}/close close_lot
POST /portfolios/{portfolio_id}/restore restore
POST /portfolios/{portfolio_id}/what-if try_trades
POST /runs/{run_id}/cancel cancel_own
POST /session open_session
POST /setup set_up_account
POST /tokens create_token
PUT /admin/acceptance accept_symbol
PUT /me/password new_password
PUT /me/totp add_totp
PUT /portfolios/{portfolio_id}/members set_members
"""
"""The ids by which programs that are made of the description call operations; none may change."""


@pytest.fixture(scope="module")
def api():
    url = "sqlite:///never-made.db"
    app = App(load_settings(None, {}, database_url=url), open_database(url), SystemClock())
    return create_api(app)


@pytest.fixture(scope="module")
def schema(api):
    return api.openapi()


def operations(schema):
    """Return every operation, by its method and path."""
    return {
        (method.upper(), path.removeprefix("/api/v1")): one
        for path, methods in schema["paths"].items()
        for method, one in methods.items()
    }


def examples(schema):
    """Yield each place of a body or an answer: its name, its schema, its content."""
    for route, one in operations(schema).items():
        contents = one.get("requestBody", {}).get("content", {}).values()
        yield from ((f"{route} body", content) for content in contents)
        for status, reply in one["responses"].items():
            if status.startswith("2"):
                contents = reply.get("content", {}).values()
                yield from ((f"{route} {status}", content) for content in contents)


def test_the_id_of_an_operation_stays_as_it_is(schema):
    found = {f"{method} {path} {one['operationId']}" for (method, path), one in
             operations(schema).items()}  # fmt: skip

    assert found == set(OPERATIONS.strip().splitlines())
    ids = [one["operationId"] for one in operations(schema).values()]
    assert len(ids) == len(set(ids))


def test_every_operation_is_told_in_words(schema):
    for route, one in operations(schema).items():
        assert re.fullmatch(r"[A-Z][\w ]+", one["summary"]), route
        assert one["description"].rstrip().endswith("."), route
        assert len(one["tags"]) == 1, route


def test_every_body_and_answer_has_an_example_that_fits_its_schema(schema):
    for place, content in examples(schema):
        assert "example" in content, place
        whole = content.get("schema", {}) | {"components": schema["components"]}
        found = [one.message[:300] for one in Draft202012Validator(whole).iter_errors(
            content["example"])]  # fmt: skip
        assert found == [], place


def test_no_example_is_of_an_operation_that_is_not(schema):
    known = {one["operationId"] for one in operations(schema).values()}

    assert set(load_examples()) <= known


def test_an_example_that_does_not_fit_would_be_found(schema):
    reply = operations(schema)["GET", "/me"]["responses"]["200"]["content"]["application/json"]
    whole = reply["schema"] | {"components": schema["components"]}

    assert not Draft202012Validator(whole).is_valid(reply["example"] | {"role": "king"})


def test_examples_tell_no_secret_and_no_machine():
    text = json.dumps(load_examples())

    assert re.findall(r"rm[a-z]_(?!EXAMPLE\b)\w+", text) == []
    assert "testclient" not in text


def test_the_description_is_made_once_and_served(api, schema):
    with TestClient(api, base_url="https://localhost") as client:
        assert client.get("/api/v1/openapi.json").json() == schema
        page = client.get("/api/v1/docs").text

    assert "what ``snapshot`` has of it" in page
