"""HTTP for the providers that need no browser: one try, in time, in bounds, from one host.

The time of a request is that of the whole of it: a reply whose headers or body come byte by
byte ends with it. A body is counted as it is unpacked, so that a small reply cannot become a
big one. Redirects are not followed, and no other host than the base is ever asked.
"""
# ruff: noqa: ANN401 - the network's types are its own

import logging
import time
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import httpcore
import httpx

from riskmark.domain.reasons import AnswerReason
from riskmark.providers.asking import Asker
from riskmark.providers.limits import Gate
from riskmark.providers.outcomes import Stopped
from riskmark.providers.replies import Body, Reply

_GZIP_OR_ZLIB = 47
"""What zlib calls its recognition of either header."""
_PIECE = 1 << 20
_TALKATIVE = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy")
"""Loggers that have addresses or headers to tell; a filter holds for no logger below."""


class Web:
    """One host, asked through the gate of its provider."""

    def __init__(self, gate: Gate, base_url: str, *, secret: str) -> None:
        _say_no_addresses()
        self._gate = gate
        self._base_url = base_url
        self._secret = secret
        self._deadline = _Deadline()
        self._asker = Asker()
        self._client = httpx.Client(follow_redirects=False)
        _keep_to(self._deadline, self._client)

    def get(self, path: str, params: Mapping[str, Any] | None, headers: Mapping[str, str]) -> Reply:
        """Ask once for what lies at ``path`` below the base, or stop."""
        timeout_s = self._gate.admit()
        return self._asker.ask(
            lambda: self._get(path, params, headers, timeout_s), check=self._gate.budget.check
        )

    def _get(
        self,
        path: str,
        params: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        timeout_s: float,
    ) -> Reply:
        self._deadline.end = time.monotonic() + timeout_s
        try:
            with self._client.stream(
                "GET",
                f"{self._base_url}{path}",
                params=params or None,
                headers={**headers, "Accept-Encoding": "gzip"},
                timeout=timeout_s,
            ) as response:
                encoding = response.headers.get("content-encoding", "")
                body = _read(_unpacked(response.iter_raw(), encoding), self._deadline)
        except (httpx.HTTPError, httpx.InvalidURL, httpcore.ReadTimeout, zlib.error) as error:
            detail = f"no reply: {type(error).__name__}"
            # The error itself would show the address and the key in it.
            raise Stopped(AnswerReason.TRANSIENT, detail) from None
        found = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, found, body, self._secret)

    def close(self) -> None:
        """Close the connections."""
        self._asker.close(self._client.close)


def _say_no_addresses() -> None:
    """Keep the libraries from logging addresses, as a key may stand in one."""
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_nothing)


def _nothing(_record: logging.LogRecord) -> bool:
    return False


def _read(parts: Iterable[bytes], deadline: "_Deadline") -> bytes:
    body = Body()
    for part in parts:
        body.add(part)
        deadline.left_s()
    return body.whole


def _unpacked(parts: Iterable[bytes], encoding: str) -> Iterable[bytes]:
    """Unpack a body piece by piece, each of them small."""
    if encoding in {"", "identity"}:
        yield from parts
        return
    if encoding not in {"gzip", "deflate"}:
        raise Stopped(AnswerReason.BAD_PAYLOAD, "packed in a way that was not asked for")
    unpacking = zlib.decompressobj(_GZIP_OR_ZLIB)
    for part in parts:
        left, piece = part, b""
        while (left or len(piece) == _PIECE) and not unpacking.eof:
            piece = unpacking.decompress(left, _PIECE)
            left = unpacking.unconsumed_tail
            yield piece
    if not unpacking.eof:
        raise Stopped(AnswerReason.TRANSIENT, "the reply was cut off")


class _Deadline:
    """When the present request is over."""

    def __init__(self) -> None:
        self.end = 0.0

    def left_s(self, most_s: float | None = None) -> float:
        """Return the seconds that are left, or raise as a silent socket does."""
        left_s = self.end - time.monotonic()
        if left_s <= 0:
            raise httpcore.ReadTimeout("the reply took too long")
        return left_s if most_s is None else min(most_s, left_s)


class _Network(httpcore.NetworkBackend):
    """The network, of which no step outlasts the request."""

    def __init__(self, deadline: _Deadline) -> None:
        self._deadline = deadline
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """Connect while there is time."""
        timeout = self._deadline.left_s(timeout)
        stream = self._network.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(stream, self._deadline)


class _Stream(httpcore.NetworkStream):
    """A connection, of which no step outlasts the request."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what there is while there is time."""
        return self._stream.read(max_bytes, self._deadline.left_s(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write while there is time."""
        self._stream.write(buffer, self._deadline.left_s(timeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Shake hands while there is time."""
        timeout = self._deadline.left_s(timeout)
        return _Stream(
            self._stream.start_tls(ssl_context, server_hostname, timeout), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        """Return what is known of the connection."""
        return self._stream.get_extra_info(info)


def _keep_to(deadline: _Deadline, client: httpx.Client) -> None:
    """Let the client's connections, through a proxy or not, keep to the deadline.

    httpx limits each step on its own, and hands no network of ours on to its pools.
    """
    transports: list[Any] = [client._transport, *client._mounts.values()]  # noqa: SLF001
    for transport in transports:
        if transport is not None:
            transport._pool._network_backend = _Network(deadline)  # noqa: SLF001
