"""Closes in packed form: one blob an instrument, a cache of the table ``price``.

Reading rows of prices costs hundreds of times what reading their bytes does. A pack holds
the closes of one instrument as float64, one a session, NaN where none is stored. It is
valid only for the very revision of the instrument's data and of the calendar that it was
built from; anything else is read from ``price`` and packed again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from riskmark.domain.sessions import Calendar
from riskmark.storage import schema
from riskmark.storage.engines import as_date, read_rows, write_rows
from riskmark.storage.key_lists import among

_ITEM = 8

FloatVector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pack:
    """All closes of an instrument from the session ``first`` (an ordinal) on."""

    instrument_id: int
    data_revision: int
    first: int
    closes: FloatVector


@dataclass(frozen=True, slots=True)
class Series:
    """Closes from the session ``first`` on, cut at the start that was asked for."""

    first: int
    closes: FloatVector


@dataclass(frozen=True, slots=True)
class Closes:
    """The closes of some instruments; ``rebuilt`` are packs that should be saved."""

    series: Mapping[int, Series]
    rebuilt: tuple[Pack, ...]


@dataclass(frozen=True, slots=True)
class _Head:
    first: int
    length: int


def load_closes(
    connection: Connection, calendar: Calendar, instrument_ids: Sequence[int], *, start: int
) -> Closes:
    """Read the closes of ``instrument_ids`` from the session ``start`` on.

    Instruments without any close are left out. Where an instrument has no close at
    ``start`` itself, its series begins at the last close before, so that a carried or stale
    price is still found.
    """
    revisions, heads = _load_heads(connection, calendar, instrument_ids)
    packed = [key for key in instrument_ids if key in heads]
    series = _load_packed(connection, packed, heads, start)
    missing = [key for key in instrument_ids if key in revisions and key not in heads]
    rebuilt = _build(connection, calendar, missing, revisions)
    for pack in rebuilt:
        if pack.closes.size:
            series[pack.instrument_id] = _cut(pack.first, pack.closes, start)
    return Closes(series, tuple(rebuilt))


def save_packs(connection: Connection, calendar: Calendar, packs: Sequence[Pack]) -> None:
    """Store packs, in instrument order."""
    rows = [
        (
            pack.instrument_id,
            pack.data_revision,
            calendar.revision,
            pack.first,
            pack.closes.tobytes(),
        )
        for pack in sorted(packs, key=lambda pack: pack.instrument_id)
    ]
    columns = ("instrument_id", "data_revision", "calendar_revision", "first_ordinal", "closes")
    write_rows(connection, schema.price_pack, columns, rows, replace=True)


def _load_heads(
    connection: Connection, calendar: Calendar, batch: Sequence[int]
) -> tuple[dict[int, int], dict[int, _Head]]:
    listed = among(connection, batch)
    rows = read_rows(
        connection,
        "SELECT i.id, i.data_revision, k.data_revision, k.calendar_revision, k.first_ordinal, "
        "length(k.closes) FROM instrument i LEFT JOIN price_pack k ON k.instrument_id = i.id "
        f"WHERE i.id {listed.sql}",
        listed.values,
    )
    revisions: dict[int, int] = {}
    heads: dict[int, _Head] = {}
    for key, revision, packed_revision, calendar_revision, first, size in rows:
        revisions[key] = revision
        if packed_revision == revision and calendar_revision == calendar.revision:
            heads[key] = _Head(first, size // _ITEM)
    return revisions, heads


def _load_packed(
    connection: Connection, batch: Sequence[int], heads: Mapping[int, _Head], start: int
) -> dict[int, Series]:
    if not batch:
        return {}
    listed = among(connection, batch)
    rows = read_rows(
        connection,
        "SELECT instrument_id, first_ordinal, "
        "substr(closes, 1 + 8 * CASE WHEN first_ordinal < ? THEN ? - first_ordinal ELSE 0 END) "
        f"FROM price_pack WHERE instrument_id {listed.sql}",
        (start, start, *listed.values),
    )
    series = {}
    ended = []
    for key, first, blob in rows:
        if heads[key].length == 0:
            continue
        closes = np.frombuffer(blob, dtype=np.float64)
        if closes.size and (first >= start or not np.isnan(closes[0])):
            series[key] = Series(max(first, start), closes)
        else:
            ended.append(key)
    for key, first, blob in _whole_blobs(connection, ended):
        series[key] = _cut(first, np.frombuffer(blob, dtype=np.float64), start)
    return series


def _whole_blobs(connection: Connection, batch: Sequence[int]) -> list[Any]:
    if not batch:
        return []
    listed = among(connection, batch)
    return read_rows(
        connection,
        "SELECT instrument_id, first_ordinal, closes FROM price_pack "
        f"WHERE instrument_id {listed.sql}",
        listed.values,
    )


def _build(
    connection: Connection, calendar: Calendar, batch: Sequence[int], revisions: Mapping[int, int]
) -> list[Pack]:
    if not batch:
        return []
    listed = among(connection, batch)
    rows = read_rows(
        connection,
        f"SELECT instrument_id, session, close FROM price WHERE instrument_id {listed.sql}",
        listed.values,
    )
    ordinals: dict[Any, int] = {}
    places: dict[int, list[int]] = {}
    values: dict[int, list[float]] = {}
    for key, day, close in rows:
        ordinal = ordinals.get(day)
        if ordinal is None:
            session = as_date(day)
            found = calendar.on_or_before(session) if calendar.is_session(session) else -1
            ordinal = ordinals.setdefault(day, found)
        if ordinal >= 0:
            places.setdefault(key, []).append(ordinal)
            values.setdefault(key, []).append(close)
    packs = []
    for key in batch:
        at = np.array(places.get(key, []), dtype=np.int64)
        first = int(at.min()) if at.size else 0
        closes = np.full(int(at.max()) - first + 1 if at.size else 0, np.nan)
        closes[at - first] = values.get(key, [])
        packs.append(Pack(key, revisions[key], first, closes))
    return packs


def _cut(first: int, closes: FloatVector, start: int) -> Series:
    if first >= start:
        return Series(first, closes)
    observed = np.flatnonzero(~np.isnan(closes[: start - first + 1]))
    begin = int(observed[-1])
    return Series(first + begin, closes[begin:])
