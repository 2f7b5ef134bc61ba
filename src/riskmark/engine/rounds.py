"""A round of a run: everything it works from, read in one snapshot of the database.

The plan and the inputs of its numbers are of one revision. What changes afterwards has a
higher one, and is found by the next round or the next run.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
from sqlalchemy import Connection

from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.calc.filled_returns import HISTORY
from riskmark.domain.runs import RunRequest
from riskmark.domain.sessions import Calendar
from riskmark.engine.version import current_version
from riskmark.planning.facts import Facts, Version
from riskmark.planning.plan import Plan
from riskmark.reports.rules import Rules, load_plan
from riskmark.settings import Settings
from riskmark.storage import results, symbol_scope
from riskmark.storage.packs import Closes, load_closes
from riskmark.valuation.factors import MARKET_MODEL
from riskmark.valuation.holdings import BookArrays, StoredBooks, book_arrays, load_stored_books
from riskmark.valuation.panels import Panel, build_panel, load_instruments


@dataclass(frozen=True, slots=True)
class Round:
    """A plan and its inputs; without anything to value, ``panel`` serves the symbols alone."""

    plan: Plan
    facts: Facts
    version: Version
    first_sessions: Mapping[str, date]
    symbols_due: tuple[int, ...]
    to_advance: tuple[str, ...]
    miscounted: frozenset[str]
    panel: Panel | None = None
    portfolio_ids: tuple[str, ...] = ()
    books: BookArrays | None = None
    lots_of: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.plan) or bool(self.symbols_due)


def read_round(
    connection: Connection,
    calendar: Calendar,
    settings: Settings,
    request: RunRequest,
    *,
    left_out: Mapping[str, AbstractSet[int]],
) -> Round:
    """Plan, and read everything that the plan needs."""
    rules = Rules(
        calendar=calendar,
        target=calendar.on_or_before(request.target),
        version=current_version(settings),
        factor_symbols=settings.factor_symbols,
    )
    facts, plan = load_plan(
        connection,
        rules,
        scope=request.scope,
        from_session=request.from_session,
        force=request.force,
        left_out=left_out,
    )
    factors = symbol_scope.public_ids(connection, settings.factor_symbols)
    scope_symbols = symbol_scope.in_scope(connection, request.scope, factors.values())
    due = symbol_scope.due_symbols(
        connection,
        scope_symbols,
        factor_ids=factors.values(),
        target=request.target,
        settings_hash=settings.numbers_hash,
    )
    head = Round(
        plan=plan,
        facts=facts,
        version=facts.version,
        first_sessions={
            one.portfolio_id: calendar.sessions[one.first]
            for one in facts.portfolios
            if one.first is not None
        },
        symbols_due=due,
        miscounted=frozenset(
            one.portfolio_id for one in facts.portfolios if one.snapshots != one.stored_count
        ),
        to_advance=results.to_advance(connection, plan.settled, plan.revision),
    )
    if not head:
        return head
    return _with_inputs(connection, calendar, settings, head, factors)


def _with_inputs(
    connection: Connection,
    calendar: Calendar,
    settings: Settings,
    head: Round,
    factors: Mapping[str, int],
) -> Round:
    planned = sorted(one.portfolio_id for one in head.plan.portfolios if one.cells)
    stored = load_stored_books(connection, planned)
    first_of = {one.portfolio_id: one.first for one in head.facts.portfolios}
    first_ordinals = [first_of[key] or 0 for key in planned]
    held = stored.instrument_ids
    wanted = sorted(held | set(factors.values()) | set(head.symbols_due))
    first_cell = min(
        (one.cells[0][0] for one in head.plan.portfolios if one.cells), default=head.plan.target
    )
    start = min(
        [
            _first_needed(connection, calendar, settings, first_cell),
            *(first - 1 for first in first_ordinals),
        ]
    )
    instruments = load_instruments(connection, wanted, base_currency=settings.base_currency)
    closes = load_closes(connection, calendar, wanted, start=max(start, 0))
    panel = build_panel(
        connection,
        calendar,
        instruments,
        closes,
        named=factors,
        first=_with_old_closes(closes, held, max(start, 0)),
        last=head.plan.target,
        columns=settings.factor_columns,
    )
    return replace(
        head,
        panel=panel,
        portfolio_ids=tuple(planned),
        books=book_arrays(stored, calendar, panel, first_ordinals),
        lots_of=_lots_of(stored),
    )


def _first_needed(
    connection: Connection, calendar: Calendar, settings: Settings, first_cell: int
) -> int:
    """Return the first session whose close the windows of ``first_cell`` reach back to.

    A session and the HISTORY before it, or further where the Market return was not observed
    on some of them: x counts only sessions on which it was.
    """
    market = market_symbol(settings)
    ids = symbol_scope.public_ids(connection, [market])
    series = load_closes(connection, calendar, list(ids.values()), start=0).series
    plain = first_cell - HISTORY - 1
    if not series:
        return plain
    found = series[ids[market]]
    observed = ~np.isnan(found.closes[: max(first_cell - found.first + 1, 0)])
    returns = np.flatnonzero(observed[1:] & observed[:-1]) + 1 + found.first
    if returns.size < HISTORY:
        return min(plain, found.first)
    return min(plain, int(returns[-HISTORY]) - 1)


def market_symbol(settings: Settings) -> str:
    """Return the symbol of the Market factor, on whose sessions x is counted."""
    return settings.model(MARKET_MODEL).symbols[0]


def _with_old_closes(closes: Closes, held: AbstractSet[int], start: int) -> int:
    """Reach back to the last close of every held instrument that has none at ``start``."""
    return min([start, *(one.first for key, one in closes.series.items() if key in held)])


def _lots_of(stored: StoredBooks) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in stored.lots:
        counts[row[0]] = counts.get(row[0], 0) + 1
    return counts


def market_returns(panel: Panel, settings: Settings) -> FloatArray:
    """Return the Market factor (T,) of a panel."""
    found: FloatArray = panel.factor_returns(settings.model(MARKET_MODEL))[:, 0]
    return found


def held_columns(books: BookArrays) -> IntArray:
    """Return the panel columns that some lot is in, ascending."""
    return np.unique(books.lots.instrument)
