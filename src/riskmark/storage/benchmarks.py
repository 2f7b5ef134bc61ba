"""Benchmark weights: what a benchmark consists of, from a date to the next one stated.

An import replaces all weights of each date that it names, and leaves other dates alone. A
change is recorded for everything, from the first session on which the weights differ.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import Connection

from riskmark.domain.reasons import ChangeKind
from riskmark.domain.sectors import UNCLASSIFIED, USUAL_SECTORS, sector_of
from riskmark.domain.sessions import FIRST_DATE, Calendar
from riskmark.errors import InputError
from riskmark.storage import schema
from riskmark.storage.engines import as_date, bind_date, read_rows, write_rows
from riskmark.storage.instruments import Instrument, find_instruments
from riskmark.storage.key_lists import run_statement
from riskmark.storage.ledger import InputChange, lock_instruments, record_changes

_COLUMNS = ("benchmark_id", "date", "kind", "name", "weight")


class MemberKind(StrEnum):
    """What a weight is given for."""

    SYMBOL = "symbol"
    SECTOR = "sector"


@dataclass(frozen=True, slots=True)
class BenchmarkWeight:
    """A benchmark's weight of a symbol or sector, from ``date`` to the next date stated."""

    date: date
    kind: MemberKind
    name: str
    weight: float


class BenchmarkImport(NamedTuple):
    """What an import of weights did: how many dates were new, changed and as before."""

    received: int
    new: tuple[date, ...]
    changed: tuple[date, ...]
    unchanged: tuple[date, ...]
    revision: int


class SectorWeights(NamedTuple):
    """A benchmark's weights by sector, in force from ``date`` on."""

    date: date
    weights: Mapping[str, float]


def import_weights(
    connection: Connection,
    benchmark: Instrument,
    weights: Sequence[BenchmarkWeight],
    *,
    calendar: Calendar,
    at: datetime,
) -> BenchmarkImport:
    """Store the weights of ``benchmark`` on the dates that ``weights`` name; record changes."""
    lock_instruments(connection, [benchmark.instrument_id])
    stated = _by_date(weights)
    for day in stated:
        if not FIRST_DATE <= day <= calendar.sessions[-1]:
            raise InputError(f"{day} lies outside the calendar: no weights can begin there")
    stored = _by_date(_load(connection, benchmark.instrument_id))
    new = tuple(day for day in stated if day not in stored)
    changed = tuple(day for day in stated if day in stored and stored[day] != stated[day])
    for day in changed:
        run_statement(
            connection,
            "DELETE FROM benchmark_weight WHERE benchmark_id = ? AND date = ?",
            (benchmark.instrument_id, bind_date(connection, day)),
        )
    rows = [
        (benchmark.instrument_id, bind_date(connection, day), one.kind.value, one.name, one.weight)
        for day in (*new, *changed)
        for one in stated[day]
    ]
    write_rows(connection, schema.benchmark_weight, _COLUMNS, rows)
    changes = []
    if rows:
        first = calendar.sessions[calendar.on_or_after(min((*new, *changed)))]
        reason = f"benchmark weights of {benchmark.symbol} changed from {first} on"
        changes.append(InputChange(ChangeKind.PRICE, first, reason))
    return BenchmarkImport(
        received=len(weights),
        new=new,
        changed=changed,
        unchanged=tuple(day for day in stated if day in stored and day not in changed),
        revision=record_changes(connection, changes, at=at),
    )


def load_sector_weights(connection: Connection, benchmark_id: int) -> tuple[SectorWeights, ...]:
    """Read a benchmark's weights by sector, by date.

    A symbol counts in the sector that it has now; one that is not known is unclassified.
    """
    listed = _load(connection, benchmark_id)
    symbols = [one.name for one in listed if one.kind is MemberKind.SYMBOL]
    known = find_instruments(connection, symbols, owner_id=None)
    found = []
    for day, members in _by_date(listed).items():
        sums: dict[str, float] = {}
        for one in members:
            sector = _sector_of(one, known)
            sums[sector] = sums.get(sector, 0.0) + one.weight
        found.append(SectorWeights(day, sums))
    return tuple(found)


def unusual_sectors(connection: Connection, weights: Iterable[BenchmarkWeight]) -> tuple[str, ...]:
    """Return the sectors of ``weights`` that no symbol has or is usually given.

    A book has nothing to set beside them: ``Technology`` is not ``Information Technology``.
    """
    named = {one.name for one in weights if one.kind is MemberKind.SECTOR} - USUAL_SECTORS
    if not named:
        return ()
    rows = read_rows(connection, "SELECT DISTINCT sector FROM instrument WHERE sector IS NOT NULL")
    return tuple(sorted(named - {sector for (sector,) in rows}))


def _sector_of(one: BenchmarkWeight, known: Mapping[str, Instrument]) -> str:
    if one.kind is MemberKind.SECTOR:
        return one.name
    instrument = known.get(one.name)
    if instrument is None:
        return UNCLASSIFIED
    return sector_of(instrument.kind, instrument.sector)


def _load(connection: Connection, benchmark_id: int) -> list[BenchmarkWeight]:
    rows = read_rows(
        connection,
        "SELECT date, kind, name, weight FROM benchmark_weight WHERE benchmark_id = ? "
        "ORDER BY date, kind, name",
        (benchmark_id,),
    )
    return [BenchmarkWeight(as_date(day), MemberKind(kind), *rest) for day, kind, *rest in rows]


def _by_date(weights: Iterable[BenchmarkWeight]) -> dict[date, tuple[BenchmarkWeight, ...]]:
    """Group weights by date; those of a date in order of kind and name."""
    ordered = sorted(weights, key=lambda one: (one.date, one.kind, one.name))
    return {day: tuple(members) for day, members in groupby(ordered, key=attrgetter("date"))}
