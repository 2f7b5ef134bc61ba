"""The API against its own description: requests made of it, and every answer held against it.

One pass names things that exist, by a token of an admin; the other takes what comes as ids, by
a session. Both have the edges of every field as well as random examples.
"""

import shutil
from collections import Counter
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from tests.acceptance.serving import BASE, served
from tests.acceptance.world import FACTORS, World
from tests.support import PROFILE

from riskmark.access import passwords

EXAMPLES = {"default": 20, "deep": 200}[PROFILE]
BEGIN, ENTRY = date(2025, 6, 2), date(2026, 1, 5)
SETTINGS = """\
base-url = "{base}"
max-redirects = 0
continue-on-failure = true
warnings = false

[parameters]
"header.If-Match" = "*"
{known}

[auth.openapi.{way}]
{secret}

[checks.positive_data_acceptance]
# What the schema lets pass may ask for what cannot be carried out: an end before its beginning,
# a wrong password, a book that was changed meanwhile. That is told apart by its code below.
expected-statuses = ["2xx", "401", "403", "404", "409", "412", "422", "428", "429"]

[generation]
max-examples = {examples}
deterministic = true
allow-x00 = false
with-security-parameters = false

[phases.examples]
enabled = {has_edges}

[phases.coverage]
enabled = {has_edges}

[phases.stateful]
enabled = false

[[operations]]
include-name = "DELETE /api/v1/portfolios/{{portfolio_id}}"
parameters = {{ portfolio_id = "{spare}" }}

[[operations]]
include-name = "POST /api/v1/portfolios/{{portfolio_id}}/restore"
parameters = {{ portfolio_id = "{gone}" }}

[[operations]]
# It ends the session by which all the rest is asked.
include-name = "DELETE /api/v1/session"
enabled = {may_sign_out}
"""
TO_END = ("spare", "gone")
"""Books that are there to be deleted, and to be taken back."""
NOBODYS = {"POST /api/v1/session", "POST /api/v1/setup"}
"""Operations that may tell a valid request that nobody is signed in."""


class Pass(NamedTuple):
    """All that was asked, by operation and status, and what was wrong with answers."""

    counts: dict[str, Counter[int]]
    wrong: list[str]


@pytest.fixture
def world(sqlite_template: Path, tmp_path: Path):
    """Give an installation on SQLite: the description is the same on both."""
    shutil.copy(sqlite_template, tmp_path / "riskmark.db")
    made = World(f"sqlite:///{tmp_path / 'riskmark.db'}")
    yield made
    made.close()


@pytest.fixture
def site(world, monkeypatch):
    hasher = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: hasher)
    passwords._nobodys.cache_clear()
    with served(world) as opened:
        yield opened


def test_answers_to_an_admin_are_as_the_description_says(site):
    owner = site.person("owner", role="admin")
    secret = owner.headers["authorization"].split()[1]

    found = ask_all(site, known_ids(site, owner), "HTTPBearer", f'bearer = "{secret}"')

    assert found.wrong == [], tell(found.wrong)
    assert set(found.counts) == operations(site)
    assert [name for name, one in found.counts.items() if not answered(one)] == []


def test_answers_to_a_session_are_as_the_description_says(site):
    owner = site.person("owner")
    session = site.way_in(owner.account, by_cookie=True)
    secret = session.headers["cookie"].partition("=")[2]
    known = {name: one for name, one in known_ids(site, owner).items() if name in TO_END}

    found = ask_all(site, known, "APIKeyCookie", f'api_key = "{secret}"')

    assert found.wrong == [], tell(found.wrong)
    assert set(found.counts) == operations(site) - {"DELETE /api/v1/session"}
    assert found.counts["GET /api/v1/me"][200] > 0


def known_ids(site, owner):
    """Return what the places in paths may stand for: a valued book, its parts, its run."""
    site.world.add_prices(*FACTORS, "AAA", first=BEGIN)
    own = site.as_owner(owner)
    book = own.add_book("growth", ("AAA",), ENTRY)
    own.run()
    ((run_id,),) = own.rows("SELECT id FROM run")
    path = f"/portfolios/{book}"
    gone = own.add_book("gone", ("AAA",), ENTRY)
    owner.ask("DELETE", f"/portfolios/{gone}")
    flow = owner.post(f"{path}/flows", json={"date": "2026-01-07", "amount": 1}).json()["id"]
    return {
        "portfolio_id": book,
        "spare": own.add_book("spare", ("AAA",), ENTRY),
        "gone": gone,
        "lot_id": owner.get(f"{path}/lots").json()[0]["id"],
        "flow_id": flow,
        "run_id": run_id,
        "token_id": owner.post("/tokens", json={"name": "spare"}).json()["id"],
        "account_id": site.person("spare").account.account_id,
    }


def ask_all(site, known, way, secret):
    """Ask for every operation, and return what came of it."""
    text = SETTINGS.format(
        base=BASE,
        known="\n".join(
            f'{name} = "{value}"' for name, value in known.items() if name not in TO_END
        ),
        way=way,
        secret=secret,
        examples=EXAMPLES,
        **{name: known[name] for name in TO_END},
        has_edges=str(way == "HTTPBearer").lower(),
        may_sign_out=str(way == "HTTPBearer").lower(),
    )
    schema = schemathesis.openapi.from_asgi(
        "/api/v1/openapi.json",
        site.api,
        config=SchemathesisConfig.from_str(text),
        headers={"host": "localhost"},
    )
    found = Pass({}, [])
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            found.wrong.append(repr(event))
        if isinstance(event, events.ScenarioFinished):
            take(event.recorder, found)
    return found


def take(recorder, found):
    """Add what one operation was asked, and answered."""
    counts = found.counts.setdefault(recorder.label, Counter())
    for key, one in recorder.interactions.items():
        if one.response is None:
            found.wrong.append(f"{recorder.label}: no answer to {one.request.uri}")
            continue
        counts[int(one.response.status_code)] += 1
        if is_misdescribed(recorder.cases[key], one.response, recorder.label):
            found.wrong.append(shown("described otherwise", one))
    for key, checks in recorder.checks.items():
        for check in checks:
            if check.status is Status.FAILURE:
                message = f"{check.name}: {check.failure_info.failure.message}"
                found.wrong.append(shown(message, recorder.interactions.get(key)))


def is_misdescribed(case, response, label):
    """Whether the description lets a request pass that the schema behind it does not."""
    meta = case.value.meta
    if case.parent_id is not None or meta is None or meta.generation.mode.value != "positive":
        return False
    is_stranger = response.status_code == 401 and label not in NOBODYS
    return is_stranger or b'"invalid_request"' in (response.content or b"")


def tell(wrong):
    return "\n".join(wrong[:40])


def shown(message, one):
    if one is None:
        return message
    request, response = one.request, one.response
    sent = f"{request.method} {request.uri} {(request.body or b'')[:300]!r}"
    return f"{message}\n  {sent}\n  {response.status_code} {(response.content or b'')[:300]!r}"


def answered(counts):
    """Whether somebody who may do it, and names what exists, was ever let in."""
    return any(status not in {401, 403, 404, 405} for status in counts)


def operations(site):
    return {
        f"{method.upper()} {path}"
        for path, methods in site.api.openapi()["paths"].items()
        for method in methods
    }
