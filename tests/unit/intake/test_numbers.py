from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmark.intake.numbers import NumberProblem, NumberStyle, decimal_text, parse_decimal

GERMAN = NumberStyle(decimal=",", thousands=".", strip=("€", " EUR"))
US = NumberStyle(thousands=",", strip=("$",), parentheses=True)
SWISS = NumberStyle(thousands="'")
FRENCH = NumberStyle(decimal=",", thousands=" ")

exact = st.decimals(
    min_value=-(10**12) + 1, max_value=10**12 - 1, allow_nan=False, allow_infinity=False, places=8
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        ("-0.00", "0"),
        ("+7", "7"),
        ("007.50", "7.5"),
        ("100", "100"),
        (" \t12.5 ", "12.5"),
        ("-999999999999.99999999", "-999999999999.99999999"),
    ],
)
def test_plain_numbers_are_read_without_trailing_zeros(text, number):
    assert str(parse_decimal(text)) == number


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-", ".", ".5", "5.", "1e5", "1e999999", "1E-3", "NaN", "sNaN", "Infinity", "-inf",
        "1_000", "1,000", "1 000", "١٢٣", "\uff11\uff12", "−5", "5-", "--5", "+-5", "0x10", "1.2.3",
        "\u00a05", "5\u200b", "5\n", "$5", "(5)", "½", "1/2", "5%", "9" * 1_000_000 + "x",
    ],
)  # fmt: skip
def test_other_text_is_not_a_number(text):
    assert parse_decimal(text) is NumberProblem.NOT_A_NUMBER


@pytest.mark.parametrize(
    "text", ["1000000000000", "1.123456789", "0" * 13, "9" * 1_000_000, "-1" + "0" * 40]
)
def test_digits_that_no_column_can_hold_are_out_of_range(text):
    assert parse_decimal(text) is NumberProblem.OUT_OF_RANGE


@pytest.mark.parametrize(
    ("style", "text", "number"),
    [
        (GERMAN, "1.234,5", "1234.5"),
        (GERMAN, "1234,50 EUR", "1234.5"),
        (GERMAN, "-€1.234.567", "-1234567"),
        (US, "$1,234.50", "1234.5"),
        (US, "-$5", "-5"),
        (US, "($1,234.50)", "-1234.5"),
        (US, "( 5 )", "-5"),
        (SWISS, "1'000'000.5", "1000000.5"),
        (FRENCH, "1 234,5", "1234.5"),
    ],
)
def test_a_style_reads_what_a_broker_writes(style, text, number):
    assert str(parse_decimal(text, style=style)) == number


@pytest.mark.parametrize(
    ("style", "text"),
    [
        (GERMAN, "1.5"),
        (GERMAN, "1.2345"),
        (GERMAN, "1,5,5"),
        (GERMAN, "1,234.5"),
        (GERMAN, ".234"),
        (NumberStyle(decimal=","), "1.5"),
        (US, "1,23"),
        (US, "1,,234"),
        (US, "1234,567"),
        (US, "(-5)"),
        (US, "(5"),
        (US, "()"),
        (US, "$"),
        (FRENCH, "1  234"),
        (SWISS, "1'٢٣٤"),
    ],
)
def test_a_style_never_guesses(style, text):
    assert parse_decimal(text, style=style) is NumberProblem.NOT_A_NUMBER


@given(exact)
def test_what_is_written_is_read_back(number):
    text = decimal_text(number)

    assert parse_decimal(text) == number
    assert decimal_text(parse_decimal(text)) == text


@given(st.text())
def test_any_text_is_a_number_or_a_problem(text):
    for style in (GERMAN, US, SWISS, FRENCH, NumberStyle()):
        number = parse_decimal(text, style=style)

        if not isinstance(number, NumberProblem):
            assert isinstance(number, Decimal)
            assert number.is_finite()
            assert abs(number) < 10**12
