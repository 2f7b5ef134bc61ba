"""Files of bars and of actions: all of a file, or nothing and what is wrong with it.

A field that is no number, a date that is not ISO, a close that is not positive, a number
beyond all that was ever traded, a malformed symbol, and two different bars of one symbol and
date are errors, and a file with an error gives nothing. What a good file says that cannot be
used (a bar on no session, say) is for ``prices`` to refuse and count.

Bars: ``date, symbol, close`` and, where known, ``open, high, low, volume, currency``;
actions: ``symbol, ex_date, type, value``. Other columns are ignored. A row without a close
says nothing of its session. Equal rows are kept, for ``prices`` to count.

Adjusted prices may be beyond every bound, as after many reverse splits; the bounds hold for
what was traded.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from riskmark.intake.market_data import (
    MAX_PRICE,
    MAX_RATIO,
    MAX_VOLUME,
    MIN_RATIO,
    Action,
    ActionKind,
    Bars,
    as_traded,
    classify,
    make_bars,
)
from riskmark.storage.file_issues import FileIssue
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

_FIELDS = ("open", "high", "low", "close", "volume")
_BAR_COLUMNS = {
    **dict.fromkeys(("date", "symbol", "close"), True),
    **dict.fromkeys(("open", "high", "low", "volume", "currency"), False),
}
_ACTION_COLUMNS = dict.fromkeys(("symbol", "ex_date", "type", "value"), True)
_BOUNDS = {
    **dict.fromkeys(_FIELDS, (MAX_PRICE, f"a price below {MAX_PRICE:,.0f}")),
    "volume": (MAX_VOLUME, f"a volume below {MAX_VOLUME:,.0f}"),
}
_DIVIDEND_EXPECTED = f"a dividend below {MAX_PRICE:,.0f}"
_RATIO_EXPECTED = f"a ratio from {MIN_RATIO:f} to {MAX_RATIO:,.0f}"
_BAR_VALUES = ["symbol", "date", *_FIELDS, "currency"]


class MarketFiles(NamedTuple):
    """What files of bars and of actions hold, as traded."""

    bars: Bars
    actions: tuple[Action, ...]


def read_market_files(
    path: Path | None,
    actions: Path | None = None,
    *,
    file_format: str | None = None,
    split_adjusted: bool = False,
) -> MarketFiles:
    """Read bars and, where they are given, actions.

    ``path`` is a file or a folder, of which every CSV and Parquet file is read; None: there
    are only actions.
    ``file_format`` (csv or parquet) says what names without a known suffix hold.
    ``split_adjusted``: bars and dividends are adjusted for all splits of the actions file
    and become as-traded. Raises ``MarketFileErrors``, with the errors of both.
    """
    issues = Issues()
    is_traded = not split_adjusted
    bars = make_bars([])
    if path is not None:
        bars = _read_bars(path, file_format, issues, is_traded=is_traded)
    acted = () if actions is None else _read_actions(actions, issues, is_traded=is_traded)
    issues.raise_if_any()
    if split_adjusted:
        bars, acted = as_traded(bars, acted)
        _refuse_traded(path, bars, issues)
        _refuse_traded_dividends(actions, acted, issues)
        issues.raise_if_any()
    return MarketFiles(bars, acted)


def _refuse_traded(path: Path | None, bars: Bars, issues: Issues) -> None:
    """Refuse bars that go beyond the bounds when the adjustment is undone."""
    name = "" if path is None else path.name
    for field, (bound, expected) in _BOUNDS.items():
        values: npt.NDArray[np.float64] = getattr(bars, field)
        for place in np.flatnonzero(np.abs(values) >= bound).tolist():
            what = f"{bars.symbols[bars.symbol[place]]} {bars.session[place]}: {values[place]:g}"
            issues.add(FileIssue(name, None, field, what, f"{expected} without the splits"))


def _refuse_traded_dividends(
    path: Path | None, actions: tuple[Action, ...], issues: Issues
) -> None:
    name = "" if path is None else path.name
    for action in actions:
        if action.kind is ActionKind.DIVIDEND and action.value >= MAX_PRICE:
            what = f"{action.symbol} {action.ex_date}: {action.value:g}"
            expected = f"{_DIVIDEND_EXPECTED} without the splits"
            issues.add(FileIssue(name, None, "value", what, expected))


def _read_bars(path: Path, file_format: str | None, issues: Issues, *, is_traded: bool) -> Bars:
    frames = [read_table(file, file_format, _BAR_COLUMNS, issues) for file in find_files(path)]
    converted = [
        _convert_bars(frame, issues, is_traded=is_traded) for frame in frames if frame is not None
    ]
    if not converted:
        return make_bars([])
    bars = pl.concat(converted)
    observed = bars.filter(pl.col("close").is_not_null())
    distinct = observed.unique(_BAR_VALUES, keep="first", maintain_order=True)
    refuse_seconds(distinct, ["symbol", "date"], issues)
    return _as_bars(bars)


def _convert_bars(frame: pl.DataFrame, issues: Issues, *, is_traded: bool) -> pl.DataFrame:
    """Convert the columns of one file of bars; what is wrong is an issue and becomes null."""
    symbols = read_symbols(frame, issues)
    numbers = {name: read_numbers(frame, name, issues) for name in _FIELDS}
    # What has an index symbol may be a rate, which is no price and may be negative.
    priced = ~symbols.str.starts_with("^").fill_null(value=False)
    for name, bad, expected in (
        ("close", (numbers["close"] <= 0) & priced, "a close above zero"),
        ("volume", numbers["volume"] < 0, "a volume of zero or more"),
    ):
        issues.add_rows(frame, bad.fill_null(value=False), name, expected)
    for name, (bound, expected) in _BOUNDS.items() if is_traded else ():
        beyond = (numbers[name].abs() >= bound).fill_null(value=False)
        issues.add_rows(frame, beyond, name, expected)
    return frame.select("file", "row").with_columns(
        symbols.alias("symbol"),
        read_dates(frame, "date", issues).alias("date"),
        read_texts(frame, "currency").fill_null("").alias("currency"),
        *(values.alias(name) for name, values in numbers.items()),
    )


def _as_bars(frame: pl.DataFrame) -> Bars:
    valid = frame.filter(pl.col("symbol").is_not_null() & pl.col("date").is_not_null())
    if valid.is_empty():
        # Columns without a value have no useful type.
        return make_bars([])
    symbols = valid["symbol"].unique().sort()
    places = valid["symbol"].replace_strict(
        symbols, pl.int_range(len(symbols), eager=True), return_dtype=pl.Int64
    )
    numbers = {name: valid[name].fill_null(float("nan")).to_numpy() for name in _FIELDS}
    return Bars(
        symbols=tuple(symbols),
        symbol=places.to_numpy(),
        session=valid["date"].to_numpy(),
        open=numbers["open"],
        high=numbers["high"],
        low=numbers["low"],
        close=numbers["close"],
        volume=numbers["volume"],
        currency=valid["currency"].to_numpy().astype(np.str_),
    )


def _read_actions(path: Path, issues: Issues, *, is_traded: bool) -> tuple[Action, ...]:
    frames = [read_table(file, None, _ACTION_COLUMNS, issues) for file in find_files(path)]
    converted = [
        _convert_actions(frame, issues, is_traded=is_traded)
        for frame in frames
        if frame is not None
    ]
    if not converted:
        return ()
    usable = pl.concat(converted).filter(pl.col("value") > 0).drop_nulls()
    actions = [
        classify(Action(symbol, day, ActionKind(kind), value))
        for symbol, day, kind, value in usable.select("symbol", "date", "type", "value").iter_rows()
    ]
    classified = usable.with_columns(
        pl.Series("type", [action.kind.value for action in actions], dtype=pl.String),
        pl.Series("value", [action.value for action in actions], dtype=pl.Float64),
        pl.int_range(pl.len()).alias("place"),
    )
    distinct = classified.unique(
        ["symbol", "date", "type", "value"], keep="first", maintain_order=True
    )
    refuse_seconds(distinct, ["symbol", "date", "type"], issues)
    return tuple(actions[place] for place in distinct["place"])


def _convert_actions(frame: pl.DataFrame, issues: Issues, *, is_traded: bool) -> pl.DataFrame:
    kinds = read_texts(frame, "type").str.to_lowercase()
    known = kinds.is_in([kind.value for kind in ActionKind]).fill_null(value=False)
    issues.add_rows(frame, ~known, "type", "split, dividend or spinoff")
    values = read_numbers(frame, "value", issues)
    nothing = read_texts(frame, "value").is_null()
    bad = nothing | (values <= 0).fill_null(value=False)
    issues.add_rows(frame, bad, "value", "a number above zero")
    is_dividend = kinds == ActionKind.DIVIDEND.value
    is_odd = ~is_dividend & known & (values > 0) & ~values.is_between(MIN_RATIO, MAX_RATIO)
    issues.add_rows(frame, is_odd.fill_null(value=False), "value", _RATIO_EXPECTED)
    if is_traded:
        beyond = is_dividend & (values >= MAX_PRICE)
        issues.add_rows(frame, beyond.fill_null(value=False), "value", _DIVIDEND_EXPECTED)
    return frame.select("file", "row").with_columns(
        read_symbols(frame, issues).alias("symbol"),
        read_dates(frame, "ex_date", issues).alias("date"),
        kinds.set(~known, None).alias("type"),
        values.alias("value"),
    )
