"""What a figure is: a Vega-Lite document, and the same numbers as a table."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from riskmark.domain.reasons import NullReason


class Kind(StrEnum):
    """How a column's values are to be written."""

    TEXT = "text"
    DAY = "day"
    MONEY = "money"
    SHARE = "share"
    """A fraction, shown in percent."""
    RATIO = "ratio"
    COUNT = "count"
    YES = "yes"
    """True or false."""


class Column(NamedTuple):
    """A column of the table: its key, its heading, and how its values are written."""

    name: str
    label: str
    kind: Kind


class Table(NamedTuple):
    """The numbers behind a figure; None where one cannot be had."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one portfolio.

    ``note`` says in a sentence what is shown, its unit and its window. ``spec`` is None where
    there is nothing to draw; ``reason`` says why then, and only then. ``table`` has the numbers
    for people who cannot see the figure; it may have rows where ``spec`` is None.
    """

    name: str
    title: str
    note: str
    spec: dict[str, Any] | None
    table: Table
    reason: NullReason | None = None

    def document(self) -> dict[str, Any]:
        """Return the figure as JSON has it."""
        return {
            "name": self.name,
            "title": self.title,
            "note": self.note,
            "spec": self.spec,
            "columns": [column._asdict() for column in self.table.columns],
            "rows": [list(row) for row in self.table.rows],
            "reason": self.reason,
        }
