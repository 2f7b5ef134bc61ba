"""Panels: the one place where Decimals, dates and symbols become float64, rows and columns.

A panel is dense: one row a session, one column an instrument. It is read once for a round
of a run and shared by all its shards; a shard takes a *cut* of it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Connection

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray
from riskmark.calc.marks import Events, MarkPanel, build_marks
from riskmark.domain.factor_models import FactorModel
from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.sectors import sector_of
from riskmark.domain.sessions import Calendar, OutsideCalendar
from riskmark.storage.engines import as_date, read_rows
from riskmark.storage.factors import load_factor_returns
from riskmark.storage.key_lists import among
from riskmark.storage.packs import Closes, Pack, Series

if TYPE_CHECKING:
    from riskmark.valuation.option_panel import Options


@dataclass(frozen=True, slots=True)
class InstrumentFacts:
    """What is known of one instrument, beside its prices."""

    instrument_id: int
    symbol: str
    kind: InstrumentKind
    sector: str
    is_foreign: bool
    is_accepted: bool
    quarantined_from: date | None


@dataclass(frozen=True, slots=True)
class Panel:
    """Prices of N instruments on T sessions, as arrays.

    ``first`` is the ordinal of row 0. ``cost_only`` (N,): never marked at a close, which is in
    a foreign currency. ``manual`` (N,): marked at dated valuations. ``quarantine_row`` (N,):
    the row from which bars are not used; T if there is none. ``imported`` are the returns
    (T,) of each column of factors that was imported; NaN where there is none.
    """

    first: int
    sessions: tuple[date, ...]
    days: IntArray
    instruments: tuple[InstrumentFacts, ...]
    column_of: Mapping[int, int]
    symbol_column: Mapping[str, int]
    marks: MarkPanel
    cost_only: BoolArray
    manual: BoolArray
    quarantine_row: IntArray
    sector_code: IntArray
    sectors: tuple[str, ...]
    rebuilt: tuple[Pack, ...]
    imported: Mapping[str, FloatArray]
    options: "Options | None" = None
    """What is known of the columns of options; None if none of them can be marked by a model."""

    def factor_returns(self, model: FactorModel) -> FloatArray:
        """Return the model's factor returns (T, F); NaN where a leg is not observed."""
        returns = np.full((len(self.sessions), len(model.factors)), np.nan)
        for place, factor in enumerate(model.factors):
            if factor.column is not None:
                returns[:, place] = self._imported(factor.column)
            if factor.long is not None:
                returns[:, place] = self.returns_of(factor.long)
            if factor.short is not None:
                returns[:, place] -= self.returns_of(factor.short)
        return returns

    def risk_free(self, model: FactorModel) -> FloatArray | None:
        """Return what the model takes off every return (T,); None if it takes nothing."""
        return None if model.excess_over is None else self._imported(model.excess_over)

    def returns_of(self, symbol: str) -> FloatArray:
        """Return a symbol's returns (T,); all NaN if there is no such public instrument."""
        column = self.symbol_column.get(symbol)
        if column is None:
            return np.full(len(self.sessions), np.nan)
        found: FloatArray = self.marks.returns[:, column]
        return found

    def _imported(self, column: str) -> FloatArray:
        found = self.imported.get(column)
        return np.full(len(self.sessions), np.nan) if found is None else found


def load_instruments(
    connection: Connection, instrument_ids: Collection[int], *, base_currency: str
) -> tuple[InstrumentFacts, ...]:
    """Read what is known of the instruments, in ascending order of their ids."""
    listed = among(connection, sorted(instrument_ids))
    rows = read_rows(
        connection,
        "SELECT i.id, i.symbol, i.kind, i.sector, i.currency, a.instrument_id, "
        "(SELECT MIN(q.from_session) FROM quarantine q WHERE q.instrument_id = i.id "
        "AND q.released_at IS NULL) FROM instrument i "
        f"LEFT JOIN acceptance a ON a.instrument_id = i.id WHERE i.id {listed.sql} ORDER BY i.id",
        listed.values,
    )
    return tuple(
        InstrumentFacts(
            instrument_id=key,
            symbol=symbol,
            kind=InstrumentKind(kind),
            sector=sector_of(InstrumentKind(kind), sector),
            is_foreign=currency != base_currency,
            is_accepted=accepted is not None,
            quarantined_from=None if quarantined is None else as_date(quarantined),
        )
        for key, symbol, kind, sector, currency, accepted, quarantined in rows
    )


def build_panel(
    connection: Connection,
    calendar: Calendar,
    instruments: tuple[InstrumentFacts, ...],
    closes: Closes,
    *,
    named: Mapping[str, int],
    first: int,
    last: int,
    columns: Sequence[str] = (),
) -> Panel:
    """Line up ``closes`` with the sessions from ``first`` to ``last`` (ordinals, inclusive).

    ``named`` are the instruments of the factors' symbols, which may be old names; ``columns``
    those of imported factors that are wanted.
    """
    ids = [one.instrument_id for one in instruments]
    column_of = {key: place for place, key in enumerate(ids)}
    rows = last - first + 1
    quarantine_row = quarantine_rows(calendar, instruments, first, rows)
    manual = np.array([one.kind is InstrumentKind.PRIVATE for one in instruments], dtype=bool)
    cost_only = np.array([one.is_foreign for one in instruments], dtype=bool)
    close = np.full((rows, len(ids)), np.nan)
    for key, series in closes.series.items():
        place = column_of.get(key)
        if place is not None and not manual[place] and not cost_only[place]:
            lay_closes(close[:, place], series, first, int(quarantine_row[place]))
    if manual.any():
        _lay_valuations(
            connection, calendar, close, column_of=column_of, manual=manual, first=first
        )
    splits, spinoffs, dividends = _load_actions(connection, calendar, column_of, first, last)
    # What is paid in another currency is no income in ours.
    ours = ~cost_only[dividends.columns]
    marks = build_marks(close, splits, spinoffs, Events._make(part[ours] for part in dividends))
    # What an option returns says nothing of what it will: its risk is its underlying's.
    own = manual | np.array([one.kind is InstrumentKind.OPTION for one in instruments], dtype=bool)
    if own.any():
        marks.returns[:, own] = np.nan
    sectors = tuple(sorted({one.sector for one in instruments}))
    code_of = {name: code for code, name in enumerate(sectors)}
    sessions = tuple(calendar.sessions[first : last + 1])
    return Panel(
        first=first,
        sessions=sessions,
        days=np.array(sessions, dtype="datetime64[D]").astype(np.int64),
        instruments=instruments,
        column_of=column_of,
        symbol_column={symbol: column_of[key] for symbol, key in named.items()},
        marks=marks,
        cost_only=cost_only,
        manual=manual,
        quarantine_row=quarantine_row,
        sector_code=np.array([code_of[one.sector] for one in instruments], dtype=np.int64),
        sectors=sectors,
        rebuilt=closes.rebuilt,
        imported=load_factor_returns(connection, sessions, columns),
    )


def lay_closes(column: FloatArray, series: Series, first: int, end: int) -> None:
    """Copy a series into its column, up to the row ``end`` (exclusive)."""
    begin = series.first - first
    values = series.closes
    if begin < 0:
        values = values[-begin:]
        begin = 0
    stop = min(begin + values.size, end)
    if stop > begin:
        column[begin:stop] = values[: stop - begin]


def quarantine_rows(
    calendar: Calendar, instruments: Sequence[InstrumentFacts], first: int, rows: int
) -> IntArray:
    """Return the row from which the bars of each instrument are not used; ``rows``: none."""
    found = np.full(len(instruments), rows, dtype=np.int64)
    for place, one in enumerate(instruments):
        if one.quarantined_from is not None:
            ordinal = calendar.on_or_after(one.quarantined_from)
            found[place] = min(max(ordinal - first, 0), rows)
    return found


def _lay_valuations(
    connection: Connection,
    calendar: Calendar,
    close: FloatArray,
    *,
    column_of: Mapping[int, int],
    manual: BoolArray,
    first: int,
) -> None:
    """Put each dated valuation on its session; the last one before the panel on row 0."""
    listed = among(connection, [key for key, place in column_of.items() if manual[place]])
    rows = read_rows(
        connection,
        "SELECT instrument_id, date, price FROM valuation "
        f"WHERE instrument_id {listed.sql} ORDER BY instrument_id, date",
        listed.values,
    )
    for key, day, price in rows:
        row = max(calendar.on_or_after(as_date(day)) - first, 0)
        if row < close.shape[0]:
            close[row, column_of[key]] = float(price)


def _load_actions(
    connection: Connection,
    calendar: Calendar,
    column_of: Mapping[int, int],
    first: int,
    last: int,
) -> tuple[Events, Events, Events]:
    """Read splits, spin-offs and dividends effective within the panel."""
    listed = among(connection, list(column_of))
    rows = read_rows(
        connection,
        f"SELECT instrument_id, ex_date, kind, value FROM action WHERE instrument_id {listed.sql}",
        listed.values,
    )
    effective: dict[Any, int] = {}
    found: dict[str, list[tuple[int, int, float]]] = {"split": [], "spinoff": [], "dividend": []}
    for key, day, kind, value in rows:
        if day not in effective:
            effective[day] = _effective(calendar, as_date(day))
        if first <= effective[day] <= last:
            found[kind].append((effective[day] - first, column_of[key], value))
    return _events(found["split"]), _events(found["spinoff"]), _events(found["dividend"])


def _effective(calendar: Calendar, day: date) -> int:
    try:
        return calendar.on_or_after(day)
    except OutsideCalendar:
        return len(calendar)


def _events(found: list[tuple[int, int, float]]) -> Events:
    found.sort()
    return Events(
        rows=np.array([row for row, _, _ in found], dtype=np.int64),
        columns=np.array([column for _, column, _ in found], dtype=np.int64),
        values=np.array([value for _, _, value in found], dtype=np.float64),
    )
