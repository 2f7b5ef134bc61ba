"""A provider on this machine: Yahoo, Massive and FMP in one, with faults on request.

``python -m tests.faults.server`` serves generated or bundled prices on 127.0.0.1 until it is
interrupted, up to the present moment, and says what to write into ``riskmark.toml`` so that
Riskmark asks it; ``--help`` says more. Tests use ``ProviderServer`` and script it request by
request.
"""

import argparse
import contextlib
import functools
import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.faults.dialects import FMP, MASSIVE, YAHOO, Asked, house_symbol, render, understand
from tests.faults.provider_faults import FAULTS, Fault, Raw
from tests.faults.quotes import AnyMarket, real_market
from tests.market import AT

DELAY_S = 3.0
"""A silence longer than any test waits."""
DRIP_S, DRIPS = 0.02, 100
ENDLESS = 200 << 20
"""Bytes of a body that nobody should read to its end."""
ENDING = frozenset({"truncate", "drip", "drip headers", "endless", "bomb"})
"""After these, nothing more comes on the connection."""
PACKED = {"gzip": "gzip", "bomb": "gzip", "snappy": "snappy"}


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
    page_rows: int = 50_000
    reach: date | None = None
    """The first date of the customer's plan: Massive refuses earlier ones, FMP leaves them out."""
    script: Script = field(default_factory=Script)
    asked: list[Asked] = field(default_factory=list)
    tell: Callable[..., None] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class ProviderServer:
    """Serve a market on 127.0.0.1 while the context lasts."""

    def __init__(self, market, *, now=AT, port=0, page_rows=50_000):
        self.shop = Shop(market, now, page_rows)
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
    return type("Handler", (_Handler,), {"shop": shop})


class _Handler(BaseHTTPRequestHandler):
    """One conversation with a customer."""

    shop: Shop
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        asked = understand(self.path)
        if asked is None:
            self._send(Raw(404, b'{"error": "no such address"}'), "")
            return
        with self.shop.lock:
            self.shop.asked.append(asked)
            fault = self.shop.script.fault if self.shop.script.meets(asked) else None
        if self.shop.tell is not None:
            met = "" if fault is None else f"  <- {fault.name}"
            self.shop.tell(f"{asked.dialect} {asked.target} {asked.symbol}{met}", flush=True)
        raw = None if fault is None else fault.raw(asked.dialect)
        self._send(raw or _answer(self.shop, asked, fault), fault.wire if fault else "")

    def _send(self, raw, wire):
        if wire == "delay":
            time.sleep(DELAY_S)
        if wire == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            self.close_connection = True
            return
        body = _body(raw, wire)
        self._send_head(raw, wire, ENDLESS if wire == "endless" else len(body))
        self.close_connection = wire in ENDING
        for part in _parts(body, wire):
            self.wfile.write(part)

    def _send_head(self, raw, wire, length):
        self.send_response(raw.status)
        headers = dict(raw.headers) | {"Content-Length": str(length)}
        if wire in PACKED:
            headers["Content-Encoding"] = PACKED[wire]
        for name, value in headers.items():
            self.send_header(name, value)
        for _ in range(DRIPS if wire == "drip headers" else 0):
            self.send_header("X-More", "and more")
            self.flush_headers()
            time.sleep(DRIP_S)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


def _body(raw, wire):
    """Return the bytes that are sent, or begun to be sent."""
    if wire == "bomb":
        return _bomb()
    return raw.body[: len(raw.body) // 2] if wire == "cut" else raw.body


def _parts(body, wire):
    """Give the body as it goes over the wire."""
    if wire == "truncate":
        yield body[: len(body) // 2]
    elif wire == "drip":
        for byte in body[:DRIPS]:
            time.sleep(DRIP_S)
            yield bytes([byte])
    elif wire == "endless":
        for _ in range(ENDLESS >> 20):
            yield b" " * (1 << 20)
    else:
        yield body


@functools.cache
def _bomb():
    """Pack a body without end into some kilobytes."""
    return gzip.compress(b" " * ENDLESS, compresslevel=1)


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
    begin = asked.first
    if shop.reach is not None and asked.target == "bars" and asked.first < shop.reach:
        if asked.dialect == MASSIVE:
            return next(one for one in FAULTS if one.name == "403 for the time").raw(MASSIVE)
        begin = shop.reach if asked.dialect == FMP else begin
    rows = [row for row in series.rows if begin <= row.day <= last]
    rows, next_url = _paged(shop, asked, rows)
    if fault is not None and fault.rows is not None and rows:
        rows = fault.rows(rows, shop.now)
    payload = render(asked, series, rows, shop.now)
    if next_url is not None:
        payload |= {"next_url": next_url}
    if fault is not None and fault.payload is not None:
        payload = fault.payload(payload, asked.dialect)
    return Raw(200, json.dumps(payload).encode(), {"Content-Type": "application/json"})


def _paged(shop, asked, rows):
    """Return the rows of the page that is asked for, and the address of the next one."""
    if asked.dialect != MASSIVE or asked.target != "bars":
        return rows, None
    begin = asked.page * shop.page_rows
    next_url = None
    if begin + shop.page_rows < len(rows):
        path = f"/v2/aggs/ticker/{asked.symbol}/range/1/day/{asked.first}/{asked.last}"
        next_url = f"https://api.massive.com{path}?cursor={asked.page + 1}"
    return rows[begin : begin + shop.page_rows], next_url


def _unknown(asked):
    """Say in each dialect that there is no such symbol."""
    if asked.dialect == YAHOO or asked.target == "profile":
        return next(one for one in FAULTS if one.name == "404").raw(asked.dialect)
    if asked.dialect == FMP:
        return Raw(200, b"[]")
    empty = {"status": "OK", "adjusted": False, "ticker": asked.symbol, "resultsCount": 0}
    return Raw(200, json.dumps(empty).encode())


SETTINGS = """[providers]
order = ["yfinance", "massive", "fmp"]
yfinance.base_url = "{url}"
massive.base_url = "{url}"
massive.api_key = "any"
fmp.base_url = "{url}"
fmp.api_key = "any\""""


def present_sessions():
    """Return the sessions of New York of the last five years, and of the next."""
    import exchange_calendars  # noqa: PLC0415 - half a second

    today = datetime.now(UTC).date()
    calendar = exchange_calendars.get_calendar(
        "XNYS", start=today - timedelta(days=5 * 365), end=today + timedelta(days=365)
    )
    return [stamp.date() for stamp in calendar.sessions]


def make_market(chosen):
    """Make what is sold: anything, or only the real series."""
    sessions = present_sessions()
    if not chosen.real:
        return AnyMarket(sessions)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    return real_market([day for day in sessions if day <= yesterday])


def parse():
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.server",
        description="A provider on this machine: Yahoo, Massive and FMP in one.",
        epilog="It sells any symbol but those that begin with ZZZ, up to the present moment.",
    )
    parser.add_argument("--port", type=int, default=8700)
    parser.add_argument("--real", action="store_true", help="sell what skfolio bundles, moved")
    parser.add_argument("--fault", metavar="NAME", help="what befalls requests; see --list")
    parser.add_argument("--at", metavar="N,N", help="only these requests, from 0; default: all")
    parser.add_argument("--list", action="store_true", help="list the faults and end")
    chosen = parser.parse_args()
    if chosen.fault is not None and chosen.fault not in {fault.name for fault in FAULTS}:
        parser.error(f"no fault is called {chosen.fault!r}; see --list")
    return chosen


def main():
    """Serve until interrupted."""
    chosen = parse()
    if chosen.list:
        print(*(f"{fault.name}  ({', '.join(fault.dialects)})" for fault in FAULTS), sep="\n")
        return
    at = None if chosen.at is None else {int(place) for place in chosen.at.split(",")}
    with ProviderServer(make_market(chosen), now=datetime.now(UTC), port=chosen.port) as server:
        server.play(next((one for one in FAULTS if one.name == chosen.fault), None), at)
        server.shop.tell = print
        print(f"# in riskmark.toml:\n{SETTINGS.format(url=server.url)}", flush=True)
        while True:
            server.shop.now = datetime.now(UTC)
            time.sleep(1.0)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
