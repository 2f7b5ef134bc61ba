"""Bars against what is stored: which are new, which differ, and writing only those.

Rows go through the driver and NumPy: an import of years of bars is compared as quickly as
it is read. Numbers are equal within ``SAME``; a close that is equal is not written again,
so that a vendor's last digit changes nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection

from riskmark.intake.market_data import (
    BoolArray,
    DateArray,
    FloatArray,
    IntArray,
    key_of,
)
from riskmark.storage import schema
from riskmark.storage.engines import bind_instant, read_rows, write_rows
from riskmark.storage.key_lists import ranges

SAME = 1e-9
"""Relative difference up to which two stored numbers are equal."""

COLUMNS = ("open", "high", "low", "close", "volume")
CLOSE = COLUMNS.index("close")


@dataclass(frozen=True, slots=True)
class InstrumentBars:
    """Bars in order of instrument and session, each pair once.

    ``values`` has the columns open, high, low, close, volume; NaN is not observed.
    """

    instrument: IntArray
    session: DateArray
    values: FloatArray

    def __len__(self) -> int:
        return len(self.instrument)

    def where(self, chosen: BoolArray | IntArray) -> "InstrumentBars":
        """Return the bars that ``chosen`` picks."""
        return InstrumentBars(self.instrument[chosen], self.session[chosen], self.values[chosen])

    def spans(self) -> dict[int, tuple[date, date]]:
        """Return the first and last session of each instrument."""
        keys, starts = np.unique(self.instrument, return_index=True)
        ends = np.append(starts, len(self))[1:] - 1
        first, last = self.session[starts].tolist(), self.session[ends].tolist()
        return dict(zip(keys.tolist(), zip(first, last, strict=True), strict=True))


class Written(NamedTuple):
    """Which of the given bars were written, and why."""

    new: BoolArray
    corrected: BoolArray
    amended: BoolArray

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many there are of each."""
        return int(self.new.sum()), int(self.corrected.sum()), int(self.amended.sum())


def write_differences(
    connection: Connection, bars: InstrumentBars, *, provider: str, at: datetime
) -> Written:
    """Write the bars that are new or differ, and a correction for each close that did.

    The caller holds the instruments.
    """
    if not len(bars):
        nothing = np.zeros(0, dtype=np.bool_)
        return Written(nothing, nothing, nothing)
    stored, providers = _load(connection, bars)
    known, place = _places(stored, bars)
    old = np.full_like(bars.values, np.nan)
    old[known] = stored.values[place[known]]
    keeps = np.isnan(bars.values) | _equal(old, bars.values)
    merged = replace(bars, values=np.where(keeps, old, bars.values))
    differs = known[:, None] & ~_equal(old, merged.values)
    written = Written(
        new=~known,
        corrected=differs[:, CLOSE],
        amended=differs.any(axis=1) & ~differs[:, CLOSE],
    )
    _write(connection, merged, written, provider)
    corrected = np.flatnonzero(written.corrected)
    _write_corrections(
        connection,
        merged.where(corrected),
        old=old[corrected, CLOSE],
        old_providers=[providers[row] for row in place[corrected].tolist()],
        provider=provider,
        at=at,
    )
    return written


def _places(stored: InstrumentBars, bars: InstrumentBars) -> tuple[BoolArray, IntArray]:
    """Return which bars are stored, and in which row of ``stored``."""
    keys = key_of(bars.instrument, bars.session)
    stored_keys = key_of(stored.instrument, stored.session)
    place = np.searchsorted(stored_keys, keys).astype(np.int64)
    known = np.zeros(len(bars), dtype=np.bool_)
    inside = place < len(stored_keys)
    known[inside] = stored_keys[place[inside]] == keys[inside]
    return known, place


def _equal(a: FloatArray, b: FloatArray) -> BoolArray:
    """Compare number by number; two that were not observed are equal."""
    same: BoolArray = np.isclose(a, b, rtol=SAME, atol=0.0, equal_nan=True)
    return same


def _load(connection: Connection, bars: InstrumentBars) -> tuple[InstrumentBars, list[str]]:
    """Read what is stored within the span of each instrument, and the providers of it."""
    listed = ranges(connection, bars.spans())
    rows = read_rows(
        connection,
        "SELECT p.instrument_id, p.session, p.open, p.high, p.low, p.close, p.volume, p.provider "
        f"FROM ({listed.sql}) AS t CROSS JOIN price p "
        "WHERE p.instrument_id = t.id AND p.session BETWEEN t.first AND t.last ORDER BY 1, 2",
        listed.values,
    )
    instrument, session, *values, provider = zip(*rows, strict=True) if rows else [()] * 8
    stored = InstrumentBars(
        instrument=np.array(instrument, dtype=np.int64),
        session=np.array(session, dtype="datetime64[D]"),
        values=np.array(values, dtype=np.float64).T.reshape(-1, len(COLUMNS)),
    )
    return stored, list(provider)


def _write(connection: Connection, bars: InstrumentBars, written: Written, provider: str) -> None:
    columns = ("instrument_id", "session", *COLUMNS, "provider")
    # The instruments are held, so that what was not there when it was read is not there now.
    new = bars.where(written.new)
    write_rows(connection, schema.price, columns, _rows(connection, new, provider))
    other = bars.where(written.corrected | written.amended)
    if len(other):
        rows = _rows(connection, other, provider)
        write_rows(connection, schema.price, columns, rows, replace=True)


def _write_corrections(
    connection: Connection,
    bars: InstrumentBars,
    *,
    old: FloatArray,
    old_providers: Sequence[str],
    provider: str,
    at: datetime,
) -> None:
    columns = (
        "instrument_id", "session", "old_close", "new_close", "old_provider", "provider", "at",
    )  # fmt: skip
    rows = zip(
        bars.instrument.tolist(),
        _sessions(connection, bars.session),
        old.tolist(),
        bars.values[:, CLOSE].tolist(),
        old_providers,
        [provider] * len(bars),
        [bind_instant(connection, at)] * len(bars),
        strict=True,
    )
    write_rows(connection, schema.price_correction, columns, rows)


def _rows(connection: Connection, bars: InstrumentBars, provider: str) -> Iterator[tuple[Any, ...]]:
    values = bars.values.astype(object)
    values[np.isnan(bars.values)] = None
    return zip(
        bars.instrument.tolist(),
        _sessions(connection, bars.session),
        *(values[:, place].tolist() for place in range(len(COLUMNS))),
        [provider] * len(bars),
        strict=True,
    )


def _sessions(connection: Connection, session: DateArray) -> Sequence[Any]:
    """Make driver values of sessions."""
    listed: list[Any]
    if connection.dialect.name == "sqlite":
        listed = session.astype("datetime64[D]").astype(str).tolist()
    else:
        listed = session.astype("datetime64[D]").tolist()
    return listed
