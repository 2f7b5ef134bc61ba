"""The status of every portfolio: how far it is valued, and what it lacks.

    current   every session to the target is stored and up to date
    partial   the same, but a mark of the last session is not what it should be
    behind    sessions are missing, or stored and out of date
    empty     it holds nothing that could be valued

A portfolio whose numbers are only older than the engine or the settings is current; how
many sessions wait for the rebuild is said beside it.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection

from riskmark.domain.reasons import PlanReason, PortfolioState, SnapshotState
from riskmark.planning.facts import PortfolioFacts
from riskmark.planning.plan import REBUILDS, PortfolioPlan
from riskmark.reports.documents import Document
from riskmark.reports.rules import Rules, load_plan, visible_scope
from riskmark.storage.books import Principal
from riskmark.storage.engines import as_date, bind_date, read_rows
from riskmark.storage.key_lists import among

_ABSENT = frozenset({PlanReason.NEW, PlanReason.MISSING, PlanReason.GAP})
_WORST_FIRST = (
    PortfolioState.BEHIND,
    PortfolioState.PARTIAL,
    PortfolioState.EMPTY,
    PortfolioState.CURRENT,
)
_FINE = frozenset({PortfolioState.CURRENT, PortfolioState.EMPTY})


@dataclass(frozen=True, slots=True)
class SymbolIssue:
    """A symbol whose mark is not what it should be, and whether an operator accepts that."""

    symbol: str
    reason: str
    accepted: bool

    def document(self) -> dict[str, Any]:
        """Return the issue as JSON has it."""
        return {"symbol": self.symbol, "reason": self.reason, "accepted": self.accepted}


@dataclass(frozen=True, slots=True)
class PortfolioStatus:
    """How up to date one portfolio is.

    ``missing`` sessions are not stored, ``stale`` ones are stored and wrong, ``rebuilding``
    ones are right by the rules before. ``reasons`` are those of the last session.
    """

    portfolio_id: str
    name: str
    first_session: date | None
    valued_through: date | None
    missing: int
    stale: int
    partial: int
    rebuilding: int
    state: PortfolioState
    reasons: tuple[SymbolIssue, ...] = ()
    causes: Mapping[PlanReason, int] = field(default_factory=dict)
    """How many sessions are planned, and for what reason."""

    def document(self) -> dict[str, Any]:
        """Return the portfolio's line as JSON has it."""
        return {
            "id": self.portfolio_id,
            "name": self.name,
            "first_session": self.first_session,
            "valued_through": self.valued_through,
            "missing": self.missing,
            "stale": self.stale,
            "partial": self.partial,
            "rebuilding": self.rebuilding,
            "state": self.state,
            "reasons": [reason.document() for reason in self.reasons],
            "causes": dict(self.causes),
        }


@dataclass(frozen=True, slots=True)
class Status:
    """Every portfolio's status, the worst first, against one target session."""

    target: date
    portfolios: tuple[PortfolioStatus, ...]

    @property
    def is_current(self) -> bool:
        """Whether no portfolio is behind or partial."""
        return all(one.state in _FINE for one in self.portfolios)

    def document(self) -> Document:
        """Return the status as JSON has it."""
        return {
            "target": self.target,
            "portfolios": [portfolio.document() for portfolio in self.portfolios],
        }


def load_status(
    connection: Connection,
    principal: Principal,
    *,
    rules: Rules,
    only_to_target: bool = False,
    scope: Collection[str] | None = None,
) -> Status:
    """Read the status of the portfolios in ``scope`` (ids; None: all that are visible).

    ``only_to_target``: what is stored after the target session is not looked at, as if that
    session were the last.
    """
    if scope is None:
        scope = visible_scope(connection, principal)
    facts, plan = load_plan(connection, rules, scope=scope)
    planned = {one.portfolio_id: one for one in plan.portfolios}
    limit = rules.target_session if only_to_target else None
    stored = _load_stored(connection, [one.portfolio_id for one in facts.portfolios], limit)
    lines = [
        _portfolio_status(
            one, planned.get(one.portfolio_id), stored.get(one.portfolio_id, _NOTHING), rules
        )
        for one in facts.portfolios
    ]
    lines.sort(key=_badness)
    return Status(rules.target_session, tuple(lines))


class _Stored(NamedTuple):
    last: date | None
    partial: int = 0
    ends_partial: bool = False
    reasons: tuple[SymbolIssue, ...] = ()


_NOTHING = _Stored(None)


def _portfolio_status(
    facts: PortfolioFacts, plan: PortfolioPlan | None, stored: _Stored, rules: Rules
) -> PortfolioStatus:
    reasons = Counter(reason for _, reason in plan.cells) if plan else Counter[PlanReason]()
    missing = sum(reasons[reason] for reason in _ABSENT)
    rebuilding = sum(reasons[reason] for reason in REBUILDS)
    if plan and plan.surplus:
        reasons[PlanReason.SURPLUS] += len(plan.surplus)
    stale = reasons.total() - missing - rebuilding
    if missing or stale:
        state = PortfolioState.BEHIND
    elif stored.last is None:
        state = PortfolioState.EMPTY
    else:
        state = PortfolioState.PARTIAL if stored.ends_partial else PortfolioState.CURRENT
    return PortfolioStatus(
        portfolio_id=facts.portfolio_id,
        name=facts.name,
        first_session=None if facts.first is None else rules.calendar.sessions[facts.first],
        valued_through=stored.last,
        missing=missing,
        stale=stale,
        partial=stored.partial,
        rebuilding=rebuilding,
        state=state,
        reasons=stored.reasons,
        causes=dict(reasons),
    )


def _badness(line: PortfolioStatus) -> tuple[int, int, str, str]:
    place = _WORST_FIRST.index(line.state)
    return place, -(line.missing + line.stale), line.name, line.portfolio_id


def _load_stored(
    connection: Connection, portfolio_ids: Collection[str], limit: date | None
) -> dict[str, _Stored]:
    """Read what is stored of each portfolio that has anything, by counts alone."""
    listed = among(connection, portfolio_ids)
    until = "" if limit is None else " AND session <= ?"
    values = () if limit is None else (bind_date(connection, limit),)
    last = {
        key: as_date(day)
        for key, day in read_rows(
            connection,
            "SELECT id, (SELECT MAX(session) FROM snapshot "
            f"WHERE portfolio_id = portfolio.id{until}) FROM portfolio WHERE id {listed.sql}",
            (*values, *listed.values),
        )
        if day is not None
    }
    partial = {
        key: (count, as_date(day))
        for key, count, day in read_rows(
            connection,
            "SELECT portfolio_id, COUNT(*), MAX(session) FROM snapshot "
            f"WHERE state = '{SnapshotState.PARTIAL.value}' AND portfolio_id {listed.sql}{until} "
            "GROUP BY portfolio_id",
            (*listed.values, *values),
        )
    }
    reasons = _load_reasons(connection, last)
    found = {}
    for key, day in last.items():
        count, last_partial = partial.get(key, (0, None))
        found[key] = _Stored(day, count, last_partial == day, reasons.get(key, ()))
    return found


def _load_reasons(
    connection: Connection, cells: Mapping[str, date]
) -> dict[str, tuple[SymbolIssue, ...]]:
    """Read the reasons of one session of each portfolio that has any; most share it."""
    by_session: dict[date, list[str]] = {}
    for key, session in cells.items():
        by_session.setdefault(session, []).append(key)
    found: dict[str, tuple[SymbolIssue, ...]] = {}
    for session, keys in by_session.items():
        listed = among(connection, keys)
        rows = read_rows(
            connection,
            "SELECT portfolio_id, reasons FROM snapshot "
            f"WHERE session = ? AND reasons <> '[]' AND portfolio_id {listed.sql}",
            (bind_date(connection, session), *listed.values),
        )
        found |= {key: read_issues(text) for key, text in rows}
    return found


def read_issues(text: str) -> tuple[SymbolIssue, ...]:
    """Read the reasons of a snapshot as they are stored; those not accepted first."""
    issues: Iterable[SymbolIssue] = (SymbolIssue(**one) for one in json.loads(text))
    return tuple(sorted(issues, key=lambda one: (one.accepted, one.symbol)))
