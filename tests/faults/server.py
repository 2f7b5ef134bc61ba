"""A provider on this machine: Yahoo, Massive and FMP in one, with faults on request.

``python -m tests.faults.server`` serves bundled or generated prices on 127.0.0.1 until it is
interrupted; tests use ``ProviderServer`` and script it request by request.
"""

import argparse
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.faults.dialects import FMP, YAHOO, Asked, house_symbol, render, understand
from tests.faults.provider_faults import FAULTS, Fault, Raw
from tests.faults.quotes import real_market, small_market
from tests.market import AT, CALENDAR

DELAY_S = 3.0
"""A silence longer than any test waits."""
DRIP_S = 0.02


@dataclass
class Script:
    """Which fault meets which of the requests for its target (from 0); all of them if None."""

    fault: Fault | None = None
    at: frozenset[int] | None = None
    _seen: int = 0

    def meets(self, asked):
        """Whether this request gets the fault."""
        fault = self.fault
        if (
            fault is None
            or fault.target not in {"*", asked.target}
            or asked.dialect not in fault.dialects
        ):
            return False
        self._seen += 1
        return self.at is None or self._seen - 1 in self.at


@dataclass
class Shop:
    """What the server sells, what it was told to do, and who asked."""

    market: dict
    now: datetime
    script: Script = field(default_factory=Script)
    asked: list[Asked] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class ProviderServer:
    """Serve a market on 127.0.0.1 while the context lasts."""

    def __init__(self, market, *, now=AT, port=0):
        self.shop = Shop(market, now)
        self._http = _Server(("127.0.0.1", port), _handler(self.shop))
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def play(self, fault=None, at=None):
        """Forget what was asked and do this from now on."""
        with self.shop.lock:
            self.shop.script = Script(fault, None if at is None else frozenset(at))
            self.shop.asked.clear()

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        """Say nothing: customers that hang up are wanted here."""


def _handler(shop):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self):
            asked = understand(self.path)
            if asked is None:
                self._send(Raw(404, b'{"error": "no such address"}'), "")
                return
            with shop.lock:
                shop.asked.append(asked)
                fault = shop.script.fault if shop.script.meets(asked) else None
            raw = None if fault is None else fault.raw(asked.dialect)
            self._send(raw or _answer(shop, asked, fault), fault.wire if fault else "")

        def _send(self, raw, wire):
            if wire == "delay":
                time.sleep(DELAY_S)
            if wire == "reset":
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
                self.close_connection = True
                return
            body = raw.body[: len(raw.body) // 2] if wire == "cut" else raw.body
            self.send_response(raw.status)
            headers = dict(raw.headers) | {"Content-Length": str(len(body))}
            if wire == "gzip":
                headers["Content-Encoding"] = "gzip"
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.close_connection = wire in {"truncate", "drip"}
            for part in _parts(body, wire):
                self.wfile.write(part)

        def log_message(self, *_):
            """Say nothing."""

    return Handler


def _parts(body, wire):
    """Give the body as it goes over the wire."""
    if wire == "truncate":
        yield body[: len(body) // 2]
    elif wire == "drip":
        for byte in body[:200]:
            time.sleep(DRIP_S)
            yield bytes([byte])
    else:
        yield body


def _answer(shop, asked, fault):
    """Make the right answer, and change it as the fault says."""
    if asked.target == "crumb":
        return Raw(200, b"crumb.1234", {"Content-Type": "text/plain"})
    if asked.target == "cookie":
        headers = {"Set-Cookie": "A3=d=1; Domain=.yahoo.com; Path=/; Max-Age=31536000"}
        return Raw(404, b"<html></html>", headers)
    series = shop.market.get(house_symbol(asked.symbol))
    if series is None:
        return _unknown(asked)
    last = min(asked.last, shop.now.date())
    rows = [row for row in series.rows if asked.first <= row.day <= last]
    if fault is not None and fault.rows is not None and rows:
        rows = fault.rows(rows, shop.now)
    payload = render(asked, series, rows, shop.now)
    if fault is not None and fault.payload is not None:
        payload = fault.payload(payload, asked.dialect)
    return Raw(200, json.dumps(payload).encode(), {"Content-Type": "application/json"})


def _unknown(asked):
    """Say in each dialect that there is no such symbol."""
    if asked.dialect == YAHOO or asked.target == "profile":
        return next(one for one in FAULTS if one.name == "404").raw(asked.dialect)
    if asked.dialect == FMP:
        return Raw(200, b"[]")
    empty = {"status": "OK", "adjusted": False, "ticker": asked.symbol, "resultsCount": 0}
    return Raw(200, json.dumps(empty).encode())


def main():
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8700)
    parser.add_argument("--real", action="store_true", help="the prices that skfolio bundles")
    parser.add_argument("--fault", choices=[fault.name for fault in FAULTS])
    chosen = parser.parse_args()
    market = real_market() if chosen.real else small_market(CALENDAR.sessions)
    now = datetime.now(UTC)
    with ProviderServer(market, now=now, port=chosen.port) as server:
        server.play(next((one for one in FAULTS if one.name == chosen.fault), None))
        print(f"{server.url}: {', '.join(market)}")
        threading.Event().wait()


if __name__ == "__main__":
    main()
