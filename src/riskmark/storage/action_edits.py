"""The actions of a symbol, and taking one back by hand."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from riskmark.domain.reasons import ChangeKind
from riskmark.domain.sessions import Calendar
from riskmark.errors import InputError
from riskmark.intake.market_data import ActionKind
from riskmark.storage import quarantine
from riskmark.storage.action_events import ActionKey, Known
from riskmark.storage.actions import delete_actions, load_actions
from riskmark.storage.held_actions import Doubt, HeldReason, hold
from riskmark.storage.instruments import find_instrument
from riskmark.storage.ledger import InputChange, lock_instruments, one_of_each, record_changes

_DELETED = Doubt(HeldReason.DELETED, "deleted by hand; an import brings it back")


@dataclass(frozen=True, slots=True)
class ActionLine:
    """A stored action and who gave it."""

    symbol: str
    ex_date: date
    kind: ActionKind
    value: float
    provider: str


@dataclass(frozen=True, slots=True)
class DeletedAction:
    """The action that was deleted, and what that did to the quarantine."""

    action: ActionLine
    checked: quarantine.Checked
    revision: int


class NoSuchAction(InputError):
    """There is no such action of this symbol."""

    def __init__(self, wanted: str, known: Iterable[ActionLine]) -> None:
        others = ", ".join(f"{one.kind} on {one.ex_date}" for one in known)
        stored = f"stored are: {others}" if others else "it has no actions"
        super().__init__(f"{wanted}: there is none; {stored}")


def list_actions(connection: Connection, symbol: str) -> tuple[ActionLine, ...]:
    """Return the actions of a symbol in order, each with its source."""
    instrument = find_instrument(connection, symbol, owner_id=None)
    stored = load_actions(connection, [instrument.instrument_id])
    return tuple(_line(instrument.symbol, key, known) for key, known in sorted(stored.items()))


def delete_action(
    connection: Connection,
    symbol: str,
    ex_date: date,
    kind: ActionKind,
    *,
    calendar: Calendar,
    at: datetime,
) -> DeletedAction:
    """Delete an action and record the change; no provider brings it back, an import does."""
    instrument = find_instrument(connection, symbol, owner_id=None)
    lock_instruments(connection, [instrument.instrument_id])
    key = ActionKey(instrument.instrument_id, ex_date, kind)
    known = load_actions(connection, [instrument.instrument_id]).get(key)
    if known is None:
        wanted = f"{instrument.symbol}, {kind} on {ex_date}"
        raise NoSuchAction(wanted, list_actions(connection, symbol))
    delete_actions(connection, [key])
    hold(connection, {key: (known, _DELETED)}, at=at)
    checked = quarantine.check(connection, {key.instrument_id: ex_date}, at=at)
    change = InputChange(
        ChangeKind.ACTION,
        calendar.sessions[calendar.on_or_after(ex_date)],
        f"{instrument.symbol}: {kind} on {ex_date} deleted",
        instrument_id=key.instrument_id,
    )
    changes = one_of_each([change, *checked.changes])
    revision = record_changes(connection, changes, at=at)
    return DeletedAction(_line(instrument.symbol, key, known), checked, revision)


def _line(symbol: str, key: ActionKey, known: Known) -> ActionLine:
    return ActionLine(symbol, key.ex_date, key.kind, known.value, known.provider)
