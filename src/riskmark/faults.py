"""Named crash points: places where a test may stop, kill or pause a run.

In production no hook is set and ``point`` does nothing. A test calls ``set_hook`` with a
function that is given the point's name each time one is passed. ``NAMES`` is the complete
list, so that a test can enumerate it; passing a name that is not in it is an error only
while a hook is set.
"""

from collections.abc import Callable

NAMES = (
    "run.created",
    "run.planned",
    "prices.read",
    "symbols.before_commit",
    "symbols.committed",
    "shard.read",
    "shard.computing",
    "shard.computed",
    "shard.before_commit",
    "shard.committed",
    "run.before_finish",
    "run.finished",
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
