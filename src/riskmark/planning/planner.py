"""The planner: the difference between the cells that should exist and those that do.

For each portfolio on its own: it should have every session from its first effective entry
to the target, computed from inputs at least as new as the last change that touches the
session, by this version of the engine and these settings. No portfolio is judged by
another's progress, and nothing but the stored cells themselves counts as done.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace

from riskmark.domain.reasons import ChangeKind, PlanReason
from riskmark.planning.facts import (
    Facts,
    PortfolioFacts,
    StoredCell,
    Version,
    is_whole,
    touching_changes,
)
from riskmark.planning.plan import Plan, PortfolioPlan

_REASON_OF = {
    ChangeKind.HOLDINGS: PlanReason.HOLDINGS,
    ChangeKind.ACTION: PlanReason.ACTION,
    ChangeKind.PRICE: PlanReason.PRICE,
    ChangeKind.ACCEPTANCE: PlanReason.ACCEPTANCE,
    ChangeKind.CALENDAR: PlanReason.CALENDAR,
}
_PRECEDENCE = {reason: place for place, reason in enumerate(PlanReason)}


def plan_run(
    facts: Facts,
    *,
    from_ordinal: int | None = None,
    force: bool = False,
    left_out: Mapping[str, AbstractSet[int]] | None = None,
) -> Plan:
    """Plan what a run has to do.

    ``from_ordinal`` limits the cells to sessions from there on; ``force`` adds every cell
    that would be left alone; ``left_out`` are cells, by portfolio, that must not be planned
    (they failed in this run already).
    """
    plans: list[PortfolioPlan] = []
    settled: list[str] = []
    for portfolio in facts.portfolios:
        planned = _plan_portfolio(facts, portfolio, force=force)
        barred = (left_out or {}).get(portfolio.portfolio_id, frozenset())
        if barred or from_ordinal is not None:
            planned = _limited(planned, barred, from_ordinal or 0)
        if planned.cells or planned.surplus:
            plans.append(planned)
        elif planned.is_complete:
            settled.append(portfolio.portfolio_id)
    return Plan(facts.revision, facts.target, tuple(plans), tuple(settled))


def _limited(planned: PortfolioPlan, barred: AbstractSet[int], first: int) -> PortfolioPlan:
    """Leave out the cells that are barred, or before the ordinal ``first``."""
    cells = tuple(cell for cell in planned.cells if cell[0] not in barred and cell[0] >= first)
    is_complete = planned.is_complete and len(cells) == len(planned.cells)
    return replace(planned, cells=cells, is_complete=is_complete)


def _plan_portfolio(facts: Facts, portfolio: PortfolioFacts, *, force: bool) -> PortfolioPlan:
    if not force and is_whole(facts, portfolio):
        return PortfolioPlan(portfolio.portfolio_id, portfolio.name, _tail(facts, portfolio))
    stored = {cell.ordinal: cell for cell in portfolio.stored or () if cell.ordinal is not None}
    first = portfolio.first
    surplus = tuple(
        cell.session
        for cell in portfolio.stored or ()
        if cell.ordinal is None or first is None or cell.ordinal < first
    )
    if first is None:
        return PortfolioPlan(portfolio.portfolio_id, portfolio.name, (), surplus)
    staleness = _Staleness(facts, portfolio)
    kept = [ordinal for ordinal in stored if ordinal >= first]
    bounds = (min(kept), max(kept)) if kept else None
    cells: list[tuple[int, PlanReason]] = []
    for ordinal in range(first, facts.target + 1):
        cell = stored.get(ordinal)
        reason = (
            _absence(ordinal, bounds, was_valued=bool(stored))
            if cell is None
            else staleness.reason(ordinal, cell, force=force)
        )
        if reason is not None:
            cells.append((ordinal, reason))
    is_complete = all(
        staleness.reason(ordinal, cell, force=False) is None
        for ordinal, cell in stored.items()
        if ordinal > facts.target
    )
    return PortfolioPlan(portfolio.portfolio_id, portfolio.name, tuple(cells), surplus, is_complete)


def _tail(facts: Facts, portfolio: PortfolioFacts) -> tuple[tuple[int, PlanReason], ...]:
    """Plan the sessions after the last stored one, of a portfolio that is whole up to it."""
    if portfolio.first is None:
        return ()
    is_new = portfolio.stored_last is None
    begin = portfolio.first if portfolio.stored_last is None else portfolio.stored_last + 1
    reason = PlanReason.NEW if is_new else PlanReason.MISSING
    return tuple((ordinal, reason) for ordinal in range(begin, facts.target + 1))


def _absence(ordinal: int, bounds: tuple[int, int] | None, *, was_valued: bool) -> PlanReason:
    if bounds is None:
        return PlanReason.MISSING if was_valued else PlanReason.NEW
    if bounds[0] < ordinal < bounds[1]:
        return PlanReason.GAP
    return PlanReason.MISSING


class _Staleness:
    """Why stored cells of one portfolio are out of date."""

    def __init__(self, facts: Facts, portfolio: PortfolioFacts) -> None:
        self._version: Version = facts.version
        oldest = min((cell.inputs_revision for cell in portfolio.stored or ()), default=0)
        earliest: dict[tuple[int, PlanReason], int] = {}
        for revision, kind, start in touching_changes(facts, portfolio, after=oldest):
            key = (revision, _REASON_OF[kind])
            earliest[key] = min(start, earliest.get(key, start))
        self._changes = sorted(
            ((revision, start, reason) for (revision, reason), start in earliest.items()),
            key=lambda change: _PRECEDENCE[change[2]],
        )

    def reason(self, ordinal: int, cell: StoredCell, *, force: bool) -> PlanReason | None:
        for revision, start, reason in self._changes:
            if revision > cell.inputs_revision and start <= ordinal:
                return reason
        if cell.version.engine != self._version.engine:
            return PlanReason.ENGINE
        if cell.version.settings != self._version.settings:
            return PlanReason.SETTINGS
        return PlanReason.FORCED if force else None
