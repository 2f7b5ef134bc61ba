"""Verification: the invariants, recomputed from what is stored.

Every live portfolio is looked at, and rows of portfolios that do not exist. A portfolio
that was deleted keeps its rows unseen.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from riskmark.reports.documents import Document
from riskmark.reports.invariants import Expectation, array_violations, text_violations
from riskmark.reports.row_checks import close_violations, row_violations
from riskmark.reports.rules import Rules, load_plan
from riskmark.reports.stored_cells import load_chunks, stored_portfolios
from riskmark.reports.violations import Violation
from riskmark.settings import Settings
from riskmark.storage.engines import read_rows


@dataclass(frozen=True, slots=True)
class Verification:
    """What was looked at, and every violation, by portfolio and session.

    ``names`` are those of the live portfolios, by id.
    """

    portfolios: int
    snapshots: int
    violations: tuple[Violation, ...]
    names: Mapping[str, str]

    @property
    def is_clean(self) -> bool:
        """Whether every invariant holds."""
        return not self.violations

    def name_of(self, violation: Violation) -> str | None:
        """Return the name of the portfolio that a violation is about, or its id."""
        if violation.portfolio_id is None:
            return None
        return self.names.get(violation.portfolio_id, violation.portfolio_id)

    def document(self) -> Document:
        """Return the verification as JSON has it."""
        return {
            "checked": {"portfolios": self.portfolios, "snapshots": self.snapshots},
            "violations": [self._line(one) for one in self.violations],
        }

    def _line(self, violation: Violation) -> dict[str, Any]:
        return {
            "portfolio": self.name_of(violation),
            "portfolio_id": violation.portfolio_id,
            "session": violation.session,
            "invariant": violation.invariant,
            "detail": violation.detail,
        }


def verify(connection: Connection, *, rules: Rules, settings: Settings) -> Verification:
    """Recompute every invariant; nothing is changed."""
    facts, plan = load_plan(connection, rules)
    names = {one.portfolio_id: one.name for one in facts.portfolios}
    expected = Expectation(
        sessions=rules.calendar.sessions,
        first={one.portfolio_id: one.first for one in facts.portfolios},
        dated={
            one.portfolio_id: frozenset(ordinal for ordinal, _ in one.cells)
            for one in plan.portfolios
        },
    )
    deleted = {row[0] for row in read_rows(connection, "SELECT id FROM portfolio")} - set(names)
    counts = {k: n for k, n in stored_portfolios(connection).items() if k not in deleted}
    found = [
        *_cell_violations(connection, rules, expected, counts),
        *_row_violations(connection, rules, expected, closures=settings.calendar.closures),
    ]
    found.sort(key=lambda one: (one.portfolio_id or "", one.session or date.min, one.invariant))
    return Verification(
        portfolios=len(names),
        snapshots=sum(counts.values()),
        violations=tuple(dict.fromkeys(found)),
        names=names,
    )


def _cell_violations(
    connection: Connection, rules: Rules, expected: Expectation, counts: Mapping[str, int]
) -> Iterator[Violation]:
    for cells in load_chunks(connection, rules.calendar, counts):
        yield from array_violations(cells, expected)
        yield from text_violations(cells)


def _row_violations(
    connection: Connection,
    rules: Rules,
    expected: Expectation,
    *,
    closures: Collection[date],
) -> Iterator[Violation]:
    live = sorted(expected.first)
    yield from row_violations(connection, live, closures=closures)
    for portfolio, session, violation in close_violations(connection, live):
        ordinal = rules.calendar.on_or_before(session)
        if ordinal not in expected.dated.get(portfolio, ()):
            yield violation
