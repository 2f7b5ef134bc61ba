"""Single values as people type them: amounts, quantities, prices, dates, symbols.

The grammar is that of positions files. Unlike a row of a file, a wrong argument ends the
request: each function raises ``BadArgument``, which names the argument.
"""

from datetime import date
from decimal import Decimal

from riskmark.domain.sessions import FIRST_DATE
from riskmark.errors import InputError
from riskmark.intake.dates import ISO, parse_date
from riskmark.intake.numbers import BLANKS, NumberProblem, parse_decimal
from riskmark.intake.row_errors import EXPECTED, ErrorCode, shown
from riskmark.intake.symbols import canonical_symbol


class BadArgument(InputError):
    """A typed value cannot be used."""

    def __init__(self, name: str, text: str, expected: str) -> None:
        super().__init__(f"{name} {shown(text)!r}: expected {expected}")
        self.name = name
        self.text = text
        self.expected = expected


def parse_amount(text: str, *, name: str = "amount") -> Decimal:
    """Read a sum of money other than zero, of either sign."""
    amount = _number(text, name)
    if amount == 0:
        raise BadArgument(name, text, "an amount other than zero")
    return amount


def parse_equity(text: str, *, name: str = "opening equity") -> Decimal:
    """Read a sum of money that is not negative."""
    amount = _number(text, name)
    if amount < 0:
        raise BadArgument(name, text, "an amount of at least zero")
    return amount


def parse_quantity(text: str, *, name: str = "quantity") -> Decimal:
    """Read a quantity other than zero, of either sign."""
    quantity = _number(text, name)
    if quantity == 0:
        raise BadArgument(name, text, EXPECTED[ErrorCode.QUANTITY_ZERO])
    return quantity


def parse_price(text: str, *, name: str = "price", may_be_zero: bool = False) -> Decimal:
    """Read a price above zero, or at it where that may be."""
    price = _number(text, name)
    if price < 0 or (price == 0 and not may_be_zero):
        expected = "a price of at least zero" if may_be_zero else "a price above zero"
        raise BadArgument(name, text, expected)
    return price


def parse_day(text: str, *, today: date, name: str = "date") -> date:
    """Read an ISO date from 1925 to ``today``."""
    day = parse_date(text.strip(BLANKS))
    if day is None:
        raise BadArgument(name, text, ISO.expected)
    if day < FIRST_DATE:
        raise BadArgument(name, text, EXPECTED[ErrorCode.DATE_TOO_EARLY])
    if day > today:
        raise BadArgument(name, text, f"{EXPECTED[ErrorCode.DATE_IN_FUTURE]}, {today}")
    return day


def parse_symbol(text: str, *, name: str = "symbol") -> str:
    """Read a symbol, in upper case."""
    symbol = canonical_symbol(text.strip(BLANKS))
    if symbol is None:
        raise BadArgument(name, text, EXPECTED[ErrorCode.SYMBOL_CHARACTERS])
    return symbol


def _number(text: str, name: str) -> Decimal:
    number = parse_decimal(text)
    if number is NumberProblem.NOT_A_NUMBER:
        raise BadArgument(name, text, EXPECTED[ErrorCode.QUANTITY_NOT_A_NUMBER])
    if isinstance(number, NumberProblem):
        raise BadArgument(name, text, EXPECTED[ErrorCode.QUANTITY_OUT_OF_RANGE])
    return number
