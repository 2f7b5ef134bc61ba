"""Connections: HTTP/1.1 as uvicorn speaks it, and a time in which a request's headers must come.

uvicorn waits for the head of a request for ever, so that a few hundred connections which send a
byte now and then would take every place there is. Here the time runs from when a connection is
opened, or from the first byte of a further request on it, until the head is whole; what comes
in between does not prolong it. The body has its own time (``boundaries``), and a connection that
asks nothing more is closed by uvicorn itself.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEADERS_S: Final = 10.0
"""Seconds in which the head of a request must have come; people's networks take one or two."""
_TOO_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Connection(H11Protocol):
    """A connection whose requests begin in time, or which is closed."""

    headers_s = HEADERS_S
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what came; a request whose head is whole is waited for no more."""
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._is_at_work():
            self._stop_waiting()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.headers_s, self._give_up)

    def _is_at_work(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        """Close the connection; whoever began to ask is told why."""
        self._deadline = None
        if self._is_at_work() or self.transport.is_closing():
            return
        if self.conn.trailing_data[0]:
            self.transport.write(_TOO_SLOW)
        self.transport.close()
