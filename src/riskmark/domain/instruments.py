"""Instruments: what can be held, and how a symbol is written.

A symbol is upper case, of ``A-Z 0-9 . - ^ = /``, at most 20 characters; an option's symbol
is the 21 characters of the OCC form: root padded to 6, expiry ``yymmdd``, ``C`` or ``P``,
strike in thousandths padded to 8.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

MAX_SYMBOL = 20
OCC_LENGTH = 21
_SYMBOL = re.compile(r"[A-Z0-9.\-^=/]+", re.ASCII)
_SHARE_CLASS = re.compile(r"([A-Z]{1,5})([.-])([A-C])")
_OCC = re.compile(r"([A-Z][A-Z0-9.]{0,5}) *(\d{6})([CP])(\d{8})", re.ASCII)


class InstrumentKind(StrEnum):
    """What an instrument is."""

    STOCK = "stock"
    ETF = "etf"
    FUND = "fund"
    INDEX = "index"
    PRIVATE = "private"
    OPTION = "option"
    OTHER = "other"


class OptionType(StrEnum):
    """The right that an option gives."""

    CALL = "call"
    PUT = "put"


@dataclass(frozen=True, slots=True)
class OptionTerms:
    """The terms of a listed equity option."""

    underlying: str
    expiry: date
    option_type: OptionType
    strike: Decimal


def is_symbol(text: str) -> bool:
    """Whether ``text`` is a well-formed symbol, of an option or not."""
    if len(text) == OCC_LENGTH:
        return parse_occ(text) is not None
    return len(text) <= MAX_SYMBOL and _SYMBOL.fullmatch(text) is not None


def parse_occ(symbol: str) -> OptionTerms | None:
    """Read the terms in an OCC option symbol; None if ``symbol`` is not one."""
    if len(symbol) != OCC_LENGTH:
        return None
    match = _OCC.fullmatch(symbol)
    if match is None:
        return None
    root, expiry, right, strike = match.groups()
    try:
        day = date(2000 + int(expiry[:2]), int(expiry[2:4]), int(expiry[4:]))
    except ValueError:
        return None
    return OptionTerms(
        underlying=root,
        expiry=day,
        option_type=OptionType.CALL if right == "C" else OptionType.PUT,
        strike=Decimal(strike) / 1000,
    )


def occ_symbol(terms: OptionTerms) -> str:
    """Write ``terms`` as an OCC option symbol."""
    right = "C" if terms.option_type is OptionType.CALL else "P"
    return f"{terms.underlying:<6}{terms.expiry:%y%m%d}{right}{int(terms.strike * 1000):08d}"


def other_spelling(symbol: str) -> str | None:
    """Return the symbol of a share class with a hyphen for its point, or a point for its hyphen.

    None if it is none: other single letters after a point are exchanges, L is London.
    """
    match = _SHARE_CLASS.fullmatch(symbol)
    return None if match is None else f"{match[1]}{'-' if match[2] == '.' else '.'}{match[3]}"
