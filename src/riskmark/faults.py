"""Named crash points: places where a test may stop, kill or pause a run.

Every transaction in which a run or a service writes has a name and two points: the last moment
before it is committed, and the first one after. ``storage.engines.Database.write`` passes them.

In production no hook is set and ``point`` does nothing. A test calls ``set_hook`` with a
function that is given the point's name each time one is passed. ``NAMES`` is the complete
list, so that a test can enumerate it; passing a name that is not in it is an error only
while a hook is set.
"""

from collections.abc import Callable

TRANSACTIONS = (
    "submit",
    "cancel",
    "dead",
    "claim",
    "heartbeat",
    "provider.take",
    "provider.change",
    "prices.store",
    "profiles.store",
    "cross_check.store",
    "run.plan",
    "prices.note",
    "symbols",
    "surplus",
    "shard",
    "shard.split",
    "shard.fail",
    "run.postpone",
    "run.requests",
    "run.finish",
    "release",
    "prune",
    "outbox.address",
    "outbox.take",
    "outbox.mark",
    "schedule.fire",
    "schedule.check",
)
"""What a run, the queue and the services write, in the order in which they may come to it."""

BETWEEN = (
    "run.created",
    "run.planned",
    "prices.read",
    "symbols.computed",
    "shard.read",
    "shard.computing",
    "shard.computed",
    "shard.written",
    "run.before_finish",
    "run.finished",
)
"""Points outside the edges of a transaction."""

NAMES = BETWEEN + tuple(
    f"{name}.{edge}" for name in TRANSACTIONS for edge in ("before_commit", "committed")
)

_hook: Callable[[str], None] | None = None


def set_hook(hook: Callable[[str], None] | None) -> None:
    """Call ``hook`` with the name of every crash point passed from now on (None: stop)."""
    global _hook  # noqa: PLW0603 - one process-wide switch is what a crash point is
    _hook = hook


def point(name: str) -> None:
    """Pass the crash point ``name``; does nothing unless a hook is set."""
    if _hook is None:
        return
    if name not in NAMES:
        msg = f"{name!r} is not a named crash point"
        raise AssertionError(msg)
    _hook(name)
