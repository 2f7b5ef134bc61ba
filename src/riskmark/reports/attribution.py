"""Where the P&L of a portfolio came from: its positions, sectors and factors.

Each of the three ways sums to the P&L of the range, which is that of its sessions, the first
and the last included. Positions and sectors are summed up from the stored lines; factors are
exposures in money at the close before, as stored, times the factors' returns, with what they
leave over in parts of its own (``calc.attribution``). A position stands in the sector that its
instrument, or the underlying of an option, is in today.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.portfolio import Portfolio
from riskmark.domain.reasons import NullReason
from riskmark.domain.sectors import sector_of
from riskmark.domain.sessions import Calendar
from riskmark.reports.attribution_range import Range, choose_range
from riskmark.reports.factor_attribution import ByFactor, load_by_factor
from riskmark.reports.ways import By
from riskmark.settings import Settings
from riskmark.storage.books import Principal, find_portfolio
from riskmark.storage.contracts import load_contracts
from riskmark.storage.engines import bind_date, read_rows
from riskmark.storage.instruments import load_instruments
from riskmark.storage.retention import pruned_sessions


@dataclass(frozen=True, slots=True)
class PositionPnl:
    """What a position has made; ``is_held``: whether at the close of the last session."""

    symbol: str
    sector: str
    is_held: bool
    pnl: float

    def document(self) -> dict[str, Any]:
        """Return the line as JSON has it."""
        return {
            "symbol": self.symbol,
            "sector": self.sector,
            "held": self.is_held,
            "pnl": self.pnl,
        }


@dataclass(frozen=True, slots=True)
class SectorPnl:
    """What the positions in a sector have made."""

    sector: str
    pnl: float

    def document(self) -> dict[str, Any]:
        """Return the line as JSON has it."""
        return {"sector": self.sector, "pnl": self.pnl}


@dataclass(frozen=True, slots=True)
class Attribution:
    """The P&L of a portfolio over ``sessions`` sessions, and where it came from.

    ``missing`` sessions of the range are not stored: their P&L is in nothing here.
    ``realized`` and ``unrealized`` are null then, with ``gain_reason``. Positions and sectors
    are null, with ``lines_reason``, if a session in the range has no lines of positions any more.
    """

    portfolio: Portfolio
    first: date
    last: date
    sessions: int
    missing: int
    pnl: float
    realized: float | None
    unrealized: float | None
    income: float
    gain_reason: str | None
    lines_reason: str | None
    positions: tuple[PositionPnl, ...]
    sectors: tuple[SectorPnl, ...]
    by_factor: ByFactor

    def document(self, by: By | None = None) -> dict[str, Any]:
        """Return the report as JSON has it; ``by`` chooses one of the three ways."""
        found: dict[str, Any] = {
            "portfolio": {
                "id": self.portfolio.portfolio_id,
                "name": self.portfolio.name,
                "currency": self.portfolio.currency,
                "mode": self.portfolio.mode,
            },
            "from": self.first,
            "to": self.last,
            "sessions": self.sessions,
            "missing": self.missing,
            "pnl": self.pnl,
            "realized": self.realized,
            "unrealized": self.unrealized,
            "income": self.income,
        }
        if by in {None, By.POSITION}:
            found["positions"] = self._listed(self.positions)
        if by in {None, By.SECTOR}:
            found["sectors"] = self._listed(self.sectors)
        if by in {None, By.FACTOR}:
            found["factors"] = self.by_factor.document()
        found["nulls"] = self._nulls(by)
        return found

    def _listed(
        self, lines: tuple[PositionPnl, ...] | tuple[SectorPnl, ...]
    ) -> list[dict[str, Any]] | None:
        return None if self.lines_reason is not None else [line.document() for line in lines]

    def _nulls(self, by: By | None) -> dict[str, str]:
        found: dict[str, str] = {}
        if self.gain_reason is not None:
            found |= dict.fromkeys(("realized", "unrealized"), self.gain_reason)
        if self.lines_reason is not None:
            ways = {By.POSITION: "positions", By.SECTOR: "sectors"}
            found |= {name: self.lines_reason for way, name in ways.items() if by in {None, way}}
        return found | dict(self.by_factor.nulls()) if by in {None, By.FACTOR} else found


def load_attribution(
    connection: Connection,
    principal: Principal,
    name_or_id: str,
    *,
    calendar: Calendar,
    settings: Settings,
    first: date | None = None,
    last: date | None = None,
    session: date | None = None,
) -> Attribution:
    """Attribute the P&L from ``first`` to ``last``, or of one ``session``; default: the newest."""
    portfolio = find_portfolio(connection, principal, name_or_id)
    chosen = choose_range(connection, calendar, portfolio, first=first, last=last, session=session)
    begin = chosen.first if chosen.before is None else chosen.before.session
    pruned = pruned_sessions(connection, portfolio.portfolio_id, begin, chosen.last)
    is_whole = all(row.session not in pruned for row in chosen.rows)
    positions = _load_positions(connection, portfolio, chosen) if is_whole else ()
    model = settings.model(settings.default_model)
    by_factor = load_by_factor(
        connection, calendar, settings, portfolio, model=model, chosen=chosen, pruned=pruned
    )
    return Attribution(
        portfolio=portfolio,
        first=chosen.first,
        last=chosen.last,
        sessions=len(chosen.rows),
        missing=chosen.missing,
        pnl=chosen.pnl,
        realized=chosen.gained("cum_realized"),
        unrealized=chosen.gained("cum_unrealized"),
        income=chosen.income,
        gain_reason=None if chosen.gains_are_known else NullReason.NOT_COMPUTED_YET,
        lines_reason=None if is_whole else NullReason.PRUNED,
        positions=positions,
        sectors=_by_sector(positions),
        by_factor=by_factor,
    )


def _load_positions(
    connection: Connection, portfolio: Portfolio, chosen: Range
) -> tuple[PositionPnl, ...]:
    """Add up the lines of every instrument, the largest gains first."""
    rows = read_rows(
        connection,
        "SELECT i.id, i.symbol, i.kind, i.sector, SUM(v.pnl), "
        "SUM(CASE WHEN v.session = ? AND v.mark_kind IS NOT NULL THEN 1 ELSE 0 END) "
        "FROM position_value v JOIN instrument i ON i.id = v.instrument_id "
        "WHERE v.portfolio_id = ? AND v.session BETWEEN ? AND ? "
        "GROUP BY i.id, i.symbol, i.kind, i.sector",
        (
            bind_date(connection, chosen.last),
            portfolio.portfolio_id,
            bind_date(connection, chosen.first),
            bind_date(connection, chosen.last),
        ),
    )
    underlying = _sectors_of_options(connection, [row[0] for row in rows])
    lines = [
        PositionPnl(
            symbol, underlying.get(key) or sector_of(InstrumentKind(kind), sector), held > 0, pnl
        )
        for key, symbol, kind, sector, pnl, held in rows
    ]
    return tuple(sorted(lines, key=lambda line: (-line.pnl, line.symbol)))


def _sectors_of_options(connection: Connection, instrument_ids: Sequence[int]) -> dict[int, str]:
    """Return the sectors of the underlyings of the options among ``instrument_ids``."""
    contracts = load_contracts(connection, instrument_ids)
    ids = {one.underlying_id for one in contracts if one.underlying_id is not None}
    known = load_instruments(connection, ids, owner_id=None)
    return {
        one.instrument_id: sector_of(found.kind, found.sector)
        for one in contracts
        if (found := known.get(one.underlying_id or 0)) is not None
    }


def _by_sector(positions: Iterable[PositionPnl]) -> tuple[SectorPnl, ...]:
    sums: dict[str, float] = {}
    for line in positions:
        sums[line.sector] = sums.get(line.sector, 0.0) + line.pnl
    lines = [SectorPnl(sector, pnl) for sector, pnl in sums.items()]
    return tuple(sorted(lines, key=lambda line: (-line.pnl, line.sector)))
