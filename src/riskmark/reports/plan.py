"""A plan to be read: what a run would compute and why, and the prices that this needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from riskmark.domain.factor_models import MAX_WINDOW
from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.reasons import PlanReason
from riskmark.planning.facts import Facts
from riskmark.planning.plan import Plan
from riskmark.reports.documents import Document
from riskmark.reports.rules import Rules, load_plan
from riskmark.storage.engines import as_date, read_rows
from riskmark.storage.instruments import find_instruments
from riskmark.storage.key_lists import among
from riskmark.storage.members import Members, load_members

SESSIONS_BEFORE = MAX_WINDOW + 1
"""Closes that the longest window reaches back from a session: one more than returns."""


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """A portfolio's session that would be computed, or for ``surplus`` deleted."""

    portfolio_id: str
    name: str
    session: date
    reason: PlanReason

    def document(self) -> dict[str, Any]:
        """Return the cell as JSON has it."""
        return {
            "portfolio": self.name,
            "portfolio_id": self.portfolio_id,
            "session": self.session,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class SymbolRange:
    """The sessions of which a plan needs a symbol's prices, inclusive."""

    symbol: str
    first: date
    last: date

    def document(self) -> dict[str, Any]:
        """Return the range as JSON has it."""
        return {"symbol": self.symbol, "from": self.first, "to": self.last}


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What a run would do now."""

    target: date
    cells: tuple[PlannedCell, ...]
    symbols: tuple[SymbolRange, ...]
    settled: int
    """Portfolios in scope with nothing to do."""

    def document(self) -> Document:
        """Return the plan as JSON has it."""
        return {
            "target": self.target,
            "cells": [cell.document() for cell in self.cells],
            "symbols": [symbol.document() for symbol in self.symbols],
        }


def load_plan_report(
    connection: Connection,
    *,
    rules: Rules,
    scope: Sequence[str] | None = None,
    from_session: date | None = None,
    force: bool = False,
) -> PlanReport:
    """Plan what a run for ``scope`` (ids; None: all) would do; nothing is changed."""
    facts, plan = load_plan(connection, rules, scope=scope, from_session=from_session, force=force)
    return PlanReport(
        target=rules.target_session,
        cells=_cells(plan, rules),
        symbols=_symbol_ranges(connection, facts, plan, rules),
        settled=len(plan.settled),
    )


def _cells(plan: Plan, rules: Rules) -> tuple[PlannedCell, ...]:
    sessions = rules.calendar.sessions
    found = [
        PlannedCell(one.portfolio_id, one.name, session, PlanReason.SURPLUS)
        for one in plan.portfolios
        for session in one.surplus
    ]
    found += [
        PlannedCell(one.portfolio_id, one.name, sessions[ordinal], reason)
        for one, ordinal, reason in plan.cells()
    ]
    return tuple(sorted(found, key=lambda cell: (cell.name, cell.portfolio_id, cell.session)))


def _symbol_ranges(
    connection: Connection, facts: Facts, plan: Plan, rules: Rules
) -> tuple[SymbolRange, ...]:
    """Return what is needed of each symbol: the windows before the first planned session on.

    A book's own history is needed too, from the session before its first, for NAV and P&L.
    """
    first_of = {one.portfolio_id: one.first for one in facts.portfolios}
    starts: dict[str, int] = {}
    for one in plan.portfolios:
        first = first_of[one.portfolio_id]
        if one.cells and first is not None:
            starts[one.portfolio_id] = min(one.cells[0][0] - SESSIONS_BEFORE, first - 1)
    if not starts:
        return ()
    needed = _held(connection, starts, rules)
    earliest = min(starts.values())
    renamed = find_instruments(connection, rules.factor_symbols, owner_id=None)
    for stated in rules.factor_symbols:
        symbol = renamed[stated].symbol if stated in renamed else stated
        known = needed.get(symbol, (earliest, rules.target))
        needed[symbol] = (min(earliest, known[0]), rules.target)
    sessions = rules.calendar.sessions
    return tuple(
        SymbolRange(symbol, sessions[max(first, 0)], sessions[last])
        for symbol, (first, last) in sorted(needed.items())
    )


def _held(
    connection: Connection, starts: dict[str, int], rules: Rules
) -> dict[str, tuple[int, int]]:
    """Return (first, last) ordinals for the symbols that the planned portfolios hold or held."""
    starts = _starts_of_books(starts, load_members(connection, starts))
    listed = among(connection, sorted(starts))
    rows = read_rows(
        connection,
        "SELECT l.portfolio_id, i.symbol, "
        "CASE WHEN COUNT(l.exit_date) = COUNT(*) THEN MAX(l.exit_date) END "
        "FROM lot l JOIN instrument i ON i.id = l.instrument_id "
        f"WHERE i.kind <> '{InstrumentKind.PRIVATE.value}' AND l.portfolio_id {listed.sql} "
        "GROUP BY l.portfolio_id, i.symbol",
        listed.values,
    )
    found: dict[str, tuple[int, int]] = {}
    for portfolio, symbol, leaving in rows:
        last = rules.target
        if leaving is not None:
            last = min(last, rules.calendar.on_or_after(as_date(leaving)))
        known = found.get(symbol, (starts[portfolio], last))
        found[symbol] = (min(known[0], starts[portfolio]), max(known[1], last))
    return found


def _starts_of_books(starts: Mapping[str, int], members: Members) -> dict[str, int]:
    """Give the start of each combined book to its members, which have the lots."""
    found: dict[str, int] = {}
    for portfolio, start in starts.items():
        for book in members.get(portfolio, (portfolio,)):
            found[book] = min(start, found.get(book, start))
    return found
