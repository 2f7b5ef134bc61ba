"""Files of factor returns: ``date`` and one column for each factor, as daily fractions.

Column names are kept in lower case with underscores: ``Mkt-RF`` is ``mkt_rf``. An empty
field says nothing of its session. All of a file is read, or nothing and what is wrong.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from riskmark.errors import InputError
from riskmark.intake.market_data import DateArray, FloatArray
from riskmark.storage.file_issues import FileIssue
from riskmark.storage.tables import Issues, read_dates, read_numbers, read_table

MOST = 1.0
"""A daily factor return is below this; a number in percent often is not."""
WILD, ENOUGH = 0.1, 20
"""A column of so many returns that moves so much on a median day is in percent."""
MAX_NAME = 40
_DATE = "date"
_FRACTION = "a daily return as a fraction: 0.01 is one percent"
_OWN = ("file", "row", _DATE)


@dataclass(frozen=True, slots=True)
class FactorReturns:
    """Returns of F factors on S dates, ascending: ``values`` (S, F), NaN where not stated."""

    columns: tuple[str, ...]
    dates: DateArray
    values: FloatArray


def read_factor_returns(path: Path) -> FactorReturns:
    """Read a file of factor returns; raise ``MarketFileErrors`` with everything wrong in it."""
    issues = Issues()
    if not path.is_file():
        raise InputError(f"there is no file {str(path)!r}")
    frame = read_table(path, None, {_DATE: True}, issues, others=True)
    if frame is None:
        frame = pl.DataFrame(schema=dict.fromkeys(_OWN, pl.String))
    columns = [name for name in frame.columns if name not in _OWN]
    _check_columns(path.name, columns, issues)
    dates = read_dates(frame, _DATE, issues)
    again = ~frame.select(dates.is_first_distinct()).to_series() & dates.is_not_null()
    issues.add_rows(frame, again, _DATE, "each date once")
    numbers = [_read_returns(frame, name, issues) for name in columns]
    issues.raise_if_any()
    order = dates.arg_sort()
    values = np.column_stack([one.fill_null(float("nan")).to_numpy() for one in numbers])
    return FactorReturns(tuple(columns), dates[order].to_numpy(), values[order.to_numpy()])


def _read_returns(frame: pl.DataFrame, name: str, issues: Issues) -> pl.Series:
    numbers = read_numbers(frame, name, issues)
    usual = numbers.abs().to_frame().median().item()
    if numbers.count() >= ENOUGH and usual >= WILD:
        # Said once: thousands of rows would hide what else is wrong.
        file = str(frame["file"][0])
        issues.add(FileIssue(file, None, name, f"{usual:g} on a median day", _FRACTION))
        return numbers
    large = (numbers.abs() >= MOST).fill_null(value=False)
    issues.add_rows(frame, large, name, _FRACTION)
    return numbers


def _check_columns(file: str, columns: list[str], issues: Issues) -> None:
    if not columns and not issues.total:
        issues.add(FileIssue(file, None, None, _DATE, "a column of returns for each factor"))
    for name in columns:
        if not (name and len(name) <= MAX_NAME and name.isascii() and name.isprintable()):
            expected = f"a header of 1 to {MAX_NAME} ASCII characters"
            issues.add(FileIssue(file, 1, None, name, expected))
