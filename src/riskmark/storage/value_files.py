"""Files of valuations of private assets: ``symbol``, ``date``, ``price`` of one unit.

All of a file is stored, or nothing and what is wrong with it. A file that is imported again
changes nothing; a date that is stated anew has its new value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import polars as pl
from sqlalchemy import Connection

from riskmark.domain.sessions import FIRST_DATE, Calendar
from riskmark.storage.file_issues import FileIssue
from riskmark.storage.instruments import find_instruments
from riskmark.storage.schema import LOCAL_ACCOUNT
from riskmark.storage.symbols import DECIMALS, MOST, value_private
from riskmark.storage.tables import (
    Issues,
    find_files,
    read_dates,
    read_numbers,
    read_symbols,
    read_table,
    read_texts,
    refuse_seconds,
)

_COLUMNS = {"symbol": True, "date": True, "price": True}
_PRICE = f"a price from 0 to {MOST:,}, with at most {DECIMALS} decimals"


@dataclass(frozen=True, slots=True)
class ValueRow:
    """What a private asset is worth from a date on, and where that stands."""

    file: str
    row: int
    symbol: str
    date: date
    price: Decimal


class ValueImport(NamedTuple):
    """How many valuations a file has, and how many of them were not known."""

    received: int
    changed: int


def read_value_rows(path: Path) -> tuple[ValueRow, ...]:
    """Read valuations in the order of their dates; raise ``MarketFileErrors`` with all errors."""
    issues = Issues()
    frames = [read_table(file, None, _COLUMNS, issues) for file in find_files(path)]
    converted = [_convert(frame, issues) for frame in frames if frame is not None]
    if converted:
        rows = pl.concat(converted).unique(
            ["symbol", "date", "price"], keep="first", maintain_order=True
        )
        refuse_seconds(rows, ["symbol", "date"], issues)
    issues.raise_if_any()
    if not converted:
        return ()
    ordered = rows.sort("date", "symbol")
    return tuple(
        ValueRow(file, row, symbol, day, Decimal(price))
        for file, row, symbol, day, price in ordered.iter_rows()
    )


def _convert(frame: pl.DataFrame, issues: Issues) -> pl.DataFrame:
    symbols, dates = read_symbols(frame, issues), read_dates(frame, "date", issues)
    before = (dates < FIRST_DATE).fill_null(value=False)
    issues.add_rows(frame, before, "date", f"a date from {FIRST_DATE} on")
    texts = read_texts(frame, "price")
    numbers = read_numbers(frame, "price", issues)
    known = numbers.is_not_null()
    good = pl.Series(
        [
            is_known and _is_price(text)
            for is_known, text in zip(known.to_list(), texts.to_list(), strict=True)
        ],
        dtype=pl.Boolean,
    )
    issues.add_rows(frame, (known | texts.is_null()) & ~good, "price", _PRICE)
    return frame.select("file", "row").with_columns(
        symbols.alias("symbol"), dates.alias("date"), texts.alias("price")
    )


def _is_price(text: str) -> bool:
    price = Decimal(text)
    return 0 <= price < MOST and price == round(price, DECIMALS)


def import_values(
    connection: Connection,
    rows: Sequence[ValueRow],
    *,
    calendar: Calendar,
    today: date,
    at: datetime,
    owner_id: str = LOCAL_ACCOUNT,
) -> ValueImport:
    """Store valuations of private assets; raise ``MarketFileErrors`` if one cannot be."""
    known = find_instruments(connection, {one.symbol for one in rows}, owner_id=owner_id)
    issues = Issues()
    for one in rows:
        found = known.get(one.symbol)
        if found is None or not found.is_private:
            expected = "a private asset, as a lot or `symbols import` makes one"
            issues.add(FileIssue(one.file, one.row, "symbol", one.symbol, expected))
        if one.date > today:
            expected = f"a date up to today, {today}"
            issues.add(FileIssue(one.file, one.row, "date", str(one.date), expected))
    issues.raise_if_any()
    changed = sum(
        value_private(connection, one.symbol, one.date, one.price, calendar=calendar, at=at)
        for one in rows
    )
    return ValueImport(len(rows), changed)
