"""Books as people entered them: heads, lots and flows, with nothing computed."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from riskmark.domain.portfolio import Flow, Lot, Portfolio
from riskmark.reports.documents import Document
from riskmark.storage.books import Principal, find_portfolio, list_portfolios
from riskmark.storage.engines import as_date, read_rows
from riskmark.storage.key_lists import among
from riskmark.storage.lots import load_flows, load_lots


@dataclass(frozen=True, slots=True)
class BookHead:
    """A portfolio and how much was entered of it."""

    portfolio: Portfolio
    lots: int
    open_lots: int
    flows: int
    first_entry: date | None

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
        }


@dataclass(frozen=True, slots=True)
class Book:
    """A portfolio with its lots and flows."""

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


def load_book(connection: Connection, principal: Principal, name_or_id: str) -> Book:
    """Read one portfolio with its lots and flows."""
    portfolio = find_portfolio(connection, principal, name_or_id)
    return Book(
        head=_heads(connection, [portfolio])[0],
        lots=tuple(load_lots(connection, portfolio.portfolio_id)),
        flows=tuple(load_flows(connection, portfolio.portfolio_id)),
    )


def _heads(connection: Connection, portfolios: list[Portfolio]) -> tuple[BookHead, ...]:
    listed = among(connection, [one.portfolio_id for one in portfolios])
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
        count, still_open, first = lots.get(one.portfolio_id, (0, 0, None))
        heads.append(
            BookHead(
                portfolio=one,
                lots=count,
                open_lots=still_open,
                flows=flows.get(one.portfolio_id, 0),
                first_entry=None if first is None else as_date(first),
            )
        )
    return tuple(heads)
