"""The demo's prices: real daily closes that come with the package ``skfolio``.

Twenty American stocks, five style ETFs and the S&P 500, adjusted for splits and dividends by
their vendor. They are imported as plain closes: a dividend then stands in the price and is no
income. The files are read where the package is installed; the package itself, which brings
heavy ones with it, is never imported.
"""

from datetime import date
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl

from riskmark.errors import InputError
from riskmark.intake.market_data import Bars

FIRST = date(2014, 1, 2)
"""The first session of the style ETFs: before it there are no factors."""
LAST = date(2022, 12, 28)
"""The last session of the files; closes that a later version may add are not used."""

_PACKAGE = "skfolio"
_FOLDER = "datasets/data"
_FILES = ("sp500_dataset.csv.gz", "factors_dataset.csv.gz", "sp500_index.csv.gz")
_DATE = "Date"


class NoDemoPrices(InputError):
    """The package that carries the demo's prices is not installed, or lacks one of them."""

    def __init__(self, problem: str) -> None:
        super().__init__(f'{problem}; install it with: pip install "riskmark[demo]"')


def load_demo_bars(first: date = FIRST, last: date = LAST) -> Bars:
    """Read the closes of every symbol from ``first`` to ``last``."""
    return _as_bars([_read_closes(path, first, last) for path in find_price_files()])


def find_price_files() -> tuple[Path, ...]:
    """Return where the files of closes are; raise ``NoDemoPrices`` if one is not."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise NoDemoPrices(f"the demo's prices are in the package {_PACKAGE}, which is missing")
    paths = tuple(Path(spec.origin).parent / _FOLDER / name for name in _FILES)
    for path in paths:
        if not path.is_file():
            raise NoDemoPrices(f"{_PACKAGE} as it is installed has no {path.name}")
    return paths


def _read_closes(path: Path, first: date, last: date) -> pl.DataFrame:
    """Read one file: a column of dates, and a column of closes for each symbol."""
    frame = pl.read_csv(path, try_parse_dates=True)
    return frame.filter(pl.col(_DATE).is_between(first, last))


def _as_bars(frames: list[pl.DataFrame]) -> Bars:
    """Put the columns of every file one after the other."""
    columns = [
        (name, frame[_DATE], frame[name])
        for frame in frames
        for name in frame.columns
        if name != _DATE
    ]
    lengths = [len(closes) for _, _, closes in columns]
    nothing = np.full(sum(lengths), np.nan)
    return Bars(
        symbols=tuple(name for name, _, _ in columns),
        symbol=np.repeat(np.arange(len(columns), dtype=np.int64), lengths),
        session=np.concatenate([days.to_numpy() for _, days, _ in columns]),
        open=nothing,
        high=nothing,
        low=nothing,
        close=np.concatenate([closes.to_numpy() for _, _, closes in columns]),
        volume=nothing,
    )
