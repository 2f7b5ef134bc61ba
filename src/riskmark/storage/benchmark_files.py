"""Files of benchmark weights: ``date``, ``weight``, and ``symbol`` or ``sector``.

A row names a symbol or a sector, never both. Weights are fractions, and those of a date sum
to about 1: a list of the largest members alone would make every other sector look empty.
All of a file is read, or nothing and what is wrong with it.
"""

from pathlib import Path

import polars as pl

from riskmark.storage.benchmarks import BenchmarkWeight, MemberKind
from riskmark.storage.file_issues import FileIssue
from riskmark.storage.tables import (
    Issues,
    find_files,
    read_dates,
    read_numbers,
    read_symbols,
    read_table,
    read_texts,
)

LEAST_SUM, MOST_SUM = 0.9, 1.01
"""What the weights of a date sum to: cash is often left out, and weights are rounded."""
MAX_SECTOR = 200
_COLUMNS = {"date": True, "weight": True, "symbol": False, "sector": False}


def read_benchmark_weights(path: Path) -> tuple[BenchmarkWeight, ...]:
    """Read weights, by date and name; raise ``MarketFileErrors`` with everything wrong."""
    issues = Issues()
    frames = [read_table(file, None, _COLUMNS, issues) for file in find_files(path)]
    converted = [_convert(frame, issues) for frame in frames if frame is not None]
    weights = pl.concat(converted) if converted else pl.DataFrame()
    if not issues.total and not weights.is_empty():
        _check_whole(weights, issues)
    issues.raise_if_any()
    if weights.is_empty():
        return ()
    ordered = weights.sort("date", "kind", "name")
    return tuple(
        BenchmarkWeight(day, MemberKind(kind), name, weight)
        for day, kind, name, weight in ordered.select("date", "kind", "name", "weight").iter_rows()
    )


def _convert(frame: pl.DataFrame, issues: Issues) -> pl.DataFrame:
    """Convert the columns of one file; what is wrong is an issue and becomes null."""
    sectors = read_texts(frame, "sector")
    named = read_texts(frame, "symbol")
    shown = frame.with_columns(pl.coalesce(named, sectors).alias("symbol"))
    one = named.is_null() != sectors.is_null()
    issues.add_rows(shown, ~one, "symbol", "a symbol or a sector, and not both")
    of_symbols = frame.filter(named.is_not_null() & one)
    symbols = read_symbols(of_symbols, issues) if len(of_symbols) else pl.Series(dtype=pl.String)
    placed = of_symbols.select("row").with_columns(symbols.alias("name"))
    long = (sectors.str.len_chars() > MAX_SECTOR).fill_null(value=False)
    issues.add_rows(shown, long, "symbol", f"a sector of at most {MAX_SECTOR} characters")
    weights = read_numbers(frame, "weight", issues)
    outside = ~weights.is_between(0, 1).fill_null(value=False)
    stated = read_texts(frame, "weight")
    issues.add_rows(
        frame, outside & (weights.is_not_null() | stated.is_null()), "weight", "a fraction, 0 to 1"
    )
    return (
        frame.select("file", "row")
        .with_columns(
            read_dates(frame, "date", issues).alias("date"),
            pl.when(named.is_null())
            .then(pl.lit(MemberKind.SECTOR.value))
            .otherwise(pl.lit(MemberKind.SYMBOL.value))
            .alias("kind"),
            sectors.alias("sector"),
            weights.alias("weight"),
        )
        .join(placed, on="row", how="left", maintain_order="left")
        .with_columns(pl.coalesce("name", "sector").alias("name"))
        .drop("sector")
    )


def _check_whole(weights: pl.DataFrame, issues: Issues) -> None:
    """Refuse a member that a date names twice, and dates whose weights do not sum to 1."""
    again = ~weights.select(pl.struct("date", "kind", "name").is_first_distinct()).to_series()
    issues.add_rows(weights, again, "name", "each symbol and sector once for a date")
    sums = weights.group_by("date").agg(
        pl.col("weight").sum(), pl.col("file").first(), pl.col("row").first()
    )
    bad = sums.filter(~pl.col("weight").is_between(LEAST_SUM, MOST_SUM)).sort("date")
    for day, total, file, row in bad.select("date", "weight", "file", "row").iter_rows():
        expected = f"weights of {day} that sum to {LEAST_SUM} to {MOST_SUM}"
        issues.add(FileIssue(file, row, "weight", f"{total:.6g}", expected))
