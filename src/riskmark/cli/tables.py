"""Tables in one style: numbers to the right, a line under the header, no frame."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


def make_table(*columns: str, title: str | None = None) -> "Table":
    """Make an empty table.

    A column whose name ends with ``>`` is for numbers and stands to the right; one that ends
    with ``…`` gives way when there is little room.
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
        padding=(0, 1),
    )
    for name in columns:
        gives_way = name.endswith("…")
        table.add_column(
            name.rstrip(">…"),
            justify="right" if name.endswith(">") else "left",
            no_wrap=True,
            overflow="ellipsis" if gives_way else "fold",
            ratio=None,
            min_width=None if gives_way else len(name.rstrip(">…")),
        )
    return table
