"""Renames: an instrument keeps its identity under a new symbol, and the old one finds it.

Where both symbols are instruments already, as after prices came under the new symbol
while lots still name the old one, they become one: what the old symbol has before the day
of the rename and the new one lacks moves over, the rest of it goes, and the lots follow.
Two instruments whose bars contradict this, as two companies' do, stay what they are.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.reasons import ChangeKind
from riskmark.domain.sessions import FIRST_DATE, Calendar
from riskmark.errors import InputError, UnknownSymbol
from riskmark.intake.symbols import canonical_symbol
from riskmark.storage import quarantine, schema
from riskmark.storage.engines import as_date, bind_date, read_rows
from riskmark.storage.instruments import Instrument, find_instruments
from riskmark.storage.key_lists import run_statement
from riskmark.storage.ledger import InputChange, lock_instruments, one_of_each, record_changes
from riskmark.storage.profiles import forget_profile

CLOSES_AGREE = 1e-6
"""Relative difference up to which closes under two symbols can be those of one instrument."""


class Renamed(NamedTuple):
    """The instrument that now has the new symbol, and what moved to it.

    ``is_merge``: two instruments became one. ``dropped_bars`` are bars of the old symbol that
    the new one has too.
    """

    instrument_id: int
    symbol: str
    moved_bars: int = 0
    dropped_bars: int = 0
    moved_lots: int = 0
    is_merge: bool = False


class _Pair(NamedTuple):
    old: int
    new: int


def load_former(connection: Connection) -> dict[int, tuple[tuple[str, date], ...]]:
    """Return the former symbols of instruments, each with the date from which it was none."""
    rows = read_rows(
        connection,
        "SELECT instrument_id, symbol, renamed_on FROM instrument_alias "
        "ORDER BY renamed_on, symbol",
    )
    found: dict[int, tuple[tuple[str, date], ...]] = {}
    for key, symbol, day in rows:
        found[key] = (*found.get(key, ()), (symbol, as_date(day)))
    return found


def rename(
    connection: Connection, old: str, new: str, day: date, *, calendar: Calendar, at: datetime
) -> Renamed:
    """Let the instrument ``old`` be called ``new`` from ``day`` on, and record the change.

    If only ``new`` is known, ``old`` becomes another name for it. Raises ``InputError`` where
    both are known and their bars cannot be those of one instrument.
    """
    former, present = _symbol(old), _symbol(new)
    if former == present:
        raise InputError(f"{former} cannot be renamed to itself")
    if day < FIRST_DATE:
        raise InputError(f"{day} lies before {FIRST_DATE}, the first date of the calendar")
    session = calendar.sessions[calendar.on_or_after(day)]
    found = find_instruments(connection, [former, present], owner_id=None)
    lock_instruments(connection, [i.instrument_id for i in found.values()])
    source, target = found.get(former), found.get(present)
    _refuse_options(found.values())
    if source is None:
        return _add_name(connection, former, target, day)
    if source.symbol != former:
        if target != source:
            raise InputError(f"{former} is a former symbol of {source.symbol} already")
        return _add_name(connection, former, source, day)
    if target is None or target == source:
        return _rename(connection, source, present, day, session=session, at=at)
    return _merge(connection, source, target, day, session=session, at=at)


def _symbol(text: str) -> str:
    symbol = canonical_symbol(text)
    if symbol is None:
        raise InputError(f"{text!r} is not a symbol")
    return symbol


def _refuse_options(instruments: Iterable[Instrument]) -> None:
    for instrument in instruments:
        if instrument.kind is InstrumentKind.OPTION:
            raise InputError(f"{instrument.symbol} is an option, whose symbol is its terms")


def _add_name(connection: Connection, former: str, target: Instrument | None, day: date) -> Renamed:
    """Let ``former`` find ``target``; no number changes, as no lot can name ``former``."""
    if target is None:
        raise UnknownSymbol(former)
    _store_name(connection, former, target.instrument_id, day)
    return Renamed(target.instrument_id, target.symbol)


def _store_name(connection: Connection, former: str, key: int, day: date) -> None:
    run_statement(connection, "DELETE FROM instrument_alias WHERE symbol = ?", (former,))
    connection.execute(
        insert(schema.instrument_alias).values(symbol=former, instrument_id=key, renamed_on=day)
    )


def _rename(
    connection: Connection,
    source: Instrument,
    present: str,
    day: date,
    *,
    session: date,
    at: datetime,
) -> Renamed:
    key = source.instrument_id
    # A symbol that is taken up again is no longer a former one.
    run_statement(connection, "DELETE FROM instrument_alias WHERE symbol = ?", (present,))
    run_statement(connection, "UPDATE instrument SET symbol = ? WHERE id = ?", (present, key))
    _store_name(connection, source.symbol, key, day)
    forget_profile(connection, key)
    reason = f"{source.symbol} was renamed to {present}"
    change = InputChange(ChangeKind.PRICE, session, reason, instrument_id=key)
    record_changes(connection, [change], at=at)
    return Renamed(key, present)


def _merge(
    connection: Connection,
    source: Instrument,
    target: Instrument,
    day: date,
    *,
    session: date,
    at: datetime,
) -> Renamed:
    """Make one instrument of two; whatever the lots of either used may differ."""
    pair = _Pair(source.instrument_id, target.instrument_id)
    _refuse_two(connection, source, target, day)
    first = min(session, *_first_dates(connection, pair.old))
    moved_bars = _move(connection, pair, "price", ("session",), before=day)
    _move(connection, pair, "action", ("ex_date", "kind"), before=day)
    _move(connection, pair, "acceptance", ())
    # Suspicious moves are looked for again among the bars of both.
    run_statement(
        connection,
        "DELETE FROM quarantine WHERE released_at IS NULL AND instrument_id IN (?, ?)",
        pair,
    )
    _move(connection, pair, "quarantine", ("from_session",))
    moved_lots = _repoint(connection, pair, "lot")
    _repoint(connection, pair, "portfolio", "benchmark_id")
    _repoint(connection, pair, "price_correction")
    _repoint(connection, pair, "instrument_alias")
    dropped_bars = _drop(connection, pair.old, "price")
    for table in (
        "action",
        "acceptance",
        "quarantine",
        "price_pack",
        "fit_pack",
        "symbol_metric",
        "price_check",
        "symbol_profile",
        "cross_check",
        "price_difference",
        "held_action",
    ):
        _drop(connection, pair.old, table)
    run_statement(
        connection,
        "UPDATE instrument SET name = COALESCE(name, ?), sector = COALESCE(sector, ?) WHERE id = ?",
        (source.name, source.sector, pair.new),
    )
    run_statement(connection, "DELETE FROM instrument WHERE id = ?", (pair.old,))
    _store_name(connection, source.symbol, pair.new, day)
    checked = quarantine.check(connection, {pair.new: FIRST_DATE}, at=at)
    reason = f"{source.symbol} became {target.symbol}"
    change = InputChange(ChangeKind.PRICE, first, reason, instrument_id=pair.new)
    record_changes(connection, one_of_each([change, *checked.changes]), at=at)
    return Renamed(pair.new, target.symbol, moved_bars, dropped_bars, moved_lots, is_merge=True)


def _refuse_two(connection: Connection, source: Instrument, target: Instrument, day: date) -> None:
    """Refuse to make one of two instruments if bars that matter would be lost by it."""
    rows = read_rows(
        connection,
        "SELECT o.session, o.close, n.close FROM price o LEFT JOIN price n "
        "ON n.instrument_id = ? AND n.session = o.session WHERE o.instrument_id = ? ORDER BY 1",
        (target.instrument_id, source.instrument_id),
    )
    pair = f"{source.symbol} and {target.symbol}"
    differ = [
        row
        for row in rows
        if row[2] is not None and not math.isclose(row[1], row[2], rel_tol=CLOSES_AGREE)
    ]
    if differ:
        session, old, new = differ[0]
        raise InputError(
            f"{pair} look like two instruments: on {len(differ):,} of their sessions the closes "
            f"differ, first on {as_date(session)} ({old:,} and {new:,}); nothing was changed"
        )
    later = [as_date(row[0]) for row in rows if row[2] is None and as_date(row[0]) >= day]
    if later:
        raise InputError(
            f"{pair} cannot become one from {day} on: {source.symbol} has {len(later):,} bars "
            f"from then on that {target.symbol} lacks, first on {later[0]}; nothing was changed"
        )


def _first_dates(connection: Connection, old: int) -> list[date]:
    """Return the first dates of what an instrument has."""
    found: list[date] = []
    for table, column in (("price", "session"), ("action", "ex_date"), ("lot", "entry_date")):
        rows = read_rows(
            connection, f"SELECT min({column}) FROM {table} WHERE instrument_id = ?", (old,)
        )
        found += [as_date(row[0]) for row in rows if row[0] is not None]
    return found


def _move(
    connection: Connection,
    pair: _Pair,
    table: str,
    keys: Sequence[str],
    *,
    before: date | None = None,
) -> int:
    """Move the rows that the new instrument lacks, of an old date only; return how many."""
    same = "".join(f" AND other.{key} = {table}.{key}" for key in keys)
    values: tuple[object, ...] = (pair.new, pair.old, pair.new)
    limit = ""
    if before is not None:
        limit = f" AND {keys[0]} < ?"
        values += (bind_date(connection, before),)
    return run_statement(
        connection,
        f"UPDATE {table} SET instrument_id = ? WHERE instrument_id = ? AND NOT EXISTS "
        f"(SELECT 1 FROM {table} AS other WHERE other.instrument_id = ?{same}){limit}",
        values,
    )


def _repoint(connection: Connection, pair: _Pair, table: str, column: str = "instrument_id") -> int:
    return run_statement(
        connection,
        f"UPDATE {table} SET {column} = ? WHERE {column} = ?",
        (pair.new, pair.old),
    )


def _drop(connection: Connection, key: int, table: str) -> int:
    return run_statement(connection, f"DELETE FROM {table} WHERE instrument_id = ?", (key,))
