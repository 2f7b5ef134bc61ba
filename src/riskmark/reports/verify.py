"""Verification: the invariants, recomputed from what is stored.

Every live portfolio is looked at, and rows of portfolios that do not exist. A portfolio
that was deleted keeps its rows unseen.

Numbers are held against other stored numbers. Those that follow from inputs or from many
sessions at once (volatilities, losses in the tail, chained and money-weighted returns, Sharpe
and Sortino, the betas of positions) are not computed again: that is what ``run --force`` does.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any

import numpy as np
from sqlalchemy import Connection

from riskmark.reports.derived_checks import derived_violations
from riskmark.reports.documents import Document
from riskmark.reports.invariants import Expectation, array_violations
from riskmark.reports.line_checks import line_violations
from riskmark.reports.risk_checks import risk_violations
from riskmark.reports.row_checks import close_violations, row_violations
from riskmark.reports.rules import Rules, load_plan
from riskmark.reports.stored_cells import load_chunks, stored_portfolios
from riskmark.reports.text_checks import text_violations
from riskmark.reports.violations import Violation
from riskmark.settings import Settings
from riskmark.storage.engines import read_rows
from riskmark.storage.lines import laid_out


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
            "violations": self._lines(),
        }

    def repair_document(self, before: "Verification", *, repaired: int) -> Document:
        """Return a repair as JSON has it; this is what was found after it."""
        return {
            "checked": {"portfolios": self.portfolios, "snapshots": self.snapshots},
            "violations": before._lines(),  # noqa: SLF001 — another of this class
            "repaired": repaired,
            "left": self._lines(),
        }

    def _lines(self) -> list[dict[str, Any]]:
        return [self._line(one) for one in self.violations]

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
        factors=sum(len(model.factors) for model in settings.factor_model),
        scenarios=len(settings.scenario),
        aliases=_aliases(connection),
    )
    deleted = {row[0] for row in read_rows(connection, "SELECT id FROM portfolio")} - set(names)
    counts = {k: n for k, n in stored_portfolios(connection).items() if k not in deleted}
    with laid_out(connection, cells=sum(counts.values())):
        found = [
            *_cell_violations(connection, rules, expected, counts),
            *_row_violations(connection, expected, closures=settings.calendar.closures),
            *_up_to_date(connection, rules, expected, settings=settings),
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
        with np.errstate(all="ignore"):  # what is not finite is itself a violation
            found = [*array_violations(cells, expected), *derived_violations(cells, expected)]
        yield from found
        yield from text_violations(cells, expected)


def _aliases(connection: Connection) -> dict[str, str]:
    return dict(
        read_rows(
            connection,
            "SELECT a.symbol, i.symbol FROM instrument_alias a "
            "JOIN instrument i ON i.id = a.instrument_id",
        )
    )


def _row_violations(
    connection: Connection, expected: Expectation, *, closures: Collection[date]
) -> Iterator[Violation]:
    yield from row_violations(connection, sorted(expected.first), closures=closures)


def _up_to_date(
    connection: Connection,
    rules: Rules,
    expected: Expectation,
    *,
    settings: Settings,
) -> Iterator[Violation]:
    """Yield what is wrong with rows beside inputs and others, where a cell is up to date."""
    live = sorted(expected.first)
    found = chain(
        close_violations(connection, live),
        line_violations(connection, live, models=settings.factor_model),
        risk_violations(connection, live, settings=settings),
    )
    for portfolio, session, violation in found:
        ordinal = rules.calendar.on_or_before(session)
        if ordinal not in expected.dated.get(portfolio, ()):
            yield violation
