"""Closes in packed form: one blob an instrument, a cache of the table ``price``.

Reading rows of prices costs hundreds of times what reading their bytes does. A pack holds
the closes of one instrument as float64, one a session, NaN where none is stored. It is
valid only for the very revision of the instrument's data and of the calendar that it was
built from. Where the data has changed since, the ledger says from which session on, and
only that part is read from ``price``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from riskmark.domain.sessions import Calendar
from riskmark.storage import schema
from riskmark.storage.engines import as_date, bind_date, read_rows, write_rows
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
    """What is known of an instrument's pack; ``changed_from``: closes from there on are old."""

    revision: int
    changed_from: int | None
    is_empty: bool


def load_closes(
    connection: Connection, calendar: Calendar, instrument_ids: Sequence[int], *, start: int
) -> Closes:
    """Read the closes of ``instrument_ids`` from the session ``start`` on.

    Instruments without any close are left out. Where an instrument has no close at
    ``start`` itself, its series begins at the last close before, so that a carried or stale
    price is still found.
    """
    revisions, heads = _load_heads(connection, calendar, instrument_ids)
    valid = [key for key, head in heads.items() if head.changed_from is None]
    series = _load_packed(connection, [key for key in valid if not heads[key].is_empty], start)
    rebuilt = _patch(connection, calendar, heads)
    missing = [key for key in instrument_ids if key in revisions and key not in heads]
    rebuilt += _build(connection, calendar, missing, revisions)
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
    connection: Connection, calendar: Calendar, instrument_ids: Sequence[int]
) -> tuple[dict[int, int], dict[int, _Head]]:
    """Return the data revision of each instrument, and the packs that can be used."""
    listed = among(connection, instrument_ids)
    rows = read_rows(
        connection,
        "SELECT i.id, i.data_revision, k.data_revision, k.calendar_revision, length(k.closes) "
        "FROM instrument i LEFT JOIN price_pack k ON k.instrument_id = i.id "
        f"WHERE i.id {listed.sql}",
        listed.values,
    )
    revisions = {row[0]: row[1] for row in rows}
    packed = {row[0]: row for row in rows if row[3] == calendar.revision}
    outdated = [key for key, row in packed.items() if row[2] < row[1]]
    changed = _changed_from(connection, calendar, outdated)
    return revisions, {
        key: _Head(row[1], changed.get(key), row[4] == 0) for key, row in packed.items()
    }


def _changed_from(
    connection: Connection, calendar: Calendar, outdated: Sequence[int]
) -> dict[int, int]:
    """Return from which session on each outdated pack's closes may differ, by the ledger."""
    if not outdated:
        return {}
    listed = among(connection, outdated)
    rows = read_rows(
        connection,
        "SELECT c.instrument_id, MIN(c.from_session) FROM input_change c "
        "JOIN price_pack k ON k.instrument_id = c.instrument_id "
        f"WHERE c.revision > k.data_revision AND c.instrument_id {listed.sql} "
        "GROUP BY c.instrument_id",
        listed.values,
    )
    return {key: calendar.on_or_after(as_date(day)) for key, day in rows}


def _load_packed(connection: Connection, batch: Sequence[int], start: int) -> dict[int, Series]:
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
    unclear = []
    for key, first, blob in rows:
        closes = np.frombuffer(blob, dtype=np.float64)
        if closes.size and (first >= start or not np.isnan(closes[0])):
            series[key] = Series(max(first, start), closes)
        else:
            unclear.append(key)
    for key, first, blob in _whole_blobs(connection, unclear):
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


def _patch(connection: Connection, calendar: Calendar, heads: Mapping[int, _Head]) -> list[Pack]:
    """Bring outdated packs up to date by reading only what the ledger says has changed."""
    by_start: dict[int, list[int]] = {}
    for key, head in heads.items():
        if head.changed_from is not None:
            by_start.setdefault(head.changed_from, []).append(key)
    packs = []
    for begin, keys in by_start.items():
        fresh = _read(connection, calendar, keys, begin)
        for key, first, blob in _whole_blobs(connection, keys):
            kept = np.frombuffer(blob, dtype=np.float64)[: max(begin - first, 0)]
            packs.append(_joined(key, heads[key].revision, (first, kept), fresh[key]))
    return packs


def _build(
    connection: Connection, calendar: Calendar, batch: Sequence[int], revisions: Mapping[int, int]
) -> list[Pack]:
    fresh = _read(connection, calendar, batch, 0)
    nothing = (0, np.zeros(0))
    return [_joined(key, revisions[key], nothing, fresh[key]) for key in batch]


def _read(
    connection: Connection, calendar: Calendar, batch: Sequence[int], begin: int
) -> dict[int, tuple[list[int], list[float]]]:
    """Read the ordinals and closes of rows of prices from the session ``begin`` on."""
    found: dict[int, tuple[list[int], list[float]]] = {key: ([], []) for key in batch}
    if not batch:
        return found
    listed = among(connection, batch)
    rows = read_rows(
        connection,
        "SELECT instrument_id, session, close FROM price "
        f"WHERE session >= ? AND instrument_id {listed.sql}",
        (bind_date(connection, calendar.sessions[begin]), *listed.values),
    )
    ordinals: dict[Any, int] = {}
    for key, day, close in rows:
        ordinal = ordinals.get(day)
        if ordinal is None:
            session = as_date(day)
            place = calendar.on_or_before(session) if calendar.is_session(session) else -1
            ordinal = ordinals.setdefault(day, place)
        if ordinal >= 0:
            found[key][0].append(ordinal)
            found[key][1].append(close)
    return found


def _joined(
    key: int,
    revision: int,
    kept: tuple[int, FloatVector],
    fresh: tuple[list[int], list[float]],
) -> Pack:
    """Make a pack of the closes that are kept and those that were read."""
    first, old = kept
    observed = first + np.flatnonzero(~np.isnan(old))
    at = np.concatenate([observed, np.array(fresh[0], dtype=np.int64)])
    if at.size == 0:
        return Pack(key, revision, 0, np.zeros(0))
    begin = int(at.min())
    closes = np.full(int(at.max()) - begin + 1, np.nan)
    closes[at - begin] = np.concatenate([old[observed - first], np.array(fresh[1])])
    return Pack(key, revision, begin, closes)


def _cut(first: int, closes: FloatVector, start: int) -> Series:
    if first >= start:
        return Series(first, closes)
    observed = np.flatnonzero(~np.isnan(closes[: start - first + 1]))
    begin = int(observed[-1])
    return Series(first + begin, closes[begin:])
