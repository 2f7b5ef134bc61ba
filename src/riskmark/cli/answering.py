"""Answering requests over HTTP, as a part of a process that is stopped as all its parts are."""

import socket
import threading
from typing import TYPE_CHECKING, Annotated, Final

import typer

from riskmark import logs
from riskmark.errors import InputError

if TYPE_CHECKING:
    import uvicorn

    from riskmark.app import App

Host = Annotated[str, typer.Option(metavar="ADDRESS", help="Where requests come in; all: 0.0.0.0.")]
Port = Annotated[int, typer.Option(metavar="PORT", min=0, max=65_535, help="0: any that is free.")]
HOST, PORT = "127.0.0.1", 8000
_BACKLOG = 256
_MOST_AT_ONCE: Final = 500
"""Connections, open streams among them; who comes then is told to come again."""
_GRACE_S: Final = 5
"""For requests in hand when the process stops; streams end at once."""
_IDLE_S: Final = 15
"""After which a connection that asks nothing is closed."""


def open_door(host: str, port: int) -> socket.socket:
    """Return a socket that listens; whoever has the port already is an error of the caller's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        door = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"--host, --port: {host} {port} cannot be used: {reason}") from error
    # What comes in inherits it. The event loop sets it only on sockets that name their protocol;
    # without it every answer in two parts waits 40 ms for the other side's word.
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return door


def answer_requests(app: "App", door: socket.socket, stop: threading.Event) -> None:
    """Answer what comes in at ``door`` until ``stop`` is set."""
    import uvicorn

    from riskmark.api.connections import Connection
    from riskmark.web.application import create_site

    config = uvicorn.Config(
        create_site(app, stop=stop),
        log_config=None,
        log_level="critical",  # what fails is logged where it fails, in our form
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        http=Connection,
        ws="none",
        limit_concurrency=_MOST_AT_ONCE,
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = uvicorn.Server(config)
    threading.Thread(target=_follow, args=(server, stop), daemon=True).start()
    host, port = door.getsockname()[:2]
    logs.info("requests are answered", host=host, port=port)
    server.run(sockets=[door])
    logs.info("requests are no longer answered")


def _follow(server: "uvicorn.Server", stop: threading.Event) -> None:
    """Let a server end when ``stop`` is set."""
    stop.wait()
    server.should_exit = True
