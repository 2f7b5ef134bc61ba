"""Following a run: its events in their order, across connections that end or break.

A stream is a sequence of frames with fields of their own lines (``text/event-stream``). The id
of the last frame is shown when the connection is made anew, so that no line is missed or seen
twice; the run's present state is sent again then.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias

import httpx

from riskmark.client.documents import LogLine, Run, RunEnd
from riskmark.client.errors import NOT_REACHED, ApiError
from riskmark.client.transport import Transport, at, decode_json, raise_problem, unreached

RunEvent: TypeAlias = LogLine | Run | RunEnd
"""A line of activity, the run as it is now, or its end."""

SILENT_S: Final = 45.0
"""After which a stream is dead: a living one says something every fifteen seconds."""
PAUSE_S: Final = 2.0
"""Before a connection is made anew, unless the server says otherwise."""
MOST_FAILURES: Final = 30
"""Connections in a row that told nothing, after which a follower gives up."""
_KINDS: Final[dict[str, type[RunEvent]]] = {"log": LogLine, "progress": Run, "end": RunEnd}
_PASSING: Final = 500
"""Statuses from here on are the server's trouble, which passes."""


class _Frame(NamedTuple):
    kind: str
    event_id: str
    content: bytes


class Follower:
    """Follows one run."""

    def __init__(self, transport: Transport, run_id: str, *, after: int = 0) -> None:
        self._transport = transport
        self._path = at("runs", run_id, "events")
        self._seen = str(after)
        self._pause_s = PAUSE_S
        self._is_over = False

    def events(self) -> Iterator[RunEvent]:
        """Yield events until the run has ended."""
        failures = 0
        while not self._is_over:
            trouble: ApiError | None = None
            failures += 1  # a connection that tells something takes it back
            try:
                for event in self._connection():
                    failures = 0
                    yield event
            except ApiError as error:
                trouble = error
            if trouble is not None and not _is_passing(trouble):
                raise trouble
            if failures >= MOST_FAILURES:
                raise trouble or ApiError(None, NOT_REACHED, detail="the stream tells nothing")
            if not self._is_over:
                self._transport.pause(self._pause_s)

    def _connection(self) -> Iterator[RunEvent]:
        """Yield what comes on one connection."""
        headers = {"accept": "text/event-stream", "last-event-id": self._seen}
        timeout = httpx.Timeout(SILENT_S, connect=self._transport.limits.connect_s)
        stream = self._transport.http.stream("GET", self._path, headers=headers, timeout=timeout)
        try:
            with stream as reply:
                if not reply.is_success:
                    reply.read()
                raise_problem(reply)
                if reply.status_code == httpx.codes.NO_CONTENT:
                    self._is_over = True
                    return
                for frame in self._frames(reply.iter_bytes()):
                    self._seen = frame.event_id
                    self._is_over = frame.kind == "end"
                    yield decode_json(frame.content, _KINDS[frame.kind])
        except httpx.TransportError as error:
            raise unreached(error) from error

    def _frames(self, pieces: Iterable[bytes]) -> Iterator[_Frame]:
        """Yield the frames that are whole; one of an unknown kind is passed over."""
        fields: dict[str, str] = {}
        for line in _lines(pieces):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "retry" and value.isdigit():
                self._pause_s = int(value) / 1000
            elif line:
                fields[name] = value
            else:
                if fields.get("event") in _KINDS:
                    data = fields.get("data", "").encode()
                    yield _Frame(fields["event"], fields.get("id", ""), data)
                fields = {}


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield lines that are whole; only line feeds end them, as JSON has other separators in it."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode()


def _is_passing(error: ApiError) -> bool:
    """Whether a connection made anew may go better."""
    return error.code == NOT_REACHED or (error.status or 0) >= _PASSING
