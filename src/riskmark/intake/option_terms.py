"""The option that a row means: from its OCC symbol, from its columns, or from both.

An OCC symbol says everything; columns beside it must agree with it. Without one, the four
columns are required and the OCC symbol is composed of them.

The root of an OCC symbol is not always the underlying's symbol: punctuation is dropped
(BRKB for BRK.B), and series of their own add one character (SPXW on ^SPX, AAPL1 after an
adjustment). The column Underlying Symbol, where it is given, names the underlying.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from riskmark.domain.instruments import OptionTerms, OptionType, occ_symbol, parse_occ
from riskmark.intake.columns import Column
from riskmark.intake.dates import parse_date
from riskmark.intake.numbers import NumberProblem, decimal_text, parse_decimal
from riskmark.intake.row_errors import EXPECTED, ErrorCode
from riskmark.intake.rows import Row
from riskmark.intake.symbols import canonical_symbol

_MAX_ROOT = 6
_MAX_STRIKE = Decimal(100_000)
_THOUSANDTHS = -3
_CENTURY = 2000
_SERIES = "WP0123456789"
"""What the root of a weekly, a p.m.-settled or an adjusted series ends with."""
_TYPES = {
    "CALL": OptionType.CALL,
    "C": OptionType.CALL,
    "PUT": OptionType.PUT,
    "P": OptionType.PUT,
}
OPTION_COLUMNS = {
    Column.UNDERLYING: ErrorCode.OPTION_UNDERLYING,
    Column.STRIKE: ErrorCode.OPTION_STRIKE,
    Column.EXPIRY: ErrorCode.OPTION_EXPIRY,
    Column.OPTION_TYPE: ErrorCode.OPTION_TYPE,
}
"""The columns that only options have, and the code of each."""


def read_stated_terms(row: Row, symbol: str) -> OptionTerms | None:
    """Read the terms in an OCC symbol and check the row's columns against them."""
    terms = parse_occ(symbol)
    if terms is None:
        return None
    if terms.strike == 0:
        row.refuse(ErrorCode.OPTION_STRIKE, Column.SYMBOL)
    underlying = _read_underlying(row) if row.cell(Column.UNDERLYING) else None
    if underlying is not None and not _is_root_of(terms.underlying, underlying):
        _refuse_contradiction(row, Column.UNDERLYING, terms.underlying)
    strike = _read_strike(row) if row.cell(Column.STRIKE) else None
    if strike not in {None, terms.strike}:
        _refuse_contradiction(row, Column.STRIKE, decimal_text(terms.strike))
    expiry = _read_expiry(row) if row.cell(Column.EXPIRY) else None
    if expiry not in {None, terms.expiry}:
        _refuse_contradiction(row, Column.EXPIRY, terms.expiry.isoformat())
    option_type = _read_type(row) if row.cell(Column.OPTION_TYPE) else None
    if option_type not in {None, terms.option_type}:
        _refuse_contradiction(row, Column.OPTION_TYPE, terms.option_type.upper())
    return terms if underlying is None else replace(terms, underlying=underlying)


def read_column_terms(row: Row) -> OptionTerms | None:
    """Read an option's terms from the four columns, all of which are required."""
    underlying, strike = _read_underlying(row), _read_strike(row)
    expiry, option_type = _read_expiry(row), _read_type(row)
    if underlying is None or strike is None or expiry is None or option_type is None:
        return None
    return OptionTerms(underlying, expiry, option_type, strike)


def composed_symbol(terms: OptionTerms) -> str:
    """Write the OCC symbol of terms that were read from columns."""
    return occ_symbol(replace(terms, underlying=_root(terms.underlying)))


def _read_underlying(row: Row) -> str | None:
    symbol = canonical_symbol(row.cell(Column.UNDERLYING))
    if symbol is None or len(_root(symbol)) > _MAX_ROOT or not _root(symbol)[0].isalpha():
        row.refuse(ErrorCode.OPTION_UNDERLYING, Column.UNDERLYING)
        return None
    return symbol


def _read_strike(row: Row) -> Decimal | None:
    strike = parse_decimal(row.cell(Column.STRIKE), style=row.conventions.numbers)
    if isinstance(strike, NumberProblem) or not 0 < strike < _MAX_STRIKE:
        row.refuse(ErrorCode.OPTION_STRIKE, Column.STRIKE)
        return None
    exponent = strike.as_tuple().exponent
    if isinstance(exponent, int) and exponent < _THOUSANDTHS:
        row.refuse(ErrorCode.OPTION_STRIKE, Column.STRIKE)
        return None
    return strike


def _read_expiry(row: Row) -> date | None:
    style = row.conventions.dates
    day = parse_date(row.cell(Column.EXPIRY), style=style)
    if day is None or not _CENTURY <= day.year < _CENTURY + 100:
        row.refuse(
            ErrorCode.OPTION_EXPIRY,
            Column.EXPIRY,
            expected=f"{style.expected}, from 2000 to 2099",
        )
        return None
    return day


def _read_type(row: Row) -> OptionType | None:
    option_type = _TYPES.get(row.cell(Column.OPTION_TYPE).upper())
    if option_type is None:
        row.refuse(ErrorCode.OPTION_TYPE, Column.OPTION_TYPE)
    return option_type


def _root(symbol: str) -> str:
    """Drop what an OCC root does not have: all but letters and digits."""
    return "".join(c for c in symbol if c.isalnum())


def _is_root_of(root: str, underlying: str) -> bool:
    bare, wanted = _root(root), _root(underlying)
    return bare == wanted or (bare[:-1] == wanted and bare[-1] in _SERIES)


def _refuse_contradiction(row: Row, column: Column, stated: str) -> None:
    code = OPTION_COLUMNS[column]
    row.refuse(code, column, expected=f"{EXPECTED[code]}: {stated}, as the symbol has it")
