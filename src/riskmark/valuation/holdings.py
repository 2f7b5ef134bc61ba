"""The books of a round as arrays: lots and flows with their rows of the panel.

Stated dates and effective sessions are both kept: the terms in which a quantity or price is
stated are those of the date, money moves on the session (``docs/glossary.md``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection

from riskmark.calc.accounting import Books, Flows
from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.calc.black_scholes import intrinsic_value
from riskmark.calc.lots import Lots
from riskmark.domain.sessions import Calendar
from riskmark.storage.engines import as_date, read_rows
from riskmark.storage.key_lists import among
from riskmark.storage.members import Members, books_in, load_members
from riskmark.storage.records import copy_records
from riskmark.valuation.panels import Panel

OPEN_ROW = np.iinfo(np.int32).max
"""The exit row of a lot that has not ended."""
OPEN_DAY = np.iinfo(np.int32).max
"""The day on which a lot ends that has not ended."""
PORTFOLIOS = 10_000
"""Portfolios whose lots are read at once: as rows, these take ten times what arrays do."""
_EPOCH = date(1970, 1, 1)
_KINDS = ("i8", "i8", "f8", "f8", "i4", "f8", "i4", "f8")
"""The types of the columns of a lot in PostgreSQL's binary form."""


class StoredLots(NamedTuple):
    """Lots as they are stated, one an element, by portfolio, instrument and entry.

    ``portfolio`` is a place among the portfolios read; days count from 1970.
    """

    portfolio: IntArray
    instrument_id: IntArray
    quantity: FloatArray
    multiplier: FloatArray
    entry_day: IntArray
    entry_price: FloatArray
    exit_day: IntArray
    exit_price: FloatArray

    def at(self, places: IntArray) -> "StoredLots":
        """Return the lots at some places."""
        return StoredLots._make(part[places] for part in self)


class StoredFlow(NamedTuple):
    """A flow as it is stated."""

    portfolio: int
    day: int
    amount: float


@dataclass(frozen=True, slots=True)
class StoredBooks:
    """Lots and flows of some portfolios as they are stated, by portfolio."""

    portfolio_ids: tuple[str, ...]
    opening_equity: tuple[float, ...]
    lots: StoredLots
    flows: list[StoredFlow]

    @property
    def instrument_ids(self) -> set[int]:
        """Every instrument that a lot is in."""
        return set(np.unique(self.lots.instrument_id).tolist())


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


class _Days(dict[Any, int]):
    """Days since 1970 by what the driver gives for a date, each worked out once."""

    def __missing__(self, value: Any) -> int:
        self[value] = found = OPEN_DAY if value is None else (as_date(value) - _EPOCH).days
        return found


def _load_books(connection: Connection, portfolio_ids: Sequence[str]) -> StoredBooks:
    place = {key: index for index, key in enumerate(portfolio_ids)}
    days = _Days()
    opening = np.full(len(place), np.nan)
    listed = among(connection, portfolio_ids)
    for key, equity in read_rows(
        connection,
        "SELECT id, opening_equity FROM portfolio "
        f"WHERE opening_equity IS NOT NULL AND id {listed.sql}",
        listed.values,
    ):
        opening[place[key]] = float(equity)
    flows = read_rows(
        connection,
        f"SELECT portfolio_id, date, amount FROM flow WHERE portfolio_id {listed.sql} "
        "ORDER BY portfolio_id, date, id",
        listed.values,
    )
    load = _load_lots if connection.dialect.name == "sqlite" else _copy_lots
    return StoredBooks(
        tuple(portfolio_ids),
        tuple(opening.tolist()),
        load(connection, portfolio_ids),
        [StoredFlow(place[key], days[day], float(amount)) for key, day, amount in flows],
    )


def _load_lots(connection: Connection, portfolio_ids: Sequence[str]) -> StoredLots:
    """Read lots as rows; decimals come as text, which Python turns into the nearest float."""
    place = {key: index for index, key in enumerate(portfolio_ids)}
    days = _Days()
    found = [_lot_columns([], place, days)]
    for start in range(0, len(portfolio_ids), PORTFOLIOS):
        listed = among(connection, portfolio_ids[start : start + PORTFOLIOS])
        rows = read_rows(
            connection,
            "SELECT portfolio_id, instrument_id, quantity, multiplier, entry_date, entry_price, "
            f"exit_date, exit_price FROM lot WHERE portfolio_id {listed.sql} "
            "ORDER BY portfolio_id, instrument_id, entry_date, id",
            listed.values,
        )
        found.append(_lot_columns(rows, place, days))
    return StoredLots._make(np.concatenate(parts) for parts in zip(*found, strict=True))


def _lot_columns(rows: list[Any], place: dict[str, int], days: _Days) -> StoredLots:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 8
    portfolio, instrument, quantity, multiplier, entry, price, leaving, proceeds = columns
    n = len(rows)

    def integers(values: Any) -> IntArray:
        return np.fromiter(values, dtype=np.int64, count=n)

    def floats(values: Any) -> FloatArray:
        return np.fromiter(map(float, values), dtype=np.float64, count=n)

    return StoredLots(
        portfolio=integers(map(place.__getitem__, portfolio)),
        instrument_id=integers(instrument),
        quantity=floats(quantity),
        multiplier=floats(multiplier),
        entry_day=integers(map(days.__getitem__, entry)),
        entry_price=floats(price),
        exit_day=integers(map(days.__getitem__, leaving)),
        exit_price=floats(np.nan if value is None else value for value in proceeds),
    )


def _copy_lots(connection: Connection, portfolio_ids: Sequence[str]) -> StoredLots:
    """Read lots as PostgreSQL lays them out; it turns decimals into the nearest floats too."""
    found = copy_records(
        connection,
        "SELECT k.place - 1, l.instrument_id::int8, l.quantity::float8, l.multiplier::float8, "
        "l.entry_date - DATE '1970-01-01', l.entry_price::float8, "
        f"COALESCE(l.exit_date - DATE '1970-01-01', {OPEN_DAY}), "
        "COALESCE(l.exit_price::float8, 'NaN') FROM lot l "
        "JOIN unnest(?::text[]) WITH ORDINALITY AS k (id, place) ON k.id = l.portfolio_id "
        "ORDER BY k.place, l.instrument_id, l.entry_date, l.id",
        (list(portfolio_ids),),
        dict(zip(StoredLots._fields, _KINDS, strict=True)),
    )
    return StoredLots(
        portfolio=found["portfolio"].astype(np.int64),
        instrument_id=found["instrument_id"].astype(np.int64),
        quantity=found["quantity"].astype(np.float64),
        multiplier=found["multiplier"].astype(np.float64),
        entry_day=found["entry_day"].astype(np.int64),
        entry_price=found["entry_price"].astype(np.float64),
        exit_day=found["exit_day"].astype(np.int64),
        exit_price=found["exit_price"].astype(np.float64),
    )


def _with_combined(
    read: StoredBooks, portfolio_ids: Sequence[str], members: Members
) -> StoredBooks:
    """Give every portfolio the lots and flows of its books; those of one come together."""
    place_of = {book: place for place, book in enumerate(read.portfolio_ids)}
    bounds = np.searchsorted(read.lots.portfolio, np.arange(len(place_of) + 1)).tolist()
    flows_of: dict[int, list[StoredFlow]] = {}
    for flow in read.flows:
        flows_of.setdefault(flow.portfolio, []).append(flow)
    opening: list[float] = []
    lots: list[IntArray] = []
    flows: list[StoredFlow] = []
    for own, key in enumerate(portfolio_ids):
        if key not in members:
            book = place_of[key]
            opening.append(read.opening_equity[book])
            lots.append(np.arange(bounds[book], bounds[book + 1]))
            flows += [one._replace(portfolio=own) for one in flows_of.get(book, ())]
            continue
        # A book without a lot has no first session, on which its money would come in.
        books = [place_of[book] for book in members[key]]
        since = {
            book: int(read.lots.entry_day[bounds[book] : bounds[book + 1]].min())
            for book in books
            if bounds[book] < bounds[book + 1]
        }
        first = min(since.values(), default=None)
        opening.append(sum(read.opening_equity[book] for book in since if since[book] == first))
        lots.append(_together(read.lots, [range(bounds[b], bounds[b + 1]) for b in since]))
        for book, begun in since.items():
            equity = read.opening_equity[book]
            if begun != first and not np.isnan(equity):
                flows.append(StoredFlow(own, begun, equity))
            flows += [
                StoredFlow(own, max(one.day, begun), one.amount) for one in flows_of.get(book, ())
            ]
    counts = [one.size for one in lots]
    chosen = np.concatenate(lots) if lots else np.zeros(0, dtype=np.int64)
    owner = np.repeat(np.arange(len(counts)), counts)
    return StoredBooks(
        tuple(portfolio_ids), tuple(opening), read.lots.at(chosen)._replace(portfolio=owner), flows
    )


def _together(lots: StoredLots, books: Sequence[range]) -> IntArray:
    """Return the places of the lots of some books, by instrument and entry."""
    places = np.concatenate(
        [np.zeros(0, dtype=np.int64), *(np.arange(b.start, b.stop) for b in books)]
    )
    order = np.lexsort((lots.entry_day[places], lots.instrument_id[places]))
    found: IntArray = places[order]
    return found


def book_arrays(
    stored: StoredBooks, calendar: Calendar, panel: Panel, first_ordinals: Sequence[int]
) -> BookArrays:
    """Turn stored books into arrays; ``first_ordinals`` are the portfolios' first sessions."""
    dates = _Dates(calendar, panel.first)
    first_row = np.array(first_ordinals, dtype=np.int64) - panel.first
    lots = _lots(stored, panel, dates)
    flows = _flows(stored.flows, first_row, dates)
    bounds = np.arange(len(stored.portfolio_ids) + 1)
    return BookArrays(
        books=Books(first_row=first_row, opening_equity=np.array(stored.opening_equity)),
        lots=lots,
        flows=flows,
        lot_start=np.searchsorted(lots.portfolio, bounds),
        flow_start=np.searchsorted(flows.portfolio, bounds),
    )


class _Dates:
    """Stated days to rows, each looked up once."""

    def __init__(self, calendar: Calendar, first: int) -> None:
        self._calendar = calendar
        self._first = first

    def rows(self, days: IntArray) -> tuple[IntArray, IntArray]:
        """Return the row of the last session not after, and of the first not before, each day."""
        unique, which = np.unique(days, return_inverse=True)
        pairs = [self._look_up(day) for day in unique.tolist()]
        found = np.array(pairs, dtype=np.int64).reshape(-1, 2)[which.ravel()]
        return found[:, 0], found[:, 1]

    def _look_up(self, day: int) -> tuple[int, int]:
        if day == OPEN_DAY:
            return int(OPEN_ROW), int(OPEN_ROW)
        stated = date_of(day)
        before = self._calendar.on_or_before(stated) - self._first
        return max(before, -1), self._calendar.on_or_after(stated) - self._first


def date_of(day: int) -> date:
    """Return the date of a day since 1970."""
    return _EPOCH + timedelta(days=day)


def _lots(stored: StoredBooks, panel: Panel, dates: _Dates) -> Lots:
    read = stored.lots
    stated_row, entry_row = dates.rows(read.entry_day)
    exit_stated_row, exit_row = dates.rows(read.exit_day)
    column = _columns(stored, panel)
    lots = Lots(
        portfolio=read.portfolio,
        instrument=column,
        quantity=read.quantity,
        multiplier=read.multiplier,
        stated_row=stated_row,
        entry_row=entry_row,
        entry_price=read.entry_price,
        exit_stated_row=exit_stated_row,
        exit_row=exit_row,
        exit_price=read.exit_price,
        cost_only=panel.cost_only[column],
    )
    return lots if panel.options is None else _expired(lots, panel)


def _columns(stored: StoredBooks, panel: Panel) -> IntArray:
    """Return the panel's column of each lot; options have some of their portfolio's own."""
    ids, which = np.unique(stored.lots.instrument_id, return_inverse=True)
    own = {} if panel.options is None else panel.options.column_of
    modelled = {instrument for _, instrument in own}
    shared = [-1 if key in modelled else panel.column_of[key] for key in ids.tolist()]
    found: IntArray = np.array(shared, dtype=np.int64)[which.ravel()]
    for place in np.flatnonzero(found < 0).tolist():
        portfolio = stored.portfolio_ids[stored.lots.portfolio[place]]
        instrument = int(stored.lots.instrument_id[place])
        column = own.get((portfolio, instrument))
        found[place] = panel.column_of[instrument] if column is None else column
    return found


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


def _flows(stored: Sequence[StoredFlow], first_row: IntArray, dates: _Dates) -> Flows:
    portfolio = np.array([one.portfolio for one in stored], dtype=np.int64)
    _, row = dates.rows(np.array([one.day for one in stored], dtype=np.int64))
    return Flows(
        portfolio=portfolio,
        row=np.maximum(row, first_row[portfolio]),
        amount=np.array([one.amount for one in stored], dtype=np.float64),
    )
