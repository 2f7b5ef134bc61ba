"""Which two actions are one event, and who may say when and how big it was.

Sources date an event differently: by a day or two, and one source changes its mind. Two
actions of one kind and of nearly one size within five days are one event, unless one answer
names both.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from riskmark.intake.market_data import ActionKind

NEAR = timedelta(days=5)
"""How far apart two sources may date one event; weekly dividends lie further apart."""
SAME_CASH = 0.1
SAME_RATIO = 0.01
"""How far apart, as fractions, two sources may see the size of one event."""


class ActionKey(NamedTuple):
    """What an action is stored under."""

    instrument_id: int
    ex_date: date
    kind: ActionKind


class Known(NamedTuple):
    """The size of a stored action, and who gave it."""

    value: float
    provider: str


class Claim(NamedTuple):
    """By what right a provider's answer changes actions; an import by people needs none.

    ``symbol``: of which the answer is. ``order``: all providers, the first has the last word.
    ``kin``: those that are the same host, so that one is no second opinion on the other.
    ``whole``: the dates between which the answer names everything there is.
    """

    symbol: str
    order: tuple[str, ...]
    kin: frozenset[str] = frozenset()
    whole: tuple[date, date] | None = None

    def covers(self, day: date) -> bool:
        """Say whether an event of ``day`` would be named, even if it was dated anew."""
        return self.whole is not None and self.whole[0] + NEAR <= day <= self.whole[1]


def may_change(provider: str, giver: str, claim: Claim | None) -> bool:
    """Say whether ``provider`` may correct what ``giver`` gave: as with closes.

    What people imported has a name that is not in the order, and stays.
    """
    if claim is None or provider == giver:
        return True
    order = claim.order
    return giver in order and provider in order and order.index(provider) < order.index(giver)


def is_one_event(key: ActionKey, value: float, other: ActionKey, other_value: float) -> bool:
    """Say whether two actions of one instrument are one event, dated or sized differently."""
    is_cash = key.kind is ActionKind.DIVIDEND
    if is_cash is not (other.kind is ActionKind.DIVIDEND):
        return False
    room = SAME_CASH if is_cash else SAME_RATIO
    is_near = abs(key.ex_date - other.ex_date) <= NEAR
    return is_near and math.isclose(value, other_value, rel_tol=room)


def pair_events(
    wanted: Mapping[ActionKey, float],
    stored: Mapping[ActionKey, Known],
    *,
    provider: str,
    claim: Claim | None,
) -> dict[ActionKey, ActionKey]:
    """Return, for each action that is the event of a stored one, the key of that one.

    Each stored action is the event of one at most: first of the one with its key, then of the
    closest. A source of people may name two alike within days, in two imports.
    """
    pairs = {key: key for key in wanted if key in stored}
    free: dict[int, list[ActionKey]] = {}
    for key in sorted(stored.keys() - pairs.keys()):
        free.setdefault(key.instrument_id, []).append(key)
    for key in sorted(wanted.keys() - pairs.keys()):
        others = free.get(key.instrument_id, [])
        near = [
            other
            for other in others
            if is_one_event(key, wanted[key], other, stored[other].value)
            and (claim or other.ex_date == key.ex_date or stored[other].provider != provider)
        ]
        if near:
            pairs[key] = min(near, key=lambda other: abs(other.ex_date - key.ex_date))
            others.remove(pairs[key])
    return pairs


def first_dates(changed: Iterable[ActionKey]) -> dict[int, date]:
    """Return the first ex-date of each instrument."""
    first: dict[int, date] = {}
    for key, ex_date, _ in sorted(changed):
        first.setdefault(key, ex_date)
    return first
