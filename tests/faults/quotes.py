"""A small market that the provider server sells: as traded, with splits and dividends.

Generated from a seed, so that it is the same everywhere; ``real_market`` takes the closes
that skfolio bundles instead.
"""

import zlib
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import numpy as np


class Row(NamedTuple):
    """A daily bar; faults put anything in it."""

    day: Any
    open: Any
    high: Any
    low: Any
    close: Any
    volume: Any


@dataclass(frozen=True)
class Series:
    """All there is to know of one symbol, as traded."""

    rows: tuple[Row, ...]
    splits: tuple[tuple[date, float, float], ...] = ()
    dividends: tuple[tuple[date, float], ...] = ()
    gains: tuple[tuple[date, float], ...] = ()
    currency: str = "USD"
    kind: str = "EQUITY"
    name: str = "A company"
    sector: str = "Technology"
    closes: dict[date, float] = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "closes", {row.day: row.close for row in self.rows})

    def adjustment(self, day):
        """Return by what a price of ``day`` is divided to be in the terms of today."""
        return float(np.prod([new / old for ex, new, old in self.splits if ex > day]))


def make_series(sessions, *, seed, price=100.0, splits=(), **options):
    """Draw a walk; a split divides the price on its date."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0.0003, 0.012, len(sessions))
    rows = []
    for day, move in zip(sessions, moves, strict=True):
        price *= 1 + move
        price /= float(np.prod([new / old for ex, new, old in splits if ex == day]))
        spread = price * 0.004
        volume = float(rng.integers(100_000, 900_000))
        rows.append(Row(day, price - spread / 2, price + spread, price - spread, price, volume))
    return Series(tuple(rows), tuple(splits), **options)


def small_market(sessions):
    """Make five symbols: with splits and dividends, without either, and a share class.

    ``SSS`` splits in the sixth week before the last session that tests fetch.
    """
    middle, later = sessions[len(sessions) // 2], sessions[-20]
    lately = next(day for day in sessions if day >= date(2024, 5, 6))
    paid = ((sessions[5], 0.8), (later, 0.25))
    return {
        "AAA": make_series(
            sessions,
            seed=1,
            splits=((middle, 4.0, 1.0),),
            dividends=paid,
        ),
        "BBB": make_series(sessions, seed=2, price=40.0, kind="ETF", name="A fund"),
        "BRK.B": make_series(sessions, seed=3, price=400.0),
        "SSS": make_series(sessions, seed=4, splits=((lately, 3.0, 1.0),)),
        "TTT": make_series(sessions, seed=5, price=8.0, dividends=((lately, 0.1),)),
    }


class AnyMarket(dict):
    """A market in which every symbol is sold but those that begin with ZZZ.

    What is asked for first is drawn then, from a seed that is the symbol: the same for ever.
    """

    def __init__(self, sessions, known=()):
        super().__init__(known)
        self.sessions = sessions

    def get(self, symbol, default=None):
        """Return a symbol's series."""
        if symbol.startswith("ZZZ"):
            return default
        if symbol not in self:
            seed = zlib.crc32(symbol.encode())
            paid = tuple((day, 0.25) for day in self.sessions[seed % 63 :: 63])
            price = 20.0 + seed % 280
            series = make_series(self.sessions, seed=seed, price=price, dividends=paid, name=symbol)
            self[symbol] = series
        return self[symbol]


def real_market(sessions):
    """Read the closes that skfolio bundles, and let the last of them be of ``sessions[-1]``.

    Open, high and low are the close.
    """
    from skfolio.datasets import load_sp500_dataset  # noqa: PLC0415 - a big package

    frame = load_sp500_dataset()
    market = {}
    for symbol in frame.columns:
        closes = frame[symbol].dropna().to_list()
        days = sessions[-len(closes) :]
        rows = (
            Row(day, c, c, c, c, 1e6) for day, c in zip(days, closes[-len(days) :], strict=True)
        )
        market[symbol] = Series(tuple(rows), name=symbol)
    return market
