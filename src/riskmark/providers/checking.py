"""The one check that every provider's rows pass before they are bars.

A row is believed if its date is a published session of the calendar, its close is a finite
price above zero, and its open, high and low, where there are any, do not contradict each
other. What is not believed is a gap, which the next provider may fill; it is never repaired.
A session whose exchange has not closed, or whose row is from before the close, is not final.
"""

import bisect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from riskmark.domain.reasons import AnswerReason
from riskmark.domain.sessions import Calendar
from riskmark.intake.market_data import (
    MAX_PRICE,
    MAX_RATIO,
    MAX_VOLUME,
    MIN_RATIO,
    Action,
    ActionKind,
    Bars,
    as_traded,
    classify,
)
from riskmark.providers.outcomes import Outcome, Stopped
from riskmark.providers.port import NO_PROFILE, Answer, Profile, RefusedRow, Wanted

EXCHANGE_ZONE = "America/New_York"
LATE_TRADE = timedelta(minutes=10)
"""How long before the close the last trade of a finished session may be."""
ROUNDING = 1e-3
"""Relative room for vendors that round open, high, low and close each on its own."""
PLAIN_SPLIT = math.log(1.25)
"""How big a split is, as the logarithm of its ratio, that no day's own move looks like."""
NOT_FINAL = "not final yet"
_A_DAY = timedelta(days=1)


class RawBar(NamedTuple):
    """A row as it came; None where the provider has nothing."""

    day: date | None
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: float | None


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """A provider's answer after its dialect is understood and before anything is believed.

    ``echoed`` is the symbol that it says the answer is for, ``asked`` the one in the request,
    both in its spelling. ``is_adjusted``: bars and dividends are adjusted for all splits up
    to now. ``as_of``: of when its newest row is. ``first_trade``: before it there is nothing.
    """

    asked: str
    echoed: str | None
    rows: tuple[RawBar, ...]
    actions: tuple[Action, ...]
    is_adjusted: bool
    profile: Profile = NO_PROFILE
    as_of: datetime | None = None
    first_trade: date | None = None
    zone: str = EXCHANGE_ZONE


@dataclass(frozen=True, slots=True)
class Checker:
    """What rows are held against: the calendar, and what is published by now."""

    calendar: Calendar
    publish_delay: timedelta
    now: Callable[[], datetime] = field(repr=False)

    def published(self, wanted: Wanted) -> tuple[date, ...]:
        """Return the sessions that were wanted and can be final."""
        target = self.calendar.target(self.now(), self.publish_delay)
        first = self.calendar.on_or_after(wanted.first)
        last = min(self.calendar.on_or_before(wanted.last), target)
        return tuple(self.calendar.sessions[first : last + 1])

    def due(self, wanted: Wanted) -> tuple[date, ...]:
        """Return the sessions that were wanted and whose bars should be there by now."""
        last = self.calendar.target(self.now() - wanted.grace, self.publish_delay)
        sessions = self.published(wanted)
        return tuple(day for day in sessions if self.calendar.on_or_before(day) <= last)

    def check(self, raw: RawAnswer, wanted: Wanted) -> Answer:
        """Return what can be believed of ``raw``; stop if it is an answer to something else."""
        if raw.echoed != raw.asked:
            detail = f"the answer is for {str(raw.echoed)[:40]!r}, not {raw.asked!r}"
            raise Stopped(AnswerReason.BAD_PAYLOAD, detail)
        actions = _usable_actions(raw, self.now())
        _refuse_other_terms(raw, actions)
        traded = _undo(raw, wanted.symbol, actions) if raw.is_adjusted else raw.rows
        if raw.is_adjusted:
            _, actions = as_traded(_as_bars(wanted.symbol, {}, None), actions)
        refused: list[RefusedRow] = []
        kept = self._believed(traded, raw.as_of, refused)
        expected = [day for day in self.published(wanted) if _is_after(day, raw.first_trade)]
        inside = {day: kept[day] for day in expected if day in kept}
        gaps = tuple(day for day in expected if day not in kept)
        return Answer(
            symbol=wanted.symbol,
            outcome=self._outcome(inside, gaps, refused, wanted),
            bars=_as_bars(wanted.symbol, inside, raw.profile.currency),
            actions=actions,
            profile=raw.profile,
            refused=tuple(refused),
        )

    def _believed(
        self, rows: Iterable[RawBar], as_of: datetime | None, refused: list[RefusedRow]
    ) -> dict[date, RawBar]:
        """Return the believable row of each session; two that differ are both refused."""
        target = self.calendar.target(self.now(), self.publish_delay)
        kept: dict[date, RawBar] = {}
        doubted: set[date] = set()
        for row in rows:
            why = self._live(row.day, as_of, target) or _fault(row)
            if row.day is not None and not self.calendar.is_session(row.day):
                why = "no session"
            if why is None and row.day in kept and not _agree(kept[row.day], row):
                why = "two rows that differ"
                doubted.add(row.day)
            if why is not None:
                refused.append(RefusedRow(row.day, why))
            elif row.day is not None:
                kept[row.day] = row
        return {day: row for day, row in sorted(kept.items()) if day not in doubted}

    def _live(self, day: date | None, as_of: datetime | None, target: int) -> str | None:
        """Say that a row is of the future, of an open session or from before its close."""
        if day is None:
            return "no date"
        ordinal = self.calendar.on_or_before(day)
        if ordinal > target:
            return NOT_FINAL
        if as_of is not None and ordinal >= 0 and day >= as_of.date() - _A_DAY:
            close = self.calendar.closes[ordinal]
            if self.calendar.sessions[ordinal] == day and as_of < close - LATE_TRADE:
                return NOT_FINAL
        return None

    def _outcome(
        self,
        inside: Mapping[date, RawBar],
        gaps: tuple[date, ...],
        refused: Iterable[RefusedRow],
        wanted: Wanted,
    ) -> Outcome:
        whys = dict.fromkeys(
            row.why
            for row in refused
            if row.day is not None and wanted.first <= row.day <= wanted.last
        )
        detail = "; ".join(whys)
        if not gaps:
            if inside:
                return Outcome(AnswerReason.OK)
            reason = AnswerReason.NO_DATA_IN_RANGE
            if not self.published(wanted):
                reason = AnswerReason.NOT_FINAL_YET
            return Outcome(reason, detail)
        if inside:
            return Outcome(AnswerReason.PARTIAL, detail, gaps=gaps)
        if set(whys) == {NOT_FINAL}:
            return Outcome(AnswerReason.NOT_FINAL_YET, detail, gaps=gaps)
        reason = AnswerReason.BAD_PAYLOAD if detail else AnswerReason.NO_DATA_IN_RANGE
        return Outcome(reason, detail, gaps=gaps)


def _is_after(day: date, first_trade: date | None) -> bool:
    return first_trade is None or day >= first_trade


def _fault(row: RawBar) -> str | None:
    """Say why the numbers of a row cannot be believed; None if they can."""
    if row.close is None:
        return "no close"
    prices = [value for value in row[1:5] if value is not None]
    volume = 0.0 if row.volume is None else row.volume
    why = None
    if not all(math.isfinite(value) for value in (*prices, volume)):
        why = "a number that is none"
    elif min(prices) <= 0:
        why = "a price that is not positive"
    elif max(prices) >= MAX_PRICE:
        why = "a price beyond all that was ever traded"
    elif _contradicts(row.close, row.low, row.high):
        why = "low, high and close contradict each other"
    elif not 0 <= volume < MAX_VOLUME:
        why = "a volume that cannot be"
    return why


def _contradicts(close: float, low: float | None, high: float | None) -> bool:
    if low is None or high is None:
        return False
    room = ROUNDING * max(high, low)
    return low > high + room or not low - room <= close <= high + room


def _agree(one: RawBar, other: RawBar) -> bool:
    return one.close is not None and math.isclose(one.close, other.close or 0.0, rel_tol=1e-6)


def _usable_actions(raw: RawAnswer, now: datetime) -> tuple[Action, ...]:
    """Return the actions that have happened, in order, each once; stop at an impossible one.

    With a split that cannot be, nobody knows in what terms the bars are.
    """
    today = now.astimezone(ZoneInfo(raw.zone)).date()
    found: dict[tuple[date, ActionKind], Action] = {}
    for action in sorted((classify(a) for a in raw.actions), key=lambda a: a.ex_date):
        if action.kind is ActionKind.DIVIDEND:
            usable = 0 < action.value < MAX_PRICE
        else:
            usable = MIN_RATIO <= action.value <= MAX_RATIO
        earlier = found.get((action.ex_date, action.kind))
        if not usable or (earlier is not None and earlier.value != action.value):
            detail = f"an impossible {action.kind} on {action.ex_date}: {action.value:g}"
            raise Stopped(AnswerReason.BAD_PAYLOAD, detail)
        if action.ex_date <= today:
            found[action.ex_date, action.kind] = action
    return tuple(found.values())


def _refuse_other_terms(raw: RawAnswer, actions: Iterable[Action]) -> None:
    """Stop at a split that bars are said to be adjusted for and are not, or the reverse.

    Bars that are adjusted do not move with a split, bars as traded do. What moved by more
    than the half of a split in the direction of the fault is taken for it.
    """
    rows = sorted(
        (row.day, row.close) for row in raw.rows if row.day and row.close and _fault(row) is None
    )
    days = [day for day, _ in rows]
    groups: dict[int, list[float]] = {}
    for action in actions:
        is_split = action.kind is not ActionKind.DIVIDEND
        if is_split and abs(math.log(action.value)) > PLAIN_SPLIT:
            groups.setdefault(bisect.bisect_left(days, action.ex_date), []).append(action.value)
    for place, ratios in groups.items():
        if not 0 < place < len(rows):
            continue
        moved = math.log(rows[place - 1][1] / rows[place][1])
        ratio = sum(map(math.log, ratios))
        surplus = moved if raw.is_adjusted else ratio - moved
        if math.copysign(surplus, surplus * ratio) > min(abs(math.log(r)) for r in ratios) / 2:
            which = "are not adjusted" if raw.is_adjusted else "are adjusted already"
            detail = f"bars before {rows[place][0]} {which} for the split that is named"
            raise Stopped(AnswerReason.BAD_PAYLOAD, detail)


def _undo(raw: RawAnswer, symbol: str, actions: tuple[Action, ...]) -> tuple[RawBar, ...]:
    """Undo the adjustment of rows for later splits; rows without a date stay as they are."""
    dated = [row for row in raw.rows if row.day is not None]
    undated = tuple(row for row in raw.rows if row.day is None)
    bars, _ = as_traded(_bars_of(symbol, dated, ""), actions)
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    values = np.stack(columns, axis=1).tolist()
    rows = tuple(
        RawBar(
            row.day,
            *(None if old is None else new for old, new in zip(row[1:], traded, strict=True)),
        )
        for row, traded in zip(dated, values, strict=True)
    )
    return rows + undated


def _as_bars(symbol: str, rows: Mapping[date, RawBar], currency: str | None) -> Bars:
    return _bars_of(symbol, list(rows.values()), currency or "")


def _bars_of(symbol: str, rows: list[RawBar], currency: str) -> Bars:
    values = np.array([row[1:] for row in rows], dtype=np.float64).reshape(-1, 5)
    return Bars(
        symbols=(symbol,),
        symbol=np.zeros(len(rows), dtype=np.int64),
        session=np.array([row.day for row in rows], dtype="datetime64[D]"),
        open=values[:, 0],
        high=values[:, 1],
        low=values[:, 2],
        close=values[:, 3],
        volume=values[:, 4],
        currency=np.full(len(rows), currency),
    )
