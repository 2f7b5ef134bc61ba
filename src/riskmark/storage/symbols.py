"""What people say of instruments: names, kinds, sectors, acceptance, valuations.

Whatever changes a number enters the ledger from the first session on which it can matter:
a sector or kind from the instrument's first lot, an acceptance likewise, a valuation from
its date. A name changes no number.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.reasons import ChangeKind
from riskmark.domain.sessions import FIRST_DATE, Calendar
from riskmark.errors import InputError
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.storage import quarantine, schema
from riskmark.storage.engines import read_rows
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
from riskmark.storage.schema import LOCAL_ACCOUNT
from riskmark.storage.symbol_files import SymbolRow

MOST = Decimal(10) ** 12
"""A valuation is below this, and has at most 8 decimals."""
_DECIMALS = 8


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
    hints = [_hint(row, known) for row in rows]
    issues = [issue for row in rows if (issue := _misfit(connection, row, known)) is not None]
    if issues:
        raise MarketFileErrors(issues)
    ensured = ensure_instruments(connection, hints, currency=currency, at=at, owner_id=owner_id)
    lock_instruments(connection, [i.instrument_id for i in ensured.instruments])
    changes = list(ensured.changes)
    changed: list[str] = []
    new_kinds: dict[int, date] = {}
    for row, instrument in zip(rows, ensured.instruments, strict=True):
        stored = known.get(row.symbol, instrument)
        wanted = _merge(instrument, row)
        if wanted != instrument:
            _update(connection, wanted)
        changes += _changes(connection, stored, wanted)
        if wanted.kind is not stored.kind:
            new_kinds[wanted.instrument_id] = FIRST_DATE
        if wanted != stored and row.symbol not in ensured.created:
            changed.append(row.symbol)
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
    exponent = price.normalize().as_tuple().exponent
    if not (price.is_finite() and 0 <= price < MOST and exponent >= -_DECIMALS):
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
