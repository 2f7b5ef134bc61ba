"""Every code: what earns it, and the row and column that it names."""

import gzip

import pytest
from tests.unit.intake.positions_files import (
    CALL,
    FULL_HEADER,
    GOOD,
    GOOD_OPTION,
    HEADER,
    file_of,
    read,
)

from riskmark.domain.instruments import OCC_LENGTH
from riskmark.intake.columns import Column
from riskmark.intake.row_errors import EXPECTED, ErrorCode

C = Column
ROW = 3
"""Line of the row at fault in the files of ``ROWS``: header, a good row, then it."""

FILES = [
    ("CSV_001", b"x" * 10_000_001, None, None),
    ("CSV_001", gzip.compress(b"x" * 10_000_001, mtime=0), None, None),
    ("CSV_001", "\n".join([HEADER, *["A,1,1,2024-01-02"] * 50_001]), 50_002, None),
    ("CSV_001", "\n" * 250_001, None, None),
    ("CSV_002", f"{HEADER}\nA,1,1,\x00", 2, None),
    ("CSV_002", f"{HEADER}\nA,1,1,ü".encode("latin-1"), 2, None),
    ("CSV_002", f"{HEADER}\n".encode("utf-16"), 1, None),
    ("CSV_002", b"PK\x03\x04\x14\x00", 1, None),
    ("CSV_002", gzip.compress(HEADER.encode(), mtime=0)[:-9], None, None),
    ("CSV_002", b"\x1f\x8bno gzip", None, None),
    ("CSV_002", gzip.compress(HEADER.encode(), mtime=0) * 2, None, None),
    ("CSV_002", gzip.compress(gzip.compress(HEADER.encode(), mtime=0), mtime=0), 1, None),
    ("CSV_003", b"", None, None),
    ("CSV_003", "\n# nothing\n ,\t,\n", None, None),
    ("CSV_003", f"# first\n{HEADER}\n\n", 2, None),
    ("CSV_004", "Symbol,Quantity,Entry Date\nA,1,2024-01-02\n", 1, "Entry Price Per Share"),
    ("CSV_005", f"{HEADER},Colour\nA,1,1,2024-01-02,red\n", 1, "Colour"),
    ("CSV_005", f"{HEADER},SYMBOL\nA,1,1,2024-01-02,A\n", 1, "SYMBOL"),
    ("CSV_005", f"{HEADER},\nA,1,1,2024-01-02,\n", 1, ""),
    ("CSV_006", f"{HEADER}\nA,1,1\n", 2, None),
    ("CSV_006", f"{HEADER}\nA,1,1,2024-01-02,\n", 2, None),
    ("CSV_006", f'{HEADER}\n"A"B,1,1,2024-01-02\n', 2, None),
    ("CSV_006", f'{HEADER}\n"A,1,1,2024-01-02\n', 2, None),
    ("CSV_006", f"{HEADER}\nA,1\r,1,2024-01-02\n", 2, None),
    ("CSV_006", f"{HEADER}\nA,{'1' * 40_000},1,2024-01-02\n", 2, "Quantity"),
    ("CSV_006", f"{HEADER}\n{',' * 1_000_000}\n", 2, None),
    ("CSV_006", "Symbol\rAAPL\r", 1, None),
]

ROWS = [
    ("POS_001", {C.SYMBOL: ""}, C.SYMBOL),
    ("POS_002", {C.SYMBOL: "A" * 21}, C.SYMBOL),
    ("POS_002", {C.SYMBOL: "AAPL  261316C00200000"}, C.SYMBOL),
    ("POS_002", {C.SYMBOL: "$" * 22}, C.SYMBOL),
    ("POS_003", {C.SYMBOL: "A A"}, C.SYMBOL),
    ("POS_003", {C.SYMBOL: "A_B"}, C.SYMBOL),
    ("POS_003", {C.SYMBOL: "\u017f"}, C.SYMBOL),
    ("POS_003", {C.SYMBOL: "AAPL\u200b"}, C.SYMBOL),
    ("POS_003", {C.SYMBOL: "\u00a0AAPL"}, C.SYMBOL),
    ("POS_003", {C.SYMBOL: "--"}, C.SYMBOL),
    ("POS_004", {C.QUANTITY: " "}, C.QUANTITY),
    ("POS_005", {C.QUANTITY: "1e999999"}, C.QUANTITY),
    ("POS_005", {C.QUANTITY: "١٢٣"}, C.QUANTITY),
    ("POS_005", {C.QUANTITY: "NaN"}, C.QUANTITY),
    ("POS_005", {C.QUANTITY: "−5"}, C.QUANTITY),
    ("POS_006", {C.QUANTITY: "-0.00"}, C.QUANTITY),
    ("POS_007", {C.QUANTITY: "1000000000000"}, C.QUANTITY),
    ("POS_007", {C.QUANTITY: "0.000000001"}, C.QUANTITY),
    ("POS_008", {C.ENTRY_PRICE: ""}, C.ENTRY_PRICE),
    ("POS_009", {C.ENTRY_PRICE: "$5"}, C.ENTRY_PRICE),
    ("POS_009", {C.EXIT_DATE: "2025-01-02", C.EXIT_PRICE: "1_000"}, C.EXIT_PRICE),
    ("POS_010", {C.ENTRY_PRICE: "0"}, C.ENTRY_PRICE),
    ("POS_010", {C.ENTRY_PRICE: "-1"}, C.ENTRY_PRICE),
    ("POS_010", {C.EXIT_DATE: "2025-01-02", C.EXIT_PRICE: "-1"}, C.EXIT_PRICE),
    ("POS_011", {C.ENTRY_PRICE: "1.123456789"}, C.ENTRY_PRICE),
    ("POS_012", {C.ENTRY_DATE: ""}, C.ENTRY_DATE),
    ("POS_013", {C.ENTRY_DATE: "02/01/2024"}, C.ENTRY_DATE),
    ("POS_013", {C.ENTRY_DATE: "20240102"}, C.ENTRY_DATE),
    ("POS_013", {C.ENTRY_DATE: "2024-02-30"}, C.ENTRY_DATE),
    ("POS_013", {C.EXIT_DATE: "2024-1-2", C.EXIT_PRICE: "1"}, C.EXIT_DATE),
    ("POS_014", {C.ENTRY_DATE: "2026-01-01"}, C.ENTRY_DATE),
    ("POS_014", {C.EXIT_DATE: "2026-01-01", C.EXIT_PRICE: "1"}, C.EXIT_DATE),
    ("POS_015", {C.ENTRY_DATE: "1925-01-01"}, C.ENTRY_DATE),
    ("POS_016", {C.INVESTMENT_CLASS: "CRYPTO"}, C.INVESTMENT_CLASS),
    ("POS_016", {C.SYMBOL: CALL, C.INVESTMENT_CLASS: "PUBLIC"}, C.INVESTMENT_CLASS),
    ("POS_016", {C.INVESTMENT_CLASS: "PRIVATE"}, C.INVESTMENT_CLASS),
    ("POS_017", {C.INVESTMENT_CLASS: "PUBLIC", C.SUBTYPE: "HEDGE_FUND"}, C.SUBTYPE),
    ("POS_017", {C.SYMBOL: CALL, C.SUBTYPE: "PUT"}, C.SUBTYPE),
    ("POS_018", {C.EXIT_DATE: "2024-01-01", C.EXIT_PRICE: "1"}, C.EXIT_DATE),
    ("POS_024", {C.EXIT_DATE: "2024-01-03"}, C.EXIT_DATE),
    ("POS_024", {C.EXIT_PRICE: "12.5"}, C.EXIT_PRICE),
]

OPTION_ROWS = [
    ("POS_019", {C.UNDERLYING: ""}, C.UNDERLYING),
    ("POS_019", {C.UNDERLYING: "TOOLONG"}, C.UNDERLYING),
    ("POS_019", {C.UNDERLYING: "7203"}, C.UNDERLYING),
    ("POS_019", {C.SYMBOL: CALL, C.UNDERLYING: "MSFT"}, C.UNDERLYING),
    ("POS_020", {C.STRIKE: ""}, C.STRIKE),
    ("POS_020", {C.STRIKE: "0"}, C.STRIKE),
    ("POS_020", {C.STRIKE: "1.2345"}, C.STRIKE),
    ("POS_020", {C.STRIKE: "100000"}, C.STRIKE),
    ("POS_020", {C.STRIKE: "ten"}, C.STRIKE),
    ("POS_020", {C.SYMBOL: CALL, C.STRIKE: "201"}, C.STRIKE),
    ("POS_020", {C.SYMBOL: "AAPL  260116C00000000", C.STRIKE: ""}, C.SYMBOL),
    ("POS_021", {C.EXPIRY: ""}, C.EXPIRY),
    ("POS_021", {C.EXPIRY: "16.01.2026"}, C.EXPIRY),
    ("POS_021", {C.EXPIRY: "2100-01-15"}, C.EXPIRY),
    ("POS_021", {C.EXPIRY: "2025-01-01"}, C.EXPIRY),
    ("POS_021", {C.SYMBOL: CALL, C.EXPIRY: "2026-01-17"}, C.EXPIRY),
    ("POS_021", {C.SYMBOL: "AAPL  240119C00200000", C.EXPIRY: ""}, C.SYMBOL),
    ("POS_022", {C.OPTION_TYPE: ""}, C.OPTION_TYPE),
    ("POS_022", {C.OPTION_TYPE: "LONG"}, C.OPTION_TYPE),
    ("POS_022", {C.SYMBOL: CALL, C.OPTION_TYPE: "PUT"}, C.OPTION_TYPE),
]

WARNINGS = [
    ("POS_023", GOOD, C.SYMBOL),
    ("POS_020", GOOD | {C.SYMBOL: "B", C.INVESTMENT_CLASS: "PUBLIC", C.STRIKE: "5"}, C.STRIKE),
]


@pytest.mark.parametrize(("code", "content", "row", "column"), FILES)
def test_a_file_that_cannot_be_read_names_line_and_column(code, content, row, column):
    result = read(content)

    issue = result.errors[0]
    assert (issue.code, issue.row, issue.column) == (code, row, column)
    assert issue.expected
    assert result.total_errors == len(result.errors) == 1
    assert result.lots == ()


@pytest.mark.parametrize(("code", "changes", "column"), ROWS)
def test_a_wrong_cell_names_row_and_column(code, changes, column):
    content = file_of(GOOD, GOOD | changes)

    result = read(content)

    issue = result.errors[0]
    assert (issue.code, issue.row, issue.column) == (code, ROW, column)
    assert issue.expected
    assert result.total_errors == 1
    assert result.lots == ()


@pytest.mark.parametrize(("code", "changes", "column"), OPTION_ROWS)
def test_a_wrong_cell_of_an_option_names_row_and_column(code, changes, column):
    content = file_of(GOOD, GOOD_OPTION | changes)

    result = read(content)

    issue = result.errors[0]
    assert (issue.code, issue.row, issue.column) == (code, ROW, column)
    assert result.total_errors == 1


@pytest.mark.parametrize(("code", "cells", "column"), WARNINGS)
def test_a_warning_names_row_and_column_and_refuses_nothing(code, cells, column):
    content = file_of(GOOD, cells)

    result = read(content)

    issue = result.warnings[0]
    assert (issue.code, issue.row, issue.column) == (code, ROW, column)
    assert (len(result.lots), result.total_errors, len(result.warnings)) == (2, 0, 1)


def test_these_tables_have_every_code():
    tested = {row[0] for row in (*FILES, *ROWS, *OPTION_ROWS, *WARNINGS)}

    assert tested == set(ErrorCode)
    assert set(EXPECTED) == set(ErrorCode)


def test_the_good_rows_of_these_tables_are_good():
    result = read(file_of(GOOD, GOOD_OPTION))

    assert result.total_errors == 0
    assert [len(lot.symbol) for lot in result.lots] == [4, OCC_LENGTH]
    assert FULL_HEADER.count(",") == 11
