"""What a run in a process of its own is asked to do, and how it ended."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Order:
    """A run to make, and what is to happen to it.

    ``crash``: die by SIGKILL at a crash point, at its n-th pass; ``pause``: stop there by
    SIGSTOP until somebody sends SIGCONT. ``fault``: what befalls the run's statements
    (``faulty.Fault``). ``count``: report how often each point was passed, the statements
    and how many of them were sent when the run had ended, and every point and commit in their
    order. ``happening``: what the run meets
    (``happenings.KINDS``). ``without``: the guard that is taken away (``guards.GUARDS``).
    ``pages``: the most pages that an SQLite file may have. ``patience_s``: how long a run
    that lost its database waits for it, to run again in the same process. ``lock_ms``: how
    long it waits for a lock.
    """

    url: str
    now: str
    force: bool = False
    crash: tuple[str, int] | None = None
    pause: tuple[str, int] | None = None
    fault: dict[str, Any] | None = None
    count: bool = False
    happening: str = ""
    without: str = ""
    pages: int | None = None
    patience_s: float = 0.0
    lock_ms: int | None = None
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a child ended: by a signal, or with what it reports."""

    seconds: float
    signal: int | None
    report: dict[str, Any]

    @property
    def status(self) -> str | None:
        """The status of the run that the child made, if it got to its end."""
        return self.report.get("status")

    @property
    def error(self) -> str | None:
        """The name of the exception that the run raised."""
        return self.report.get("error")
