"""Uploads that mean no good: without end, slow, packed, garbled; a process that stays small."""

import gzip
import io
import random
import socket
import time
import zipfile
from datetime import date, timedelta

import httpx
import pytest
from tests.acceptance.served_process import serving
from tests.acceptance.serving import READ, served
from tests.support import PROFILE

from riskmark.access.secrets import TOKEN, new_secret
from riskmark.domain.accounts import Role, Scope
from riskmark.storage import accounts, web_sessions

FILES = {"default": 1_000, "deep": 10_000}[PROFILE]
GIGABYTE = 1 << 30
GROWTH = 96 << 20
"""Bytes by which a process may grow while it is sent gigabytes: a few files of the largest size."""
PATIENT = "from riskmark.api import boundaries\nboundaries.BODY_S = 1.0\n"
HEAD = "Symbol,Quantity,Entry Price Per Share,Entry Date"
GOOD = f"{HEAD}\nAAA,10,100,2026-01-05\nBBB,-5,20.5,2026-01-06\n".encode()
FORM = b'--x\r\ncontent-disposition: form-data; name="csv"; filename="a"\r\n\r\n'
TABLES = ("portfolio", "lot", "flow", "run", "portfolio_edit", "instrument")


@pytest.fixture
def token(world):
    """Give a token of somebody, on SQLite: what is tested is before any database."""
    if not world.app.database.is_sqlite:
        pytest.skip("bodies do not hang on the database")
    at, secret = world.app.wall.now(), new_secret(TOKEN)
    with world.app.database.write() as connection:
        account = accounts.create_account(connection, "a@example.com", "A", role=Role.OWNER, at=at)
        web_sessions.save_token(
            connection,
            secret.digest,
            account_id=account.account_id,
            name="t",
            scopes=frozenset({Scope.READ, Scope.WRITE}),
            at=at,
            expires_at=at + timedelta(hours=1),
        )
    return secret.text


def test_bodies_without_end_are_broken_off_and_take_no_memory(world, tmp_path, token):
    before = rows_of(world)
    with serving(world, tmp_path, first=PATIENT) as process:
        small = process.memory()
        answers = [
            flood(process.port, path, token, announced=announced)
            for path in ("/api/v1/portfolios", "/api/v1/session", "/api/v1/tokens")
            for announced in (True, False)
        ]
        grown = process.memory() - small
        slow = trickle(process.port, token)
        with httpx.Client(base_url=process.url, headers=bearer(token)) as client:
            assert client.get("/api/v1/me").status_code == 200

    assert [one.status for one in answers] == [413] * 6
    assert max(one.sent for one in answers) < GIGABYTE // 8
    assert grown < GROWTH
    assert slow == 408
    assert rows_of(world) == before


class Flooded:
    """What came of a body of a gigabyte: the status, and how much was taken."""

    def __init__(self, status, sent):
        self.status = status
        self.sent = sent


def bearer(token):
    return {"authorization": f"Bearer {token}"}


def begin(port, path, token, *, length):
    """Open a connection and send the head of a request."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    kind = "content-length: " + str(length) if length else "transfer-encoding: chunked"
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n"
    form = "content-type: multipart/form-data; boundary=x\r\n"
    connection.sendall(f"{head}{form}{kind}\r\n\r\n".encode())
    return connection


def flood(port, path, token, *, announced):
    """Send a gigabyte until the other side has enough."""
    part = b"A" * (1 << 20)
    chunk = part if announced else b"%x\r\n%b\r\n" % (len(part), part)
    sent = 0
    with begin(port, path, token, length=GIGABYTE if announced else None) as connection:
        try:
            connection.sendall(FORM if announced else b"%x\r\n%b\r\n" % (len(FORM), FORM))
            while sent < GIGABYTE:
                connection.sendall(chunk)
                sent += len(part)
                connection.settimeout(0)
                try:
                    said = connection.recv(64)
                except BlockingIOError:
                    said = b""
                connection.settimeout(30)
                if said:
                    return Flooded(int(said.split()[1]), sent)
        except (BrokenPipeError, ConnectionResetError):
            return Flooded(status_of(connection), sent)
    raise AssertionError("a gigabyte was taken")


def status_of(connection):
    """Read the status that was sent before the connection was closed."""
    try:
        return int(connection.recv(64).split()[1])
    except (OSError, IndexError):
        return 413  # closed while we sent: the answer was thrown away with the connection


def trickle(port, token):
    """Send a byte now and then, and return the status."""
    with begin(port, "/api/v1/portfolios", token, length=1_000) as connection:
        until = time.monotonic() + 10
        connection.sendall(FORM)
        while time.monotonic() < until:
            connection.sendall(b"A")
            connection.settimeout(0.2)
            try:
                return int(connection.recv(64).split()[1])
            except TimeoutError:
                continue
    return 0


def test_files_of_any_make_store_all_or_nothing(world, token):
    chance = random.Random(88)
    del token
    with served(world) as site:
        owner = site.person("owner")
        wrong = []
        for number in range(FILES):
            content = garbled(chance)
            before = rows_of(world)
            reply = owner.post(
                "/portfolios", data={"name": f"book {number}"}, files={"csv": ("p.csv", content)}
            )
            if reply.status_code == 201:
                is_sound = made_whole(world, reply.json(), before)
            else:
                is_sound = reply.status_code in {400, 413, 422} and rows_of(world) == before
            if not is_sound:
                wrong.append((reply.status_code, reply.text[:200], content[:200]))
        reader = site.way_in(owner.account, scopes=READ)
        assert reader.post("/portfolios", files={"csv": ("p.csv", GOOD)}).status_code in {403, 422}
        stored = len(owner.get("/portfolios?limit=500").json()["portfolios"])

    assert wrong == []
    assert stored > FILES // 100


def made_whole(world, made, before):
    """Whether a portfolio has the lots and the run that were told."""
    after = rows_of(world)
    lots = world.rows("SELECT COUNT(*) FROM lot WHERE portfolio_id = ?", made["id"])
    return (
        after["portfolio"] == before["portfolio"] + 1
        and after["run"] == before["run"] + 1
        and lots == [(made["lots"],)]
    )


def rows_of(world):
    return {name: world.rows(f"SELECT COUNT(*) FROM {name}")[0][0] for name in TABLES}


def garbled(chance):
    """Return a file that was right once: cut, mixed, packed, in another encoding, or as it is."""
    lines = GOOD.decode().splitlines()
    for _ in range(chance.randrange(4)):
        place = chance.randrange(len(lines))
        cells = lines[place].split(",")
        cells[chance.randrange(len(cells))] = chance.choice(CELLS)
        lines[place] = ",".join(cells)
    text = chance.choice(["\n", "\r\n", "\r"]).join(lines)
    how = chance.randrange(8)
    if how == 0:
        return text.encode(chance.choice(["utf-16", "utf-32", "utf-8-sig", "cp037"]), "replace")
    content = text.encode("utf-8", "surrogatepass")
    if how == 1:
        return gzip.compress(content)[: chance.randrange(10, 200)]
    if how == 2:
        return zipped(content)
    if how == 3:
        place = chance.randrange(len(content))
        return content[:place] + chance.randbytes(chance.randrange(1, 9)) + content[place:]
    if how == 4:
        return content[: chance.randrange(len(content))]
    return content


CELLS = (
    "",
    "=1+1",
    '"',
    '"open',
    "1e400",
    "-0",
    "NaN",
    "9" * 400,
    "\u202eAAA",
    "\ud800",
    "AAA\x00",
    "2026-13-01",
    str(date.max),
    "A" * 40_000,
    "BRK.B",
    "7",
    "'=X",
)


def zipped(content):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("p.csv", content)
    return made.getvalue()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "nonsense"])
def test_bodies_that_are_packed_are_not_unpacked(world, token, encoding):
    del token
    bomb = gzip.compress(gzip.compress(b" " * 200_000_000))
    with served(world) as site:
        owner = site.person("owner")
        before = rows_of(world)
        headers = {"content-encoding": encoding, "content-type": "application/json"}

        for path in ("/tokens", "/session", "/portfolios"):
            reply = owner.post(path, content=bomb, headers=headers)
            assert reply.status_code in {400, 415, 422}, reply.text

        assert rows_of(world) == before
