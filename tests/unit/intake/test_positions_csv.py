import gzip
from datetime import date
from decimal import Decimal

import pytest
from tests.unit.intake.positions_files import (
    GOOD,
    HEADER,
    TODAY,
    codes,
    file_of,
    read,
    read_row,
)

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.portfolio import Lot
from riskmark.intake.columns import Column
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.intake.positions_csv import parse_position

KIND = InstrumentKind


def named(kind):
    """Return what a file says of AAPL if it names its kind."""
    return InstrumentHint("AAPL", kind, is_stated=True)


def test_a_minimal_file_gives_a_lot_and_its_instrument():
    result = read(f"{HEADER}\naapl,-10.50,150.25,2024-01-02\n")

    assert result.lots == (Lot("AAPL", Decimal("-10.5"), date(2024, 1, 2), Decimal("150.25")),)
    assert result.instruments == (InstrumentHint("AAPL", InstrumentKind.STOCK),)
    assert result.is_valid


def test_columns_may_stand_in_any_order_and_case_with_blanks_and_underscores():
    text = "entry_date, ENTRY PRICE PER SHARE,sym bol,Quantity_\n2024-01-02,1,A,2\n"

    result = read(text)

    assert result.lots == (Lot("A", Decimal(2), date(2024, 1, 2), Decimal(1)),)


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}\r\nA,1,1,2024-01-02\r\n".encode(),
        f"{HEADER}\nA,1,1,2024-01-02".encode(),
        f"\ufeff{HEADER}\nA,1,1,2024-01-02\n".encode(),
        f"# made by hand\n\n{HEADER}\n#x,y\nA,1,1,2024-01-02\n,,,\n \n".encode(),
        f'"# a, b",,,\n{HEADER}\nA,1,1,2024-01-02\n"#, ""c""",,,\n'.encode(),
        f'{HEADER}\n"A", "1" ,\t1 ,2024-01-02\n'.replace('"1" ', '"1"').encode(),
        gzip.compress(f"{HEADER}\nA,1,1,2024-01-02\n".encode(), mtime=0),
        gzip.compress(f"{HEADER}\nA,1,1,2024-01-02\n".encode(), mtime=0) + b"\0" * 20,
    ],
)
def test_the_same_lot_may_be_written_in_many_ways(content):
    result = read(content)

    assert result.errors == ()
    assert result.lots == (Lot("A", Decimal(1), date(2024, 1, 2), Decimal(1)),)


def test_rows_are_numbered_by_the_lines_on_which_they_start():
    text = f'# one\n\n{HEADER}\n"A\n",1,1,2024-01-02\n\n# six\nB,x,1,2024-01-02\n'

    result = read(text)

    assert [(issue.row, issue.code.value) for issue in result.errors] == [
        (4, "POS_003"),
        (8, "POS_005"),
    ]


def test_a_comment_sign_inside_a_quoted_field_begins_no_comment():
    result = read(f'{HEADER}\n"A\n#",1,1,2024-01-02\n')

    assert codes(result) == ["POS_003"]


def test_the_rows_after_a_malformed_one_are_still_read():
    text = f'{HEADER}\nA"B,1,1,2024-01-02\n"A"B,1,1,2024-01-02\nC,x,1,2024-01-02\n'

    result = read(text)

    assert codes(result) == ["POS_003", "CSV_006", "POS_005"]


def test_rows_are_checked_even_if_a_column_is_missing_or_unknown():
    result = read("Symbol,Quantity,Entry Date,Note\nA,x,2024-01-02,\n")

    assert codes(result) == ["CSV_005", "CSV_004", "POS_005"]


def test_a_header_without_any_known_column_ends_the_reading():
    result = read("a;b\n1;2\n")

    assert codes(result) == ["CSV_005", *["CSV_004"] * 4]
    assert "another delimiter" in result.errors[0].expected


def test_a_header_with_an_open_quote_is_malformed():
    result = read(f'"{HEADER}\nA,1,1,2024-01-02\n')

    assert codes(result) == ["CSV_006"]


def test_a_line_of_millions_of_delimiters_is_refused_before_it_is_cut():
    result = read(f"{HEADER}\n{',' * 9_000_000}\nA,1,1,2024-01-02\n")

    assert codes(result) == ["CSV_006"]


def test_a_record_of_many_long_lines_is_refused_before_it_is_cut():
    long_line = "," * 900_000 + '"\n"'

    result = read(f"{HEADER}\n{long_line * 10}\n")

    assert set(codes(result)) == {"CSV_006"}


def test_a_hundred_megabytes_are_refused_unread():
    result = read(b"\x1f\x8b" + bytes(100_000_000))

    assert codes(result) == ["CSV_001"]


def test_an_exit_may_be_worthless_and_on_the_entry_date():
    result = read_row({Column.EXIT_DATE: "2024-01-02", Column.EXIT_PRICE: "0"})

    assert (result.lots[0].exit_date, result.lots[0].exit_price) == (date(2024, 1, 2), 0)


@pytest.mark.parametrize(
    ("cells", "found", "hint"),
    [
        (("", ""), ("PUBLIC", None), InstrumentHint("AAPL", KIND.STOCK)),
        (("public", "etf"), ("PUBLIC", "ETF"), named(KIND.ETF)),
        (("", "Mutual Fund"), ("PUBLIC", "MUTUAL_FUND"), named(KIND.FUND)),
        (("", "index"), ("PUBLIC", "INDEX"), named(KIND.INDEX)),
        (("", "OTHER"), ("PUBLIC", "OTHER"), named(KIND.OTHER)),
        (("Private", ""), ("PRIVATE", None), named(KIND.PRIVATE)),
        (("", "private-equity"), ("PRIVATE", "PRIVATE_EQUITY"), named(KIND.PRIVATE)),
        (("PRIVATE", "OTHER"), ("PRIVATE", "OTHER"), named(KIND.PRIVATE)),
    ],
)
def test_class_and_subtype_say_what_the_instrument_is(cells, found, hint):
    result = read_row({Column.INVESTMENT_CLASS: cells[0], Column.SUBTYPE: cells[1]})

    lot = result.lots[0]
    assert (lot.investment_class, lot.subtype) == found
    assert result.instruments == (hint,)


def test_a_stated_kind_wins_over_a_usual_one():
    later = {Column.ENTRY_DATE: "2024-01-03", Column.SUBTYPE: "ETF"}

    result = read(file_of(GOOD, GOOD | later))

    assert result.instruments == (InstrumentHint("AAPL", InstrumentKind.ETF, is_stated=True),)


def test_a_symbol_cannot_be_of_two_classes():
    later = {Column.ENTRY_DATE: "2024-01-03", Column.INVESTMENT_CLASS: "PRIVATE"}

    result = read(file_of(GOOD, GOOD | later))

    assert codes(result) == ["POS_016"]
    assert result.errors[0].expected == "PUBLIC, as row 2 has it"


@pytest.mark.parametrize(
    "symbol", ["BRK.B", "BF-B", "^VIX", "EURUSD=X", "-X", "=X", "7203.T", "A/B"]
)
def test_symbols_keep_their_signs(symbol):
    result = read_row({Column.SYMBOL: symbol})

    assert result.lots[0].symbol == symbol


def test_a_lot_of_named_fields_is_read_like_a_row():
    fields = {
        "symbol": "aapl",
        "quantity": "5",
        "entry_price_per_share": "1",
        "Entry Date": "2024-01-02",
    }

    result = parse_position(fields, today=TODAY)

    assert result.lots == (Lot("AAPL", Decimal(5), date(2024, 1, 2), Decimal(1)),)


def test_a_lot_of_named_fields_names_what_is_wrong():
    result = parse_position({"symbol": "A", "quantity": "0", "price": "1"}, today=TODAY)

    found = [(issue.code.value, issue.row, issue.column) for issue in result.errors]
    assert found == [
        ("CSV_005", None, "price"),
        ("POS_006", None, "quantity"),
        ("POS_008", None, "Entry Price Per Share"),
        ("POS_012", None, "Entry Date"),
    ]
