"""Bars and actions on their way in, and what vendors mean by them.

Bars are arrays, one item a bar. NaN is "not observed": a bar without a close says nothing.
Actions are few and are tuples of records. ``as_traded`` turns the usual vendor form, in
which everything is adjusted for later splits, into what was traded on the day; ``classify``
tells splits from spin-offs, which vendors report as odd splits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
DateArray: TypeAlias = npt.NDArray[np.datetime64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
TextArray: TypeAlias = npt.NDArray[np.str_]

MOST_NEW, MOST_OLD = 100, 20
"""A split gives at most 100 new shares for at most 20 old ones, or the other way round."""

_DAYS = 1 << 22
"""More days than lie between the years 1 and 9999."""

MAX_PRICE = 1e9
"""What a price or a dividend stays below: the dearest share ever traded costs less than 1e6,
so that a thousand times as much is a misplaced point, or a date or a volume in its place."""
MAX_VOLUME = 1e15
"""What a volume stays below: no exchange trades a trillion shares of anything in a day."""
MIN_RATIO, MAX_RATIO = 1e-4, 1e4
"""Between these lies the ratio of every split and spin-off."""

RATIO_TOLERANCE = 1e-6
"""How far a vendor's rounded ratio may lie from the fraction that it stands for."""


class ActionKind(StrEnum):
    """What a company did to its shares on an ex-date."""

    SPLIT = "split"
    DIVIDEND = "dividend"
    SPINOFF = "spinoff"


@dataclass(frozen=True, slots=True)
class Action:
    """A split or spin-off ratio (new per old), or a dividend in cash per share."""

    symbol: str
    ex_date: date
    kind: ActionKind
    value: float


@dataclass(frozen=True, slots=True)
class Bars:
    """Daily bars of some symbols.

    ``symbols`` are distinct; ``symbol`` holds, for each bar, its place among them;
    ``session`` is datetime64[D]; ``open`` to ``volume`` are NaN where not observed.
    ``currency`` is empty text where the source does not state one; None: it never does.
    """

    symbols: tuple[str, ...]
    symbol: IntArray
    session: DateArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    currency: TextArray | None = None

    def __len__(self) -> int:
        return len(self.close)

    def where(self, chosen: BoolArray | IntArray) -> "Bars":
        """Return the bars that ``chosen`` picks, with the same ``symbols``."""
        return replace(
            self,
            symbol=self.symbol[chosen],
            session=self.session[chosen],
            open=self.open[chosen],
            high=self.high[chosen],
            low=self.low[chosen],
            close=self.close[chosen],
            volume=self.volume[chosen],
            currency=None if self.currency is None else self.currency[chosen],
        )


def make_bars(rows: Iterable[tuple[str, date, float]]) -> Bars:
    """Make bars of symbols, sessions and closes alone."""
    listed = list(rows)
    symbols = tuple(sorted({symbol for symbol, _, _ in listed}))
    place = {symbol: number for number, symbol in enumerate(symbols)}
    nothing = np.full(len(listed), np.nan)
    return Bars(
        symbols=symbols,
        symbol=np.array([place[symbol] for symbol, _, _ in listed], dtype=np.int64),
        session=np.array([session for _, session, _ in listed], dtype="datetime64[D]"),
        open=nothing,
        high=nothing,
        low=nothing,
        close=np.array([close for _, _, close in listed], dtype=np.float64),
        volume=nothing,
    )


def join_bars(parts: Sequence[Bars]) -> Bars:
    """Put bars together in this order; a symbol of several parts is one."""
    parts = parts or [make_bars([])]
    symbols = tuple(sorted({symbol for bars in parts for symbol in bars.symbols}))
    places = {symbol: place for place, symbol in enumerate(symbols)}
    new = [np.array([places[s] for s in bars.symbols], dtype=np.int64) for bars in parts]
    currency = [np.full(len(b), "") if b.currency is None else b.currency for b in parts]
    return Bars(
        symbols=symbols,
        symbol=np.concatenate([own[bars.symbol] for own, bars in zip(new, parts, strict=True)]),
        session=np.concatenate([bars.session for bars in parts]),
        open=np.concatenate([bars.open for bars in parts]),
        high=np.concatenate([bars.high for bars in parts]),
        low=np.concatenate([bars.low for bars in parts]),
        close=np.concatenate([bars.close for bars in parts]),
        volume=np.concatenate([bars.volume for bars in parts]),
        currency=np.concatenate(currency),
    )


def key_of(instrument: IntArray, session: DateArray) -> IntArray:
    """Make one number of an instrument and a session that sorts by both, in this order."""
    days = session.astype("datetime64[D]").astype(np.int64) + _DAYS // 2
    key: IntArray = instrument * _DAYS + days
    return key


def classify(action: Action) -> Action:
    """Tell a spin-off that is reported as a split, and make a rounded split ratio exact."""
    if action.kind is not ActionKind.SPLIT:
        return action
    ratio = split_ratio(action.value)
    if ratio is None:
        return replace(action, kind=ActionKind.SPINOFF)
    return replace(action, value=ratio)


def split_ratio(value: float) -> float | None:
    """Return the fraction that ``value`` stands for; None if no split has such a ratio."""
    if not 1 / (MOST_NEW + 1) < value < MOST_NEW + 1:
        return None
    for few in range(1, MOST_OLD + 1):
        many = round(value * few)
        if 1 <= many <= MOST_NEW and abs(value - many / few) <= RATIO_TOLERANCE:
            return many / few
        many = round(few / value)
        if 1 <= many <= MOST_NEW and abs(value - few / many) <= RATIO_TOLERANCE:
            return few / many
    return None


def as_traded(bars: Bars, actions: Sequence[Action]) -> tuple[Bars, tuple[Action, ...]]:
    """Undo the adjustment of ``bars`` and dividends for every split and spin-off after them.

    Prices are multiplied and volumes divided by the ratios with an ex-date after the bar.
    A dividend is in the shares of its ex-date, after a split of the same date. What leaves
    the range of floats becomes infinite or zero.
    """
    with np.errstate(all="ignore"):
        return _undo_adjustment(bars, actions)


def _undo_adjustment(bars: Bars, actions: Sequence[Action]) -> tuple[Bars, tuple[Action, ...]]:
    ratios = _later_ratios(actions)
    factor = np.ones(len(bars))
    order = np.argsort(bars.symbol, kind="stable")
    bounds = np.searchsorted(bars.symbol[order], np.arange(len(bars.symbols) + 1))
    for place, symbol in enumerate(bars.symbols):
        if symbol in ratios:
            chosen = order[bounds[place] : bounds[place + 1]]
            factor[chosen] = ratios[symbol].after(bars.session[chosen])
    traded = replace(
        bars,
        open=bars.open * factor,
        high=bars.high * factor,
        low=bars.low * factor,
        close=bars.close * factor,
        volume=bars.volume / factor,
    )
    return traded, tuple(_traded_dividend(action, ratios) for action in actions)


@dataclass(frozen=True, slots=True)
class _Ratios:
    """Ex-dates in order, and the product of the ratios from each one on; 1 after the last."""

    ex_dates: DateArray
    products: FloatArray

    def after(self, sessions: DateArray) -> FloatArray:
        """Return the product of the ratios with an ex-date after each session."""
        found: FloatArray = self.products[np.searchsorted(self.ex_dates, sessions, side="right")]
        return found


def _later_ratios(actions: Iterable[Action]) -> dict[str, _Ratios]:
    found: dict[str, list[tuple[date, float]]] = {}
    for action in actions:
        if action.kind is not ActionKind.DIVIDEND:
            found.setdefault(action.symbol, []).append((action.ex_date, action.value))
    ratios: dict[str, _Ratios] = {}
    for symbol, listed in found.items():
        listed.sort()
        factors = np.array([1.0, *(value for _, value in reversed(listed))], dtype=np.float64)
        products = np.cumprod(factors, dtype=np.float64)[::-1]
        ex_dates = np.array([ex_date for ex_date, _ in listed], dtype="datetime64[D]")
        ratios[symbol] = _Ratios(ex_dates, products)
    return ratios


def _traded_dividend(action: Action, ratios: dict[str, _Ratios]) -> Action:
    if action.kind is not ActionKind.DIVIDEND or action.symbol not in ratios:
        return action
    day = np.array([action.ex_date], dtype="datetime64[D]")
    return replace(action, value=action.value * float(ratios[action.symbol].after(day)[0]))
