"""An oracle for the accounting: one book, session by session, in plain Python.

It is written from the definitions (measures, sections 1 to 3) and shares no code with
``riskmark.calc``: dates instead of rows, dicts instead of arrays, Decimals of 50 digits
instead of floats, one lot after the other. Slow and easy to read; that is the point.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal, localcontext

from riskmark.domain.portfolio import Flow, Lot

ZERO, ONE = Decimal(0), Decimal(1)
DIGITS = 50
NOTHING = Decimal("1e-35")
"""Rounding at 50 digits leaves less than this of amounts that cancel."""

Series = Mapping[str, Mapping[date, Decimal]]


@dataclass(frozen=True)
class Market:
    """What is known of symbols: closes by session, actions by ex-date, session or not."""

    sessions: Sequence[date]
    closes: Series
    splits: Series = field(default_factory=dict)
    spinoffs: Series = field(default_factory=dict)
    dividends: Series = field(default_factory=dict)


@dataclass(frozen=True)
class Mark:
    """The price of a share: ``kind`` is close, carried or stale; none before the first close."""

    price: Decimal
    kind: str
    age: int


@dataclass
class Position:
    """All lots of one symbol on one session."""

    quantity: Decimal = ZERO
    market_value: Decimal = ZERO
    pnl: Decimal = ZERO
    units: Decimal = ZERO
    held: bool = False
    ended: bool = False
    at_cost: bool = False

    @property
    def closed_today(self) -> bool:
        return self.ended and not self.held

    @property
    def cost_mark(self) -> Decimal | None:
        return self.market_value / self.units if self.at_cost and self.units else None


@dataclass
class Day:
    """A book on one session."""

    session: date
    positions: dict[str, Position]
    nav: Decimal = ZERO
    cash: Decimal = ZERO
    long_value: Decimal = ZERO
    short_value: Decimal = ZERO
    gross: Decimal = ZERO
    net: Decimal = ZERO
    flow: Decimal = ZERO
    inflow: Decimal = ZERO
    outflow: Decimal = ZERO
    pnl: Decimal = ZERO
    simple_return: Decimal | None = None
    return_null: str | None = None
    income: Decimal = ZERO
    cum_realized: Decimal = ZERO
    cum_unrealized: Decimal = ZERO
    cum_income: Decimal = ZERO
    lots_held: int = 0


class SymbolHistory:
    """The marks, splits and income of one symbol, walked once through the sessions."""

    def __init__(self, symbol: str, market: Market) -> None:
        self.splits = _by_session(market.splits.get(symbol, {}), market.sessions, "product")
        spinoffs = _by_session(market.spinoffs.get(symbol, {}), market.sessions, "product")
        dividends = _by_session(market.dividends.get(symbol, {}), market.sessions, "sum")
        closes = market.closes.get(symbol, {})
        self.marks: dict[date, Mark | None] = {}
        self.income: dict[date, Decimal] = {}
        price, age = None, 0
        for session in market.sessions:
            split = self.splits.get(session, ONE)
            spinoff = spinoffs.get(session, ONE)
            self.income[session] = dividends.get(session, ZERO)
            if price is not None:
                self.income[session] += price / split * (1 - 1 / spinoff)
                price, age = price / split / spinoff, age + 1
            if session in closes:
                price, age = closes[session], 0
            kind = "close" if age == 0 else "carried" if age <= 5 else "stale"
            self.marks[session] = None if price is None else Mark(price, kind, age)

    def quantity(self, lot: Lot, at: date) -> Decimal:
        """The shares of a lot after the splits since its stated entry."""
        shares = lot.quantity
        for session, ratio in self.splits.items():
            if lot.entry_date < session <= at:
                shares *= ratio
        return shares


def walk_book(
    lots: Sequence[Lot],
    flows: Sequence[Flow],
    market: Market,
    *,
    opening_equity: Decimal | None,
    cost_only: frozenset[str] = frozenset(),
) -> list[Day]:
    """Value a book on every session from its first effective entry on."""
    with localcontext(Context(prec=DIGITS)):
        return _walk(lots, flows, market, opening_equity, cost_only)


def _walk(
    lots: Sequence[Lot],
    flows: Sequence[Flow],
    market: Market,
    opening_equity: Decimal | None,
    cost_only: frozenset[str],
) -> list[Day]:
    begun = [effective(lot.entry_date, market.sessions) for lot in lots]
    first = min((session for session in begun if session is not None), default=date.max)
    history = {lot.symbol: SymbolHistory(lot.symbol, market) for lot in lots}
    days: list[Day] = []
    cash = ZERO
    for session in [session for session in market.sessions if session >= first]:
        day = Day(session, {})
        moved: list[Decimal] = []  # signed flows of the session
        earned: list[Decimal] = []  # what lots cost and bring
        for lot in lots:
            at_cost = lot.symbol in cost_only
            earned += _count_lot(day, lot, history[lot.symbol], market, at_cost=at_cost)
        if opening_equity is None:
            moved = [-amount for amount in earned]
        else:
            if session == first:
                moved.append(opening_equity)
            for flow in flows:
                if effective(max(flow.date, first), market.sessions) == session:
                    moved.append(flow.amount)
            cash += sum(moved, ZERO) + sum(earned, ZERO)
        _close_day(day, days[-1] if days else None, moved, cash)
        days.append(day)
    return days


def _count_lot(
    day: Day, lot: Lot, symbol: SymbolHistory, market: Market, *, at_cost: bool
) -> list[Decimal]:
    """Add a lot to its position; return what it costs and brings on the session."""
    begins = effective(lot.entry_date, market.sessions)
    ends = effective(lot.exit_date, market.sessions)
    if begins is None or begins > day.session or (ends is not None and ends < day.session):
        return []
    position = day.positions.setdefault(lot.symbol, Position())
    cost = lot.quantity * lot.entry_price * lot.multiplier
    shares = symbol.quantity(lot, day.session)
    earned = []
    if begins == day.session:
        earned.append(-cost)
    else:
        received = shares * symbol.income[day.session] * lot.multiplier
        day.income += received
        earned.append(received)
    if ends == day.session:
        proceeds = symbol.quantity(lot, lot.exit_date) * lot.exit_price * lot.multiplier
        day.cum_realized += proceeds - cost
        position.ended = True
        earned.append(proceeds)
    else:
        mark = symbol.marks[day.session]
        at_cost = at_cost or mark is None
        value = cost if at_cost else shares * mark.price * lot.multiplier
        position.held = True
        position.at_cost = position.at_cost or at_cost
        position.quantity += shares
        position.units += shares * lot.multiplier
        position.market_value += value
        day.cum_unrealized += value - cost
        day.lots_held += 1
    position.pnl += sum(earned, ZERO)
    return earned


def _close_day(day: Day, before: Day | None, moved: list[Decimal], cash: Decimal) -> None:
    for symbol, position in day.positions.items():
        if before is not None and symbol in before.positions:
            position.pnl -= before.positions[symbol].market_value
        position.pnl = clean(position.pnl + position.market_value)
        position.market_value = clean(position.market_value)
        position.quantity, position.units = clean(position.quantity), clean(position.units)
    values = [position.market_value for position in day.positions.values()]
    day.long_value = sum((value for value in values if value > 0), ZERO)
    day.short_value = sum((value for value in values if value < 0), ZERO)
    day.gross = sum((abs(value) for value in values), ZERO)
    day.net = sum(values, ZERO)
    day.cash = clean(cash)
    day.nav = clean(day.cash + day.net)
    nav_before = before.nav if before is not None else ZERO
    day.flow = clean(sum(moved, ZERO))
    day.inflow, day.outflow = max(day.flow, ZERO), max(-day.flow, ZERO)
    if clean(nav_before + day.inflow) <= 0:
        day.inflow = sum((amount for amount in moved if amount > 0), ZERO)
        day.outflow = -sum((amount for amount in moved if amount < 0), ZERO)
    day.pnl = clean(day.nav - nav_before - day.flow)
    capital = clean(nav_before + day.inflow)
    if capital > 0:
        day.simple_return = (day.nav + day.outflow) / capital - 1
    elif capital == 0 and day.pnl == 0:
        day.return_null = "no_capital"
    else:
        day.return_null = "nav_not_positive"
    day.cum_unrealized = clean(day.cum_unrealized)
    day.cum_income = day.income + (before.cum_income if before is not None else ZERO)
    day.cum_realized += before.cum_realized if before is not None else ZERO


def effective(day: date | None, sessions: Sequence[date]) -> date | None:
    """The date itself, or the next session; None if there is none."""
    place = len(sessions) if day is None else bisect_left(sessions, day)
    return sessions[place] if place < len(sessions) else None


def clean(amount: Decimal) -> Decimal:
    """Take what rounding left of nothing for nothing."""
    return ZERO if abs(amount) < NOTHING else amount


def _by_session(
    actions: Mapping[date, Decimal], sessions: Sequence[date], how: str
) -> dict[date, Decimal]:
    """Move actions to the sessions on which they take effect."""
    moved: dict[date, Decimal] = {}
    for ex_date, value in sorted(actions.items()):
        session = effective(ex_date, sessions)
        if session is None:
            continue
        if session not in moved:
            moved[session] = value
        elif how == "product":
            moved[session] *= value
        else:
            moved[session] += value
    return moved
