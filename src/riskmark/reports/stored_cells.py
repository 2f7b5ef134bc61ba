"""Stored snapshots as arrays, some portfolios at a time, beside the sums of their details."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray
from riskmark.domain.measures import STORED
from riskmark.domain.reasons import MarkKind
from riskmark.domain.sessions import Calendar
from riskmark.storage.engines import as_date, read_rows
from riskmark.storage.key_lists import Part, among

CHUNK = 50_000
"""Snapshots that are looked at together: some 100 MB."""

MONEY = (
    "nav", "cash", "long_value", "short_value", "gross", "net", "flow", "inflow", "outflow",
    "pnl", "cum_realized", "cum_unrealized", "cum_income",
    "income", "return", "drawdown", "max_drawdown",
    "hhi", "effective_positions", "top_1", "top_3", "top_10", "nonlinear_weight", "es_95",
    "factor_share",
)  # fmt: skip
_OF_EXPOSURES = ("squares", "largest", "exposed", "exposed_net", "nonlinear")
SUMS = ("long", "short", "pnl", "turnover", "components", "component_sizes", *_OF_EXPOSURES)
"""Of the positions of a cell: the sums of market value by sign, P&L, absolute P&L, component
ES and its sizes. Of its exposures, which options have on their underlyings: the sum of squares,
the largest by size, the sum of the sizes and the sum; and the sum of the sizes of those of
options alone."""

_SQUARED = "ABS(market_value) BETWEEN 1e-100 AND 1e100"
"""Beyond it a database may refuse to square; no such value was ever computed."""

_NOT_CLOSES = ", ".join(
    f"'{kind.value}'" for kind in (MarkKind.CARRIED, MarkKind.STALE, MarkKind.COST)
)
_NEEDS_A_REASON = (
    f"(v.mark_kind IN ({_NOT_CLOSES}) OR v.mark_kind = '{MarkKind.MODEL.value}' AND v.mark_age > 0)"
)
"""A mark of the model is as it should be on a close of the underlying."""

_DAYS = 1 << 22
"""More days than lie between the years 1 and 9999."""


class Texts(NamedTuple):
    """The texts of snapshots.

    ``mask`` has a 1 for each null among ``STORED`` and, last, for ``mwr_annualized``.
    """

    state: tuple[str, ...]
    reasons: tuple[str, ...]
    nulls: tuple[str, ...]
    windows: tuple[str, ...]
    mask: tuple[str, ...]


class FactorSums(NamedTuple):
    """Of each snapshot: how many exposures it has, the sum of risk shares and of their sizes."""

    rows: IntArray
    shares: FloatArray
    sizes: FloatArray


class SectorSums(NamedTuple):
    """Of each snapshot: how many sector rows it has, how many of them with numbers, their sums."""

    rows: IntArray
    numbers: IntArray
    net: FloatArray
    gross: FloatArray


@dataclass(frozen=True, slots=True)
class StoredCells:
    """N snapshots in order of portfolio and session.

    ``ordinal`` is −1 where the date is no session. ``money`` maps the names of MONEY to
    arrays (NaN: null), ``sums`` those of SUMS; ``counted`` are the positions held that have
    a row, ``listed`` those that are counted in the snapshot. ``unsettled`` are the symbols
    held whose marks need a reason. Where the positions are ``pruned``, the sums, ``counted``
    and ``unsettled`` say nothing.
    """

    portfolio_ids: tuple[str, ...]
    portfolio: IntArray
    session: tuple[date, ...]
    ordinal: IntArray
    money: Mapping[str, FloatArray]
    listed: IntArray
    counted: IntArray
    sums: Mapping[str, FloatArray]
    factors: FactorSums
    scenarios: IntArray
    sectors: SectorSums
    unsettled: tuple[tuple[str, ...], ...]
    pruned: BoolArray
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
    for (key,) in read_rows(connection, "SELECT DISTINCT portfolio_id FROM cell_pack"):
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
        f"SELECT portfolio_id, session, positions, state, reasons, nulls, windows, {mask}, {names} "
        f"FROM snapshot WHERE portfolio_id {listed.sql} ORDER BY portfolio_id, session",
        listed.values,
    )
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * (8 + len(MONEY))
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
            for name, column in zip(MONEY, columns[8:], strict=True)
        },
        listed=np.array(columns[2], dtype=np.int64),
        counted=details.counted,
        sums=details.sums,
        factors=details.factors,
        scenarios=details.scenarios,
        sectors=details.sectors,
        unsettled=details.unsettled(),
        pruned=details.pruned,
        texts=Texts(*columns[3:8]),
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
            "SUM(pnl), SUM(ABS(pnl)), "
            "COALESCE(SUM(component_es_95), 0), COALESCE(SUM(ABS(component_es_95)), 0), "
            f"SUM(CASE WHEN {_SQUARED} THEN market_value * market_value ELSE 0 END), "
            "MAX(ABS(market_value)), SUM(ABS(market_value)), SUM(market_value), 0, "
            f"COUNT(exposure) FROM position_value {groups}",
            listed.values,
        )
        self._add_positions(rows)
        with_options = sorted({row[0] for row in rows if row[-1]})
        if with_options:
            self._add_exposures(connection, with_options)
        self.pruned = self._pruned(connection, listed)
        rows = read_rows(
            connection,
            "SELECT portfolio_id, session, COUNT(*), COALESCE(SUM(risk_share), 0), "
            f"COALESCE(SUM(ABS(risk_share)), 0) FROM factor_exposure {groups}",
            listed.values,
        )
        count, shares, sizes = self._columns("factor_exposure", rows, 3)
        self.factors = FactorSums(count.astype(np.int64), shares, sizes)
        rows = read_rows(
            connection,
            f"SELECT portfolio_id, session, COUNT(*) FROM stress_result {groups}",
            listed.values,
        )
        self.scenarios = self._columns("stress_result", rows, 1)[0].astype(np.int64)
        rows = read_rows(
            connection,
            "SELECT portfolio_id, session, COUNT(*), COUNT(net), SUM(net), SUM(gross) "
            f"FROM sector_exposure {groups}",
            listed.values,
        )
        count, numbers, net, gross = self._columns("sector_exposure", rows, 4)
        self.sectors = SectorSums(count.astype(np.int64), numbers.astype(np.int64), net, gross)
        self._marked = read_rows(
            connection,
            "SELECT v.portfolio_id, v.session, i.symbol FROM position_value v "
            f"JOIN instrument i ON i.id = v.instrument_id WHERE {_NEEDS_A_REASON} "
            f"AND v.portfolio_id {listed.sql} ORDER BY i.symbol",
            listed.values,
        )

    def unsettled(self) -> tuple[tuple[str, ...], ...]:
        """Return the symbols of each snapshot whose marks need a reason, in order."""
        found: list[tuple[str, ...]] = [()] * self._key.size
        at, known = self._find("position_value", self._marked)
        symbols = [row[2] for row, is_known in zip(self._marked, known, strict=True) if is_known]
        for place, symbol in zip(at.tolist(), symbols, strict=True):
            found[place] += (symbol,)
        return tuple(found)

    def _columns(self, table: str, rows: Collection[Any], count: int) -> list[FloatArray]:
        """Lay the numbers of grouped rows on their snapshots; 0 where there are none."""
        at, known = self._find(table, rows)
        found = [np.zeros(self._key.size) for _ in range(count)]
        columns = list(zip(*rows, strict=True))[2:]
        for laid, column in zip(found, columns, strict=False):
            laid[at] = np.array(column, dtype=np.float64)[known]
        return found

    def _pruned(self, connection: Connection, listed: Part) -> BoolArray:
        """Tell which cells have lost their lines of positions."""
        rows = read_rows(
            connection,
            "SELECT portfolio_id, session, CASE WHEN pruned_at IS NULL THEN 0 ELSE 1 END "
            f"FROM cell_pack WHERE portfolio_id {listed.sql}",
            listed.values,
        )
        at, known = self._find("cell_pack", rows, is_new=True)
        found: BoolArray = np.zeros(self._key.size, dtype=bool)
        found[at] = np.array([row[2] for row in rows], dtype=bool)[known]
        return found

    def _add_positions(self, rows: Collection[Any]) -> None:
        at, known = self._find("position_value", rows)
        if not rows:
            return
        columns = list(zip(*rows, strict=True))
        self.counted[at] = np.array(columns[2], dtype=np.int64)[known]
        for name, column in zip(SUMS, columns[3:-1], strict=True):
            self.sums[name][at] = np.array(column, dtype=np.float64)[known]

    def _add_exposures(self, connection: Connection, portfolio_ids: Sequence[str]) -> None:
        """Replace the sums of exposures where options have added to them."""
        listed = among(connection, portfolio_ids)
        squared = _SQUARED.replace("market_value", "e")
        rows = read_rows(
            connection,
            f"SELECT portfolio_id, session, SUM(CASE WHEN {squared} THEN e * e ELSE 0 END), "
            "MAX(ABS(e)), SUM(ABS(e)), SUM(e), SUM(o) FROM ("
            "SELECT portfolio_id, session, SUM(COALESCE(exposure, market_value)) AS e, "
            "SUM(ABS(COALESCE(exposure, 0))) AS o FROM position_value "
            f"WHERE portfolio_id {listed.sql} "
            "GROUP BY portfolio_id, session, COALESCE(booked_to, instrument_id)) AS booked "
            "GROUP BY portfolio_id, session",
            listed.values,
        )
        at, known = self._find("position_value", rows)
        for name, column in zip(_OF_EXPOSURES, list(zip(*rows, strict=True))[2:], strict=True):
            self.sums[name][at] = np.array(column, dtype=np.float64)[known]

    def _find(
        self, table: str, rows: Collection[Any], *, is_new: bool = False
    ) -> tuple[IntArray, Any]:
        """Return the snapshots that rows belong to, and which rows belong to any.

        Those that belong to none are noted, unless they are not ``is_new``.
        """
        days = _dates([row[1] for row in rows])
        portfolio = np.array([self._place[row[0]] for row in rows], dtype=np.int64)
        wanted = _key(portfolio, days)
        at = np.searchsorted(self._key, wanted)
        known = np.zeros(wanted.size, dtype=bool)
        inside = at < self._key.size
        known[inside] = self._key[at[inside]] == wanted[inside]
        if is_new and not known.all():
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
