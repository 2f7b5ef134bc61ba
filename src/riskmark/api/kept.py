"""Answers that are kept, so that what many ask for is computed once.

An answer is kept under its address and its ETag, which says all that decides it: what is out of
date is not found any more, and goes when room is needed. Who may read it is decided before.
"""

import threading
from collections import OrderedDict
from typing import Final

MOST_BYTES: Final = 64 << 20
LARGEST: Final = MOST_BYTES // 16
"""Bytes of an answer that is worth keeping: one must not put all others out."""


class Kept:
    """Answers by address and ETag, the least recently used go first; safe among threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._answers: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, address: str, tag: str) -> bytes | None:
        """Return an answer; None if it is not kept."""
        with self._lock:
            found = self._answers.get((address, tag))
            if found is not None:
                self._answers.move_to_end((address, tag))
            return found

    def keep(self, address: str, tag: str, content: bytes) -> None:
        """Keep an answer, if it is not too large."""
        if len(content) > min(LARGEST, self._most):
            return
        with self._lock:
            before = self._answers.pop((address, tag), b"")
            self._answers[address, tag] = content
            self._bytes += len(content) - len(before)
            while self._bytes > self._most:
                _, gone = self._answers.popitem(last=False)
                self._bytes -= len(gone)
