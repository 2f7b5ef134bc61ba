"""Stored snapshots as arrays, some portfolios at a time, beside the sums of their details."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection

from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.domain.measures import STORED
from riskmark.domain.sessions import Calendar
from riskmark.storage.engines import as_date, read_rows
from riskmark.storage.key_lists import among

CHUNK = 50_000
"""Snapshots that are looked at together: some 100 MB."""

MONEY = (
    "nav", "cash", "long_value", "short_value", "gross", "net", "flow", "inflow", "outflow",
    "pnl", "cum_realized", "cum_unrealized", "cum_income",
)  # fmt: skip
SUMS = ("long", "short", "pnl", "turnover")
"""Sums over the positions of a cell: market value by sign, P&L, and absolute P&L."""

_OTHER_DETAILS = ("factor_exposure", "stress_result", "sector_exposure")

_DAYS = 1 << 22
"""More days than lie between the years 1 and 9999."""


class Texts(NamedTuple):
    """The texts of snapshots.

    ``mask`` has a 1 for each null among ``STORED`` and, last, for ``mwr_annualized``.
    """

    state: tuple[str, ...]
    reasons: tuple[str, ...]
    nulls: tuple[str, ...]
    mask: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredCells:
    """N snapshots in order of portfolio and session.

    ``ordinal`` is −1 where the date is no session. ``money`` maps the names of MONEY to
    arrays (NaN: null), ``sums`` those of SUMS; ``counted`` are the positions held that have
    a row, ``listed`` those that are counted in the snapshot.
    """

    portfolio_ids: tuple[str, ...]
    portfolio: IntArray
    session: tuple[date, ...]
    ordinal: IntArray
    money: Mapping[str, FloatArray]
    listed: IntArray
    counted: IntArray
    sums: Mapping[str, FloatArray]
    texts: Texts
    orphans: tuple[tuple[str, str, date], ...]
    """Cells with rows of a detail table and no snapshot: (table, portfolio, session)."""

    def __len__(self) -> int:
        """Return the number of snapshots."""
        return len(self.session)

    def cell(self, place: int) -> tuple[str, date]:
        """Return the portfolio and session of one snapshot."""
        return self.portfolio_ids[self.portfolio[place]], self.session[place]


def stored_portfolios(connection: Connection) -> dict[str, int]:
    """Count the snapshots of everything that any result table names as a portfolio."""
    counts: dict[str, int] = dict(
        read_rows(connection, "SELECT portfolio_id, COUNT(*) FROM snapshot GROUP BY portfolio_id")
    )
    for table in ("position_value", *_OTHER_DETAILS):
        rows = read_rows(connection, f"SELECT DISTINCT portfolio_id FROM {table}")
        for (key,) in rows:
            counts.setdefault(key, 0)
    return counts


def load_chunks(
    connection: Connection, calendar: Calendar, counts: Mapping[str, int]
) -> Iterator[StoredCells]:
    """Read the snapshots of the portfolios that ``counts`` names, a chunk at a time."""
    chunk: list[str] = []
    size = 0
    for key in sorted(counts):
        if chunk and size + counts[key] > CHUNK:
            yield _load(connection, calendar, chunk)
            chunk, size = [], 0
        chunk.append(key)
        size += counts[key]
    if chunk:
        yield _load(connection, calendar, chunk)


def _load(connection: Connection, calendar: Calendar, keys: Sequence[str]) -> StoredCells:
    listed = among(connection, keys)
    names = ", ".join(f'"{name}"' for name in MONEY)
    mask = " || ".join(
        f"CASE WHEN \"{name}\" IS NULL THEN '1' ELSE '0' END"
        for name in (*STORED, "mwr_annualized")
    )
    rows = read_rows(
        connection,
        f"SELECT portfolio_id, session, positions, state, reasons, nulls, {mask}, {names} "
        f"FROM snapshot WHERE portfolio_id {listed.sql} ORDER BY portfolio_id, session",
        listed.values,
    )
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * (7 + len(MONEY))
    place = {key: index for index, key in enumerate(keys)}
    portfolio = np.array([place[key] for key in columns[0]], dtype=np.int64)
    session = _dates(columns[1])
    ordinal = _ordinals(calendar, session)
    key = _key(portfolio, session)
    details = _Details(connection, keys, place, key)
    return StoredCells(
        portfolio_ids=tuple(keys),
        portfolio=portfolio,
        session=session,
        ordinal=ordinal,
        money={
            name: np.array(column, dtype=np.float64)
            for name, column in zip(MONEY, columns[7:], strict=True)
        },
        listed=np.array(columns[2], dtype=np.int64),
        counted=details.counted,
        sums=details.sums,
        texts=Texts(*columns[3:7]),
        orphans=tuple(details.orphans),
    )


class _Details:
    """What the detail tables hold of some cells, against the keys of their snapshots."""

    def __init__(
        self,
        connection: Connection,
        portfolio_ids: Sequence[str],
        place: Mapping[str, int],
        key: IntArray,
    ) -> None:
        self._key = key
        self._place = place
        self.orphans: list[tuple[str, str, date]] = []
        self.counted: IntArray = np.zeros(key.size, dtype=np.int64)
        self.sums: dict[str, FloatArray] = {name: np.zeros(key.size) for name in SUMS}
        listed = among(connection, portfolio_ids)
        groups = f"WHERE portfolio_id {listed.sql} GROUP BY portfolio_id, session"
        rows = read_rows(
            connection,
            "SELECT portfolio_id, session, COUNT(mark_kind), "
            "SUM(CASE WHEN market_value > 0 THEN market_value ELSE 0 END), "
            "SUM(CASE WHEN market_value < 0 THEN market_value ELSE 0 END), "
            f"SUM(pnl), SUM(ABS(pnl)) FROM position_value {groups}",
            listed.values,
        )
        self._add_positions(rows)
        for table in _OTHER_DETAILS:
            found = read_rows(
                connection, f"SELECT portfolio_id, session FROM {table} {groups}", listed.values
            )
            self._find(table, found)

    def _add_positions(self, rows: Collection[Any]) -> None:
        at, known = self._find("position_value", rows)
        if not rows:
            return
        columns = list(zip(*rows, strict=True))
        self.counted[at] = np.array(columns[2], dtype=np.int64)[known]
        for name, column in zip(SUMS, columns[3:], strict=True):
            self.sums[name][at] = np.array(column, dtype=np.float64)[known]

    def _find(self, table: str, rows: Collection[Any]) -> tuple[IntArray, Any]:
        """Return the snapshots that rows belong to, and which rows belong to any."""
        days = _dates([row[1] for row in rows])
        portfolio = np.array([self._place[row[0]] for row in rows], dtype=np.int64)
        wanted = _key(portfolio, days)
        at = np.searchsorted(self._key, wanted)
        known = np.zeros(wanted.size, dtype=bool)
        inside = at < self._key.size
        known[inside] = self._key[at[inside]] == wanted[inside]
        if not known.all():
            listed = list(rows)
            self.orphans += [
                (table, listed[k][0], days[k]) for k in np.flatnonzero(~known).tolist()
            ]
        return at[known].astype(np.int64), known


def _dates(values: Collection[Any]) -> tuple[date, ...]:
    read = {value: as_date(value) for value in set(values)}
    return tuple(read[value] for value in values)


def _key(portfolio: IntArray, session: Sequence[date]) -> IntArray:
    """Make one number of a portfolio and a session that sorts by both, in this order."""
    days = np.array(session, dtype="datetime64[D]").astype(np.int64) + _DAYS // 2
    key: IntArray = portfolio * _DAYS + days
    return key


def _ordinals(calendar: Calendar, session: Sequence[date]) -> IntArray:
    sessions = np.array(calendar.sessions, dtype="datetime64[D]")
    days = np.array(session, dtype="datetime64[D]")
    at = np.minimum(np.searchsorted(sessions, days), max(sessions.size - 1, 0))
    found: IntArray = np.where(sessions[at] == days, at, -1).astype(np.int64)
    return found
