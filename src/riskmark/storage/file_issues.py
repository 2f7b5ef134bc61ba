"""What is wrong with a file of market data or symbols: every row of it, in one answer.

A row is the line of the file on which the record stands, the header's being 1 (in a
Parquet file: the number of the record, from 1). Row and column are None where the whole
file or the whole row is meant.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from riskmark.errors import InputError
from riskmark.intake.row_errors import MAX_LISTED, shown


@dataclass(frozen=True, slots=True)
class FileIssue:
    """One thing that is wrong, where it stands, and what would be right."""

    file: str
    row: int | None
    column: str | None
    value: str
    expected: str

    def __str__(self) -> str:
        """Say it in one line."""
        place = self.file if self.row is None else f"{self.file}, row {self.row}"
        what = shown(self.value) if self.column is None else f"{self.column} {shown(self.value)!r}"
        return f"{place}: {what}: expected {self.expected}"


class MarketFileErrors(InputError):
    """A file cannot be read as it is; nothing of it was stored.

    ``issues`` are the first thousand of ``total``.
    """

    def __init__(self, issues: Iterable[FileIssue], total: int | None = None) -> None:
        listed = tuple(issues)
        self.issues = listed[:MAX_LISTED]
        self.total = len(listed) if total is None else total
        noun = "error" if self.total == 1 else "errors"
        super().__init__(f"{self.total:,} {noun} in the file; the first: {listed[0]}")
