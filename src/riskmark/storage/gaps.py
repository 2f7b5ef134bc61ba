"""Gaps: closes that should be stored and are not.

An instrument is expected to have a close on every session from its first bar, or its first
entry if that is earlier, to the last session on which a lot of it is held at the close. A
symbol of a factor model is needed to the end. An option needs the closes of its underlying,
from its first entry to its last session; of its own, as of private assets, none is missed.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlalchemy import Connection

from riskmark.domain.reasons import SymbolReason
from riskmark.domain.sessions import Calendar
from riskmark.intake.market_data import IntArray
from riskmark.storage.contracts import load_contracts
from riskmark.storage.engines import as_date, read_rows
from riskmark.storage.instruments import (
    Instrument,
    find_instrument,
    find_instruments,
    load_instruments,
)
from riskmark.storage.key_lists import among


@dataclass(frozen=True, slots=True)
class PriceGap:
    """Consecutive sessions without a stored close.

    ``reason`` is ``never_priced`` where there is no close at all; None: there are others.
    """

    symbol: str
    first: date
    last: date
    sessions: int
    reason: SymbolReason | None = None


@dataclass(frozen=True, slots=True)
class _Need:
    """From which session to which (ordinals) closes are needed."""

    first: int | None
    last: int


def price_gaps(
    connection: Connection,
    calendar: Calendar,
    target: date,
    *,
    symbols: Sequence[str] | None = None,
    factor_symbols: Collection[str] = (),
) -> tuple[PriceGap, ...]:
    """List the gaps up to ``target``, by symbol and date.

    Looks at ``symbols``; without them, at everything that a live portfolio holds or held and
    at ``factor_symbols``. A symbol that is named and not held is needed to the target.
    """
    end = calendar.on_or_before(target)
    if end < 0:
        return ()
    needs = _load_needs(connection, calendar, end)
    for instrument in find_instruments(connection, factor_symbols, owner_id=None).values():
        needs[instrument.instrument_id] = _widened(needs.get(instrument.instrument_id), end)
    if symbols is None:
        instruments = load_instruments(connection, needs)
    else:
        named = [find_instrument(connection, symbol) for symbol in symbols]
        instruments = {instrument.instrument_id: instrument for instrument in named}
    priced = {key: i for key, i in instruments.items() if i.needs_closes}
    stored = _load_ordinals(connection, calendar, priced)
    gaps = [
        gap
        for key, instrument in priced.items()
        for gap in _find(instrument, needs.get(key, _Need(None, end)), stored.get(key), calendar)
    ]
    return tuple(sorted(gaps, key=lambda gap: (gap.symbol, gap.first)))


def _load_needs(connection: Connection, calendar: Calendar, end: int) -> dict[int, _Need]:
    """Read from when to when live portfolios hold each instrument, none being sold open."""
    rows = read_rows(
        connection,
        "SELECT l.instrument_id, min(l.entry_date), max(l.exit_date), "
        "count(*) - count(l.exit_date) "
        "FROM lot l JOIN portfolio p ON p.id = l.portfolio_id WHERE p.deleted_at IS NULL "
        "GROUP BY l.instrument_id",
    )
    needs: dict[int, _Need] = {}
    for key, entry, leaving, still_held in rows:
        last = end if still_held else calendar.on_or_after(as_date(leaving)) - 1
        needs[key] = _Need(calendar.on_or_after(as_date(entry)), min(last, end))
    for contract in load_contracts(connection, list(needs)):
        if contract.underlying_id is not None:
            own, known = needs[contract.instrument_id], needs.get(contract.underlying_id)
            last = min(own.last, calendar.on_or_before(contract.expiry))
            needs[contract.underlying_id] = _joined(_Need(own.first, last), known)
    return needs


def _joined(need: _Need, other: _Need | None) -> _Need:
    if other is None:
        return need
    firsts = [first for first in (need.first, other.first) if first is not None]
    return _Need(min(firsts, default=None), max(need.last, other.last))


def _widened(need: _Need | None, end: int) -> _Need:
    return _Need(None if need is None else need.first, end)


def _load_ordinals(
    connection: Connection, calendar: Calendar, keys: Iterable[int]
) -> dict[int, IntArray]:
    """Read the sessions on which each instrument has a close, as ordinals in order."""
    listed = among(connection, keys)
    rows = read_rows(
        connection,
        "SELECT instrument_id, session FROM price "
        f"WHERE instrument_id {listed.sql} ORDER BY instrument_id, session",
        listed.values,
    )
    if not rows:
        return {}
    instrument = np.array([row[0] for row in rows], dtype=np.int64)
    session = np.array([row[1] for row in rows], dtype="datetime64[D]")
    sessions = np.array(calendar.sessions, dtype="datetime64[D]")
    place = np.searchsorted(sessions, session)
    found = sessions[np.minimum(place, len(sessions) - 1)] == session
    instrument, place = instrument[found], place[found]
    stored, starts = np.unique(instrument, return_index=True)
    pieces = np.split(place, starts[1:])
    return dict(zip(stored.tolist(), pieces, strict=True))


def _find(
    instrument: Instrument, need: _Need, stored: IntArray | None, calendar: Calendar
) -> Iterator[PriceGap]:
    """Yield the gaps of one instrument."""
    starts = [] if need.first is None else [need.first]
    if stored is not None:
        starts.append(int(stored[0]))
    # Where nobody holds it and it has no bar, only the last session is known to be needed.
    expected = np.arange(min(starts, default=need.last), need.last + 1)
    missing = expected if stored is None else np.setdiff1d(expected, stored, assume_unique=True)
    reason = SymbolReason.NEVER_PRICED if stored is None else None
    for run in np.split(missing, np.flatnonzero(np.diff(missing) > 1) + 1):
        if len(run):
            yield PriceGap(
                symbol=instrument.symbol,
                first=calendar.sessions[int(run[0])],
                last=calendar.sessions[int(run[-1])],
                sessions=len(run),
                reason=reason,
            )
