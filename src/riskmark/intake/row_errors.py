"""What can be wrong with a positions file: one code each, and what would be right.

The codes are part of the interface. A row is the line of the file on which the record
starts, the header's line being 1 in a file without comments before it; a column is the
header's text as it stands in the file. Row and column are None where the whole file or
the whole row is meant.
"""

from dataclasses import asdict, dataclass, field
from enum import StrEnum

MAX_LISTED = 1_000
MAX_SHOWN = 80


class ErrorCode(StrEnum):
    """Every code, under the name of what is wrong."""

    FILE_TOO_LARGE = "CSV_001"
    NOT_TEXT = "CSV_002"
    NO_ROWS = "CSV_003"
    COLUMN_MISSING = "CSV_004"
    HEADER_UNKNOWN = "CSV_005"
    ROW_MALFORMED = "CSV_006"
    SYMBOL_MISSING = "POS_001"
    SYMBOL_TOO_LONG = "POS_002"
    SYMBOL_CHARACTERS = "POS_003"
    QUANTITY_MISSING = "POS_004"
    QUANTITY_NOT_A_NUMBER = "POS_005"
    QUANTITY_ZERO = "POS_006"
    QUANTITY_OUT_OF_RANGE = "POS_007"
    PRICE_MISSING = "POS_008"
    PRICE_NOT_A_NUMBER = "POS_009"
    PRICE_NOT_POSITIVE = "POS_010"
    PRICE_OUT_OF_RANGE = "POS_011"
    DATE_MISSING = "POS_012"
    DATE_NOT_ISO = "POS_013"
    DATE_IN_FUTURE = "POS_014"
    DATE_TOO_EARLY = "POS_015"
    CLASS_UNKNOWN = "POS_016"
    SUBTYPE_UNKNOWN = "POS_017"
    EXIT_BEFORE_ENTRY = "POS_018"
    OPTION_UNDERLYING = "POS_019"
    OPTION_STRIKE = "POS_020"
    OPTION_EXPIRY = "POS_021"
    OPTION_TYPE = "POS_022"
    DUPLICATE_LOT = "POS_023"
    EXIT_INCOMPLETE = "POS_024"


EXPECTED = {
    ErrorCode.FILE_TOO_LARGE: "at most 10 MB (also when inflated), 50,000 rows, 250,000 lines",
    ErrorCode.NOT_TEXT: "text in UTF-8, plain or gzipped (in a spreadsheet: save as CSV UTF-8)",
    ErrorCode.NO_ROWS: "a header and at least one row",
    ErrorCode.COLUMN_MISSING: "a header with this column",
    ErrorCode.HEADER_UNKNOWN: "known columns, once each",
    ErrorCode.ROW_MALFORMED: (
        "quotes closed, and doubled inside a quoted field; lines that end in LF or CRLF; "
        "fields of at most 32 kB"
    ),
    ErrorCode.SYMBOL_MISSING: "a symbol",
    ErrorCode.SYMBOL_TOO_LONG: "at most 20 characters, or an option's 21 in OCC form",
    ErrorCode.SYMBOL_CHARACTERS: (
        "A-Z 0-9 . - ^ = / with a letter or digit among them; blanks only in an option's OCC form"
    ),
    ErrorCode.QUANTITY_MISSING: "a quantity, negative for a short position",
    ErrorCode.QUANTITY_NOT_A_NUMBER: "digits 0-9 with an optional sign and one point, as -12.5",
    ErrorCode.QUANTITY_ZERO: "a quantity other than zero",
    ErrorCode.QUANTITY_OUT_OF_RANGE: "at most 12 digits before the point and 8 after it",
    ErrorCode.PRICE_MISSING: "a price per share",
    ErrorCode.PRICE_NOT_A_NUMBER: "digits 0-9 with at most one point between them, as 101.25",
    ErrorCode.PRICE_NOT_POSITIVE: "a price above zero (an exit may be at zero)",
    ErrorCode.PRICE_OUT_OF_RANGE: "at most 12 digits before the point and 8 after it",
    ErrorCode.DATE_MISSING: "a date as YYYY-MM-DD",
    ErrorCode.DATE_NOT_ISO: "a date as YYYY-MM-DD",
    ErrorCode.DATE_IN_FUTURE: "a date that is not after today",
    ErrorCode.DATE_TOO_EARLY: "a date from 1925-01-02 on",
    ErrorCode.CLASS_UNKNOWN: "PUBLIC, OPTIONS or PRIVATE",
    ErrorCode.SUBTYPE_UNKNOWN: "a subtype of the investment class",
    ErrorCode.EXIT_BEFORE_ENTRY: "an exit on the entry date or after it",
    ErrorCode.OPTION_UNDERLYING: "the underlying's symbol, of at most 6 letters and digits",
    ErrorCode.OPTION_STRIKE: "a strike above zero and below 100000, of at most 3 decimals",
    ErrorCode.OPTION_EXPIRY: "an expiration date, not before the entry date",
    ErrorCode.OPTION_TYPE: "CALL or PUT",
    ErrorCode.DUPLICATE_LOT: "one row for a symbol and entry date; both rows are kept",
    ErrorCode.EXIT_INCOMPLETE: "exit date and exit price both, or neither",
}


@dataclass(frozen=True, slots=True)
class RowIssue:
    """One thing that is wrong, where it stands, and what would be right."""

    code: ErrorCode
    row: int | None
    column: str | None
    value: str
    expected: str


@dataclass(slots=True)
class IssueLog:
    """Errors and warnings of one file in the order found; the first thousand are kept."""

    errors: list[RowIssue] = field(default_factory=list)
    warnings: list[RowIssue] = field(default_factory=list)
    total_errors: int = 0

    def refuse(
        self,
        code: ErrorCode,
        row: int | None = None,
        *,
        column: str | None = None,
        value: str = "",
        expected: str | None = None,
    ) -> None:
        """Add an error, with the code's own text unless a nearer one is given."""
        self.total_errors += 1
        if len(self.errors) < MAX_LISTED:
            self.errors.append(_issue(code, row, column, value, expected))

    def advise(
        self,
        code: ErrorCode,
        row: int | None = None,
        *,
        column: str | None = None,
        value: str = "",
        expected: str | None = None,
    ) -> None:
        """Add a warning, which refuses nothing."""
        if len(self.warnings) < MAX_LISTED:
            self.warnings.append(_issue(code, row, column, value, expected))


def shown(value: str) -> str:
    """Cut ``value`` to 80 characters and write unprintable ones as escapes.

    A value is printed on terminals and written to logs: control characters must not act
    there, and an invisible character is often the very thing that is wrong.
    """
    head = value[:MAX_SHOWN]
    if head.isprintable():
        return head
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in head)[:MAX_SHOWN]


def as_answer(
    errors: tuple[RowIssue, ...], warnings: tuple[RowIssue, ...], *, total_errors: int
) -> dict[str, object]:
    """Give errors and warnings the shape in which every edge answers them."""
    return {
        "errors": [asdict(issue) for issue in errors],
        "warnings": [asdict(issue) for issue in warnings],
        "total_errors": total_errors,
    }


def _issue(
    code: ErrorCode, row: int | None, column: str | None, value: str, expected: str | None
) -> RowIssue:
    return RowIssue(
        code,
        row,
        None if column is None else shown(column),
        shown(value),
        EXPECTED[code] if expected is None else expected,
    )
