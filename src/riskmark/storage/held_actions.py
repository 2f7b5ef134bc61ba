"""Actions that are not believed: dividends out of proportion, and what people took back.

A dividend of more than half of the close before it is rare, and a slip of the decimal point is
not: it counts only once the price fell by half of it at least, or a second provider names it
too. Until then it is held back, and so is one that repeats another of the same size within
five days in the same answer. Spin-offs and special dividends do move the price. What people
deleted is not stored again while a provider goes on naming it.
"""

import bisect
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection

from riskmark.intake.market_data import ActionKind
from riskmark.storage import schema
from riskmark.storage.action_events import NEAR, ActionKey, Claim, Known, is_one_event
from riskmark.storage.engines import as_date, bind_date, bind_instant, read_rows, write_rows
from riskmark.storage.key_lists import among, run_statement

MOST_PAID = 0.5
"""The part of the close before it that a dividend may be and be believed at once."""
LEAST_FALL = 0.5
"""The part of a dividend by which the price must have fallen to confirm it."""
EQUAL = 1e-4
"""How far apart two dividends are, as a fraction, of which one repeats the other."""
_BEFORE = timedelta(days=30)
"""How old the close before a dividend may be."""
_COLUMNS = ("instrument_id", "ex_date", "kind", "provider", "value", "reason", "detail", "at")


class Doubt(NamedTuple):
    """Why an action is not believed, and in words."""

    reason: "HeldReason"
    text: str


class HeldReason(StrEnum):
    """Why an action does not count."""

    OUT_OF_PROPORTION = "out_of_proportion"
    REPEATED = "repeated"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class HeldAction:
    """An action that a source named and that does not count."""

    symbol: str
    ex_date: date
    kind: ActionKind
    value: float
    provider: str
    reason: HeldReason
    detail: str


Held = tuple[ActionKey, Known, HeldReason]


def load_held(connection: Connection, keys: Iterable[int]) -> list[Held]:
    """Return what is held back of these instruments."""
    listed = among(connection, keys)
    rows = read_rows(
        connection,
        "SELECT instrument_id, ex_date, kind, value, provider, reason FROM held_action "
        f"WHERE instrument_id {listed.sql}",
        listed.values,
    )
    return [
        (
            ActionKey(key, as_date(day), ActionKind(kind)),
            Known(value, provider),
            HeldReason(reason),
        )
        for key, day, kind, value, provider, reason in rows
    ]


def list_held(connection: Connection, *, symbol: str | None = None) -> tuple[HeldAction, ...]:
    """List what is held back of one symbol or of all, in order."""
    where, values = ("1 = 1", ()) if symbol is None else ("i.symbol = ?", (symbol,))
    rows = read_rows(
        connection,
        "SELECT i.symbol, h.ex_date, h.kind, h.value, h.provider, h.reason, h.detail "
        "FROM held_action h JOIN instrument i ON i.id = h.instrument_id "
        f"WHERE {where} ORDER BY i.symbol, h.ex_date, h.kind, h.provider",
        values,
    )
    return tuple(
        HeldAction(name, as_date(day), ActionKind(kind), value, giver, HeldReason(why), detail)
        for name, day, kind, value, giver, why, detail in rows
    )


def hold(
    connection: Connection,
    actions: Mapping[ActionKey, tuple[Known, Doubt]],
    *,
    at: datetime,
) -> None:
    """Remember that actions do not count, and in words why."""
    instant = bind_instant(connection, at)
    rows = [
        (
            key.instrument_id,
            bind_date(connection, key.ex_date),
            key.kind.value,
            known.provider,
            known.value,
            doubt.reason.value,
            doubt.text,
            instant,
        )
        for key, (known, doubt) in actions.items()
    ]
    write_rows(connection, schema.held_action, _COLUMNS, rows, replace=True)


def let_go(connection: Connection, held: Iterable[Held]) -> None:
    """Forget that these are held back."""
    for key, known, _ in held:
        run_statement(
            connection,
            "DELETE FROM held_action "
            "WHERE instrument_id = ? AND ex_date = ? AND kind = ? AND provider = ?",
            (
                key.instrument_id,
                bind_date(connection, key.ex_date),
                key.kind.value,
                known.provider,
            ),
        )


def is_held_as(key: ActionKey, value: float, held: Held) -> bool:
    """Say whether an action is the event that is held back."""
    other, known, _ = held
    is_own = key.instrument_id == other.instrument_id
    return is_own and is_one_event(key, value, other, known.value)


def find_doubts(
    connection: Connection,
    dividends: Mapping[ActionKey, float],
    *,
    held: Sequence[Held],
    claim: Claim,
    named: Mapping[ActionKey, float],
) -> dict[ActionKey, Doubt]:
    """Return the dividends that nothing confirms, and why; bars are stored already.

    ``named``: all that the answer names and that counts or would.
    """
    ratios = {k: v for k, v in named.items() if k.kind is not ActionKind.DIVIDEND}
    by_instrument: dict[int, list[ActionKey]] = {}
    for key in sorted(dividends):
        by_instrument.setdefault(key.instrument_id, []).append(key)
    doubts: dict[ActionKey, Doubt] = {}
    for keys in by_instrument.values():
        closes = load_closes_from(connection, keys[0].instrument_id, keys[0].ex_date - _BEFORE)
        for key in keys:
            value = dividends[key]
            seconded = any(
                known.provider not in claim.kin
                for other, known, why in held
                if why is not HeldReason.DELETED and is_held_as(key, value, (other, known, why))
            )
            if seconded:
                continue
            doubt = _repeats(key, dividends, named) or _doubt(key, value, closes, ratios)
            if doubt is not None:
                doubts[key] = doubt
    return doubts


def _repeats(
    key: ActionKey, new: Mapping[ActionKey, float], named: Mapping[ActionKey, float]
) -> Doubt | None:
    """Doubt a dividend that an answer names a second time: what is stored, or earlier, counts."""
    for other, value in named.items():
        is_beside = other != key and other[::2] == key[::2] and abs(other[1] - key[1]) <= NEAR
        is_first = other not in new or other < key
        if is_beside and is_first and math.isclose(value, named[key], rel_tol=EQUAL):
            text = f"it repeats the one of the same size on {other.ex_date}"
            return Doubt(HeldReason.REPEATED, text)
    return None


Closes = tuple[list[date], list[float]]


def load_closes_from(connection: Connection, instrument_id: int, first: date) -> Closes:
    """Return the stored closes of an instrument from a date on."""
    rows = read_rows(
        connection,
        "SELECT session, close FROM price WHERE instrument_id = ? AND session >= ? ORDER BY 1",
        (instrument_id, bind_date(connection, first)),
    )
    return [as_date(day) for day, _ in rows], [close for _, close in rows]


def _doubt(
    key: ActionKey, value: float, closes: Closes, ratios: Mapping[ActionKey, float]
) -> Doubt | None:
    days, prices = closes
    place = bisect.bisect_left(days, key.ex_date)
    if place == 0:
        return None
    # A dividend is of the shares of its date: splits of that date are in it already.
    before = prices[place - 1] / split_between(
        ratios, key.instrument_id, days[place - 1], key.ex_date
    )
    if value <= MOST_PAID * before:
        return None
    text = f"it is {value / before:.4g} times the close before it, {before:,.4f}"
    if place == len(days):
        text = f"{text}, and no close after it is there to tell"
        return Doubt(HeldReason.OUT_OF_PROPORTION, text)
    after = prices[place] * split_between(ratios, key.instrument_id, key.ex_date, days[place])
    if before - after >= LEAST_FALL * value:
        return None
    text = f"{text}, and the price did not fall by it"
    return Doubt(HeldReason.OUT_OF_PROPORTION, text)


def split_between(
    ratios: Mapping[ActionKey, float], instrument_id: int, after: date, until: date
) -> float:
    """Multiply the ratios of an instrument after one date and up to another."""
    product = 1.0
    for other, ratio in ratios.items():
        if other.instrument_id == instrument_id and after < other.ex_date <= until:
            product *= ratio
    return product
