"""Bars: a number beside others of its kind, seen at a glance."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

_EIGHTHS = " ▏▎▍▌▋▊▉"
"""Parts of a block, which begin at its left."""


def bar(value: float, largest: float, *, size: int) -> "Text":
    """Draw a bar, to the right for a gain and to the left for a loss.

    ``largest`` is the size of the number that fills ``size`` columns.
    """
    from rich.text import Text

    length = 0.0 if not largest else size * min(abs(value) / largest, 1.0)
    if value < 0:
        # Blocks that begin at the right do not exist, so a bar to the left has whole ones.
        return Text.assemble((f"{'█' * round(length):>{size}}", "red"), ("│", "dim"))
    eighths = round(8 * length)
    blocks = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
    return Text.assemble(" " * size, ("│", "dim"), (blocks, "green"))
