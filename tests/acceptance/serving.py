"""A world that is asked over HTTP: people with tokens and sessions, and a client for each.

``served`` asks the application itself; ``listening`` serves one at an address, as
``riskmark serve`` does.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from tests.acceptance.world import World

from riskmark.access.secrets import SESSION, TOKEN, new_secret
from riskmark.api.application import create_api
from riskmark.app import App
from riskmark.cli.answering import answer_requests, open_door
from riskmark.domain.accounts import AccountHolder, Role, Scope
from riskmark.storage import accounts, web_sessions
from riskmark.storage.books import Principal
from riskmark.storage.web_sessions import WebSession

BASE = "https://localhost"
API = "/api/v1"
READ = frozenset({Scope.READ})
WRITE = frozenset({Scope.READ, Scope.WRITE})
EVERYTHING = frozenset(Scope)


class Person:
    """Somebody with an account, and his ways in."""

    def __init__(self, served: "Served", account: AccountHolder, headers: dict[str, str]) -> None:
        self.account = account
        self.headers = headers
        self._served = served

    def ask(self, method: str, path: str, **how) -> Response:
        """Send a request as this person."""
        headers = self.headers | how.pop("headers", {})
        return self._served.client.request(method, API + path, headers=headers, **how)

    def get(self, path: str, **how) -> Response:
        """Read."""
        return self.ask("GET", path, **how)

    def post(self, path: str, **how) -> Response:
        """Ask for something to be done."""
        return self.ask("POST", path, **how)


class Served:
    """A world behind a client."""

    def __init__(self, world: World, api: FastAPI, client: TestClient) -> None:
        self.world = world
        self.api = api
        self.client = client

    def person(
        self,
        name: str,
        *,
        role: Role = Role.OWNER,
        scopes: frozenset[Scope] = EVERYTHING,
        by_cookie: bool = False,
    ) -> Person:
        """Make an account with a token of ``scopes``, or with a session."""
        app = self.world.app
        with app.database.write() as connection:
            email = f"{name}@example.com"
            at = app.wall.now()
            account = accounts.create_account(connection, email, name, role=role, at=at)
        return self.way_in(account, scopes=scopes, by_cookie=by_cookie)

    def way_in(
        self,
        account: AccountHolder,
        *,
        scopes: frozenset[Scope] = EVERYTHING,
        by_cookie: bool = False,
        lasts: timedelta = timedelta(hours=1),
    ) -> Person:
        """Make one more token or session of an account."""
        at, key = self.world.app.wall.now(), account.account_id
        with self.world.app.database.write() as connection:
            if by_cookie:
                secret = new_secret(SESSION)
                session = WebSession(key, at, at, at + lasts, "test")
                web_sessions.save_session(connection, secret.digest, session)
                return Person(self, account, {"cookie": f"__Host-riskmark={secret.text}"})
            secret = new_secret(TOKEN)
            web_sessions.save_token(
                connection,
                secret.digest,
                account_id=key,
                name="test",
                scopes=scopes,
                at=at,
                expires_at=at + lasts,
            )
        return Person(self, account, {"authorization": f"Bearer {secret.text}"})

    def as_owner(self, person: Person) -> World:
        """Return a world in which ``person`` acts at the command line."""
        own = World(self.world.url)
        own.app.database.close()
        own.app = replace(self.world.app, principal=Principal(person.account.account_id))
        return own


@contextmanager
def served(world: World, make: Callable[[App], FastAPI] = create_api) -> Iterator[Served]:
    """Serve a world; ``make`` makes its application."""
    api = make(world.app)
    with TestClient(api, base_url=BASE) as client:
        yield Served(world, api, client)


@contextmanager
def listening(app: App, *, port: int = 0) -> Iterator[str]:
    """Serve an installation on this machine, at any port if none is given; give its address."""
    stop = threading.Event()
    with open_door("127.0.0.1", port) as door:
        host, found = door.getsockname()
        server = threading.Thread(target=answer_requests, args=(app, door, stop))
        server.start()
        try:
            yield f"http://{host}:{found}"
        finally:
            stop.set()
            server.join(20)
    assert not server.is_alive()
