"""Tables in one style: numbers to the right, a line under the header, no frame."""

from typing import TYPE_CHECKING

from riskmark.cli import output

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text


def make_table(*columns: str, title: str | None = None) -> "Table":
    """Make an empty table.

    A column whose name ends with ``>`` is for numbers and stands to the right; one that ends
    with ``…`` gives way when there is little room: its texts are wrapped, or cut if they are
    made by ``cut``.
    """
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD,
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0) if output.is_narrow() else (0, 1),
    )
    for name in columns:
        table.add_column(
            name.rstrip(">…"),
            justify="right" if name.endswith(">") else "left",
            no_wrap=not name.endswith("…"),
        )
    return table


def cut(text: str, style: str = "") -> "Text":
    """Return a text that stays on one line and ends in … where there is no room for it."""
    from rich.text import Text

    return Text(text, style=style, no_wrap=True, overflow="ellipsis")
