"""Files that the tests of this folder begin with."""

from datetime import date

from riskmark.intake.columns import Column
from riskmark.intake.positions_csv import parse_positions

TODAY = date(2025, 12, 31)
HEADER = "Symbol,Quantity,Entry Price Per Share,Entry Date"
FULL_HEADER = ",".join(Column)
CALL = "AAPL  260116C00200000"

GOOD = {
    Column.SYMBOL: "AAPL",
    Column.QUANTITY: "10",
    Column.ENTRY_PRICE: "150.25",
    Column.ENTRY_DATE: "2024-01-02",
}
GOOD_OPTION = {
    Column.SYMBOL: "MYCALL",
    Column.QUANTITY: "-2",
    Column.ENTRY_PRICE: "3.5",
    Column.ENTRY_DATE: "2025-01-02",
    Column.INVESTMENT_CLASS: "OPTIONS",
    Column.UNDERLYING: "AAPL",
    Column.STRIKE: "200",
    Column.EXPIRY: "2026-01-16",
    Column.OPTION_TYPE: "CALL",
}


def file_of(*rows, header=FULL_HEADER):
    """Write rows, each a mapping from column to text, under the full header."""
    lines = [header, *(",".join(row.get(column, "") for column in Column) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def read(text, **options):
    """Read a file given as text or bytes."""
    content = text.encode() if isinstance(text, str) else text
    return parse_positions(content, today=TODAY, **options)


def read_row(changes, *, base=GOOD):
    """Read a file of one row: ``base`` with ``changes``."""
    return read(file_of(base | changes))


def codes(result):
    """Return the codes of all errors, in order."""
    return [issue.code.value for issue in result.errors]
