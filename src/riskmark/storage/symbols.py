"""What people say of instruments: names, kinds, sectors, acceptance, valuations.

Whatever changes a number enters the ledger from the first session on which it can matter:
a sector or kind from the instrument's first lot, an acceptance likewise, a valuation from
its date. A name changes no number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection, Table, delete, insert, select, update

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.reasons import ChangeKind
from riskmark.domain.sessions import FIRST_DATE, Calendar
from riskmark.errors import InputError
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.storage import quarantine, schema
from riskmark.storage.file_issues import FileIssue, MarketFileErrors
from riskmark.storage.instruments import (
    Instrument,
    change_since_first_use,
    ensure_instruments,
    find_instrument,
    find_instruments,
    first_use,
    hint_of,
)
from riskmark.storage.ledger import (
    InputChange,
    lock_instruments,
    one_of_each,
    record_changes,
)
from riskmark.storage.profiles import note_people
from riskmark.storage.schema import LOCAL_ACCOUNT
from riskmark.storage.symbol_files import SymbolRow

MOST = Decimal(10) ** 12
"""A valuation is below this, and has at most 8 decimals."""
DECIMALS = 8
_SAID = ("kind", "name", "sector", "currency")


class SymbolImport(NamedTuple):
    """How many symbols a file named, and which were made and changed."""

    received: int
    created: tuple[str, ...]
    changed: tuple[str, ...]
    revision: int


class NotPrivate(InputError):
    """Only a private asset has valuations."""

    def __init__(self, symbol: str) -> None:
        super().__init__(f"{symbol} is not a private asset; its prices are imported or fetched")
        self.symbol = symbol


class NotPublic(InputError):
    """Nobody outside is asked for a private asset."""

    def __init__(self, symbol: str) -> None:
        super().__init__(f"{symbol} is a private asset; enter its worth with: symbols value")
        self.symbol = symbol


def import_symbols(
    connection: Connection,
    rows: Sequence[SymbolRow],
    *,
    currency: str,
    at: datetime,
    owner_id: str = LOCAL_ACCOUNT,
) -> SymbolImport:
    """Store what ``rows`` say, make the symbols that are new, and record what changed.

    Raises ``MarketFileErrors`` with every row that does not fit what is stored; then the
    caller must roll back.
    """
    known = find_instruments(connection, [row.symbol for row in rows], owner_id=owner_id)
    issues = [issue for row in rows for issue in _misfits(connection, row, known.get(row.symbol))]
    if issues:
        raise MarketFileErrors(issues)
    hints = [_hint(row, is_new=row.symbol not in known) for row in rows]
    ensured = ensure_instruments(connection, hints, currency=currency, at=at, owner_id=owner_id)
    lock_instruments(connection, [i.instrument_id for i in ensured.instruments])
    changes: list[InputChange] = []
    changed: list[str] = []
    new_kinds: dict[int, date] = {}
    for row, stored in zip(rows, ensured.instruments, strict=True):
        wanted = _merge(stored, row, owner_id)
        if wanted == stored:
            continue
        _update(connection, wanted)
        if row.symbol in known:
            changed.append(row.symbol)
            changes += _changes(connection, stored, wanted)
        if wanted.kind is not stored.kind:
            new_kinds[wanted.instrument_id] = FIRST_DATE
    note_people(
        connection,
        {
            stored.instrument_id: [field for field in _SAID if getattr(row, field) is not None]
            for row, stored in zip(rows, ensured.instruments, strict=True)
        },
    )
    checked = quarantine.check(connection, new_kinds, at=at)
    revision = record_changes(connection, one_of_each([*changes, *checked.changes]), at=at)
    return SymbolImport(len(rows), ensured.created, tuple(changed), revision)


def accept(connection: Connection, symbol: str, note: str, *, at: datetime) -> bool:
    """Accept whatever reason ``symbol`` has; return whether it was not accepted before.

    Records the change. Another note for an accepted symbol takes the place of the old one.
    """
    instrument = find_instrument(connection, symbol)
    table = schema.acceptance
    key = instrument.instrument_id
    changed = connection.execute(
        update(table).where(table.c.instrument_id == key).values(note=note)
    )
    if changed.rowcount:
        return False
    connection.execute(insert(table).values(instrument_id=key, note=note, accepted_at=at))
    _record_acceptance(connection, instrument, f"{instrument.symbol} was accepted: {note}", at)
    return True


def unaccept(connection: Connection, symbol: str, *, at: datetime) -> bool:
    """Take an acceptance back and record it; return whether there was one."""
    instrument = find_instrument(connection, symbol)
    table = schema.acceptance
    gone = connection.execute(
        delete(table).where(table.c.instrument_id == instrument.instrument_id)
    )
    if not gone.rowcount:
        return False
    reason = f"{instrument.symbol} is no longer accepted"
    _record_acceptance(connection, instrument, reason, at)
    return True


def value_private(
    connection: Connection,
    symbol: str,
    day: date,
    price: Decimal,
    *,
    calendar: Calendar,
    at: datetime,
) -> bool:
    """Store the value of a private asset on ``day``; return whether that changes anything.

    Records the change, from the session on which it takes effect.
    """
    instrument = find_instrument(connection, symbol)
    if not instrument.is_private:
        raise NotPrivate(instrument.symbol)
    if not (price.is_finite() and 0 <= price < MOST and price == round(price, DECIMALS)):
        raise InputError(f"a value is from 0 to {MOST:,}, with at most 8 decimals; not {price}")
    if day < FIRST_DATE:
        raise InputError(f"{day} lies before {FIRST_DATE}, the first date that can be valued")
    session = calendar.sessions[calendar.on_or_after(day)]
    table = schema.valuation
    key = instrument.instrument_id
    lock_instruments(connection, [key])
    here = (table.c.instrument_id == key) & (table.c.date == day)
    stored = connection.execute(select(table.c.price).where(here)).scalar_one_or_none()
    if stored == price:
        return False
    if stored is None:
        connection.execute(insert(table).values(instrument_id=key, date=day, price=price))
    else:
        connection.execute(update(table).where(here).values(price=price))
    reason = f"{instrument.symbol} was valued at {price} on {day}"
    change = InputChange(ChangeKind.PRICE, session, reason, instrument_id=key)
    record_changes(connection, [change], at=at)
    return True


def _record_acceptance(
    connection: Connection, instrument: Instrument, reason: str, at: datetime
) -> None:
    key = instrument.instrument_id
    first = first_use(connection, key) or FIRST_DATE
    change = InputChange(ChangeKind.ACCEPTANCE, first, reason, instrument_id=key)
    record_changes(connection, [change], at=at)


def _hint(row: SymbolRow, *, is_new: bool) -> InstrumentHint:
    guess = hint_of(row.symbol)
    if is_new and row.kind is not None:
        return replace(guess, kind=row.kind, is_stated=True)
    return guess


def _misfits(
    connection: Connection, row: SymbolRow, stored: Instrument | None
) -> Iterator[FileIssue]:
    """Say what of a row does not fit the instrument that has its symbol."""
    if stored is None:
        return
    if stored.symbol != row.symbol:
        yield _issue(row, "symbol", row.symbol, f"{stored.symbol}, as it is called now")
    if row.kind is not None and stored.is_private != (row.kind is InstrumentKind.PRIVATE):
        if stored.is_private and _is_held_back(connection, stored):
            yield _issue(row, "kind", row.kind, "private: it has valuations or a public namesake")
        if not stored.is_private and _has(connection, schema.price, stored):
            yield _issue(row, "kind", row.kind, "another kind: prices of it are stored")
    if row.currency not in {None, stored.currency} and _has(connection, schema.price, stored):
        yield _issue(
            row, "currency", row.currency or "", f"{stored.currency}: prices in it are stored"
        )


def _issue(row: SymbolRow, column: str, value: str, expected: str) -> FileIssue:
    return FileIssue(row.file, row.row, column, value, expected)


def _is_held_back(connection: Connection, stored: Instrument) -> bool:
    """Whether a private asset cannot become public."""
    public = find_instruments(connection, [stored.symbol], owner_id=None)
    return bool(public) or _has(connection, schema.valuation, stored)


def _has(connection: Connection, table: Table, instrument: Instrument) -> bool:
    """Whether ``table`` has a row of an instrument."""
    found = connection.execute(
        select(table.c.instrument_id)
        .where(table.c.instrument_id == instrument.instrument_id)
        .limit(1)
    )
    return found.first() is not None


def _merge(stored: Instrument, row: SymbolRow, owner_id: str) -> Instrument:
    kind = row.kind or stored.kind
    return replace(
        stored,
        name=row.name or stored.name,
        kind=kind,
        sector=row.sector or stored.sector,
        currency=row.currency or stored.currency,
        owner_id=owner_id if kind is InstrumentKind.PRIVATE else None,
    )


def _update(connection: Connection, wanted: Instrument) -> None:
    table = schema.instrument
    connection.execute(
        update(table)
        .where(table.c.id == wanted.instrument_id)
        .values(
            name=wanted.name,
            kind=wanted.kind.value,
            sector=wanted.sector,
            currency=wanted.currency,
            owner_id=wanted.owner_id,
        )
    )


def _changes(connection: Connection, stored: Instrument, wanted: Instrument) -> list[InputChange]:
    different = [
        f"{name} {getattr(wanted, name)}, not {getattr(stored, name)}"
        for name in ("kind", "sector", "currency")
        if getattr(wanted, name) != getattr(stored, name)
    ]
    if not different:
        return []
    reason = f"{wanted.symbol}: {', '.join(different)}"
    return change_since_first_use(connection, wanted, reason)
