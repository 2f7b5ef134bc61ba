"""Files that no one would write: never an exception, never half a file.

Structured files have a header and cells that are mostly nearly right; mutated files are good
ones with bytes changed, cut, doubled or put in.
"""

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import PROFILE
from tests.unit.intake.positions_files import CALL, FULL_HEADER, GOOD, GOOD_OPTION, file_of, read

from riskmark.domain.instruments import is_symbol
from riskmark.intake.broker_map import parse_broker_map
from riskmark.intake.columns import Column
from riskmark.intake.positions_csv import write_positions

FUZZ_EXAMPLES = {"default": 2_000, "deep": 10_000}[PROFILE]
"""Cases of each fuzz; more than the profile has, since a case costs about a millisecond."""

SYMBOLS = [
    "AAPL",
    "aapl",
    "^VIX",
    "=X",
    "",
    "A B",
    "--",
    CALL,
    "AAPL260116C00200000",
    "A" * 30,
    "é",
]
NUMBERS = [
    "1", "-2.5", "0", "", "1e999999", "١٢٣", "NaN", "Infinity", "1_000", " 5 ", "1,5", "9" * 13,
    "0.000000001", "+7", "−1", "9" * 40_000,
]  # fmt: skip
DATES = [
    "2024-01-02",
    "2025-12-31",
    "2026-01-16",
    "2024-02-30",
    "",
    "1900-01-01",
    "2024-1-2",
    "02/01/24",
]
CLASSES = ["", "PUBLIC", "options", "PRIVATE", "CRYPTO"]
SUBTYPES = ["", "ETF", "CALL", "PUT", "HEDGE_FUND", "Mutual Fund", "?"]
TYPES = ["", "CALL", "p", "LONG"]
POOLS = {
    Column.SYMBOL: SYMBOLS,
    Column.QUANTITY: NUMBERS,
    Column.ENTRY_PRICE: NUMBERS,
    Column.ENTRY_DATE: DATES,
    Column.INVESTMENT_CLASS: CLASSES,
    Column.SUBTYPE: SUBTYPES,
    Column.UNDERLYING: SYMBOLS,
    Column.STRIKE: NUMBERS,
    Column.EXPIRY: DATES,
    Column.OPTION_TYPE: TYPES,
    Column.EXIT_DATE: DATES,
    Column.EXIT_PRICE: NUMBERS,
}
"""Cells by column; the first of each pool is drawn most often when cases are made small."""

ODD_LINES = [
    "", "#", "# x", '"', "\r", ",", "," * 11, '"a"b', "\x00", "\ufeff", "a,b", '"#,"', "\u2028",
]  # fmt: skip
CLOSED = GOOD | {Column.EXIT_DATE: "2024-05-01", Column.EXIT_PRICE: "160"}
GOOD_FILES = [
    file_of(GOOD, GOOD_OPTION, CLOSED, GOOD_OPTION, GOOD),
    file_of(GOOD | {Column.SUBTYPE: "ETF"}, CLOSED, GOOD, CLOSED),
    f"\ufeff# comment\r\n{FULL_HEADER}\r\n{f'{CALL},-1,2,2025-01-02,,,,,,,,CRLF' * 4}".replace(
        "CRLF", "\r\n"
    ).encode(),
    gzip.compress(file_of(GOOD), mtime=0),
]
SIGNS = st.sampled_from(list(b'",\n\r#-.=0123456789ACPz ;\t')).map(lambda code: bytes([code]))
NOT_TEXT = st.sampled_from([b"\x00", b"\xff", b"\xc3", b"\xe2\x80\x8b", b"\xef\xbb\xbf"])
BROKER_MAP = parse_broker_map(
    b'[numbers]\ndecimal = ","\nthousands = "."\nparentheses = true\n'
    b'[dates]\nformat = "%d/%m/%y"\n[file]\nends_at = ["#"]\n'
)


@st.composite
def structured_files(draw):
    columns = draw(st.permutations(Column))
    if draw(st.booleans()):
        columns = columns[: draw(st.integers(0, len(Column)))]
        columns += [column for column in GOOD if column not in columns]
    lines = [draw(st.sampled_from([",", ", "])).join(columns)]
    for _ in range(draw(st.integers(0, 4))):
        base = draw(st.sampled_from([GOOD, GOOD_OPTION]))
        wrong = draw(st.sets(st.sampled_from(columns), max_size=2))
        cells = [
            draw(st.sampled_from(POOLS[column])) if column in wrong else base.get(column, "")
            for column in columns
        ]
        lines.append(",".join(_quoted(cell) for cell in cells))
    if draw(st.booleans()):
        lines.insert(draw(st.integers(0, len(lines))), draw(st.sampled_from(ODD_LINES)))
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines).encode()


@st.composite
def mutated_files(draw):
    content = draw(st.sampled_from(GOOD_FILES))
    for _ in range(draw(st.integers(1, 4))):
        # Cases are made small, so a place near the beginning of a range is the usual one.
        begin = len(content) * draw(st.integers(0, 9)) // 10
        at = draw(st.integers(begin, len(content)))
        end = min(len(content), at + draw(st.integers(0, 2)))
        content = content[:at] + draw(SIGNS) + content[end:]
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(content)))
        content = content[:at] + draw(NOT_TEXT) + content[at : at + draw(st.integers(0, 200))]
    return content


def _quoted(cell):
    return f'"{cell}"' if "," in cell else cell


def _check(result):
    """Check what holds for the answer to any file whatever."""
    assert bool(result.errors) != bool(result.lots)
    assert result.is_valid == (not result.errors)
    assert result.total_errors >= len(result.errors)
    json.dumps(result.answer(), allow_nan=False)
    for issue in (*result.errors, *result.warnings):
        assert issue.value.isprintable()
        assert len(issue.value) <= 80
    assert {hint.symbol for hint in result.instruments} == {lot.symbol for lot in result.lots}
    for lot in result.lots:
        assert is_symbol(lot.symbol)
        assert lot.quantity != 0
        assert lot.entry_price > 0
        assert (lot.exit_date is None) == (lot.exit_price is None)


def _check_fixed_point(result):
    if not result.lots:
        return
    terms = {hint.symbol: hint.terms for hint in result.instruments if hint.terms is not None}
    text = write_positions(result.lots, terms=terms)
    again = read(text)
    assert again.lots == result.lots
    assert {hint.terms for hint in again.instruments} == {hint.terms for hint in result.instruments}
    assert write_positions(again.lots, terms=terms) == text


@pytest.mark.timeout(900)
@settings(max_examples=FUZZ_EXAMPLES)
@given(structured_files())
def test_a_structured_file_gives_lots_or_errors(content):
    result = read(content)

    _check(result)
    _check_fixed_point(result)


@pytest.mark.timeout(900)
@settings(max_examples=FUZZ_EXAMPLES)
@given(mutated_files())
def test_a_mutated_file_gives_lots_or_errors(content):
    result = read(content)

    _check(result)
    _check_fixed_point(result)


@given(structured_files() | mutated_files())
def test_a_file_read_with_a_map_gives_lots_or_errors(content):
    result = read(content, broker_map=BROKER_MAP)

    _check(result)


@given(st.binary(max_size=300))
def test_any_bytes_give_lots_or_errors(content):
    _check(read(content))


@given(st.text(max_size=100), st.sampled_from(Column))
def test_any_cell_gives_lots_or_errors(cell, column):
    quoted = cell.replace('"', '""')

    _check(read(file_of(GOOD | {column: f'"{quoted}"'})))
