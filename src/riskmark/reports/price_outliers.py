"""Stored closes that jump and come back: read, adjusted for splits, and looked through."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlalchemy import Connection

from riskmark.calc.arrays import FloatArray
from riskmark.calc.price_spikes import find_spikes
from riskmark.domain.sessions import Calendar
from riskmark.storage.engines import as_date, bind_date, read_rows
from riskmark.storage.key_lists import among

LOOKED_THROUGH = 756
"""Sessions up to the target in which spikes are looked for: three years."""


@dataclass(frozen=True, slots=True)
class Outlier:
    """A close that moved too far and came back; ``multiple``: in robust deviations."""

    symbol: str
    session: date
    move: float
    multiple: float


def load_outliers(
    connection: Connection, calendar: Calendar, target: int, symbols: Collection[str] | None
) -> tuple[Outlier, ...]:
    """Look through the newest closes of ``symbols``; None: of all."""
    sessions = calendar.sessions[max(0, target - LOOKED_THROUGH) : target + 1]
    first = bind_date(connection, sessions[0])
    rows = read_rows(
        connection,
        "SELECT i.symbol, p.session, p.close FROM price p JOIN instrument i "
        "ON i.id = p.instrument_id WHERE p.session >= ? AND i.kind <> 'index'",
        (first,),
    )
    names = sorted({row[0] for row in rows})
    row_of = {day: place for place, day in enumerate(sessions)}
    column_of = {name: place for place, name in enumerate(names)}
    closes = np.full((len(sessions), len(names)), np.nan)
    for symbol, day, close in rows:
        place = row_of.get(as_date(day))
        if place is not None:
            closes[place, column_of[symbol]] = close
    ratios = _ratios(connection, sessions, column_of)
    with np.errstate(over="ignore"):
        returns = closes[1:] / closes[:-1] * ratios[1:] - 1
    found = find_spikes(returns)
    listed = zip(*(part.tolist() for part in found), strict=True)
    return tuple(
        Outlier(names[column], sessions[row + 1], move, multiple)
        for row, column, move, multiple in sorted(listed, reverse=True)
        if symbols is None or names[column] in symbols
    )


def _ratios(
    connection: Connection, sessions: Sequence[date], column_of: dict[str, int]
) -> FloatArray:
    """Return by what each close is multiplied to be in the terms of the session before."""
    ratios = np.ones((len(sessions), len(column_of)))
    listed = among(connection, column_of)
    rows = read_rows(
        connection,
        "SELECT i.symbol, a.ex_date, a.value FROM action a JOIN instrument i "
        f"ON i.id = a.instrument_id WHERE a.kind <> 'dividend' AND i.symbol {listed.sql}",
        listed.values,
    )
    days = np.array(sessions, dtype="datetime64[D]")
    for symbol, day, value in rows:
        place = int(np.searchsorted(days, np.datetime64(as_date(day))))
        if 0 < place < len(sessions):
            ratios[place, column_of[symbol]] *= value
    return ratios
