"""A round of a run: everything it works from, read in one snapshot of the database.

The plan and the inputs of its numbers are of one revision. What changes afterwards has a
higher one, and is found by the next round or the next run.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection

from riskmark.domain.runs import RunRequest
from riskmark.domain.sessions import Calendar
from riskmark.engine.version import current_rules
from riskmark.planning.facts import Facts, Version
from riskmark.planning.plan import Plan
from riskmark.reports.rules import load_plan
from riskmark.settings import Settings
from riskmark.storage import results, symbol_scope
from riskmark.valuation.inputs import Inputs, load_inputs


@dataclass(frozen=True, slots=True)
class Round:
    """A plan and its inputs; without anything to value, ``inputs`` serve the symbols alone."""

    plan: Plan
    facts: Facts
    version: Version
    first_sessions: Mapping[str, date]
    symbols_due: tuple[int, ...]
    to_advance: tuple[str, ...]
    miscounted: frozenset[str]
    inputs: Inputs | None = None

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
    target = calendar.on_or_before(request.target)
    rules = current_rules(settings, calendar, target=target)
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
    return _with_inputs(connection, calendar, settings, head)


def _with_inputs(
    connection: Connection,
    calendar: Calendar,
    settings: Settings,
    head: Round,
) -> Round:
    planned = {one.portfolio_id for one in head.plan.portfolios if one.cells}
    first_cell = min(
        (one.cells[0][0] for one in head.plan.portfolios if one.cells), default=head.plan.target
    )
    inputs = load_inputs(
        connection,
        calendar,
        settings,
        first_sessions={
            one.portfolio_id: one.first or 0
            for one in head.facts.portfolios
            if one.portfolio_id in planned
        },
        first_cell=first_cell,
        last=head.plan.target,
        beside=head.symbols_due,
    )
    return replace(head, inputs=inputs)
