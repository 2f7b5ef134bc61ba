"""Splits, dividends and spin-offs: stored only where they differ from what is known.

An action takes effect on its ex-date, or on the next session. What an import no longer
names stays; the same ratio at the same ex-date, once a split and now a spin-off or the other
way round, takes the place of the other.

An event that another source dates differently is corrected in place and never counted twice.
A provider corrects what it gave, or what one that stands after it gave; what its whole answer
names no longer is withdrawn, but for a split that the closes show. Dividends that nothing
confirms are held back (``held_actions``).
"""

import bisect
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from riskmark.domain.reasons import ChangeKind
from riskmark.domain.sessions import FIRST_DATE, Calendar
from riskmark.intake.market_data import Action, ActionKind, classify
from riskmark.storage import quarantine, schema
from riskmark.storage.action_events import (
    ActionKey,
    Claim,
    Known,
    first_dates,
    may_change,
    pair_events,
)
from riskmark.storage.bars import SAME
from riskmark.storage.engines import as_date, bind_date, read_rows, write_rows
from riskmark.storage.held_actions import (
    Doubt,
    Held,
    HeldReason,
    find_doubts,
    hold,
    is_held_as,
    let_go,
    load_closes_from,
    load_held,
)
from riskmark.storage.instruments import Instrument, ensure_instruments, find_instruments, hint_of
from riskmark.storage.key_lists import among, run_statement
from riskmark.storage.ledger import InputChange, lock_instruments, record_changes

_BEFORE_SPLIT = timedelta(days=30)
"""How old the close before a split may be."""


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
    withdrawn: int = 0
    refused: RefusedActions = RefusedActions()
    held: tuple[str, ...] = ()
    """Of each dividend that is held back, a sentence with the reason."""
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
    claim: Claim | None = None,
) -> StoredActions:
    """Store new and different actions; check no moves and record nothing.

    ``claim``: the rights of a provider's answer, of which the bars are stored already. People
    need none: what they import counts.
    """
    usable, refused = _refuse(actions, calendar)
    symbols = dict.fromkeys(action.symbol for action in usable)
    created: tuple[str, ...] = ()
    if create_missing:
        hints = [hint_of(symbol) for symbol in symbols]
        created = ensure_instruments(
            connection, hints, currency=base_currency, at=at, owner_id=None
        ).created
    # An answer may name no action any more: that says something too.
    about = symbols if claim is None else [*symbols, claim.symbol]
    known = find_instruments(connection, about, owner_id=None)
    lock_instruments(connection, [i.instrument_id for i in known.values()])
    wanted = {
        ActionKey(known[action.symbol].instrument_id, action.ex_date, action.kind): action.value
        for action in usable
        if action.symbol in known
    }
    ids = {i.instrument_id for i in known.values()}
    source = _Source(provider, claim)
    found = _differences(connection, wanted, source, ids=ids, at=at)
    touched = first_dates(found.touched)
    unknown = sum(action.symbol not in known for action in usable)
    new, corrected = len(found.new), len(found.corrected)
    return StoredActions(
        received=len(actions),
        stored=new,
        corrected=corrected,
        unchanged=len(wanted) - new - corrected - len(found.doubts),
        withdrawn=len(found.withdrawn),
        refused=refused._replace(unknown_symbol=unknown),
        held=tuple(_sentence(key, wanted[key], one.text) for key, one in found.doubts.items()),
        created=created,
        touched=touched,
        changes=_changes(touched, {i.instrument_id: i for i in known.values()}, calendar),
    )


def _sentence(key: ActionKey, value: float, why: str) -> str:
    return f"the {key.kind} of {value:,g} on {key.ex_date} is held back: {why}"


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


class _Source(NamedTuple):
    provider: str
    claim: Claim | None


class _Differences(NamedTuple):
    """What an import changes; ``corrected`` names the stored action that each one was."""

    new: set[ActionKey]
    corrected: Mapping[ActionKey, ActionKey]
    withdrawn: set[ActionKey]
    doubts: Mapping[ActionKey, Doubt]

    @property
    def touched(self) -> set[ActionKey]:
        """Every date from which on numbers may differ."""
        moved = {*self.corrected, *self.corrected.values()}
        return self.new | moved | self.withdrawn


def _differences(
    connection: Connection,
    wanted: Mapping[ActionKey, float],
    source: _Source,
    *,
    ids: Collection[int],
    at: datetime,
) -> _Differences:
    """Find out what is different, and write it."""
    provider, claim = source
    stored = load_actions(connection, ids)
    held = load_held(connection, ids)
    pairs = pair_events(wanted, stored, provider=provider, claim=claim)
    new = {key for key in wanted if key not in pairs}
    if claim is not None:
        deleted = [one for one in held if one[2] is HeldReason.DELETED]
        new = {k for k in new if not any(is_held_as(k, wanted[k], one) for one in deleted)}
    corrected = {
        key: was
        for key, was in pairs.items()
        if (key != was or not math.isclose(stored[was].value, wanted[key], rel_tol=SAME))
        and may_change(provider, stored[was].provider, claim)
    }
    withdrawn, doubts = set[ActionKey](), dict[ActionKey, Doubt]()
    if claim is not None:
        named = {k: wanted[k] for k in new | pairs.keys()}
        paid = {k: wanted[k] for k in new | corrected.keys() if k.kind is ActionKind.DIVIDEND}
        doubts = find_doubts(connection, paid, held=held, claim=claim, named=named)
        free = stored.keys() - set(pairs.values())
        withdrawn = _no_longer_named(connection, free, stored, source)
    found = _Differences(
        new - doubts.keys(),
        {key: was for key, was in corrected.items() if key not in doubts},
        withdrawn,
        doubts,
    )
    _write(connection, found, wanted, provider)
    _adopt(connection, found, pairs, stored, source)
    _settle_held(connection, found, wanted, held, source=source, at=at)
    return found


def _no_longer_named(
    connection: Connection,
    free: Iterable[ActionKey],
    stored: Mapping[ActionKey, Known],
    source: _Source,
) -> set[ActionKey]:
    """Return what the provider gave and its whole answer lacks, but for splits that are seen."""
    claim = source.claim
    return {
        key
        for key in free
        if claim is not None
        and stored[key].provider == source.provider
        and claim.covers(key.ex_date)
        and (key.kind is ActionKind.DIVIDEND or not _is_seen(connection, key, stored[key].value))
    }


def _is_seen(connection: Connection, key: ActionKey, ratio: float) -> bool:
    """Say whether the closes move with a split: then it was, whoever has forgotten it."""
    days, closes = load_closes_from(connection, key.instrument_id, key.ex_date - _BEFORE_SPLIT)
    place = bisect.bisect_left(days, key.ex_date)
    if not 0 < place < len(days):
        return False
    moved = math.log(closes[place] / closes[place - 1])
    return abs(moved + math.log(ratio)) < abs(moved)


def _write(
    connection: Connection, found: _Differences, wanted: Mapping[ActionKey, float], provider: str
) -> None:
    moved = {was for key, was in found.corrected.items() if was != key}
    delete_actions(connection, moved | found.withdrawn)
    written = sorted({*found.new, *found.corrected})
    save_actions(connection, {key: Known(wanted[key], provider) for key in written})


def _adopt(
    connection: Connection,
    found: _Differences,
    pairs: Mapping[ActionKey, ActionKey],
    stored: Mapping[ActionKey, Known],
    source: _Source,
) -> None:
    """Let what an earlier provider confirms be its own; no number changes by it."""
    if source.claim is None:
        return
    adopted = {
        key: Known(stored[key].value, source.provider)
        for key, was in pairs.items()
        if key == was
        and key not in found.corrected
        and key not in found.doubts
        and stored[key].provider != source.provider
        and may_change(source.provider, stored[key].provider, source.claim)
    }
    save_actions(connection, adopted)


def _settle_held(
    connection: Connection,
    found: _Differences,
    wanted: Mapping[ActionKey, float],
    held: Iterable[Held],
    *,
    source: _Source,
    at: datetime,
) -> None:
    """Hold back what is doubted, and no longer what counts now or is not named any more."""
    provider, claim = source
    believed = {*found.new, *found.corrected}
    over = []
    for one in held:
        key, known, reason = one
        if reason is HeldReason.DELETED:
            is_over = claim is None and key in believed
        else:
            naming = {k for k in wanted if is_held_as(k, wanted[k], one)}
            is_missing = claim is not None and claim.covers(key.ex_date) and key not in naming
            is_over = bool(naming & believed) or (is_missing and known.provider == provider)
        if is_over:
            over.append(one)
    let_go(connection, over)
    doubted = {k: (Known(wanted[k], provider), why) for k, why in found.doubts.items()}
    hold(connection, doubted, at=at)


def load_actions(connection: Connection, keys: Iterable[int]) -> dict[ActionKey, Known]:
    """Return the actions of these instruments."""
    listed = among(connection, keys)
    rows = read_rows(
        connection,
        "SELECT instrument_id, ex_date, kind, value, provider FROM action "
        f"WHERE instrument_id {listed.sql}",
        listed.values,
    )
    return {
        ActionKey(key, as_date(day), ActionKind(kind)): Known(value, provider)
        for key, day, kind, value, provider in rows
    }


def save_actions(connection: Connection, actions: Mapping[ActionKey, Known]) -> None:
    """Write actions over those with the same key."""
    rows = [
        (key.instrument_id, bind_date(connection, key.ex_date), key.kind.value, *known)
        for key, known in actions.items()
    ]
    columns = ("instrument_id", "ex_date", "kind", "value", "provider")
    write_rows(connection, schema.action, columns, rows, replace=True)


def load_splits(
    connection: Connection, symbols: Mapping[int, str]
) -> dict[int, tuple[Action, ...]]:
    """Return the splits and spin-offs of instruments, whose symbols are given, in order."""
    found: dict[int, list[Action]] = {}
    for (key, ex_date, kind), (value, _) in sorted(load_actions(connection, symbols).items()):
        if kind is not ActionKind.DIVIDEND:
            found.setdefault(key, []).append(Action(symbols[key], ex_date, kind, value))
    return {key: tuple(actions) for key, actions in found.items()}


def delete_actions(connection: Connection, keys: Iterable[ActionKey]) -> None:
    """Delete actions; the ledger is the caller's."""
    for key, ex_date, kind in sorted(keys):
        run_statement(
            connection,
            "DELETE FROM action WHERE instrument_id = ? AND ex_date = ? AND kind = ?",
            (key, bind_date(connection, ex_date), kind.value),
        )
