"""One portfolio: its book, its numbers, who may read it.

Whoever changes what is there must have seen it as it is: the handle remembers the version of
the book that it read last, and names it (``If-Match``). ``changed_meanwhile`` says that somebody
was faster, or that a lot or flow was added since; read again, and decide again. ``if_match="*"``
changes whatever is there.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

import msgspec

from riskmark.client import documents
from riskmark.client.documents import Numbers
from riskmark.client.transport import Transport, at, decode
from riskmark.domain.portfolio import AccountType

T = TypeVar("T")

Amount: TypeAlias = Decimal | int | float | str
"""A quantity, price or sum; a Decimal or a text arrives as it is written."""

UNSET: Any = msgspec.UNSET
"""What is not said, and stays; None takes away."""

Lots: TypeAlias = list[documents.Lot]
"""The lots of a book, in their order."""


class PortfolioClient:
    """A portfolio by its id; ``Client.portfolio`` makes one without asking the server."""

    def __init__(self, transport: Transport, portfolio_id: str) -> None:
        self._transport = transport
        self.id = portfolio_id
        self.seen: str | None = None
        """The version of the book that was read last."""

    def read(self) -> documents.Portfolio:
        """Read what was entered of it, and how far it is valued."""
        return self._see((), documents.Portfolio)

    def change(
        self,
        *,
        name: str = UNSET,
        account_name: str | None = UNSET,
        account_type: AccountType | str | None = UNSET,
        if_match: str | None = None,
    ) -> documents.Portfolio:
        """Change what it or its account is called; what is not said stays."""
        said = _said(name=name, account_name=account_name, account_type=account_type)
        return self._edit("PATCH", (), documents.Portfolio, said, if_match)

    def delete(self) -> documents.Deleted:
        """Delete it; nothing is erased, and for a while it can be restored."""
        return self._ask("DELETE", (), documents.Deleted)

    def restore(self) -> documents.Portfolio:
        """Take its deletion back."""
        return self._ask("POST", ("restore",), documents.Portfolio)

    def set_members(self, members: Iterable[str]) -> documents.Combined:
        """Make the books with these ids the members of a combined book."""
        return self._ask("PUT", ("members",), documents.Combined, {"members": [*members]})

    def calculate(self) -> documents.Submitted:
        """Start a run of it, or join the live one."""
        return self._ask("POST", ("calculate",), documents.Submitted)

    def lots(self) -> Lots:
        """Read its lots."""
        return self._see(("lots",), Lots)

    def add_lot(
        self,
        symbol: str,
        quantity: Amount,
        *,
        entry_price: Amount,
        entry_date: date,
        **more: object,
    ) -> documents.Lot:
        """Enter a lot; ``more`` are the other columns of a positions file, as ``strike``."""
        said = _said(
            symbol=symbol,
            quantity=quantity,
            entry_price=entry_price,
            entry_date=entry_date,
            **more,
        )
        return self._ask("POST", ("lots",), documents.Lot, said)

    def change_lot(
        self,
        lot_id: str,
        *,
        quantity: Amount = UNSET,
        entry_price: Amount = UNSET,
        entry_date: date = UNSET,
        exit_price: Amount | None = UNSET,
        exit_date: date | None = UNSET,
        if_match: str | None = None,
    ) -> documents.Lot:
        """Change a lot; what is not said stays, and an exit of None is taken back."""
        said = _said(
            quantity=quantity,
            entry_price=entry_price,
            entry_date=entry_date,
            exit_price=exit_price,
            exit_date=exit_date,
        )
        return self._edit("PATCH", ("lots", lot_id), documents.Lot, said, if_match)

    def close_lot(
        self,
        lot_id: str,
        on: date,
        *,
        price: Amount,
        quantity: Amount = UNSET,
        if_match: str | None = None,
    ) -> documents.Lot:
        """End a lot, or ``quantity`` units of it; return what has ended."""
        said = _said(date=on, price=price, quantity=quantity)
        return self._edit("POST", ("lots", lot_id, "close"), documents.Lot, said, if_match)

    def delete_lot(self, lot_id: str, *, if_match: str | None = None) -> None:
        """Remove a lot as if it had never been there."""
        self._edit("DELETE", ("lots", lot_id), type(None), None, if_match)

    def flows(self) -> list[documents.Flow]:
        """Read the cash that was put in and taken out."""
        return self._see(("flows",), list[documents.Flow])

    def add_flow(self, on: date, amount: Amount, *, note: str = "") -> documents.Flow:
        """Enter a contribution (> 0) or a withdrawal (< 0)."""
        said = _said(date=on, amount=amount, note=note)
        return self._ask("POST", ("flows",), documents.Flow, said)

    def delete_flow(self, flow_id: str, *, if_match: str | None = None) -> None:
        """Remove a flow as if it had never been there."""
        self._edit("DELETE", ("flows", flow_id), type(None), None, if_match)

    def grants(self) -> list[documents.Grant]:
        """Read who besides its owner may read it."""
        return self._transport.read(self._at("grants"), list[documents.Grant])

    def grant(self, email: str) -> documents.Grant:
        """Let somebody with an account read it."""
        return self._ask("POST", ("grants",), documents.Grant, {"email": email})

    def revoke(self, account: str) -> None:
        """Take a grant back; ``account`` is the id that the grant has."""
        self._ask("DELETE", ("grants", account), type(None))

    def snapshot(self, session: date | None = None) -> documents.Snapshot:
        """Read everything that is known of one session; without one, of the newest."""
        return self._read("snapshot", documents.Snapshot, session=session)

    def section(self, name: str, session: date | None = None) -> Numbers:
        """Read one part: factors, risk, stress, correlation, sectors or positions."""
        return self._read(name, dict[str, Any], session=session)

    def history(self, first: date | None = None, last: date | None = None) -> list[Numbers]:
        """Read the series of snapshots, one row for each session."""
        return self._read("history", list[Numbers], **{"from": first, "to": last})

    def explain(self, first: date | None = None, last: date | None = None) -> documents.Explanation:
        """Read why numbers changed between two sessions; without them, the last two."""
        return self._read("explain", documents.Explanation, **{"from": first, "to": last})

    def attribution(
        self,
        first: date | None = None,
        last: date | None = None,
        *,
        session: date | None = None,
        by: str | None = None,
    ) -> documents.Attribution:
        """Read where P&L came from; ``by``: position, sector or factor alone."""
        query = {"from": first, "to": last, "session": session, "by": by}
        return self._read("attribution", documents.Attribution, **query)

    def quality(self) -> Numbers:
        """Read what the stored prices of its symbols are like."""
        return self._read("quality", dict[str, Any])

    def what_if(
        self,
        trades: Mapping[str, Amount] | None = None,
        *,
        target_vol: float | None = None,
        hedge_beta: str | None = None,
        session: date | None = None,
    ) -> documents.WhatIf:
        """Compute every number before and after trades (units by symbol); nothing is stored."""
        listed = [
            {"symbol": symbol, "quantity": _plain(units)}
            for symbol, units in (trades or {}).items()
        ]
        said = {"trades": listed, "target_vol": target_vol, "hedge_beta": hedge_beta}
        said["session"] = None if session is None else session.isoformat()
        return self._ask("POST", ("what-if",), documents.WhatIf, said)

    def _at(self, *parts: str) -> str:
        return at("portfolios", self.id, *parts)

    def _read(self, part: str, kind: type[T], **query: object) -> T:
        return self._transport.read(self._at(part), kind, query=query)

    def _see(self, parts: tuple[str, ...], kind: type[T]) -> T:
        """Read a part of the book, and remember its version."""
        reply = self._transport.get(self._at(*parts))
        self.seen = reply.headers.get("etag")
        return decode(reply, kind)

    def _ask(self, method: str, parts: tuple[str, ...], kind: type[T], body: object = None) -> T:
        found, _ = self._transport.change(method, self._at(*parts), kind, body=body)
        return found

    def _edit(
        self,
        method: str,
        parts: tuple[str, ...],
        kind: type[T],
        body: object,
        if_match: str | None,
    ) -> T:
        """Change what was seen; what is there afterwards has been seen, too."""
        match = if_match or self.seen
        found, tag = self._transport.change(
            method, self._at(*parts), kind, if_match=match, body=body
        )
        if match != "*":
            self.seen = tag or None
        return found


def _said(**fields: object) -> dict[str, Any]:
    """Return what was said, as JSON has it."""
    return {name: _plain(value) for name, value in fields.items() if value is not UNSET}


def _plain(value: object) -> object:
    """Write dates and exact numbers as texts."""
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
