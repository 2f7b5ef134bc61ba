"""Requests in a thread of their own, so that who waits for a silent provider can still stop.

A request is in the hands of a library, and often of the system: nothing breaks it off but its
own time. So it is left alone instead. Its thread knows the network and nothing else: what
still comes for an abandoned request reaches nobody.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

LOOK_S = 0.25
"""Seconds after which whoever waits looks whether it should stop."""
_LAST_WORD_S = 1.0
"""How long closing waits for a request that was abandoned."""

T = TypeVar("T")


class Asker:
    """A thread that makes one request after the other; it starts with the first."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def ask(self, request: Callable[[], T], *, check: Callable[[], None]) -> T:
        """Return what ``request`` returns or raises; what ``check`` raises abandons it."""
        check()
        found: Future[T] = Future()
        self._work.put(lambda: _settle(found, request))
        if self._thread is None:
            # As a daemon it does not keep a process that ends from ending.
            self._thread = threading.Thread(target=self._go, name="asker", daemon=True)
            self._thread.start()
        while not wait([found], timeout=LOOK_S).done:
            check()
        return found.result()

    def close(self, close: Callable[[], object]) -> None:
        """Call ``close`` once nothing is under way, but wait for that no longer than a moment."""
        if self._thread is None:
            close()
            return
        self._work.put(lambda: _settle(Future(), close))
        self._work.put(None)
        self._thread.join(_LAST_WORD_S)
        self._thread = None

    def _go(self) -> None:
        while (work := self._work.get()) is not None:
            work()


def _settle(found: Future[T], request: Callable[[], T]) -> None:
    try:
        found.set_result(request())
    except BaseException as error:  # noqa: BLE001 - it is raised where the answer is waited for
        found.set_exception(error)
