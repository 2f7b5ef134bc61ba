import contextlib
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.intake.positions_files import HEADER, codes, read

from riskmark.domain.portfolio import InvestmentClass, Lot
from riskmark.errors import InputError
from riskmark.intake.broker_map import CANONICAL, BrokerMap, BrokerMapError, parse_broker_map

MAP = """
[file]
delimiter = ";"
skip_rows = 2
comment = ""
ends_at = ["Summe"]

[columns]
symbol = "Kürzel"
quantity = "Stück"
"Entry Price Per Share" = "Einstand"
entry_date = "Kaufdatum"
investment_class = "Art"

[numbers]
decimal = ","
thousands = "."
strip = [" EUR"]

[dates]
format = "%d.%m.%Y"

[values.investment_class]
Aktie = "PUBLIC"
Beteiligung = "PRIVATE"

[values.symbol]
"BRK B" = "BRK.B"
"""

FILE = """Depot 12345
Stand: 31.12.2025; "offen
#;Kürzel;Symbol;STÜCK;Einstand;Kaufdatum;Art
1;BRK B;-;1.000;1.234,50 EUR;02.01.2024;Aktie
2;FONDS-1;-;2,5;100;3.1.2024;Beteiligung
Summe;;;1.002,5;;;
Alle Angaben ohne Gewähr
"""


def test_a_map_reads_a_brokers_own_export():
    broker_map = parse_broker_map(MAP.encode())

    result = read(FILE, broker_map=broker_map)

    assert result.errors == ()
    assert result.lots == (
        Lot("BRK.B", Decimal(1000), date(2024, 1, 2), Decimal("1234.5")),
        Lot(
            "FONDS-1",
            Decimal("2.5"),
            date(2024, 1, 3),
            Decimal(100),
            investment_class=InvestmentClass.PRIVATE,
        ),
    )


def test_errors_name_the_brokers_headers_lines_and_form():
    broker_map = parse_broker_map(MAP.encode())
    text = FILE.replace("1.000", "1.00").replace("3.1.2024", "2024-01-03")

    result = read(text, broker_map=broker_map)

    assert [(i.code.value, i.row, i.column, i.expected) for i in result.errors] == [
        ("POS_005", 4, "STÜCK", "a number with decimal sign ',' and thousands sign '.'"),
        ("POS_013", 5, "Kaufdatum", "a date written %d.%m.%Y"),
    ]


def test_a_header_that_the_map_names_must_be_there():
    broker_map = parse_broker_map(b'[columns]\nexit_date = "Closed"\n')

    result = read(f"{HEADER}\nA,1,1,2024-01-02\n", broker_map=broker_map)

    assert [(i.code.value, i.row, i.column) for i in result.errors] == [("CSV_004", 1, "Closed")]


def test_unknown_columns_are_passed_over_unless_the_map_says_otherwise():
    text = f"{HEADER},Note\nA,1,1,2024-01-02,x\n"
    strict = parse_broker_map(b"[file]\nignore_unknown = false\n")

    assert codes(read(text, broker_map=parse_broker_map(b""))) == []
    assert codes(read(text, broker_map=strict)) == ["CSV_005"]
    assert codes(read(text)) == ["CSV_005"]


def test_a_malformed_row_at_the_end_text_ends_the_table():
    broker_map = parse_broker_map(b'[file]\nends_at = ["Total"]\n')

    result = read(f'{HEADER}\nA,1,1,2024-01-02\nTotal "x,"y"z\n', broker_map=broker_map)

    assert (codes(result), len(result.lots)) == ([], 1)


def test_a_cell_may_be_mapped_to_a_blank():
    broker_map = parse_broker_map(b'[values.exit_date]\n"--" = ""\n')

    result = read(f"{HEADER},Exit Date\nA,1,1,2024-01-02,--\n", broker_map=broker_map)

    assert result.lots[0].exit_date is None


def test_all_unknown_keys_are_named_at_once():
    content = (
        b'wrong = 1\n[file]\ndelimeter = ";"\n[columns]\nprise = "x"\n[values.colour]\na = "b"\n'
    )

    with pytest.raises(BrokerMapError) as caught:
        parse_broker_map(content)

    assert caught.value.where == "wrong, [file] delimeter, [columns] prise, [values] colour"


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ("file = 1", "file"),
        ('[file]\ndelimiter = ":"', "[file] delimiter"),
        ("[file]\nskip_rows = -1", "[file] skip_rows"),
        ("[file]\nskip_rows = true", "[file] skip_rows"),
        ("[file]\ncomment = 1", "[file] comment"),
        ('[file]\nends_at = "Total"', "[file] ends_at"),
        ('[file]\nends_at = [""]', "[file] ends_at"),
        ("[file]\nignore_unknown = 1", "[file] ignore_unknown"),
        ("[columns]\nsymbol = 1", "[columns] Symbol"),
        ('[columns]\nsymbol = " "', "[columns] Symbol"),
        ('[columns]\nsymbol = "A"\nquantity = "a"', "[columns] Quantity"),
        ('[columns]\nsymbol = "A"\nSYMBOL = "B"', "[columns] SYMBOL"),
        ('[columns]\nsymbol = "Quantity"', "[columns] Quantity"),
        ("[values]\nsymbol = 1", "[values] Symbol"),
        ("[values.symbol]\na = 1", "[values] Symbol"),
        ('[numbers]\ndecimal = ";"', "[numbers] decimal"),
        ('[numbers]\nthousands = "."', "[numbers] thousands"),
        ('[numbers]\nthousands = "1"', "[numbers] thousands"),
        ('[numbers]\nthousands = ", "', "[numbers] thousands"),
        ('[numbers]\nstrip = ["-"]', "[numbers] strip"),
        ('[numbers]\nparentheses = "yes"', "[numbers] parentheses"),
        ('[dates]\nformat = "%d/%m"', "[dates] format"),
        ("not toml", "the file"),
        ("a = " + "[" * 100_000, "the file"),
    ],
)
def test_a_map_that_cannot_be_used_says_where(content, where):
    with pytest.raises(BrokerMapError) as caught:
        parse_broker_map(content.encode())

    assert caught.value.where == where
    assert where in str(caught.value)
    assert isinstance(caught.value, InputError)


def test_an_empty_map_is_the_canonical_form_that_passes_over_unknown_columns():
    assert parse_broker_map(b"") == BrokerMap(ignore_unknown=True)
    assert not CANONICAL.ignore_unknown


@given(st.binary(max_size=200))
def test_any_bytes_are_a_map_or_an_input_error(content):
    with contextlib.suppress(BrokerMapError):
        assert isinstance(parse_broker_map(content), BrokerMap)
