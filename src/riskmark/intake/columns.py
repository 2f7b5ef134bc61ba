"""The columns of a positions file, and finding them in a header.

Names are compared without case, blanks and underscores. A broker's map names the headers
that a broker uses instead; a column that the map does not name keeps its own name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from riskmark.intake.row_errors import ErrorCode, IssueLog, shown


class Column(StrEnum):
    """The columns, by the name that an export gives them."""

    SYMBOL = "Symbol"
    QUANTITY = "Quantity"
    ENTRY_PRICE = "Entry Price Per Share"
    ENTRY_DATE = "Entry Date"
    INVESTMENT_CLASS = "Investment Class"
    SUBTYPE = "Investment Subtype"
    UNDERLYING = "Underlying Symbol"
    STRIKE = "Strike Price"
    EXPIRY = "Expiration Date"
    OPTION_TYPE = "Option Type"
    EXIT_DATE = "Exit Date"
    EXIT_PRICE = "Exit Price Per Share"


REQUIRED = (Column.SYMBOL, Column.QUANTITY, Column.ENTRY_PRICE, Column.ENTRY_DATE)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each column stands in a file's rows, and how its header is written there."""

    headers: tuple[str, ...]
    index: Mapping[Column, int]
    titles: Mapping[Column, str]


def header_key(header: str) -> str:
    """Reduce a header to what is compared."""
    return "".join(header.replace("_", " ").split()).casefold()


def column_named(name: str) -> Column | None:
    """Return the column of this name, or None."""
    return _BY_KEY.get(header_key(name))


def match_header(
    headers: Sequence[str],
    line: int,
    *,
    renamed: Mapping[Column, str],
    ignore_unknown: bool,
    log: IssueLog,
) -> Layout:
    """Find the columns in a header; log what is missing, unknown or there twice.

    ``renamed`` maps a column to the header that stands for it in this file.
    """
    wanted = {header_key(renamed.get(column, column)): column for column in Column}
    index: dict[Column, int] = {}
    for position, header in enumerate(headers):
        column = wanted.get(header_key(header))
        if column is not None and column not in index:
            index[column] = position
        elif column is not None or not ignore_unknown:
            log.refuse(
                ErrorCode.HEADER_UNKNOWN,
                line,
                column=header,
                value=header,
                expected=_expected_header(header, is_known=column is not None),
            )
    for column in Column:
        if column not in index and (column in REQUIRED or column in renamed):
            log.refuse(ErrorCode.COLUMN_MISSING, line, column=renamed.get(column, column))
    titles = {column: shown(headers[position]) for column, position in index.items()}
    return Layout(tuple(headers), index, titles)


def _expected_header(header: str, *, is_known: bool) -> str:
    if is_known:
        return "each column once"
    if ";" in header or "\t" in header:
        return "columns separated by commas (a map can name another delimiter)"
    return f"one of: {', '.join(Column)}"


_BY_KEY = {header_key(column): column for column in Column}
