"""Positions files into books: a new book, or what a file changes in one; all or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from riskmark.domain.portfolio import Lot, Portfolio
from riskmark.domain.sessions import Calendar
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.storage.books import Account, Principal, create_portfolio, find_portfolio
from riskmark.storage.instruments import ensure_instruments
from riskmark.storage.lots import BookEditor, LotChanges, compare_lots, load_lots


@dataclass(frozen=True, slots=True)
class Positions:
    """Lots that were read and checked, and what is known of their instruments."""

    lots: tuple[Lot, ...]
    instruments: tuple[InstrumentHint, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """When an edit is made: the date at the exchange, and the instant."""

    today: date
    at: datetime


def create_book(
    connection: Connection,
    principal: Principal,
    account: Account,
    positions: Positions,
    *,
    calendar: Calendar,
    currency: str,
    moment: Moment,
) -> Portfolio:
    """Store a new portfolio with its lots."""
    portfolio = create_portfolio(connection, principal, account, currency=currency, at=moment.at)
    editor = BookEditor(connection, portfolio, calendar, today=moment.today, at=moment.at)
    add_lots(connection, editor, positions, portfolio)
    editor.finish()
    return portfolio


def add_lots(
    connection: Connection, editor: BookEditor, positions: Positions, portfolio: Portfolio
) -> list[Lot]:
    """Store lots, and the instruments that they are the first to hold."""
    instruments = _instruments(connection, editor, positions.instruments, portfolio)
    return editor.add_lots(positions.lots, instruments)


def compare_book(
    connection: Connection, principal: Principal, name_or_id: str, positions: Positions
) -> LotChanges:
    """Return what a positions file changes in a book."""
    portfolio = find_portfolio(connection, principal, name_or_id)
    return compare_lots(load_lots(connection, portfolio.portfolio_id), positions.lots)


def update_book(
    connection: Connection,
    principal: Principal,
    name_or_id: str,
    positions: Positions,
    *,
    calendar: Calendar,
    moment: Moment,
) -> LotChanges:
    """Make a book hold exactly the lots of a positions file."""
    portfolio = find_portfolio(connection, principal, name_or_id)
    editor = BookEditor(connection, portfolio, calendar, today=moment.today, at=moment.at)
    changes = compare_lots(load_lots(connection, portfolio.portfolio_id), positions.lots)
    instruments = _instruments(connection, editor, positions.instruments, portfolio)
    editor.apply(changes, instruments)
    editor.finish()
    return changes


def _instruments(
    connection: Connection,
    editor: BookEditor,
    hints: Sequence[InstrumentHint],
    portfolio: Portfolio,
) -> dict[str, int]:
    ensured = ensure_instruments(
        connection,
        hints,
        currency=portfolio.currency,
        at=editor.at,
        owner_id=portfolio.owner_id,
    )
    editor.note(ensured.changes)
    return {
        hint.symbol: instrument.instrument_id
        for hint, instrument in zip(hints, ensured.instruments, strict=True)
    }
