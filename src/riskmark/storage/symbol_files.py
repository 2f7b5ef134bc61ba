"""Files of symbols: ``symbol`` and, as far as they are known, ``name, kind, sector, currency``.

An empty field says nothing: what is stored of it stays. All of a file is read, or nothing.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from riskmark.domain.instruments import InstrumentKind, parse_occ
from riskmark.storage.tables import (
    Issues,
    find_files,
    read_symbols,
    read_table,
    read_texts,
    refuse_seconds,
)

MAX_NAME = 200
_FIELDS = ("name", "kind", "sector", "currency")
_COLUMNS = {"symbol": True, **dict.fromkeys(_FIELDS, False)}


@dataclass(frozen=True, slots=True)
class SymbolRow:
    """What a row says of a symbol; None where it says nothing."""

    file: str
    row: int
    symbol: str
    name: str | None
    kind: InstrumentKind | None
    sector: str | None
    currency: str | None


def read_symbol_rows(path: Path) -> tuple[SymbolRow, ...]:
    """Read a file of symbols; raise ``MarketFileErrors`` with everything that is wrong."""
    issues = Issues()
    frames = [read_table(file, None, _COLUMNS, issues) for file in find_files(path)]
    converted = [_convert(frame, issues) for frame in frames if frame is not None]
    rows: tuple[SymbolRow, ...] = ()
    if converted:
        distinct = pl.concat(converted).unique(
            ["symbol", *_FIELDS], keep="first", maintain_order=True
        )
        refuse_seconds(distinct, ["symbol"], issues)
        rows = tuple(
            SymbolRow(file, row, symbol, name, kind and InstrumentKind(kind), sector, currency)
            for file, row, symbol, name, kind, sector, currency in distinct.drop_nulls(
                "symbol"
            ).iter_rows()
        )
    issues.raise_if_any()
    return rows


def _convert(frame: pl.DataFrame, issues: Issues) -> pl.DataFrame:
    symbols = read_symbols(frame, issues)
    texts = {name: read_texts(frame, name) for name in _FIELDS}
    kinds = texts["kind"].str.to_lowercase()
    known = kinds.is_null() | kinds.is_in([kind.value for kind in InstrumentKind])
    issues.add_rows(frame, ~known, "kind", f"one of {', '.join(InstrumentKind)}")
    is_option = pl.Series(
        [s is not None and parse_occ(s) is not None for s in symbols], dtype=pl.Boolean
    )
    bad = known & kinds.is_not_null() & ((kinds == InstrumentKind.OPTION.value) != is_option)
    issues.add_rows(frame, bad, "kind", "option for a symbol in OCC form, and for no other")
    for name in ("name", "sector"):
        long = (texts[name].str.len_chars() > MAX_NAME).fill_null(value=False)
        issues.add_rows(frame, long, name, f"at most {MAX_NAME} characters")
    codes = texts["currency"].str.contains(r"^[A-Za-z]{3}$").fill_null(value=True)
    issues.add_rows(frame, ~codes, "currency", "a code of three letters, as USD or GBp")
    return frame.select("file", "row").with_columns(
        symbols.alias("symbol"),
        texts["name"].alias("name"),
        kinds.set(~known, None).alias("kind"),
        texts["sector"].alias("sector"),
        texts["currency"].alias("currency"),
    )
