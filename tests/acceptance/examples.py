"""The examples of the API's description, made by asking an installation.

``python -m tests.acceptance.examples`` writes them anew. Instants are moved to the evening that
the installation's clock shows, secrets are replaced, numbers rounded and long lists cut.
"""

import json
import re
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from socket import gethostname

import pyotp
from tests.acceptance.serving import Served, served
from tests.acceptance.working import wait_for_end, worker_of
from tests.acceptance.world import FACTORS, LAST, World, at_close

import riskmark.api.examples
from riskmark.app import FixedClock, build, initialise
from riskmark.domain.accounts import Role
from riskmark.settings import load_settings

PLACE = Path(riskmark.api.examples.__file__).with_name(riskmark.api.examples.FILE)
FILE = (
    "Symbol,Quantity,Entry Price Per Share,Entry Date\n"
    "AAPL,30,185.50,2025-06-02\nMSFT,20,402.10,2025-06-02\nTSLA,-10,250.00,2025-09-15\n"
)
SYMBOLS = ("AAPL", "MSFT", "TSLA", "KO")
PASSWORD = "correct horse battery staple"  # noqa: S105 - an example
LONGEST = 2
"""Items of a list that is shown."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_SECRET = re.compile(r"\b(rm[a-z])_[A-Za-z0-9_-]{20,}")
_HERE = re.compile(rf"\b{re.escape(gethostname())}\b")
_TOTP = re.compile(r"\b[A-Z2-7]{32}\b")


class Asker:
    """Asks as somebody, and keeps what was sent and answered."""

    def __init__(self, site: Served) -> None:
        self.site = site
        self.found: dict[str, dict] = {}
        self.began = datetime.now(UTC)
        routes = site.api.openapi()["paths"]
        self._ids = {
            (method.upper(), path.removeprefix("/api/v1")): one["operationId"]
            for path, methods in routes.items()
            for method, one in methods.items()
        }

    def ask(self, person, route, *, body=None, headers=None, **ids):
        """Ask for something; return the answer as it came."""
        method, path = route.split()
        reply = self._send(person, method, path.format(**ids), body, headers or {})
        assert reply.is_success, (route, reply.status_code, reply.text)
        kept = self.found.setdefault(self._ids[method, path], {})
        if body is not None:
            kept["body"] = self.shown(body)
        is_json = reply.headers.get("content-type", "").startswith("application/json")
        if reply.content and is_json:
            kept["answer"] = self.shown(reply.json())
            return reply.json()
        return reply

    def _send(self, person, method, path, body, headers):
        if path == "/portfolios" and body is not None:
            form = {name: value for name, value in body.items() if name != "csv"}
            return person.post(path, data=form, files={"csv": ("p.csv", body["csv"], "text/csv")})
        if path.startswith(("/health", "/metrics")):
            return self.site.client.request(method, path, headers=person.headers)
        return person.ask(method, path, json=body, headers=headers)

    def shown(self, value, place=""):
        """Return what of a document is shown."""
        if isinstance(value, dict):
            items = [*value.items()]
            if place == "nulls":
                items = items[:LONGEST]
            return {name: self.shown(one, name) for name, one in items}
        if isinstance(value, list):
            return [self.shown(one) for one in value[:LONGEST]]
        if isinstance(value, float):
            return float(f"{value:.5g}")
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text):
        if _INSTANT.fullmatch(text):
            since = datetime.fromisoformat(text) - self.began
            moved = at_close(LAST) + since
            return moved.replace(microsecond=0).isoformat().replace("+00:00", "Z")
        hidden = _TOTP.sub("JBSWY3DPEHPK3PXP" * 2, _SECRET.sub(r"\1_EXAMPLE", text))
        return _HERE.sub("risk-1", hidden).replace("testclient", "192.0.2.7")


def make_examples(world: World) -> dict[str, dict]:
    """Ask an installation for everything once."""
    world.add_prices(*FACTORS, *SYMBOLS)
    *_, before, last = world.sessions(date(2026, 1, 1), LAST)
    world.add_bars("SPLT", {before: 100.0, last: 25.0})
    with served(world) as site:
        ann, root = site.person("ann"), site.person("root", role=Role.ADMIN)
        asker = Asker(site)
        _join(asker, root, ann)
        book = _enter(asker, ann)
        _read(asker, ann, book)
        _edit(asker, ann, book)
        _operate(asker, root, ann, book)
    return dict(sorted(asker.found.items()))


def _join(asker: Asker, root, ann) -> None:
    """Let Ben have an account, a password, a session and a second factor; and Ann a token."""
    invited = asker.ask(
        root, "POST /admin/users", body={"email": "ben@example.com", "name": "Ben", "role": "owner"}
    )
    link = asker.ask(root, "POST /admin/users/{account_id}/link", account_id=invited["id"])["link"]
    nobody = type(ann)(asker.site, ann.account, {})
    asker.ask(nobody, "POST /setup", body={"link": link, "password": PASSWORD})
    entry = {"email": "ben@example.com", "password": PASSWORD}
    asker.ask(nobody, "POST /session", body=entry)
    secret = asker.ask(nobody, "POST /me/totp")["secret"]
    code = pyotp.TOTP(secret).at(asker.site.world.app.wall.now())
    proof = {"password": PASSWORD, "code": code}
    asker.ask(nobody, "PUT /me/totp", body=proof | {"secret": secret})
    asker.found["remove_totp"] = {"body": proof}
    asker.found["open_session"]["body"] = entry | {"code": code}
    change = {"old": PASSWORD, "new": "another horse, another staple"}
    asker.ask(nobody, "PUT /me/password", body=change)
    asker.ask(nobody, "DELETE /session")
    asker.site.client.cookies.clear()
    asker.ask(ann, "GET /me")
    asker.ask(ann, "POST /tokens", body={"name": "dashboard", "scopes": ["read"], "days": 90})
    asker.ask(ann, "GET /tokens")
    asker.ask(
        root,
        "PATCH /admin/users/{account_id}",
        account_id=invited["id"],
        body={"is_disabled": False, "role": "owner"},
    )


def _enter(asker: Asker, ann) -> str:
    """Make a portfolio, and let its run end; return its id."""
    form = {"name": "growth", "csv": FILE, "opening_equity": "100000"}
    made = asker.ask(ann, "POST /portfolios", body=form | {"account_type": "taxable"})
    with worker_of(asker.site.world.app):
        assert wait_for_end(asker.site.world.app, made["run"]) == ["succeeded"]
    asker.ask(ann, "GET /runs")
    asker.ask(ann, "GET /runs/{run_id}", run_id=made["run"])
    stream = asker.ask(ann, "GET /runs/{run_id}/events", run_id=made["run"]).text
    frames = [one for one in stream.split("\n\n") if "event: log" in one or "event: end" in one]
    shown = "\n\n".join([*frames[:1], frames[-1], ""])
    moved = _HERE.sub("risk-1", _INSTANT.sub(lambda found: asker.shown(found[0]), shown))
    asker.found["follow_run"] = {"answer": moved}
    return made["id"]


def _read(asker: Asker, ann, book: str) -> None:
    """Read all that is known of a portfolio."""
    asker.ask(ann, "GET /portfolios")
    parts = "snapshot factors risk stress correlation sectors positions history explain attribution"
    for part in ("", *parts.split(), "quality"):
        path = "/portfolios/{portfolio_id}" + (f"/{part}" if part else "")
        asker.ask(ann, f"GET {path}", portfolio_id=book)
    trial = {"trades": [{"symbol": "AAPL", "quantity": -10}, {"symbol": "KO", "quantity": "25.5"}]}
    asker.ask(ann, "POST /portfolios/{portfolio_id}/what-if", portfolio_id=book, body=trial)


def _edit(asker: Asker, ann, book: str) -> None:
    """Change a book in every way."""
    head, seen = "/portfolios/{portfolio_id}", {"if-match": "*"}

    def ask(route, **how):
        method, _, path = route.partition(" ")
        return asker.ask(ann, f"{method} {head}{path}", portfolio_id=book, headers=seen, **how)

    lot = {"symbol": "KO", "quantity": 40, "entry_price": "61.25", "entry_date": "2026-01-07"}
    new = ask("POST /lots", body=lot)
    first = ask("GET /lots")[0]
    ask("PATCH /lots/{lot_id}", lot_id=first["id"], body={"quantity": "35", "entry_price": 186})
    closing = {"date": "2026-01-08", "price": "190.75", "quantity": 5}
    ask("POST /lots/{lot_id}/close", lot_id=first["id"], body=closing)
    ask("DELETE /lots/{lot_id}", lot_id=new["id"])
    flow = ask("POST /flows", body={"date": "2026-01-07", "amount": -500, "note": "rent"})
    ask("GET /flows")
    ask("DELETE /flows/{flow_id}", flow_id=flow["id"])
    granted = ask("POST /grants", body={"email": "ben@example.com"})
    ask("GET /grants")
    ask("DELETE /grants/{account_id}", account_id=granted["account"])
    ask("PATCH ", body={"name": "growth", "account_name": "Broker 1"})
    run = ask("POST /calculate")["run"]
    asker.ask(ann, "POST /runs/{run_id}/cancel", run_id=run)
    _sum(asker, ann, book)


def _sum(asker: Asker, ann, book: str) -> None:
    form = {"name": "value", "opening_equity": "50000"}
    value = ann.post("/portfolios", data=form, files={"csv": ("p.csv", FILE)}).json()
    body = {"name": "everything", "members": [book]}
    key = asker.ask(ann, "POST /portfolios/combined", body=body)["id"]
    members = {"members": [book, value["id"]]}
    path = "/portfolios/{portfolio_id}"
    asker.ask(ann, f"PUT {path}/members", portfolio_id=key, body=members)
    asker.ask(ann, f"DELETE {path}", portfolio_id=key)
    asker.ask(ann, f"POST {path}/restore", portfolio_id=key)


def _operate(asker: Asker, root, ann, book: str) -> None:
    """Do what admins do."""
    order = {"portfolios": [book], "from": date(2026, 1, 5).isoformat(), "force": True}
    run = asker.ask(root, "POST /admin/runs", body=order)["run"]
    asker.ask(root, "GET /admin/runs")
    asker.ask(root, "POST /admin/runs/{run_id}/cancel", run_id=run)
    accepted = {"symbol": "TSLA", "is_accepted": True, "note": "halted, as announced"}
    asker.ask(root, "PUT /admin/acceptance", body=accepted)
    held = {"symbol": "SPLT", "from": LAST.isoformat()}
    asker.ask(root, "POST /admin/releases", body=held)
    asker.ask(root, "POST /admin/providers/{provider}/reset", provider="yfinance")
    asker.ask(root, "POST /admin/outbox/retry", body={})
    asker.ask(root, "GET /admin/status")
    asker.ask(root, "GET /admin/users")
    asker.ask(root, "GET /admin/audit")
    asker.ask(ann, "GET /health/live")
    asker.ask(ann, "GET /health/ready")
    asker.found["metrics"] = {"answer": 'riskmark_build_info{version="0.1.0"} 1.0\n'}


def write_anew() -> None:
    """Write the examples of an installation that is made for them."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/riskmark.db"
        app = build(load_settings(None, {}, database_url=url), FixedClock(at_close(LAST)))
        initialise(app)
        app.database.close()
        world = World(url)
        found = make_examples(world)
        world.close()
    text = json.dumps(found, indent=1, ensure_ascii=False)
    PLACE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_anew()
