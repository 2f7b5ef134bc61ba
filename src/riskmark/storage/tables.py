"""Tables in files: CSV, plain or gzipped, and Parquet, column by column.

Every column of a CSV file is read as text and then converted at once, so that each bad
field can be named with its row. A field of blanks is empty; an empty field is null.
"""

import gzip
import re
import zlib
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from riskmark.errors import InputError
from riskmark.intake.row_errors import MAX_LISTED
from riskmark.intake.symbols import canonical_symbol
from riskmark.storage.file_issues import FileIssue, MarketFileErrors

SUFFIXES = (".csv", ".csv.gz", ".parquet")

MAX_INFLATED = 2 << 30
"""Bytes that a gzipped file may hold: thirty million bars; more is a mistake or an attack."""

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_GZIP = b"\x1f\x8b"
_AGAIN = re.compile(r"_duplicated_[0-9]+$")
_UNREADABLE = (
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
    OSError,
    EOFError,
    zlib.error,
)


class Issues:
    """Errors in the order found; the first thousand are kept and all are counted."""

    def __init__(self) -> None:
        self.listed: list[FileIssue] = []
        self.total = 0

    def add(self, issue: FileIssue) -> None:
        """Add one issue."""
        self.total += 1
        if len(self.listed) < MAX_LISTED:
            self.listed.append(issue)

    def add_rows(self, frame: pl.DataFrame, bad: pl.Series, column: str, expected: str) -> None:
        """Add an issue of ``column`` for each row that is ``bad``."""
        count = int(bad.sum())
        if not count:
            return
        self.total += count
        rows = frame.filter(bad).head(MAX_LISTED - len(self.listed))
        for file, row, value in rows.select("file", "row", column).iter_rows():
            text = "" if value is None else str(value)
            self.listed.append(FileIssue(file, row, column, text, expected))

    def raise_if_any(self) -> None:
        """Raise all issues in one error, those of a file in the order of its rows."""
        if self.total:
            listed = sorted(self.listed, key=lambda issue: (issue.file, issue.row or 0))
            raise MarketFileErrors(listed, self.total)


def refuse_seconds(frame: pl.DataFrame, key: list[str], issues: Issues) -> None:
    """Refuse all rows of a key but the first; equal rows are gone already."""
    again = ~frame.select(pl.struct(key).is_first_distinct()).to_series()
    again &= ~frame.select(pl.any_horizontal(pl.col(key).is_null())).to_series()
    named = frame.with_columns(pl.concat_str(key, separator=" ").alias("symbol"))
    expected = f"one row for each {', '.join(key)}; a row before this one says otherwise"
    issues.add_rows(named, again, "symbol", expected)


def find_files(path: Path) -> list[Path]:
    """Return the file ``path``, or the CSV and Parquet files of the folder ``path``."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f"there is no file or folder {str(path)!r}")
    found = sorted(file for file in path.iterdir() if file.name.lower().endswith(SUFFIXES))
    if not found:
        raise InputError(f"the folder {str(path)!r} holds no {', '.join(SUFFIXES)} files")
    return found


def read_table(
    path: Path,
    file_format: str | None,
    columns: Mapping[str, bool],
    issues: Issues,
    *,
    others: bool = False,
) -> pl.DataFrame | None:
    """Read the ``columns`` of a file that it has; the value tells whether one is needed.

    ``others`` reads every further column, too. Beside them stand ``file``, its name, and
    ``row``. Headers are compared without regard to case, and blanks and hyphens count as
    underscores. None if the file cannot be read.
    """
    name = path.name
    is_parquet = (file_format or _format_of(path)) == "parquet"
    try:
        frame = pl.read_parquet(path) if is_parquet else _read_csv(path)
        frame = frame.rename(_header_form)
    except _UNREADABLE as error:
        problem = str(error).strip().partition("\n")[0]
        expected = "a Parquet file" if is_parquet else "a CSV file in UTF-8, plain or gzipped"
        issues.add(FileIssue(name, None, None, problem, expected))
        return None
    present = frame.columns
    if others:
        columns = {**dict.fromkeys(_once(present), False), **columns}
    unclear = [column for column in columns if f"{column}_duplicated_0" in present]
    unclear += [column for column, needed in columns.items() if needed and column not in present]
    for column in unclear:
        issues.add(FileIssue(name, None, column, "", "a header with this column, once"))
    odd = [column for column in columns if column in present and _is_odd(frame[column].dtype)]
    for column in odd:
        issues.add(FileIssue(name, None, column, "", "texts, numbers or dates"))
    if unclear or odd:
        return None
    chosen = frame.select(column for column in columns if column in present)
    # A blank line is a row without any field. The header is row 1 of a CSV file.
    numbered = chosen.with_row_index("row", offset=1 if is_parquet else 2)
    kept = numbered.filter(~pl.all_horizontal(pl.col(chosen.columns).is_null()))
    return kept.with_columns(pl.lit(name).alias("file"))


def _once(names: list[str]) -> list[str]:
    """Return the names without those that tell columns of one name apart."""
    return [name for name in names if not _AGAIN.search(name)]


def _is_odd(dtype: pl.DataType) -> bool:
    return dtype.is_nested() or dtype in {pl.Binary, pl.Object}


def _format_of(path: Path) -> str:
    return "parquet" if path.name.lower().endswith(".parquet") else "csv"


def _header_form(text: str) -> str:
    return text.strip().lower().replace(" ", "_").replace("-", "_")


def _read_csv(path: Path) -> pl.DataFrame:
    with path.open("rb") as file:
        is_gzipped = file.read(len(_GZIP)) == _GZIP
    source = _inflate(path) if is_gzipped else path
    return pl.read_csv(source, infer_schema=False, glob=False)


def _inflate(path: Path) -> bytes:
    with gzip.open(path) as file:
        content = file.read(MAX_INFLATED + 1)
    if len(content) > MAX_INFLATED:
        msg = f"it holds more than {MAX_INFLATED:,} bytes"
        raise OSError(msg)
    return content


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    if name in frame.columns:
        return frame[name]
    return pl.Series(name, [None], dtype=pl.String).new_from_index(0, frame.height)


def read_texts(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return a column as text without blanks around it; nothing is null."""
    texts = _column(frame, name).cast(pl.String).str.strip_chars()
    return texts.replace("", None)


def read_numbers(frame: pl.DataFrame, name: str, issues: Issues) -> pl.Series:
    """Return a column as float64; empty is null, what is no number an issue and null."""
    column = _column(frame, name)
    if column.dtype.is_numeric():
        numbers = column.cast(pl.Float64).fill_nan(None)
        bad = numbers.is_infinite().fill_null(value=False)
    else:
        texts = read_texts(frame, name)
        numbers = texts.cast(pl.Float64, strict=False)
        good = texts.str.contains(_NUMBER) & numbers.is_finite()
        bad = texts.is_not_null() & ~good.fill_null(value=False)
    issues.add_rows(frame, bad, name, "a number with a point, as 101.25")
    return numbers.set(bad, None)


def read_dates(frame: pl.DataFrame, name: str, issues: Issues) -> pl.Series:
    """Return a column as dates; what is none is an issue and null."""
    column = _column(frame, name)
    if column.dtype == pl.Date:
        dates = column
    elif isinstance(column.dtype, pl.Datetime):
        is_midnight = (column == column.dt.truncate("1d")).fill_null(value=False)
        dates = column.dt.date().set(~is_midnight, None)
    else:
        texts = read_texts(frame, name)
        is_iso = texts.str.contains(_DATE).fill_null(value=False)
        dates = texts.str.to_date("%Y-%m-%d", strict=False).set(~is_iso, None)
    issues.add_rows(frame, dates.is_null(), name, "a date as YYYY-MM-DD")
    return dates


def read_symbols(frame: pl.DataFrame, issues: Issues) -> pl.Series:
    """Return the symbols in the form in which they are kept; a malformed one is an issue."""
    texts = read_texts(frame, "symbol")
    distinct = texts.unique().drop_nulls().to_list()
    forms = [canonical_symbol(text) for text in distinct]
    symbols = texts.replace_strict(distinct, forms, default=None, return_dtype=pl.String)
    issues.add_rows(
        frame, symbols.is_null(), "symbol", "a symbol of A-Z 0-9 . - ^ = /, at most 20 characters"
    )
    return symbols
