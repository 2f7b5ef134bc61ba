"""The client over a really served installation: from a file to all numbers, and what follows."""

import threading
import time
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import pyotp
import pytest
from tests.acceptance.provided import connect, provide, sold
from tests.acceptance.serving import READ, listening, served
from tests.acceptance.working import worker_of
from tests.acceptance.world import FACTORS, LAST
from tests.support import PROFILE

from riskmark.access import passwords
from riskmark.client import ApiError, Client
from riskmark.client.documents import LogLine, Run, RunEnd
from riskmark.domain.accounts import Role
from riskmark.domain.reasons import PortfolioState, RunStatus, SnapshotState, Source
from riskmark.storage import accounts

# The providers' own modules warn as they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")

SYMBOLS = tuple(f"S{number:02}" for number in range(13))
YEAR = date(2025, 1, 8)
"""A year of sessions before the last."""
BEGIN, ENTRY = date(2025, 10, 1), date(2026, 1, 5)
HEADER = "Symbol,Quantity,Entry Price Per Share,Entry Date\n"
FILE = HEADER + "".join(
    f"{symbol},{-20 if symbol == 'S12' else 30},100,{YEAR}\n" for symbol in SYMBOLS
)
SMALL = HEADER + f"AAA,10,100,{ENTRY}\nBBB,-4,90.5,{ENTRY}\n"
PASSWORD = "a horse that reads"  # noqa: S105 - of nobody
MOST_S = 5.0 if PROFILE == "deep" else 30.0
"""From the request to the last number; five seconds on a machine that does little else."""


@pytest.fixture
def site(world):
    with served(world) as opened:
        yield opened


@contextmanager
def client_of(site, url, person, **how):
    """Give a client with a token of somebody."""
    token = site.way_in(person.account, **how).headers["authorization"].removeprefix("Bearer ")
    with Client(url, token=token) as client:
        yield client


@pytest.fixture
def ann(site, address):
    with client_of(site, address, site.person("ann")) as client:
        yield client


@pytest.fixture
def address(site):
    with listening(site.world.app) as found:
        yield found


@pytest.fixture
def book(site, ann):
    """Give a portfolio of ann that has been valued."""
    site.world.add_prices(*FACTORS, "AAA", "BBB", first=BEGIN)
    made = ann.onboard("growth", SMALL, opening_equity=100_000)
    with worker_of(site.world.app):
        assert ann.wait(made.run, timeout_s=60).status is RunStatus.SUCCEEDED
    return ann.portfolio(made.id)


def test_one_request_leads_to_all_analytics_over_a_year(world):
    with provide(world, sold(world, *SYMBOLS)) as server:
        connect(world, server)
        with served(world) as site, listening(world.app) as address:
            onboard_and_look(site, address)


def onboard_and_look(site, address):
    person = site.person("ann")
    with client_of(site, address, person) as ann, worker_of(site.world.app):
        began = time.monotonic()
        made = ann.onboard("growth", FILE, opening_equity=Decimal("200000.50"))
        events = list(ann.follow(made.run))
        seconds = time.monotonic() - began
        print(f"onboarding of {len(SYMBOLS)} symbols: {seconds:.2f} s")
        snapshot = ann.portfolio(made.id).snapshot()
        history = ann.portfolio(made.id).history()
        run = ann.run(made.run)

    assert (made.lots, made.symbols, made.warnings) == (13, 13, [])
    check_order(events)
    assert (run.status, run.source) == (RunStatus.SUCCEEDED, Source.ONBOARDING)
    assert run.symbols.unavailable == 0
    sessions = site.world.sessions(YEAR, LAST)
    assert [row["session"] for row in history] == [str(one) for one in sessions]
    assert run.cells.complete == len(sessions)
    check_analytics(snapshot)
    assert seconds < MOST_S


def check_order(events):
    """Assert that a run's events come as it goes on: lines by number, states forward, one end."""
    lines = [one.number for one in events if isinstance(one, LogLine)]
    states = [one for one in events if isinstance(one, Run)]
    assert lines == sorted(set(lines))
    assert lines
    order = [RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.SUCCEEDED]
    assert [one.status for one in states] == sorted((one.status for one in states), key=order.index)
    computed = [one.cells.computed for one in states]
    assert computed == sorted(computed)
    assert events[-1] == RunEnd(RunStatus.SUCCEEDED, None)
    assert sum(isinstance(one, RunEnd) for one in events) == 1


def check_analytics(found):
    """Assert that everything that an onboarding promises (FR4) is there, as a number."""
    assert (found.session, found.state) == (LAST, SnapshotState.COMPLETE)
    for name in ("vol_21", "vol_63", "vol_har_1d", "vol_har_21d", "beta", "var_95", "es_95"):
        assert isinstance(found.risk[name], float), name
    for name in ("twr_mtd", "twr_ytd", "twr_1y", "twr_inception", "max_drawdown"):
        assert isinstance(found.performance[name], float), name
    assert isinstance(found.snapshot["pnl"], float)
    assert found.snapshot["positions"] == len(SYMBOLS)
    style = [one for one in found.factors if one["model"] == found.factor_risk["model"]]
    for lines, name in ((style, "exposure"), (found.stress, "direct"), (found.sectors, "net")):
        assert lines, name
        assert all(isinstance(line[name], float) for line in lines), name
    assert isinstance(found.factor_risk["factor_share"], float)
    for matrix in (found.correlation["matrix"], found.factor_correlation["matrix"]):
        assert len(matrix) == len(matrix[0]) > 5
        assert all(isinstance(number, float) for row in matrix for number in row)
    assert len(found.correlation["symbols"]) == len(SYMBOLS)
    assert {line["symbol"] for line in found.positions} == set(SYMBOLS)


def test_a_file_with_errors_is_told_row_by_row_and_stores_nothing(ann):
    with pytest.raises(ApiError, match="nothing was stored") as refused:
        ann.onboard("growth", HEADER + "AAA,0,1,2026-01-05\n,1,x,2026-01-05\n")

    assert (refused.value.status, refused.value.code) == (422, "invalid_positions")
    assert {one.code for one in refused.value.errors} == {"POS_001", "POS_006", "POS_009"}
    assert {one.where for one in refused.value.errors} >= {"row 2 column Quantity"}
    assert ann.portfolios() == []


def test_a_follower_outlives_the_server(site):
    world = site.world
    world.add_prices(*FACTORS, "AAA", "BBB", first=BEGIN)
    person, events, queued = site.person("ann"), [], threading.Event()
    with listening(world.app) as address:
        port = urlsplit(address).port
        made = onboard_small(site, address, person)

        def follow():
            with client_of(site, address, person) as client:
                for event in client.follow(made.run):
                    events.append(event)
                    queued.set()

        follower = threading.Thread(target=follow)
        follower.start()
        assert queued.wait(10)
    with listening(world.app, port=port), worker_of(world.app):
        follower.join(60)

    check_order(events)
    assert events[0].status is RunStatus.QUEUED
    assert len(events) > 3


def onboard_small(site, address, person):
    with client_of(site, address, person) as client:
        return client.onboard("growth", SMALL, opening_equity="100000")


def test_of_two_who_saw_the_same_book_the_second_is_told(site, address, book):
    (first, second) = book.lots()
    with client_of(site, address, person_of(site, "ann")) as other:
        twin = other.portfolio(book.id)
        twin.lots()
        assert twin.change_lot(first.id, quantity=Decimal("3.5")).quantity == 3.5
        assert twin.change_lot(first.id, quantity=4).quantity == 4

    with pytest.raises(ApiError) as refused:
        book.change_lot(first.id, quantity=9)
    assert (refused.value.status, refused.value.code) == (412, "changed_meanwhile")
    assert [one.quantity for one in book.lots()] == [4, second.quantity]
    closed = book.close_lot(first.id, LAST, price="101.25", quantity=1)
    assert (closed.quantity, closed.exit_date, closed.exit_price) == (1, LAST, 101.25)
    book.delete_lot(second.id)
    assert sorted(one.quantity for one in book.lots()) == [1, 3]


def person_of(site, name):
    """Return somebody who is there already."""
    with site.world.app.database.read() as connection:
        account = accounts.find_account(connection, f"{name}@example.com")
    return site.way_in(account)


def test_a_change_of_what_was_not_read_is_refused_or_wanted_whatever_is_there(ann, book):
    blind = ann.portfolio(book.id)
    with pytest.raises(ApiError) as refused:
        blind.change(name="value")

    assert (refused.value.status, refused.value.code) == (428, "if_match_needed")
    assert blind.change(name="value", account_type="ira", if_match="*").name == "value"
    book.read()
    assert book.change(account_type=None).account_type is None
    added = book.add_lot("BBB", -2, entry_price="91.5", entry_date=ENTRY + timedelta(days=1))
    with pytest.raises(ApiError, match="changed_meanwhile"):
        book.delete_lot(added.id)
    flow = book.add_flow(LAST, -250, note="rent")
    assert book.flows() == [flow]
    book.delete_flow(flow.id)
    assert book.flows() == []


def test_questions_about_sessions_have_their_answers(book):
    whole = book.snapshot()

    assert book.section("risk")["risk"] == whole.risk
    assert book.snapshot(ENTRY).session == ENTRY
    assert [row["session"] for row in book.history(first=LAST)] == [str(LAST)]
    told = book.explain()
    assert told.last == whole.session > told.first
    nav = told.numbers["nav"]
    assert sum(nav["parts"].values()) == pytest.approx(nav["change"])
    made = book.attribution(ENTRY, LAST, by="position")
    assert {one["symbol"] for one in made.positions} == {"AAA", "BBB"}
    assert made.sectors is None
    tried = book.what_if({"AAA": 5, "SPY": Decimal("-1.5")}, session=LAST)
    assert [one["quantity"] for one in tried.trades] == [5, -1.5]
    assert tried.before["snapshot"]["nav"] == whole.snapshot["nav"]
    assert {one["symbol"] for one in book.quality()["symbols"]} == {"AAA", "BBB"}


def test_who_was_granted_reads_until_the_grant_is_taken_back(site, address, book):
    ben = site.person("ben")
    with client_of(site, address, ben, scopes=READ) as reader:
        with pytest.raises(ApiError) as foreign:
            reader.portfolio(book.id).snapshot()
        granted = book.grant("ben@example.com")
        shared = reader.portfolio(book.id)
        assert shared.snapshot() == book.snapshot()
        with pytest.raises(ApiError) as refused:
            shared.add_flow(LAST, 1)
        assert book.grants() == [granted]
        book.revoke(granted.account)
        with pytest.raises(ApiError) as over:
            shared.snapshot()

    assert (foreign.value.status, refused.value.status, over.value.status) == (404, 403, 404)


def test_books_are_summed_deleted_and_taken_back(site, ann, book):
    made = ann.combine("all", [book.id])
    total = ann.portfolio(made.id)
    other = ann.onboard("value", SMALL, opening_equity=5)
    assert total.set_members([book.id, other.id]).added == ["value"]
    assert [one.name for one in ann.portfolios()] == ["all", "growth", "value"]

    assert total.delete().undo_until > site.world.app.clock.now()
    assert [one.name for one in ann.portfolios()] == ["growth", "value"]
    assert total.restore().name == "all"


def test_runs_are_asked_for_joined_listed_and_cancelled(site, address, ann, book):
    assert ann.portfolios()[0].state is PortfolioState.CURRENT
    first, second = book.calculate(), book.calculate()
    assert (first.run, first.joined, second.joined) == (second.run, False, True)
    assert [one.id for one in ann.runs(limit=1)] == [first.run]
    with pytest.raises(ApiError) as early:
        ann.wait(first.run, timeout_s=0.2)
    with client_of(site, address, site.person("root", role=Role.ADMIN)) as root:
        assert root.admin.cancel_run(first.run).status is RunStatus.QUEUED
        assert [one.id for one in root.admin.status().portfolios] == [book.id]
        everything = root.admin.start_run(force=True, first=LAST)
        assert [one.id for one in root.admin.runs(limit=1)] == [everything.run]
        with pytest.raises(ApiError) as unknown:
            root.portfolio(book.id).read()

    assert early.value.code == "still_at_work"
    assert ann.wait(first.run).status is RunStatus.CANCELLED
    assert ann.run(first.run).is_over
    assert unknown.value.code == "unknown_portfolio"
    with pytest.raises(ApiError) as refused:
        ann.admin.users()
    assert refused.value.code == "not_admin"


def test_somebody_signs_in_with_a_password_and_a_second_factor(site, address, monkeypatch):
    hasher = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: hasher)
    passwords._nobodys.cache_clear()
    with client_of(site, address, site.person("root", role=Role.ADMIN)) as root:
        link = root.admin.add_user("ben@example.com", "Ben").link
    site.client.post("/api/v1/setup", json={"link": link, "password": PASSWORD})

    with Client(address) as client:
        with pytest.raises(ApiError) as stranger:
            client.me()
        assert client.sign_in("ben@example.com", PASSWORD).has_totp is False
        token = client.create_token("dashboard", scopes=["read"], days=30)
        assert [one.name for one in client.tokens()] == ["dashboard"]
        secret = add_second_factor(site)
        with pytest.raises(ApiError) as needed:
            client.sign_in("ben@example.com", PASSWORD)
        later = site.world.app.wall.now() + timedelta(seconds=30)
        code = pyotp.TOTP(secret).at(later)
        assert client.sign_in("ben@example.com", PASSWORD, code=code).has_totp
        client.revoke_token(token.id)
        client.sign_out()
        with pytest.raises(ApiError) as gone:
            client.me()

    codes = [one.value.code for one in (stranger, needed, gone)]
    assert codes == ["not_signed_in", "code_needed", "not_signed_in"]


def add_second_factor(site):
    """Let Ben, who has a session of his own, take on a second factor; return its secret."""
    body = {"email": "ben@example.com", "password": PASSWORD}
    assert site.client.post("/api/v1/session", json=body).status_code == 201
    secret = site.client.post("/api/v1/me/totp").json()["secret"]
    code = pyotp.TOTP(secret).at(site.world.app.wall.now())
    proof = {"secret": secret, "password": PASSWORD, "code": code}
    assert site.client.put("/api/v1/me/totp", json=proof).status_code == 204
    return secret
