"""The books of a round as arrays: lots and flows with their rows of the panel.

Stated dates and effective sessions are both kept: the terms in which a quantity or price is
stated are those of the date, money moves on the session (``docs/glossary.md``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Connection

from riskmark.calc.accounting import Books, Flows
from riskmark.calc.arrays import IntArray
from riskmark.calc.black_scholes import intrinsic_value
from riskmark.calc.lots import Lots
from riskmark.domain.sessions import Calendar
from riskmark.storage.engines import as_date, read_rows
from riskmark.storage.key_lists import among
from riskmark.storage.members import Members, books_in, load_members
from riskmark.valuation.panels import Panel

if TYPE_CHECKING:
    from datetime import date

OPEN_ROW = np.iinfo(np.int32).max
"""The exit row of a lot that has not ended."""
_INSTRUMENT, _ENTRY = 1, 4
"""Places in the row of a stored lot."""


@dataclass(frozen=True, slots=True)
class StoredBooks:
    """Lots and flows of some portfolios as the driver gave them, by portfolio."""

    portfolio_ids: tuple[str, ...]
    opening_equity: tuple[float, ...]
    lots: list[Any]
    flows: list[Any]

    @property
    def instrument_ids(self) -> set[int]:
        """Every instrument that a lot is in."""
        return {row[1] for row in self.lots}


@dataclass(frozen=True, slots=True)
class BookArrays:
    """Books, lots and flows against the rows and columns of one panel; lots by portfolio.

    ``lot_start`` and ``flow_start`` (P+1,) are where each portfolio's lots and flows begin.
    """

    books: Books
    lots: Lots
    flows: Flows
    lot_start: IntArray
    flow_start: IntArray


def load_stored_books(connection: Connection, portfolio_ids: Sequence[str]) -> StoredBooks:
    """Read the lots and flows of ``portfolio_ids``, which are in ascending order.

    A combined book has those of its members, and their opening equities: that of a member
    which begins later is a flow on the member's first session, as its earlier flows are.
    """
    members = load_members(connection, portfolio_ids)
    read = _load_books(connection, books_in(portfolio_ids, members))
    return _with_combined(read, portfolio_ids, members) if members else read


def _load_books(connection: Connection, portfolio_ids: Sequence[str]) -> StoredBooks:
    listed = among(connection, portfolio_ids)
    equity = dict(
        read_rows(
            connection,
            f"SELECT id, opening_equity FROM portfolio WHERE id {listed.sql}",
            listed.values,
        )
    )
    lots = read_rows(
        connection,
        "SELECT portfolio_id, instrument_id, quantity, multiplier, entry_date, entry_price, "
        f"exit_date, exit_price FROM lot WHERE portfolio_id {listed.sql} "
        "ORDER BY portfolio_id, instrument_id, entry_date, id",
        listed.values,
    )
    flows = read_rows(
        connection,
        f"SELECT portfolio_id, date, amount FROM flow WHERE portfolio_id {listed.sql} "
        "ORDER BY portfolio_id, date, id",
        listed.values,
    )
    opening = tuple(np.nan if equity[key] is None else float(equity[key]) for key in portfolio_ids)
    return StoredBooks(tuple(portfolio_ids), opening, lots, flows)


def _with_combined(
    read: StoredBooks, portfolio_ids: Sequence[str], members: Members
) -> StoredBooks:
    """Give every portfolio the lots and flows of its books; those of one come together."""
    lots_of, flows_of = _by_portfolio(read.lots), _by_portfolio(read.flows)
    equity_of = dict(zip(read.portfolio_ids, read.opening_equity, strict=True))
    entry_of = {book: min(row[_ENTRY] for row in rows) for book, rows in lots_of.items()}
    opening: list[float] = []
    lots: list[Any] = []
    flows: list[Any] = []
    for key in portfolio_ids:
        if key not in members:
            opening.append(equity_of[key])
            lots += lots_of.get(key, ())
            flows += flows_of.get(key, ())
            continue
        # A book without a lot has no first session, on which its money would come in.
        begun = [book for book in members[key] if book in entry_of]
        first = min((entry_of[book] for book in begun), default=None)
        opening.append(sum(equity_of[book] for book in begun if entry_of[book] == first))
        own = [(key, *row[1:]) for book in begun for row in lots_of[book]]
        lots += sorted(own, key=itemgetter(_INSTRUMENT, _ENTRY))
        for book in begun:
            since = entry_of[book]
            if since != first and not np.isnan(equity_of[book]):
                flows.append((key, since, equity_of[book]))
            flows += [(key, max(day, since), amount) for _, day, amount in flows_of.get(book, ())]
    return StoredBooks(tuple(portfolio_ids), tuple(opening), lots, flows)


def _by_portfolio(rows: Sequence[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return found


def book_arrays(
    stored: StoredBooks, calendar: Calendar, panel: Panel, first_ordinals: Sequence[int]
) -> BookArrays:
    """Turn stored books into arrays; ``first_ordinals`` are the portfolios' first sessions."""
    place = {key: index for index, key in enumerate(stored.portfolio_ids)}
    dates = _Dates(calendar, panel.first)
    first_row = np.array(first_ordinals, dtype=np.int64) - panel.first
    lots = _lots(stored.lots, place, panel, dates)
    flows = _flows(stored.flows, place, first_row, dates)
    bounds = np.arange(len(stored.portfolio_ids) + 1)
    return BookArrays(
        books=Books(first_row=first_row, opening_equity=np.array(stored.opening_equity)),
        lots=lots,
        flows=flows,
        lot_start=np.searchsorted(lots.portfolio, bounds),
        flow_start=np.searchsorted(flows.portfolio, bounds),
    )


class _Dates:
    """Stated dates to rows, each looked up once."""

    def __init__(self, calendar: Calendar, first: int) -> None:
        self._calendar = calendar
        self._first = first
        self._rows: dict[Any, tuple[int, int]] = {}

    def rows(self, days: Sequence[Any]) -> tuple[IntArray, IntArray]:
        """Return the row of the last session not after, and of the first not before, each day."""
        for day in set(days).difference(self._rows):
            self._rows[day] = self._look_up(day)
        pairs = np.array([self._rows[day] for day in days], dtype=np.int64).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]

    def _look_up(self, day: Any) -> tuple[int, int]:
        if day is None:
            return int(OPEN_ROW), int(OPEN_ROW)
        stated: date = as_date(day)
        before = self._calendar.on_or_before(stated) - self._first
        return max(before, -1), self._calendar.on_or_after(stated) - self._first


def _lots(rows: list[Any], place: Mapping[str, int], panel: Panel, dates: _Dates) -> Lots:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 8
    portfolio, instrument, quantity, multiplier, entry, price, leaving, proceeds = columns
    stated_row, entry_row = dates.rows(entry)
    exit_stated_row, exit_row = dates.rows(leaving)
    own = {} if panel.options is None else panel.options.column_of
    column = np.array(
        [
            own.get(pair, panel.column_of[pair[1]])
            for pair in zip(portfolio, instrument, strict=True)
        ],
        dtype=np.int64,
    )
    lots = Lots(
        portfolio=np.array([place[key] for key in portfolio], dtype=np.int64),
        instrument=column,
        quantity=np.array([float(value) for value in quantity]),
        multiplier=np.array([float(value) for value in multiplier]),
        stated_row=stated_row,
        entry_row=entry_row,
        entry_price=np.array([float(value) for value in price]),
        exit_stated_row=exit_stated_row,
        exit_row=exit_row,
        exit_price=np.array([np.nan if value is None else float(value) for value in proceeds]),
        cost_only=panel.cost_only[column],
    )
    return lots if panel.options is None else _expired(lots, panel)


def _expired(lots: Lots, panel: Panel) -> Lots:
    """End the lots of options at their intrinsic value, on the last session before they expire.

    A lot that was closed before stays as it is. Where the underlying has no mark then, what an
    option was worth is not known, and the lot stays open.
    """
    if panel.options is None:
        return lots
    options, marks = panel.options, panel.marks
    which = options.place[lots.instrument]
    place = np.flatnonzero(which >= 0)
    which = which[place]
    row = np.maximum(options.expiry_row[which], lots.entry_row[place])
    due = (row < len(panel.sessions)) & (row < lots.exit_row[place])
    place, which, row = place[due], which[due], row[due]
    column = options.contracts.underlying[which]
    worth = intrinsic_value(
        options.contracts.is_call[which],
        marks.mark[row, column],
        options.contracts.strike[which] / marks.split_index[row, column],
    )
    known = np.isfinite(marks.mark[row, column])
    place, row = place[known], row[known]
    ended = lots._replace(
        exit_stated_row=lots.exit_stated_row.copy(),
        exit_row=lots.exit_row.copy(),
        exit_price=lots.exit_price.copy(),
    )
    ended.exit_stated_row[place] = row
    ended.exit_row[place] = row
    ended.exit_price[place] = worth[known]
    return ended


def _flows(rows: list[Any], place: Mapping[str, int], first_row: IntArray, dates: _Dates) -> Flows:
    portfolio = np.array([place[key] for key, _, _ in rows], dtype=np.int64)
    _, row = dates.rows([day for _, day, _ in rows])
    return Flows(
        portfolio=portfolio,
        row=np.maximum(row, first_row[portfolio]),
        amount=np.array([float(amount) for _, _, amount in rows]),
    )
