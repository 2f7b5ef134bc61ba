from datetime import date
from decimal import Decimal

import pytest
from tests.unit.intake.positions_files import CALL, TODAY

from riskmark.errors import InputError
from riskmark.intake.arguments import (
    BadArgument,
    parse_amount,
    parse_day,
    parse_equity,
    parse_price,
    parse_quantity,
    parse_symbol,
)


def test_arguments_are_read_by_the_grammar_of_files():
    assert parse_amount("-2500.50") == Decimal("-2500.5")
    assert parse_equity("0") == 0
    assert parse_quantity("+10") == 10
    assert parse_price("0.01") == Decimal("0.01")
    assert parse_price("0", may_be_zero=True) == 0
    assert parse_day("2025-12-31", today=TODAY) == date(2025, 12, 31)
    assert parse_symbol(" brk.b ") == "BRK.B"
    assert parse_symbol("aapl260116c00200000") == CALL


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_amount, "0"),
        (parse_amount, ""),
        (parse_amount, "NaN"),
        (parse_amount, "1e5"),
        (parse_amount, "1,000"),
        (parse_amount, "1000000000000"),
        (parse_equity, "-1"),
        (parse_quantity, "0.0"),
        (parse_price, "0"),
        (parse_price, "-5"),
        (lambda text: parse_price(text, may_be_zero=True), "-5"),
        (lambda text: parse_day(text, today=TODAY), "31.12.2025"),
        (lambda text: parse_day(text, today=TODAY), "2026-01-01"),
        (lambda text: parse_day(text, today=TODAY), "1925-01-01"),
        (parse_symbol, "A B"),
        (parse_symbol, "--"),
        (parse_symbol, "A" * 21),
    ],
)
def test_a_wrong_argument_says_what_was_expected(parse, text):
    with pytest.raises(BadArgument) as caught:
        parse(text)

    assert isinstance(caught.value, InputError)
    assert repr(text) in str(caught.value)
    assert caught.value.expected in str(caught.value)


def test_the_message_names_the_argument():
    with pytest.raises(BadArgument, match="opening equity 'x': expected digits"):
        parse_equity("x")
