"""The door: whoever comes in is answered without delay, and has no more than his time to ask."""

import contextlib
import socket
import time
from urllib.parse import urlsplit

import pytest
from tests.acceptance.serving import listening

from riskmark.api.connections import Connection
from riskmark.app import App, SystemClock
from riskmark.cli.answering import open_door
from riskmark.errors import InputError
from riskmark.settings import load_settings
from riskmark.storage.engines import open_database


def test_connections_send_what_they_have_at_once():
    with open_door("127.0.0.1", 0) as door, socket.create_connection(door.getsockname()):
        inside, _ = door.accept()

        with inside:
            assert inside.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("host", ["256.1.1.1", "203.0.113.7"])
def test_an_address_that_is_not_ours_is_refused(host):
    with pytest.raises(InputError, match=host):
        open_door(host, 0)


def test_a_door_is_opened_once():
    with open_door("127.0.0.1", 0) as door:
        taken = door.getsockname()[1]

        with pytest.raises(InputError, match=str(taken)):
            open_door("127.0.0.1", taken)


HEADERS_S = 0.5
ASKED = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n"


@pytest.fixture
def address(tmp_path, monkeypatch):
    """Serve an installation whose callers have half a second for their headers."""
    monkeypatch.setattr(Connection, "headers_s", HEADERS_S)
    url = f"sqlite:///{tmp_path / 'riskmark.db'}"
    app = App(load_settings(None, {}, database_url=url), open_database(url), SystemClock())
    with listening(app) as served:
        yield urlsplit(served).hostname, urlsplit(served).port
    app.database.close()


def drip(door, data, *, every=0.1):
    """Send a byte now and then until the other side has had enough; return its last words."""
    door.settimeout(5)
    with contextlib.suppress(OSError):
        for byte in data:
            door.sendall(bytes((byte,)))
            time.sleep(every)
    return door.recv(1000)


def test_headers_that_do_not_come_are_not_waited_for(address):
    began = time.monotonic()
    with socket.create_connection(address) as silent, socket.create_connection(address) as slow:
        said = drip(slow, ASKED)
        silent.settimeout(5)
        heard = silent.recv(1000)

    assert said.startswith(b"HTTP/1.1 408 ")
    assert heard == b""
    assert HEADERS_S * 0.9 < time.monotonic() - began < HEADERS_S + 4


def whole_answer(door):
    """Read an answer to its end: head and body may come apart."""
    said = b""
    while not said.endswith(b"}"):
        said += door.recv(4000)
    return said


def test_a_second_request_has_its_own_time_and_an_idle_connection_stays(address):
    with socket.create_connection(address) as door:
        door.settimeout(5)
        door.sendall(ASKED + b"\r\n")
        first = whole_answer(door)
        time.sleep(HEADERS_S * 1.5)
        door.sendall(ASKED[:20])
        door.sendall(ASKED[20:] + b"\r\n")
        second = whole_answer(door)
        said = drip(door, ASKED)

    assert first.startswith(b"HTTP/1.1 200 ")
    assert second.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in said


def test_the_time_for_headers_ends_no_request_that_is_worked_on(address):
    with socket.create_connection(address) as door:
        door.settimeout(5)
        head = b"POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-length: 40\r\n\r\n"
        door.sendall(head)
        said = drip(door, b"x" * 40, every=0.03)

    assert said.startswith(b"HTTP/1.1 422 ")
