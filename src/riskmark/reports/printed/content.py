"""What is printed, before it is known how: the same for PDF and HTML.

Everything here is words and figures; a writer (``pdf``, ``page``) decides how they look and
changes nothing. Text is text: whatever a name has in it is shown as it stands.
"""

from typing import NamedTuple, TypeAlias

from riskmark.reports.figures.figure import Figure


class Tile(NamedTuple):
    """One number that matters, with its name above and what it means below."""

    label: str
    value: str
    note: str


class Tiles(NamedTuple):
    """The numbers that are seen first."""

    tiles: tuple[Tile, ...]


class Picture(NamedTuple):
    """A figure."""

    figure: Figure


class Heading(NamedTuple):
    """The heading of a column; numbers stand to the right."""

    label: str
    is_number: bool = True


class Grid(NamedTuple):
    """A table; the last row is set apart if ``has_total``."""

    title: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[str, ...], ...]
    has_total: bool = False
    note: str = ""


class Words(NamedTuple):
    """Sentences, each a line of its own."""

    title: str
    lines: tuple[str, ...]


Block: TypeAlias = Tiles | Picture | Grid | Words


class Stack(NamedTuple):
    """Blocks one below the other, beside something long."""

    blocks: tuple[Block, ...]


Row: TypeAlias = tuple[Block | Stack, ...]
"""One block over the whole width, or two side by side."""


class Section(NamedTuple):
    """A part with a title of its own."""

    title: str
    rows: tuple[Row, ...]
    is_new_page: bool = False


class Content(NamedTuple):
    """A whole report."""

    title: str
    """The portfolio's name."""
    subtitle: str
    state: str
    basis: str
    tiles: Tiles
    sections: tuple[Section, ...]
    footer: str
