"""Receivers of notices, on this machine: an HTTP server and a mail server."""

import socket
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


@dataclass
class Inbox:
    """What was received, and how the next requests are answered."""

    url: str = ""
    port: int = 0
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    received: Callable[[], None] = lambda: None


@contextmanager
def webhook_receiver():
    """Give the inbox of an HTTP server, which answers 204 unless its statuses say otherwise."""
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            inbox.posts.append(({k.lower(): v for k, v in self.headers.items()}, body))
            inbox.received()
            self.send_response(inbox.statuses.pop(0) if inbox.statuses else 204)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    inbox.port = server.server_address[1]
    inbox.url = f"http://127.0.0.1:{inbox.port}/hooks/path-canary-77"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield inbox
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def mail_receiver():
    """Give the inbox of a mail server, without encryption."""
    inbox = Inbox()

    class Handler:
        async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
            inbox.mails.append(envelope.content)
            return f"{inbox.statuses.pop(0)} no" if inbox.statuses else "250 OK"

    def accept(_server, _session, _envelope, _mechanism, data):
        inbox.logins.append((data.login, data.password))
        return AuthResult(success=False)

    controller = Controller(
        Handler(),
        hostname="127.0.0.1",
        port=_free_port(),
        authenticator=accept,
        auth_require_tls=False,
    )
    controller.start()
    inbox.port = controller.port
    try:
        yield inbox
    finally:
        controller.stop()


def _free_port():
    """Return a port that nobody has: the mail server has to be told one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
