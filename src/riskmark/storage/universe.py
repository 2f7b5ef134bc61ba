"""The universe: every instrument, with how much is stored of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection

from riskmark.storage.engines import as_optional_date, read_rows
from riskmark.storage.instruments import Instrument, find_instrument, load_instruments
from riskmark.storage.key_lists import Part, among
from riskmark.storage.profiles import ProfileRow, load_profiles
from riskmark.storage.schema import LOCAL_ACCOUNT


@dataclass(frozen=True, slots=True)
class InstrumentSummary:
    """An instrument, and what is stored of it.

    ``portfolios`` counts live portfolios with a lot of it, open or closed. ``accepted`` is
    the note with which its reason was accepted. The quarantine is the open one. ``said``: by
    whom it is what it is.
    """

    instrument: Instrument
    aliases: tuple[str, ...] = ()
    portfolios: int = 0
    bars: int = 0
    first_session: date | None = None
    last_session: date | None = None
    actions: int = 0
    valuations: int = 0
    accepted: str | None = None
    quarantined_from: date | None = None
    quarantine_reason: str | None = None
    said: ProfileRow = field(default_factory=ProfileRow)


def list_universe(
    connection: Connection, *, owner_id: str = LOCAL_ACCOUNT
) -> tuple[InstrumentSummary, ...]:
    """Describe every instrument that ``owner_id`` sees, by symbol."""
    rows = read_rows(
        connection,
        "SELECT id FROM instrument WHERE owner_id IS NULL OR owner_id = ?",
        (owner_id,),
    )
    return describe(connection, [row[0] for row in rows], owner_id=owner_id)


def describe_symbol(
    connection: Connection, symbol: str, *, owner_id: str = LOCAL_ACCOUNT
) -> InstrumentSummary:
    """Describe one instrument; raise ``UnknownSymbol`` if there is none."""
    instrument = find_instrument(connection, symbol, owner_id=owner_id)
    return describe(connection, [instrument.instrument_id], owner_id=owner_id)[0]


def describe(
    connection: Connection, keys: Sequence[int], *, owner_id: str = LOCAL_ACCOUNT
) -> tuple[InstrumentSummary, ...]:
    """Describe some instruments, by symbol."""
    chosen = among(connection, keys)
    bars = _grouped(connection, "price", "count(*), min(session), max(session)", chosen)
    actions = _grouped(connection, "action", "count(*)", chosen)
    valuations = _grouped(connection, "valuation", "count(*)", chosen)
    accepted = _grouped(connection, "acceptance", "max(note)", chosen)
    portfolios = _grouped(
        connection,
        "lot JOIN portfolio p ON p.id = lot.portfolio_id AND p.deleted_at IS NULL",
        "count(DISTINCT lot.portfolio_id)",
        chosen,
    )
    quarantined = {
        row[0]: row[1:]
        for row in read_rows(
            connection,
            "SELECT instrument_id, from_session, reason FROM quarantine "
            f"WHERE released_at IS NULL AND instrument_id {chosen.sql}",
            chosen.values,
        )
    }
    aliases = _aliases(connection, chosen)
    summaries = []
    instruments = load_instruments(connection, keys, owner_id=owner_id)
    said = load_profiles(connection, instruments)
    for key, instrument in instruments.items():
        count, first, last = bars.get(key, (0, None, None))
        since, reason = quarantined.get(key, (None, None))
        summaries.append(
            InstrumentSummary(
                instrument=instrument,
                aliases=aliases.get(key, ()),
                portfolios=portfolios.get(key, (0,))[0],
                bars=count,
                first_session=as_optional_date(first),
                last_session=as_optional_date(last),
                actions=actions.get(key, (0,))[0],
                valuations=valuations.get(key, (0,))[0],
                accepted=accepted.get(key, (None,))[0],
                quarantined_from=as_optional_date(since),
                quarantine_reason=reason,
                said=said[key],
            )
        )
    return tuple(sorted(summaries, key=lambda summary: summary.instrument.symbol))


def _grouped(
    connection: Connection, tables: str, columns: str, chosen: Part
) -> dict[int, tuple[Any, ...]]:
    rows = read_rows(
        connection,
        f"SELECT instrument_id, {columns} FROM {tables} "
        f"WHERE instrument_id {chosen.sql} GROUP BY instrument_id",
        chosen.values,
    )
    return {row[0]: row[1:] for row in rows}


def _aliases(connection: Connection, chosen: Part) -> dict[int, tuple[str, ...]]:
    rows = read_rows(
        connection,
        f"SELECT instrument_id, symbol FROM instrument_alias WHERE instrument_id {chosen.sql} "
        "ORDER BY symbol",
        chosen.values,
    )
    found: dict[int, tuple[str, ...]] = {}
    for key, symbol in rows:
        found[key] = (*found.get(key, ()), symbol)
    return found
