"""Books as people entered them: heads, lots and flows, with nothing computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection

from riskmark.domain.portfolio import Flow, Lot, Portfolio
from riskmark.reports.documents import Document
from riskmark.storage.books import Principal, find_portfolio, list_portfolios
from riskmark.storage.engines import as_date, read_rows
from riskmark.storage.key_lists import among
from riskmark.storage.lots import load_flows, load_lots
from riskmark.storage.members import Members, books_in, load_members


class Member(NamedTuple):
    """A book that a combined book holds."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class BookHead:
    """A portfolio and how much was entered of it; of a combined book, in its members."""

    portfolio: Portfolio
    lots: int
    open_lots: int
    flows: int
    first_entry: date | None
    members: tuple[Member, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the head as JSON has it."""
        one = self.portfolio
        return {
            "id": one.portfolio_id,
            "name": one.name,
            "owner": one.owner_id,
            "kind": one.kind,
            "mode": one.mode,
            "currency": one.currency,
            "account_name": one.account_name,
            "account_type": one.account_type,
            "opening_equity": one.opening_equity,
            "lots": self.lots,
            "open_lots": self.open_lots,
            "flows": self.flows,
            "first_entry": self.first_entry,
            "members": [one._asdict() for one in self.members],
        }


@dataclass(frozen=True, slots=True)
class Book:
    """A portfolio with its lots and flows; a combined book with those of its members."""

    head: BookHead
    lots: tuple[Lot, ...]
    flows: tuple[Flow, ...]

    def document(self) -> Document:
        """Return the book as JSON has it."""
        return {
            **self.head.document(),
            "lots": [lot_document(lot) for lot in self.lots],
            "flows": [flow_document(flow) for flow in self.flows],
        }


def lot_document(lot: Lot) -> dict[str, Any]:
    """Return a lot as JSON has it."""
    return {
        "id": lot.lot_id,
        "symbol": lot.symbol,
        "quantity": lot.quantity,
        "entry_date": lot.entry_date,
        "entry_price": lot.entry_price,
        "exit_date": lot.exit_date,
        "exit_price": lot.exit_price,
        "multiplier": lot.multiplier,
        "investment_class": lot.investment_class,
        "subtype": lot.subtype,
    }


def flow_document(flow: Flow) -> dict[str, Any]:
    """Return a flow as JSON has it."""
    return {"id": flow.flow_id, "date": flow.date, "amount": flow.amount, "note": flow.note}


def list_books(connection: Connection, principal: Principal) -> tuple[BookHead, ...]:
    """Read the heads of every portfolio that the principal may see, by name."""
    return _heads(connection, list_portfolios(connection, principal))


def describe_books(connection: Connection, portfolios: Sequence[Portfolio]) -> tuple[BookHead, ...]:
    """Read the heads of some portfolios, in their order."""
    return _heads(connection, list(portfolios))


def load_book(connection: Connection, principal: Principal, name_or_id: str) -> Book:
    """Read one portfolio with its lots and flows."""
    portfolio = find_portfolio(connection, principal, name_or_id)
    head = _heads(connection, [portfolio])[0]
    books = [one.id for one in head.members] or [portfolio.portfolio_id]
    lots = [lot for book in books for lot in load_lots(connection, book)]
    flows = [flow for book in books for flow in load_flows(connection, book)]
    return Book(
        head=head,
        lots=tuple(sorted(lots, key=lambda lot: (lot.symbol, lot.entry_date))),
        flows=tuple(sorted(flows, key=lambda flow: flow.date)),
    )


def _heads(connection: Connection, portfolios: list[Portfolio]) -> tuple[BookHead, ...]:
    ids = [one.portfolio_id for one in portfolios]
    members = load_members(connection, ids)
    names = _names(connection, members)
    listed = among(connection, books_in(ids, members))
    lots = {
        row[0]: row[1:]
        for row in read_rows(
            connection,
            "SELECT portfolio_id, COUNT(*), COUNT(*) - COUNT(exit_date), MIN(entry_date) "
            f"FROM lot WHERE portfolio_id {listed.sql} GROUP BY portfolio_id",
            listed.values,
        )
    }
    flows: dict[str, int] = dict(
        read_rows(
            connection,
            "SELECT portfolio_id, COUNT(*) FROM flow "
            f"WHERE portfolio_id {listed.sql} GROUP BY portfolio_id",
            listed.values,
        )
    )
    heads = []
    for one in portfolios:
        books = members.get(one.portfolio_id, (one.portfolio_id,))
        found = [lots[book] for book in books if book in lots]
        first = min((entry for _, _, entry in found), default=None)
        heads.append(
            BookHead(
                portfolio=one,
                lots=sum(count for count, _, _ in found),
                open_lots=sum(still_open for _, still_open, _ in found),
                flows=sum(flows.get(book, 0) for book in books),
                first_entry=None if first is None else as_date(first),
                members=tuple(
                    Member(book, names[book])
                    for book in sorted(members.get(one.portfolio_id, ()), key=names.__getitem__)
                ),
            )
        )
    return tuple(heads)


def _names(connection: Connection, members: Members) -> dict[str, str]:
    """Read the names of all members."""
    if not members:
        return {}
    listed = among(connection, books_in(members, members))
    statement = f"SELECT id, name FROM portfolio WHERE id {listed.sql}"
    return dict(read_rows(connection, statement, listed.values))
