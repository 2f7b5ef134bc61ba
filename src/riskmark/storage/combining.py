"""Combining books: a portfolio of portfolios, made, and its members changed.

What is computed of it is what one book with all lots and flows of its members would have;
each member's opening equity comes in on the member's own first session. Members are books of
one owner, currency and mode. A combined book is no member of another: whoever wants the sum
of two names their books, and no number is counted twice unseen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise

from sqlalchemy import Connection, delete, insert, update

from riskmark.domain.portfolio import Mode, Portfolio, PortfolioKind
from riskmark.domain.reasons import ChangeKind
from riskmark.domain.sessions import Calendar
from riskmark.errors import InputError
from riskmark.storage import ledger, schema
from riskmark.storage.books import (
    Account,
    Principal,
    create_portfolio,
    find_portfolio,
    lock_portfolio,
    portfolio_ids,
)
from riskmark.storage.engines import as_date, read_rows
from riskmark.storage.key_lists import among
from riskmark.storage.ledger import InputChange
from riskmark.storage.members import load_first_entry, load_members


@dataclass(frozen=True, slots=True)
class Combination:
    """A combined book, its members by name, and the names of those that came and went.

    It is true if its members changed.
    """

    portfolio: Portfolio
    members: tuple[Portfolio, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.added or self.removed)


def combine_books(
    connection: Connection,
    principal: Principal,
    name: str,
    named: Sequence[str],
    *,
    calendar: Calendar,
    at: datetime,
) -> Combination:
    """Store a new combined book of the books ``named`` (names or ids)."""
    members = _lock_members(connection, principal, name, named)
    combined = create_portfolio(
        connection,
        Principal(members[0].owner_id),
        Account(name, opening_equity=_opening_equity(members)),
        currency=members[0].currency,
        at=at,
        kind=PortfolioKind.COMBINED,
    )
    ids = portfolio_ids(members)
    _add(connection, combined, ids)
    start = load_first_entry(connection, ids)
    _record(connection, combined, start, "books combined", calendar=calendar, at=at)
    return Combination(combined, members, tuple(one.name for one in members))


def change_members(
    connection: Connection,
    principal: Principal,
    name_or_id: str,
    named: Sequence[str],
    *,
    calendar: Calendar,
    at: datetime,
) -> Combination:
    """Make the books ``named`` the members of a combined book."""
    key = find_portfolio(connection, principal, name_or_id, is_own=True).portfolio_id
    lock_portfolio(connection, key)
    combined = find_portfolio(connection, principal, key, is_own=True)
    if combined.kind is not PortfolioKind.COMBINED:
        raise InputError(f"{combined.name!r} is a book with lots of its own; it has no members")
    members = _lock_members(connection, principal, combined.name, named)
    _check_alike(combined, members[0])
    before = load_members(connection, [key])[key]
    after = portfolio_ids(members)
    added = [book for book in after if book not in before]
    removed = [book for book in before if book not in after]
    went = tuple(
        sorted(find_portfolio(connection, principal, book, is_own=True).name for book in removed)
    )
    starts = [
        load_first_entry(connection, [*added, *removed]),
        _first_edit(connection, key, removed),
    ]
    table = schema.portfolio_member
    connection.execute(
        delete(table).where(table.c.portfolio_id == key, table.c.member_id.in_(removed))
    )
    _add(connection, combined, added)
    head = schema.portfolio
    connection.execute(
        update(head).where(head.c.id == key).values(opening_equity=_opening_equity(members))
    )
    start = min((one for one in starts if one is not None), default=None)
    _record(connection, combined, start, "members changed", calendar=calendar, at=at)
    came = tuple(one.name for one in members if one.portfolio_id in added)
    return Combination(find_portfolio(connection, principal, key, is_own=True), members, came, went)


def _lock_members(
    connection: Connection, principal: Principal, name: str, named: Sequence[str]
) -> tuple[Portfolio, ...]:
    """Return the books ``named``, by name; they are not edited or deleted until the end."""
    if not named:
        raise InputError(f"name the books to combine as {name!r}: at least one")
    keys = portfolio_ids([find_portfolio(connection, principal, one, is_own=True) for one in named])
    for key in sorted(set(keys)):
        lock_portfolio(connection, key)
    found = [find_portfolio(connection, principal, key, is_own=True) for key in keys]
    found.sort(key=lambda one: (one.name, one.portfolio_id))
    _check_members(found)
    return tuple(found)


def _check_members(members: Sequence[Portfolio]) -> None:
    for one, following in pairwise(members):
        if one.portfolio_id == following.portfolio_id:
            raise InputError(f"{one.name!r} is named twice; a book is in a combined book once")
    for one in members:
        if one.kind is PortfolioKind.COMBINED:
            raise InputError(
                f"{one.name!r} is a combined book and cannot be in another; name its members"
            )
        _check_alike(members[0], one)


def _check_alike(one: Portfolio, other: Portfolio) -> None:
    if one.owner_id != other.owner_id:
        raise InputError(f"{one.name!r} and {other.name!r} belong to different accounts")
    if one.currency != other.currency:
        raise InputError(
            f"{one.name!r} is in {one.currency} and {other.name!r} in {other.currency}; "
            "books of different currencies cannot be combined"
        )
    if one.mode is not other.mode:
        raise InputError(
            f"{one.name!r} is in {one.mode} mode and {other.name!r} in {other.mode} mode; "
            "either all members of a combined book have an opening equity, or none has"
        )


def _opening_equity(members: Iterable[Portfolio]) -> Decimal | None:
    """Return what the members opened with in all: shown, and it says the mode.

    An opening equity is stated once and never changed, so that the sum stays right.
    """
    known = [one.opening_equity for one in members if one.mode is Mode.EQUITY]
    amounts = [amount for amount in known if amount is not None]
    return sum(amounts, Decimal(0)) if amounts else None


def _add(connection: Connection, combined: Portfolio, books: Sequence[str]) -> None:
    if books:
        rows = [{"portfolio_id": combined.portfolio_id, "member_id": book} for book in books]
        connection.execute(insert(schema.portfolio_member), rows)


def _first_edit(connection: Connection, combined: str, books: Sequence[str]) -> date | None:
    """Return the first session touched by edits of ``books`` that ``combined`` has not seen.

    A book that goes takes its edits with it: nobody would see any more that a stored session
    of the combined book has a lot that was deleted since.
    """
    listed = among(connection, books)
    ((day,),) = read_rows(
        connection,
        f"SELECT MIN(from_session) FROM input_change WHERE portfolio_id {listed.sql} AND "
        "revision > (SELECT inputs_revision FROM portfolio_progress WHERE portfolio_id = ?)",
        (*listed.values, combined),
    )
    return None if day is None else as_date(day)


def _record(
    connection: Connection,
    combined: Portfolio,
    start: date | None,
    reason: str,
    *,
    calendar: Calendar,
    at: datetime,
) -> None:
    """Write the ledger row, if any member that came or went has ever had a lot."""
    if start is None:
        return
    session = calendar.sessions[calendar.on_or_after(start)]
    own = combined.portfolio_id
    change = InputChange(ChangeKind.HOLDINGS, session, reason, portfolio_id=own)
    ledger.record_changes(connection, [change], at=at)
