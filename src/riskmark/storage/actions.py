"""Splits, dividends and spin-offs: stored only where they differ from what is known.

An action takes effect on its ex-date, or on the next session. What an import no longer
names stays; the same ratio at the same ex-date, once a split and now a spin-off or the other
way round, takes the place of the other.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from riskmark.domain.reasons import ChangeKind
from riskmark.domain.sessions import FIRST_DATE, Calendar
from riskmark.intake.market_data import Action, ActionKind, classify
from riskmark.storage import quarantine, schema
from riskmark.storage.bars import SAME
from riskmark.storage.engines import as_date, bind_date, read_rows, write_rows
from riskmark.storage.instruments import Instrument, ensure_instruments, find_instruments, hint_of
from riskmark.storage.key_lists import among, run_statement
from riskmark.storage.ledger import InputChange, lock_instruments, record_changes

_OTHER_RATIO = {
    ActionKind.SPLIT: ActionKind.SPINOFF,
    ActionKind.SPINOFF: ActionKind.SPLIT,
}


class RefusedActions(NamedTuple):
    """Actions that were not stored, by reason."""

    not_positive: int = 0
    outside_calendar: int = 0
    unknown_symbol: int = 0


class StoredActions(NamedTuple):
    """What storing actions did, and what the ledger has to say; nothing is recorded yet."""

    received: int = 0
    stored: int = 0
    corrected: int = 0
    unchanged: int = 0
    refused: RefusedActions = RefusedActions()
    created: tuple[str, ...] = ()
    touched: Mapping[int, date] = {}
    """The first ex-date that changed, for each instrument."""
    changes: tuple[InputChange, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionImport:
    """The outcome of an import of actions alone."""

    actions: StoredActions
    checked: quarantine.Checked
    revision: int


_Key = tuple[int, date, ActionKind]


def import_actions(
    connection: Connection,
    actions: Sequence[Action],
    *,
    provider: str,
    calendar: Calendar,
    base_currency: str,
    at: datetime,
    create_missing: bool = True,
) -> ActionImport:
    """Store new and different actions and record what changed.

    Suspicious moves are looked at again: an action may explain one, or make one.
    """
    stored = store_actions(
        connection,
        actions,
        provider=provider,
        calendar=calendar,
        base_currency=base_currency,
        at=at,
        create_missing=create_missing,
    )
    checked = quarantine.check(connection, stored.touched, at=at)
    revision = record_changes(connection, [*stored.changes, *checked.changes], at=at)
    return ActionImport(stored, checked, revision)


def store_actions(
    connection: Connection,
    actions: Sequence[Action],
    *,
    provider: str,
    calendar: Calendar,
    base_currency: str,
    at: datetime,
    create_missing: bool = True,
) -> StoredActions:
    """Store new and different actions; check no moves and record nothing."""
    usable, refused = _refuse(actions, calendar)
    symbols = dict.fromkeys(action.symbol for action in usable)
    created: tuple[str, ...] = ()
    if create_missing:
        hints = [hint_of(symbol) for symbol in symbols]
        created = ensure_instruments(
            connection, hints, currency=base_currency, at=at, owner_id=None
        ).created
    known = find_instruments(connection, symbols, owner_id=None)
    lock_instruments(connection, [i.instrument_id for i in known.values()])
    wanted = {
        (known[action.symbol].instrument_id, action.ex_date, action.kind): action
        for action in usable
        if action.symbol in known
    }
    new, corrected = _write_differences(connection, wanted, provider)
    touched = _first_dates(new | corrected)
    unknown = sum(action.symbol not in known for action in usable)
    return StoredActions(
        received=len(actions),
        stored=len(new),
        corrected=len(corrected),
        unchanged=len(wanted) - len(new) - len(corrected),
        refused=refused._replace(unknown_symbol=unknown),
        created=created,
        touched=touched,
        changes=_changes(touched, {i.instrument_id: i for i in known.values()}, calendar),
    )


def _changes(
    touched: Mapping[int, date], instruments: Mapping[int, Instrument], calendar: Calendar
) -> tuple[InputChange, ...]:
    """Make one change for each instrument, from the session of its first changed action on."""
    return tuple(
        InputChange(
            ChangeKind.ACTION,
            calendar.sessions[calendar.on_or_after(first)],
            f"{instruments[key].symbol}: actions changed from {first} on",
            instrument_id=key,
        )
        for key, first in touched.items()
    )


def _refuse(actions: Iterable[Action], calendar: Calendar) -> tuple[list[Action], RefusedActions]:
    last = calendar.sessions[-1]
    usable: list[Action] = []
    not_positive = outside = 0
    for action in actions:
        if not 0 < action.value < math.inf:
            not_positive += 1
        elif not FIRST_DATE <= action.ex_date <= last:
            outside += 1
        else:
            usable.append(classify(action))
    return usable, RefusedActions(not_positive, outside)


class _Differences(NamedTuple):
    new: set[_Key]
    corrected: set[_Key]


def _write_differences(
    connection: Connection, wanted: Mapping[_Key, Action], provider: str
) -> _Differences:
    stored = _load(connection, {key for key, _, _ in wanted})
    new = {key for key in wanted if key not in stored}
    corrected = {
        key
        for key, action in wanted.items()
        if key in stored and not math.isclose(stored[key], action.value, rel_tol=SAME)
    }
    _delete(connection, _reclassified(new, wanted, stored))
    rows = [
        (
            key,
            bind_date(connection, ex_date),
            kind.value,
            wanted[key, ex_date, kind].value,
            provider,
        )
        for key, ex_date, kind in sorted(new | corrected)
    ]
    columns = ("instrument_id", "ex_date", "kind", "value", "provider")
    write_rows(connection, schema.action, columns, rows, replace=True)
    return _Differences(new, corrected)


def _reclassified(
    new: Iterable[_Key], wanted: Mapping[_Key, Action], stored: Mapping[_Key, float]
) -> list[_Key]:
    """Return stored ratios that the import names again as the other kind of ratio."""
    others = [
        ((key, ex_date, _OTHER_RATIO[kind]), wanted[key, ex_date, kind].value)
        for key, ex_date, kind in new
        if kind in _OTHER_RATIO
    ]
    return [
        other
        for other, value in others
        if other not in wanted
        and other in stored
        and math.isclose(stored[other], value, rel_tol=SAME)
    ]


def _load(connection: Connection, keys: Iterable[int]) -> dict[_Key, float]:
    listed = among(connection, keys)
    rows = read_rows(
        connection,
        f"SELECT instrument_id, ex_date, kind, value FROM action WHERE instrument_id {listed.sql}",
        listed.values,
    )
    return {(key, as_date(day), ActionKind(kind)): value for key, day, kind, value in rows}


def load_splits(
    connection: Connection, symbols: Mapping[int, str]
) -> dict[int, tuple[Action, ...]]:
    """Return the splits and spin-offs of instruments, whose symbols are given, in order."""
    found: dict[int, list[Action]] = {}
    for (key, ex_date, kind), value in sorted(_load(connection, symbols).items()):
        if kind is not ActionKind.DIVIDEND:
            found.setdefault(key, []).append(Action(symbols[key], ex_date, kind, value))
    return {key: tuple(actions) for key, actions in found.items()}


def _delete(connection: Connection, keys: Iterable[_Key]) -> None:
    for key, ex_date, kind in keys:
        run_statement(
            connection,
            "DELETE FROM action WHERE instrument_id = ? AND ex_date = ? AND kind = ?",
            (key, bind_date(connection, ex_date), kind.value),
        )


def _first_dates(changed: Iterable[_Key]) -> dict[int, date]:
    first: dict[int, date] = {}
    for key, ex_date, _ in sorted(changed):
        first.setdefault(key, ex_date)
    return first
