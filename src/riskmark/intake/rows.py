"""A row with named cells, and the questions that every kind of row asks of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from riskmark.domain.sessions import FIRST_DATE
from riskmark.intake.columns import Column
from riskmark.intake.dates import ISO, DateStyle, parse_date
from riskmark.intake.numbers import PLAIN, NumberProblem, NumberStyle, parse_decimal
from riskmark.intake.row_errors import EXPECTED, ErrorCode, IssueLog


@dataclass(frozen=True, slots=True)
class Conventions:
    """How a file writes numbers and dates, and the last date that it may name."""

    today: date
    numbers: NumberStyle = PLAIN
    dates: DateStyle = ISO


@dataclass(slots=True)
class Row:
    """One row: its cells without the blanks around them, and where it stands.

    ``titles`` are the headers of the columns that the file has. ``is_refused`` tells
    whether an error was logged for this row.
    """

    line: int | None
    cells: Mapping[Column, str]
    titles: Mapping[Column, str]
    conventions: Conventions
    log: IssueLog
    is_refused: bool = False

    def cell(self, column: Column) -> str:
        """Return the cell of ``column``; an empty text if it is blank or not there."""
        return self.cells.get(column, "")

    def refuse(self, code: ErrorCode, column: Column, *, expected: str | None = None) -> None:
        """Log an error of this row."""
        self.is_refused = True
        self.log.refuse(
            code,
            self.line,
            column=self.titles.get(column, column),
            value=self.cell(column),
            expected=expected,
        )

    def advise(self, code: ErrorCode, column: Column, *, expected: str | None = None) -> None:
        """Log a warning of this row."""
        self.log.advise(
            code,
            self.line,
            column=self.titles.get(column, column),
            value=self.cell(column),
            expected=expected,
        )

    def is_given(self, column: Column, *, missing: ErrorCode) -> bool:
        """Whether a required cell has text; logs ``missing`` if its column is there."""
        if self.cell(column):
            return True
        if column in self.titles:
            self.refuse(missing, column)
        else:
            # The header's own error names the column once for all rows.
            self.is_refused = True
        return False


def read_quantity(row: Row) -> Decimal | None:
    """Read the quantity: any number but zero."""
    if not row.is_given(Column.QUANTITY, missing=ErrorCode.QUANTITY_MISSING):
        return None
    number = parse_decimal(row.cell(Column.QUANTITY), style=row.conventions.numbers)
    if number is NumberProblem.NOT_A_NUMBER:
        _refuse_number(row, ErrorCode.QUANTITY_NOT_A_NUMBER, Column.QUANTITY)
    elif isinstance(number, NumberProblem):
        row.refuse(ErrorCode.QUANTITY_OUT_OF_RANGE, Column.QUANTITY)
    elif number == 0:
        row.refuse(ErrorCode.QUANTITY_ZERO, Column.QUANTITY)
    else:
        return number
    return None


def read_price(row: Row, column: Column, *, may_be_zero: bool = False) -> Decimal | None:
    """Read a price that is there: above zero, or at it where that may be."""
    number = parse_decimal(row.cell(column), style=row.conventions.numbers)
    if number is NumberProblem.NOT_A_NUMBER:
        _refuse_number(row, ErrorCode.PRICE_NOT_A_NUMBER, column)
    elif isinstance(number, NumberProblem):
        row.refuse(ErrorCode.PRICE_OUT_OF_RANGE, column)
    elif number < 0 or (number == 0 and not may_be_zero):
        row.refuse(ErrorCode.PRICE_NOT_POSITIVE, column)
    else:
        return number
    return None


def read_past_date(row: Row, column: Column) -> date | None:
    """Read a date that is there: a session's or not, from 1925 to today."""
    day = parse_date(row.cell(column), style=row.conventions.dates)
    if day is None:
        row.refuse(ErrorCode.DATE_NOT_ISO, column, expected=row.conventions.dates.expected)
    elif day < FIRST_DATE:
        row.refuse(ErrorCode.DATE_TOO_EARLY, column)
    elif day > row.conventions.today:
        row.refuse(
            ErrorCode.DATE_IN_FUTURE,
            column,
            expected=f"{EXPECTED[ErrorCode.DATE_IN_FUTURE]}, {row.conventions.today}",
        )
    else:
        return day
    return None


def _refuse_number(row: Row, code: ErrorCode, column: Column) -> None:
    style = row.conventions.numbers
    expected = None
    if style != PLAIN:
        grouping = "none" if style.thousands is None else repr(style.thousands)
        expected = f"a number with decimal sign {style.decimal!r} and thousands sign {grouping}"
    row.refuse(code, column, expected=expected)
