"""Long lists, a page at a time; which page, and what was searched, stand in the address."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

PER_PAGE = 50


class Page(NamedTuple):
    """Some of many items. Pages count from 1; ``query`` is the rest of the address."""

    items: Sequence[Any]
    number: int
    pages: int
    total: int
    query: str

    @property
    def first(self) -> int:
        """Return the place of the first item, from 1; 0 if there is none."""
        return (self.number - 1) * PER_PAGE + 1 if self.total else 0

    @property
    def last(self) -> int:
        """Return the place of the last item."""
        return min(self.number * PER_PAGE, self.total)

    def address(self, number: int) -> str:
        """Return the address of another page of the same list."""
        return f"?{self.query}&page={number}" if self.query else f"?page={number}"


def page_of(items: Sequence[Any], number: int, **chosen: str | None) -> Page:
    """Return page ``number`` of a list; beyond the end, the last one."""
    pages = max(1, -(-len(items) // PER_PAGE))
    at = min(max(number, 1), pages)
    query = urlencode({name: value for name, value in chosen.items() if value})
    shown = items[(at - 1) * PER_PAGE : at * PER_PAGE]
    return Page(shown, at, pages, len(items), query)
