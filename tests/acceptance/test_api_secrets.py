"""Secrets of people and of the installation: never in a log, an answer, a traceback, a dump."""

import sqlite3
from datetime import UTC, datetime

import httpx
import pyotp
import pytest
from sqlalchemy import make_url
from tests.acceptance.served_process import serving

from riskmark.access.people import add_account
from riskmark.domain.accounts import Role
from riskmark.storage.audit import Actor

LOUD = """\
import logging, sys

logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
logging.getLogger("sqlalchemy.engine").setLevel(logging.INFO)
"""
"""What makes every library in the process say what it does, with the statements it sends."""
KEYS = {
    "RISKMARK_PROVIDERS__FMP__API_KEY": "canary-key-fmp-1",
    "RISKMARK_PROVIDERS__MASSIVE__API_KEY": "canary-key-massive-2",
    "RISKMARK_NOTIFY__EMAIL__PASSWORD": "canary-mail-password-3",
    "RISKMARK_NOTIFY__WEBHOOK__SECRET": "canary-webhook-secret-4",
    "RISKMARK_LOG_LEVEL": "debug",
}
EMAIL = "ann@example.com"
PASSWORD, NEXT, WRONG = "canary password one", "canary password two", "canary password wrong"
BROKEN = "CREATE TRIGGER broken BEFORE UPDATE OF {} ON account BEGIN SELECT RAISE(ABORT, 'no'); END"


@pytest.fixture
def link(world):
    if not world.app.database.is_sqlite:
        pytest.skip("what is logged does not hang on the database")
    at = datetime.now(UTC)
    with world.app.database.write() as connection:
        actor = Actor(None, "-", "-")
        return add_account(connection, actor, EMAIL, "Ann", role=Role.ADMIN, at=at).link.text


def test_no_secret_is_said_by_a_process_that_tells_all_it_does(world, tmp_path, link):
    with serving(world, tmp_path, "-v", first=LOUD, more=KEYS) as served:
        with httpx.Client(base_url=f"{served.url}/api/v1", timeout=30) as client:
            told = Told(client)
            secrets, once = use_everything(told, link, world)
        said = served.log.read_text()

    assert told.statuses >= {200, 201, 204, 401, 403, 422, 500}
    assert "request failed" in said
    assert "UPDATE account" in said
    keys = [value for value in KEYS.values() if "canary" in value]
    for secret in (*secrets, *once, *keys):
        assert secret not in said
    for secret in (*secrets, *keys):
        assert secret not in told.text
    for secret in once:  # each is told whom it was made for, and nobody again
        assert told.text.count(secret) == told.made.get(secret, 0)
    rows = dump(world)
    for secret in (PASSWORD, NEXT, WRONG, *[one for one in once if one.startswith("rm")]):
        assert secret not in rows


class Told:
    """Asks, and keeps all that was answered."""

    def __init__(self, client):
        self._client = client
        self.text = ""
        self.statuses = set()
        self.made = {}

    def ask(self, method, path, **how):
        reply = self._client.request(method, path, **how)
        self._client.cookies.clear()
        kept = {name: value for name, value in reply.headers.items() if name != "set-cookie"}
        self.text += f"{kept} {reply.text}\n"
        self.statuses.add(reply.status_code)
        return reply


def use_everything(told, link, world):
    """Do all that has to do with secrets; return those that are never told, and told once."""
    setup = {"link": link, "password": PASSWORD}
    assert told.ask("POST", "/setup", json=setup).status_code == 204
    told.ask("POST", "/setup", json=setup)
    told.ask("POST", "/session", json={"email": EMAIL, "password": WRONG})
    told.ask("POST", "/session", json={"email": EMAIL, "password": PASSWORD, "more": WRONG})
    told.ask("POST", "/session", content=f'{{"password": "{WRONG}"')
    came = told.ask("POST", "/session", json={"email": EMAIL, "password": PASSWORD})
    cookie = came.headers["set-cookie"].partition(";")[0]
    session = {"headers": {"cookie": cookie}}
    token = told.ask("POST", "/tokens", json={"name": "t", "scopes": ["read"]}, **session).json()
    bearer = {"headers": {"authorization": f"Bearer {token['token']}"}}
    for path in ("/me", "/tokens", "/portfolios", "/runs", "/portfolios/nothing/snapshot"):
        told.ask("GET", path, **bearer)
    told.ask("POST", "/tokens", json={"name": "u"}, **bearer)
    told.ask("GET", "/me", headers={"authorization": f"Bearer {token['token']}x"})
    change = {"old": PASSWORD, "new": NEXT}
    told.ask("PUT", "/me/password", json=change | {"old": WRONG}, **session)
    offered = told.ask("POST", "/me/totp", **session).json()["secret"]
    proof = {"secret": offered, "password": PASSWORD, "code": pyotp.TOTP(offered).now()}
    for column, path, body in (
        ("totp_secret", "/me/totp", proof),
        ("password_hash", "/me/password", change),
    ):
        with broken(world, column):
            assert told.ask("PUT", path, json=body, **session).status_code == 500
    assert told.ask("PUT", "/me/password", json=change, **session).status_code == 204
    new = {"email": "ben@example.com", "name": "Ben"}
    invited = told.ask("POST", "/admin/users", json=new, **session).json()["link"]
    for path in ("/admin/users", "/admin/audit", "/admin/status", "/admin/runs"):
        told.ask("GET", path, **session)
    told.ask("DELETE", f"/tokens/{token['id']}", **session)
    told.ask("DELETE", "/session", **session)
    told.made = {token["token"]: 1, invited: 1, offered: 2}  # of the last also as an address
    return [link, PASSWORD, NEXT, WRONG, cookie.partition("=")[2]], [*told.made]


class broken:  # noqa: N801 - a context
    """Lets a column of accounts refuse its changes, so that a request fails with its values."""

    def __init__(self, world, column):
        self._path = make_url(world.url).database
        self._column = column

    def __enter__(self):
        self._do(BROKEN.format(self._column))

    def __exit__(self, *_):
        self._do("DROP TRIGGER broken")

    def _do(self, statement):
        connection = sqlite3.connect(self._path, timeout=30)
        connection.execute(statement)
        connection.commit()
        connection.close()


def dump(world):
    connection = sqlite3.connect(make_url(world.url).database)
    text = "\n".join(connection.iterdump())
    connection.close()
    return text
