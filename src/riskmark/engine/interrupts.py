"""Being asked to stop: SIGINT and SIGTERM take effect between two transactions.

Raised wherever the process happens to be, an interruption can leave a driver in the middle
of a statement: the run could then not even record that it was stopped. So the first signal
is only noted, and the run looks for it after each commit. A second one is not held back.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Protocol, Self, TypeAlias

_Handler: TypeAlias = Callable[[int, FrameType | None], object] | int | None
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Drained(Exception):
    """The process stops: the run goes back to the queue."""


class Stops(Protocol):
    """What a run asks between two transactions, while nothing is being written."""

    def check(self) -> None:
        """Raise if the run is to stop."""


class Draining:
    """Stops a run that works in a thread of a worker, once ``stop`` is set."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def check(self) -> None:
        """Raise ``Drained`` if the worker is to stop."""
        if self._stop.is_set():
            raise Drained


class Interrupts:
    """Holds back signals while its ``with`` block runs, in a process's main thread.

    Signals that are ignored or that the process did not ask to handle itself stay so. One
    that came too late to stop the work is sent again at the end of the block.
    """

    def __init__(self) -> None:
        self._before: dict[signal.Signals, _Handler] = {}
        self._seen: signal.Signals | None = None

    def __enter__(self) -> Self:
        """Note signals from now on."""
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the signals back to whoever had them."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._seen is not None and error is None:
            signal.raise_signal(self._seen)

    def check(self) -> None:
        """Raise ``KeyboardInterrupt`` if a signal was noted."""
        if self._seen is not None:
            raise KeyboardInterrupt(f"interrupted by {self._seen.name}")

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self._seen is not None:
            self.check()
        self._seen = signal.Signals(number)
