"""From a row to the lot that it states, with every error of the row at once."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from riskmark.domain.instruments import (
    MAX_SYMBOL,
    OCC_LENGTH,
    InstrumentKind,
    OptionTerms,
    parse_occ,
)
from riskmark.domain.portfolio import ONE, OPTION_MULTIPLIER, InvestmentClass, Lot
from riskmark.intake.columns import Column
from riskmark.intake.option_terms import (
    OPTION_COLUMNS,
    composed_symbol,
    read_column_terms,
    read_stated_terms,
)
from riskmark.intake.row_errors import ErrorCode
from riskmark.intake.rows import Row, read_past_date, read_price, read_quantity
from riskmark.intake.subtypes import (
    SUBTYPES,
    UNSTATED_KIND,
    class_of_subtype,
    subtype_key,
)
from riskmark.intake.symbols import canonical_symbol

_SPACED_CHARACTERS = re.compile(r"[A-Za-z0-9.\-^=/ ]+", re.ASCII)
_CLASSES = {cls.value: cls for cls in InvestmentClass}


@dataclass(frozen=True, slots=True)
class InstrumentHint:
    """What a file says of an instrument, for the caller that has to create it.

    ``is_stated`` tells whether the file names the kind (by a subtype, or by the form of
    an option's symbol) or it is only what a lot of that class usually is.
    """

    symbol: str
    kind: InstrumentKind
    terms: OptionTerms | None = None
    is_stated: bool = False


@dataclass(frozen=True, slots=True)
class ReadLot:
    """A row's lot and what it says of the lot's instrument."""

    lot: Lot
    hint: InstrumentHint


def read_lot(row: Row) -> ReadLot | None:
    """Read a row; None, with every error logged, if the row is refused."""
    symbol = _read_symbol(row)
    quantity = read_quantity(row)
    entry_price = _read_entry_price(row)
    entry_date = _read_entry_date(row)
    exit_date, exit_price = _read_exit(row, entry_date)
    investment_class = _read_class(row, symbol)
    terms = _read_terms(row, symbol, investment_class=investment_class, entry_date=entry_date)
    subtype = _read_subtype(row, investment_class, terms=terms)
    if row.is_refused or symbol is None or investment_class is None:
        return None
    if quantity is None or entry_price is None or entry_date is None:
        return None
    if terms is not None and parse_occ(symbol) is None:
        symbol = composed_symbol(terms)
    lot = Lot(
        symbol=symbol,
        quantity=quantity,
        entry_date=entry_date,
        entry_price=entry_price,
        exit_date=exit_date,
        exit_price=exit_price,
        multiplier=ONE if terms is None else OPTION_MULTIPLIER,
        investment_class=investment_class,
        subtype=subtype,
    )
    return ReadLot(lot, _hint(lot, terms))


def _read_symbol(row: Row) -> str | None:
    if not row.is_given(Column.SYMBOL, missing=ErrorCode.SYMBOL_MISSING):
        return None
    text = row.cell(Column.SYMBOL)
    symbol = canonical_symbol(text)
    if symbol is None:
        has_known_characters = _SPACED_CHARACTERS.fullmatch(text) is not None
        is_too_long = len(text) > (MAX_SYMBOL if has_known_characters else OCC_LENGTH)
        row.refuse(
            ErrorCode.SYMBOL_TOO_LONG if is_too_long else ErrorCode.SYMBOL_CHARACTERS,
            Column.SYMBOL,
        )
    return symbol


def _read_entry_price(row: Row) -> Decimal | None:
    if not row.is_given(Column.ENTRY_PRICE, missing=ErrorCode.PRICE_MISSING):
        return None
    return read_price(row, Column.ENTRY_PRICE)


def _read_entry_date(row: Row) -> date | None:
    if not row.is_given(Column.ENTRY_DATE, missing=ErrorCode.DATE_MISSING):
        return None
    return read_past_date(row, Column.ENTRY_DATE)


def _read_exit(row: Row, entry_date: date | None) -> tuple[date | None, Decimal | None]:
    has_date, has_price = bool(row.cell(Column.EXIT_DATE)), bool(row.cell(Column.EXIT_PRICE))
    if has_date != has_price:
        given = Column.EXIT_DATE if has_date else Column.EXIT_PRICE
        row.refuse(ErrorCode.EXIT_INCOMPLETE, given)
    exit_date = read_past_date(row, Column.EXIT_DATE) if has_date else None
    exit_price = read_price(row, Column.EXIT_PRICE, may_be_zero=True) if has_price else None
    if exit_date is not None and entry_date is not None and exit_date < entry_date:
        row.refuse(ErrorCode.EXIT_BEFORE_ENTRY, Column.EXIT_DATE)
    return exit_date, exit_price


def _read_class(row: Row, symbol: str | None) -> InvestmentClass | None:
    text = row.cell(Column.INVESTMENT_CLASS)
    is_occ = symbol is not None and parse_occ(symbol) is not None
    if not text:
        return InvestmentClass.OPTIONS if is_occ else _guess_class(row)
    cls = _CLASSES.get(text.upper()) if text.isascii() else None
    if cls is None:
        row.refuse(ErrorCode.CLASS_UNKNOWN, Column.INVESTMENT_CLASS)
    elif is_occ and cls is not InvestmentClass.OPTIONS:
        row.refuse(
            ErrorCode.CLASS_UNKNOWN,
            Column.INVESTMENT_CLASS,
            expected="OPTIONS or a blank: the symbol is an option's",
        )
        return None
    return cls


def _guess_class(row: Row) -> InvestmentClass:
    """Guess the class of a lot that is not named by an option's symbol."""
    if any(row.cell(c) for c in OPTION_COLUMNS if c is not Column.UNDERLYING):
        return InvestmentClass.OPTIONS
    stated = class_of_subtype(subtype_key(row.cell(Column.SUBTYPE)))
    return InvestmentClass.PUBLIC if stated is None else stated


def _read_terms(
    row: Row,
    symbol: str | None,
    *,
    investment_class: InvestmentClass | None,
    entry_date: date | None,
) -> OptionTerms | None:
    if investment_class is None:
        return None
    if investment_class is not InvestmentClass.OPTIONS:
        for column, code in OPTION_COLUMNS.items():
            if row.cell(column):
                row.advise(code, column, expected="a blank: not an option, so this is not used")
        return None
    if symbol is None and not any(row.cell(column) for column in OPTION_COLUMNS):
        # The symbol, once it is right, may be of the OCC form and say it all.
        return None
    is_occ = symbol is not None and parse_occ(symbol) is not None
    if symbol is not None and is_occ:
        terms = read_stated_terms(row, symbol)
    else:
        terms = read_column_terms(row)
    if terms is not None and entry_date is not None and terms.expiry < entry_date:
        row.refuse(ErrorCode.OPTION_EXPIRY, Column.SYMBOL if is_occ else Column.EXPIRY)
    return terms


def _read_subtype(
    row: Row, investment_class: InvestmentClass | None, *, terms: OptionTerms | None
) -> str | None:
    stated = subtype_key(row.cell(Column.SUBTYPE))
    if investment_class is None:
        return None
    known = SUBTYPES[investment_class]
    if stated and stated not in known:
        row.refuse(
            ErrorCode.SUBTYPE_UNKNOWN,
            Column.SUBTYPE,
            expected=f"for {investment_class} one of: {', '.join(known)}",
        )
        return None
    if terms is None:
        return stated or None
    option_type = terms.option_type.upper()
    if stated not in {"", option_type}:
        row.refuse(
            ErrorCode.SUBTYPE_UNKNOWN,
            Column.SUBTYPE,
            expected=f"{option_type}, as the option's type is",
        )
    return option_type


def _hint(lot: Lot, terms: OptionTerms | None) -> InstrumentHint:
    cls = lot.investment_class
    if terms is not None or lot.subtype is None:
        kind, is_stated = UNSTATED_KIND[cls], cls is not InvestmentClass.PUBLIC
    else:
        kind, is_stated = SUBTYPES[cls][lot.subtype], True
    return InstrumentHint(lot.symbol, kind, terms, is_stated)
