"""Lots and flows of a book, and the ledger rows that each edit leaves.

An edit touches sessions from the earliest one whose numbers it can change: the entry if
the entry, the quantity or the price changed, the exit if only the exit did.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection, delete, insert, select, update

from riskmark.domain.portfolio import Flow, InvestmentClass, Lot, Mode, Portfolio
from riskmark.domain.reasons import ChangeKind
from riskmark.domain.sessions import FIRST_DATE, Calendar
from riskmark.errors import InputError
from riskmark.storage import ledger, schema
from riskmark.storage.books import check_has_lots, lock_portfolio, new_id
from riskmark.storage.ledger import InputChange


class UnknownLot(InputError):
    """The portfolio has no lot with this id."""

    def __init__(self, lot_id: str) -> None:
        super().__init__(f"the portfolio has no lot {lot_id!r}")
        self.lot_id = lot_id


class UnknownFlow(InputError):
    """The portfolio has no flow with this id."""

    def __init__(self, flow_id: str) -> None:
        super().__init__(f"the portfolio has no flow {flow_id!r}")
        self.flow_id = flow_id


@dataclass(frozen=True, slots=True)
class LotChanges:
    """What an update of a book's lots adds, replaces and removes."""

    added: tuple[Lot, ...]
    changed: tuple[tuple[Lot, Lot], ...]
    removed: tuple[Lot, ...]

    def __bool__(self) -> bool:
        """Whether anything changes."""
        return bool(self.added or self.changed or self.removed)


class BookEditor:
    """Edits of one book within one transaction; ``finish`` writes the ledger, last."""

    def __init__(
        self,
        connection: Connection,
        portfolio: Portfolio,
        calendar: Calendar,
        *,
        today: date,
        at: datetime,
    ) -> None:
        check_has_lots(portfolio)
        self._connection = connection
        self._portfolio = portfolio
        self._calendar = calendar
        self._today = today
        self.at = at
        self._touched: list[tuple[date, str]] = []
        self._noted: list[InputChange] = []
        lock_portfolio(connection, portfolio.portfolio_id)

    def add_lots(self, lots: Sequence[Lot], instruments: Mapping[str, int]) -> list[Lot]:
        """Store new lots; ``instruments`` maps each of their symbols to its instrument."""
        stored = [replace(lot, lot_id=new_id()) for lot in lots]
        for lot in stored:
            self._check(lot)
        if stored:
            rows = [self._lot_row(lot, instruments[lot.symbol]) for lot in stored]
            self._connection.execute(insert(schema.lot), rows)
            first = min(stored, key=lambda lot: lot.entry_date)
            self._touch(first.entry_date, f"{len(stored)} lots added")
        return stored

    def replace_lot(self, lot_id: str, new: Lot) -> None:
        """Change a lot in place; its symbol stays."""
        old = self.lot(lot_id)
        self._check(new)
        table = schema.lot
        self._connection.execute(
            update(table)
            .where(table.c.id == lot_id)
            .values(
                quantity=new.quantity,
                entry_date=new.entry_date,
                entry_price=new.entry_price,
                exit_date=new.exit_date,
                exit_price=new.exit_price,
            )
        )
        self._touch_difference(old, new)

    def close_lot(
        self, lot_id: str, *, day: date, price: Decimal, quantity: Decimal | None = None
    ) -> Lot:
        """End a lot, or split off and end ``quantity`` units of it (share terms of its entry)."""
        lot = self.lot(lot_id)
        if lot.exit_date is not None:
            raise InputError(f"the lot {lot_id} was closed on {lot.exit_date}")
        if quantity is None or abs(quantity) == abs(lot.quantity):
            closed = replace(lot, exit_date=day, exit_price=price)
            self.replace_lot(lot_id, closed)
            return closed
        part = abs(quantity).copy_sign(lot.quantity)
        if not 0 < abs(part) < abs(lot.quantity):
            raise InputError(f"the quantity to close must be above 0 and at most {lot.quantity}")
        closed = replace(lot, quantity=part, exit_date=day, exit_price=price, lot_id=new_id())
        self._check(closed)
        table = schema.lot
        row = self._connection.execute(select(table).where(table.c.id == lot_id)).mappings().one()
        self._connection.execute(
            update(table).where(table.c.id == lot_id).values(quantity=lot.quantity - part)
        )
        self._connection.execute(insert(table).values(self._lot_row(closed, row["instrument_id"])))
        self._touch(day, f"part of a lot of {lot.symbol} closed")
        return closed

    def delete_lot(self, lot_id: str) -> Lot:
        """Remove a lot as if it had never been there."""
        lot = self.lot(lot_id)
        self._connection.execute(delete(schema.lot).where(schema.lot.c.id == lot_id))
        self._touch(lot.entry_date, f"a lot of {lot.symbol} deleted")
        return lot

    def add_flow(self, day: date, amount: Decimal, note: str = "") -> Flow:
        """Store a contribution (> 0) or a withdrawal (< 0)."""
        if self._portfolio.mode is Mode.HOLDINGS:
            raise InputError(
                f"{self._portfolio.name!r} has no opening equity, so it keeps no cash: "
                "flows cannot be added"
            )
        if amount == 0:
            raise InputError("a flow's amount must not be 0")
        self._check_day(day, "a flow's date")
        flow = Flow(day, amount, note, new_id())
        self._connection.execute(
            insert(schema.flow).values(
                id=flow.flow_id,
                portfolio_id=self._portfolio.portfolio_id,
                date=day,
                amount=amount,
                note=note,
                created_at=self.at,
            )
        )
        self._touch(day, "a flow added")
        return flow

    def delete_flow(self, flow_id: str) -> Flow:
        """Remove a flow as if it had never been there."""
        for flow in load_flows(self._connection, self._portfolio.portfolio_id):
            if flow.flow_id == flow_id:
                self._connection.execute(delete(schema.flow).where(schema.flow.c.id == flow_id))
                self._touch(flow.date, "a flow deleted")
                return flow
        raise UnknownFlow(flow_id)

    def apply(self, changes: LotChanges, instruments: Mapping[str, int]) -> None:
        """Carry out an update of the whole book."""
        for lot in changes.removed:
            self.delete_lot(_id_of(lot))
        for old, new in changes.changed:
            self.replace_lot(_id_of(old), new)
        self.add_lots(changes.added, instruments)

    def lot(self, lot_id: str) -> Lot:
        """Return one lot of the book."""
        for lot in load_lots(self._connection, self._portfolio.portfolio_id):
            if lot.lot_id == lot_id:
                return lot
        raise UnknownLot(lot_id)

    @property
    def has_changes(self) -> bool:
        """Whether anything was edited so far."""
        return bool(self._noted or self._touched)

    def finish(self) -> int | None:
        """Write the ledger rows; nothing may be written after it. None: nothing changed."""
        changes = list(self._noted)
        if self._touched:
            day, reason = min(self._touched)
            own = self._portfolio.portfolio_id
            changes.append(InputChange(ChangeKind.HOLDINGS, day, reason, portfolio_id=own))
        if not changes:
            return None
        return ledger.record_changes(self._connection, changes, at=self.at)

    def note(self, changes: Iterable[InputChange]) -> None:
        """Add changes of other inputs that were made in the same transaction."""
        self._noted.extend(changes)

    def _touch(self, day: date, reason: str) -> None:
        ordinal = self._calendar.on_or_after(day)
        self._touched.append((self._calendar.sessions[ordinal], reason))

    def _touch_difference(self, old: Lot, new: Lot) -> None:
        entries = ("quantity", "entry_date", "entry_price")
        if any(getattr(old, name) != getattr(new, name) for name in entries):
            self._touch(min(old.entry_date, new.entry_date), f"a lot of {old.symbol} changed")
            return
        exits = [lot.exit_date for lot in (old, new) if lot.exit_date is not None]
        if exits and (old.exit_date, old.exit_price) != (new.exit_date, new.exit_price):
            self._touch(min(exits), f"the exit of a lot of {old.symbol} changed")

    def _check(self, lot: Lot) -> None:
        self._check_day(lot.entry_date, "the entry date")
        if lot.quantity == 0:
            raise InputError("a lot's quantity must not be 0")
        if lot.entry_price <= 0:
            raise InputError("a lot's entry price must be positive")
        if lot.exit_date is None:
            return
        self._check_day(lot.exit_date, "the exit date")
        if lot.exit_date < lot.entry_date:
            raise InputError(f"the exit {lot.exit_date} is before the entry {lot.entry_date}")
        if lot.exit_price is None or lot.exit_price < 0:
            raise InputError("a closed lot needs an exit price that is not negative")

    def _check_day(self, day: date, what: str) -> None:
        if day > self._today:
            raise InputError(f"{what} {day} is in the future")
        if day < FIRST_DATE:
            raise InputError(f"{what} {day} is before {FIRST_DATE}")

    def _lot_row(self, lot: Lot, instrument_id: int) -> dict[str, object]:
        return {
            "id": lot.lot_id,
            "portfolio_id": self._portfolio.portfolio_id,
            "instrument_id": instrument_id,
            "quantity": lot.quantity,
            "entry_date": lot.entry_date,
            "entry_price": lot.entry_price,
            "exit_date": lot.exit_date,
            "exit_price": lot.exit_price,
            "multiplier": lot.multiplier,
            "investment_class": lot.investment_class,
            "subtype": lot.subtype,
            "created_at": self.at,
        }


def load_lots(connection: Connection, portfolio_id: str) -> list[Lot]:
    """Return a book's lots by symbol and entry date."""
    lot, instrument = schema.lot, schema.instrument
    rows = connection.execute(
        select(lot, instrument.c.symbol)
        .join(instrument, instrument.c.id == lot.c.instrument_id)
        .where(lot.c.portfolio_id == portfolio_id)
        .order_by(instrument.c.symbol, lot.c.entry_date, lot.c.id)
    ).mappings()
    return [
        Lot(
            symbol=row["symbol"],
            quantity=row["quantity"],
            entry_date=row["entry_date"],
            entry_price=row["entry_price"],
            exit_date=row["exit_date"],
            exit_price=row["exit_price"],
            multiplier=row["multiplier"],
            investment_class=InvestmentClass(row["investment_class"]),
            subtype=row["subtype"],
            lot_id=row["id"],
        )
        for row in rows
    ]


def load_flows(connection: Connection, portfolio_id: str) -> list[Flow]:
    """Return a book's flows by date."""
    table = schema.flow
    rows = connection.execute(
        select(table)
        .where(table.c.portfolio_id == portfolio_id)
        .order_by(table.c.date, table.c.created_at, table.c.id)
    ).mappings()
    return [Flow(row["date"], row["amount"], row["note"], row["id"]) for row in rows]


def compare_lots(stored: Iterable[Lot], wanted: Iterable[Lot]) -> LotChanges:
    """Compare lots by symbol and entry date; equal ones are paired first, then in order."""
    left: dict[tuple[str, date], list[Lot]] = {}
    for lot in stored:
        left.setdefault((lot.symbol, lot.entry_date), []).append(lot)
    unmatched: list[Lot] = []
    for lot in wanted:
        candidates = left.get((lot.symbol, lot.entry_date), [])
        equal = next((one for one in candidates if _same(one, lot)), None)
        if equal is None:
            unmatched.append(lot)
        else:
            candidates.remove(equal)
    added: list[Lot] = []
    changed: list[tuple[Lot, Lot]] = []
    for lot in unmatched:
        candidates = left.get((lot.symbol, lot.entry_date), [])
        if candidates:
            old = candidates.pop(0)
            changed.append((old, replace(lot, lot_id=old.lot_id)))
        else:
            added.append(lot)
    removed = tuple(lot for candidates in left.values() for lot in candidates)
    return LotChanges(tuple(added), tuple(changed), removed)


def _same(old: Lot, new: Lot) -> bool:
    names = ("quantity", "entry_price", "exit_date", "exit_price")
    return all(getattr(old, name) == getattr(new, name) for name in names)


def _id_of(lot: Lot) -> str:
    if lot.lot_id is None:
        msg = f"a stored lot of {lot.symbol} has no id"
        raise AssertionError(msg)
    return lot.lot_id
