"""Positions files into books: a new book, or what a file changes in one; all or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection

from riskmark.domain.portfolio import Lot, Portfolio
from riskmark.domain.sessions import Calendar
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.storage.books import (
    Account,
    Principal,
    check_has_lots,
    create_portfolio,
    find_portfolio,
)
from riskmark.storage.instruments import Instrument, ensure_instruments, find_instruments
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
    ensured = _ensure(connection, editor, positions.instruments, portfolio)
    return editor.add_lots(
        positions.lots, {symbol: one.instrument_id for symbol, one in ensured.items()}
    )


def compare_book(
    connection: Connection, principal: Principal, name_or_id: str, positions: Positions
) -> LotChanges:
    """Return what a positions file changes in a book."""
    portfolio = find_portfolio(connection, principal, name_or_id, is_own=True)
    check_has_lots(portfolio)
    known = find_instruments(
        connection, [hint.symbol for hint in positions.instruments], owner_id=portfolio.owner_id
    )
    present = {symbol: instrument.symbol for symbol, instrument in known.items()}
    return _compare(connection, portfolio, positions, present)


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
    portfolio = find_portfolio(connection, principal, name_or_id, is_own=True)
    editor = BookEditor(connection, portfolio, calendar, today=moment.today, at=moment.at)
    ensured = _ensure(connection, editor, positions.instruments, portfolio)
    present = {symbol: instrument.symbol for symbol, instrument in ensured.items()}
    changes = _compare(connection, portfolio, positions, present)
    editor.apply(changes, {one.symbol: one.instrument_id for one in ensured.values()})
    editor.finish()
    return changes


def _compare(
    connection: Connection,
    portfolio: Portfolio,
    positions: Positions,
    present: Mapping[str, str],
) -> LotChanges:
    """Compare under the symbols that the instruments have now; a file may use old ones."""
    wanted = [replace(lot, symbol=present.get(lot.symbol, lot.symbol)) for lot in positions.lots]
    return compare_lots(load_lots(connection, portfolio.portfolio_id), wanted)


def _ensure(
    connection: Connection,
    editor: BookEditor,
    hints: Sequence[InstrumentHint],
    portfolio: Portfolio,
) -> dict[str, Instrument]:
    ensured = ensure_instruments(
        connection,
        hints,
        currency=portfolio.currency,
        at=editor.at,
        owner_id=portfolio.owner_id,
    )
    editor.note(ensured.changes)
    return {
        hint.symbol: instrument for hint, instrument in zip(hints, ensured.instruments, strict=True)
    }
