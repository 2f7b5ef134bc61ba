"""Who said what instruments are, and of which of them providers are asked next.

A provider's kind or sector changes numbers, so it enters the ledger from the first lot on.
What a provider says that contradicts what is stored is noted beside it and changes nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from riskmark.domain.instruments import InstrumentKind
from riskmark.planning.profiles import PEOPLE, Known, Said, Settled, settle
from riskmark.storage import schema
from riskmark.storage.engines import read_rows, upsert
from riskmark.storage.instruments import (
    Instrument,
    change_since_first_use,
    find_instruments,
    load_instruments,
)
from riskmark.storage.key_lists import run_statement
from riskmark.storage.ledger import lock_instruments, record_changes
from riskmark.storage.symbol_scope import in_scope

RETRY = timedelta(hours=20)
"""After how long a symbol is asked about again of which nobody said anything, at first."""
LONGEST = timedelta(days=30)
_FRESH = timedelta(days=1)
_TABLE = schema.symbol_profile
_NEVER_ASKED = frozenset({InstrumentKind.PRIVATE, InstrumentKind.OPTION})


class ProfileRow(NamedTuple):
    """Who said what of an instrument, and when it is asked about again."""

    kind_by: str | None = None
    name_by: str | None = None
    sector_by: str | None = None
    currency_by: str | None = None
    asked_at: datetime | None = None
    until: datetime | None = None
    misses: int = 0
    conflict: str | None = None
    conflict_by: str | None = None


def load_profiles(
    connection: Connection, instruments: Mapping[int, Instrument]
) -> dict[int, ProfileRow]:
    """Return who said what of instruments; a name or sector that nobody else gave is people's."""
    statement = select(_TABLE)
    if len(instruments) == 1:
        statement = statement.where(_TABLE.c.instrument_id == next(iter(instruments)))
    stored = {row.instrument_id: ProfileRow(*row[1:]) for row in connection.execute(statement)}
    found: dict[int, ProfileRow] = {}
    for key, one in instruments.items():
        row = stored.get(key, ProfileRow())
        found[key] = row._replace(
            name_by=row.name_by or (None if one.name is None else PEOPLE),
            sector_by=row.sector_by or (None if one.sector is None else PEOPLE),
        )
    return found


def load_due(
    connection: Connection,
    *,
    scope: Sequence[str] | None,
    factor_symbols: Collection[str],
    most: int,
    at: datetime,
) -> tuple[Instrument, ...]:
    """Return public instruments that lack something or are old: held ones first, then the oldest.

    At most ``most``; none that was asked about and is left in peace until later than ``at``.
    """
    factors = find_instruments(connection, factor_symbols, owner_id=None)
    keys = in_scope(connection, scope, [one.instrument_id for one in factors.values()])
    instruments = load_instruments(connection, keys, owner_id=None)
    rows = load_profiles(connection, instruments)
    held = {row[0] for row in read_rows(connection, "SELECT DISTINCT instrument_id FROM lot")}
    due: list[tuple[bool, bool, str, Instrument]] = []
    for key, one in instruments.items():
        row, is_public = rows[key], one.owner_id is None and one.kind not in _NEVER_ASKED
        known = _known(one, row, has_prices=True)
        is_left = row.until is not None and row.until > at
        if is_public and not is_left and not known.is_settled_by_people:
            asked = "" if row.until is None else row.until.isoformat()
            due.append((key not in held, row.until is not None, asked + one.symbol, one))
    return tuple(one for *_, one in sorted(due, key=lambda found: found[:3])[:most])


def save_said(
    connection: Connection,
    symbol: str,
    said: Said,
    *,
    at: datetime,
    fresh: timedelta,
    is_asked: bool = True,
) -> str | None:
    """Store what is new of what a provider said; return a contradiction that is news.

    ``fresh``: for how long nobody is asked again. Without ``is_asked`` it came
    along with prices, and counts as an answer only where nothing is left to ask.
    """
    instrument = find_instruments(connection, [symbol], owner_id=None).get(symbol)
    if instrument is None or instrument.kind in _NEVER_ASKED or not any(said[1:]):
        return None
    key = instrument.instrument_id
    row = load_profiles(connection, {key: instrument})[key]
    known = _known(instrument, row, has_prices=_has_prices(connection, key))
    settled = settle(known, said)
    news = settled.conflict if settled.conflict != row.conflict else None
    saved = _noted(row, said, settled)
    if settled.conflict is None:
        _take(connection, instrument, said.provider, settled, at)
    is_whole = settled.conflict is None and not _after(known, settled).lacks
    is_soon = row.until is None or row.until < at + _FRESH
    if is_asked or (is_whole and is_soon):
        saved = saved._replace(asked_at=at, until=at + fresh, misses=0)
    if saved != row:
        _save(connection, key, saved)
    return news


def contradiction(connection: Connection, instrument_id: int, said: Said) -> str | None:
    """Return what contradicts an instrument that has prices; None if nothing does."""
    found = load_instruments(connection, [instrument_id], owner_id=None)
    if not found or not _has_prices(connection, instrument_id):
        return None
    row = load_profiles(connection, found)[instrument_id]
    return settle(_known(found[instrument_id], row, has_prices=True), said).conflict


def save_miss(connection: Connection, instrument_id: int, *, at: datetime) -> None:
    """Remember that nobody said anything, and ask again after twice as long as before."""
    found = load_instruments(connection, [instrument_id], owner_id=None)
    for key, row in load_profiles(connection, found).items():
        wait = min(LONGEST, RETRY * 2 ** min(row.misses, 16))
        saved = row._replace(asked_at=at, until=at + wait, misses=row.misses + 1)
        _save(connection, key, saved)


def note_people(connection: Connection, stated: Mapping[int, Iterable[str]]) -> None:
    """Remember which fields people stated, and forget a contradiction: they have seen to it."""
    found = load_instruments(connection, list(stated))
    rows = load_profiles(connection, found)
    for key, fields in stated.items():
        if key in rows:
            by: dict[str, Any] = {f"{field}_by": PEOPLE for field in fields}
            saved = rows[key]._replace(conflict=None, conflict_by=None, **by)
            if saved != rows[key]:
                _save(connection, key, saved)


def forget_profile(connection: Connection, instrument_id: int) -> None:
    """Forget when and how providers were asked about an instrument that has another symbol now.

    A name that one of them gave goes too: the next may be told without contradiction.
    """
    run_statement(
        connection,
        "UPDATE instrument SET name = NULL WHERE id = ? AND EXISTS (SELECT 1 FROM symbol_profile s "
        "WHERE s.instrument_id = instrument.id AND s.name_by <> ?)",
        (instrument_id, PEOPLE),
    )
    run_statement(
        connection,
        "UPDATE symbol_profile SET asked_at = NULL, until = NULL, misses = 0, conflict = NULL, "
        "conflict_by = NULL, name_by = CASE WHEN name_by = ? THEN name_by END "
        "WHERE instrument_id = ?",
        (PEOPLE, instrument_id),
    )


def _noted(row: ProfileRow, said: Said, settled: Settled) -> ProfileRow:
    """Return the row with who said what is taken, and the contradiction, if there is one."""
    if settled.conflict is not None:
        return row._replace(conflict=settled.conflict, conflict_by=said.provider)
    if row.conflict_by == said.provider:
        row = row._replace(conflict=None, conflict_by=None)
    new: dict[str, Any] = {
        f"{field}_by": said.provider
        for field in ("kind", "name", "sector", "currency")
        if getattr(settled, field) is not None
    }
    return row._replace(**new)


def _take(
    connection: Connection, instrument: Instrument, provider: str, settled: Settled, at: datetime
) -> None:
    new = {
        field: value
        for field, value in zip(settled._fields, settled, strict=True)
        if value is not None and value != getattr(instrument, field)
    }
    if not new:
        return
    key = instrument.instrument_id
    assigned = ", ".join(f"{field} = ?" for field in new)
    lock_instruments(connection, [key])
    run_statement(
        connection, f"UPDATE instrument SET {assigned} WHERE id = ?", (*map(str, new.values()), key)
    )
    if new.keys() - {"name"}:
        words = ", ".join(f"{field} {value}" for field, value in new.items() if field != "name")
        reason = f"{instrument.symbol}: {words}, as {provider} says"
        record_changes(connection, change_since_first_use(connection, instrument, reason), at=at)


def _known(instrument: Instrument, row: ProfileRow, *, has_prices: bool) -> Known:
    return Known(
        symbol=instrument.symbol,
        kind=instrument.kind,
        name=instrument.name,
        sector=instrument.sector,
        currency=instrument.currency,
        kind_by=row.kind_by,
        name_by=row.name_by,
        sector_by=row.sector_by,
        currency_by=row.currency_by,
        has_prices=has_prices,
    )


def _after(known: Known, settled: Settled) -> Known:
    return Known(
        symbol=known.symbol,
        kind=settled.kind or known.kind,
        name=settled.name or known.name,
        sector=settled.sector or known.sector,
        currency=known.currency,
        kind_by=known.kind_by if settled.kind is None else "",
    )


def _has_prices(connection: Connection, key: int) -> bool:
    statement = "SELECT 1 FROM price WHERE instrument_id = ? LIMIT 1"
    return bool(read_rows(connection, statement, (key,)))


def _save(connection: Connection, key: int, row: ProfileRow) -> None:
    upsert(connection, _TABLE, {"instrument_id": key}, row._asdict())
