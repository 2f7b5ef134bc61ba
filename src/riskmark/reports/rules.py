"""What decides whether stored numbers are up to date, and the plan that follows from it."""

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from riskmark.domain.sessions import Calendar
from riskmark.planning.facts import Facts, Version
from riskmark.planning.plan import Plan
from riskmark.planning.planner import plan_run
from riskmark.storage.books import Principal, list_portfolios, portfolio_ids
from riskmark.storage.progress import load_facts


@dataclass(frozen=True, slots=True)
class Rules:
    """The sessions that should be there, and what their numbers must be computed with.

    ``target`` is the ordinal of the last session that should exist; ``factor_symbols`` are
    those that every portfolio's numbers use.
    """

    calendar: Calendar
    target: int
    version: Version
    factor_symbols: tuple[str, ...]

    @property
    def target_session(self) -> date:
        """The session up to which every portfolio should have numbers."""
        return self.calendar.sessions[self.target]


def load_plan(
    connection: Connection,
    rules: Rules,
    *,
    scope: Collection[str] | None = None,
    from_session: date | None = None,
    force: bool = False,
    left_out: Mapping[str, AbstractSet[int]] | None = None,
) -> tuple[Facts, Plan]:
    """Read the facts of the live portfolios in ``scope`` and plan what a run does.

    Runs and reports plan by this alone. ``left_out`` are cells, by portfolio, that are not
    planned.
    """
    facts = load_facts(
        connection,
        rules.calendar,
        target=rules.target,
        version=rules.version,
        factor_symbols=rules.factor_symbols,
        scope=scope,
        force=force,
    )
    from_ordinal = None if from_session is None else rules.calendar.on_or_after(from_session)
    plan = plan_run(facts, from_ordinal=from_ordinal, force=force, left_out=left_out)
    return facts, plan


def visible_scope(connection: Connection, principal: Principal) -> tuple[str, ...] | None:
    """Return the ids of the portfolios that the principal may see; None: all."""
    if principal.sees_all:
        return None
    return portfolio_ids(list_portfolios(connection, principal))
