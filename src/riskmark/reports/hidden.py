"""What is left of audit lines, states and runs for somebody to whom the book is not open.

Whoever operates sees that something was done, and how things stand; what is in a book, and so
which symbols, he sees where it is his or was granted to him.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection

from riskmark.domain.runs import PRICES, PROFILES
from riskmark.reports.runs import Event, RunReport
from riskmark.reports.status import PortfolioStatus
from riskmark.storage.audit import AuditEntry
from riskmark.storage.books import Principal, list_portfolios

NOT_SHOWN: Final = "not shown"
"""What stands where a symbol would; no symbol is spelled so."""
_OF_A_SYMBOL: Final = frozenset({PRICES.key, PROFILES.key})


@dataclass(frozen=True, slots=True)
class IssueCount:
    """How many symbols have one reason, and accepted; ``symbols`` is None if not to be shown."""

    reason: str
    count: int
    accepted: int
    symbols: tuple[str, ...] | None

    def document(self) -> dict[str, Any]:
        """Return the line as JSON has it."""
        symbols = None if self.symbols is None else list(self.symbols)
        return {
            "reason": self.reason,
            "count": self.count,
            "accepted": self.accepted,
            "symbols": symbols,
        }


def open_books(connection: Connection, principal: Principal) -> dict[str, str]:
    """Return the books that somebody may read: their names by id; an operator's are his own."""
    found = list_portfolios(connection, Principal(principal.account_id))
    return {one.portfolio_id: one.name for one in found}


def is_detail_open(entry: AuditEntry, books: Collection[str]) -> bool:
    """Whether the detail of an audit line may be shown: of a book, only where it is open."""
    return entry.object_kind != "portfolio" or entry.object_id in books


def hide_detail(entry: AuditEntry, books: Collection[str]) -> AuditEntry:
    """Return an audit line without its detail, unless that may be shown."""
    return entry if is_detail_open(entry, books) else entry._replace(detail={})


def count_issues(status: PortfolioStatus, books: Collection[str]) -> tuple[IssueCount, ...]:
    """Count the reasons of a state, the most frequent first; symbols only of an open book."""
    counts = Counter(one.reason for one in status.reasons)
    accepted = Counter(one.reason for one in status.reasons if one.accepted)
    is_open = status.portfolio_id in books
    return tuple(
        IssueCount(
            reason,
            count,
            accepted[reason],
            tuple(one.symbol for one in status.reasons if one.reason == reason)
            if is_open
            else None,
        )
        for reason, count in counts.most_common()
    )


def hide_in_run(report: RunReport, books: Collection[str]) -> RunReport:
    """Return a run without the symbols and details of books that are not open.

    A run of everything goes on naming symbols: they are nobody's in particular.
    """
    failures = tuple(
        one if one.portfolio_id in books else replace(one, detail="") for one in report.failures
    )
    if _names_symbols(report, books):
        return replace(report, failures=failures)
    unavailable = tuple(
        replace(
            one, symbol=NOT_SHOWN, reasons=tuple(replace(said, detail="") for said in one.reasons)
        )
        for one in report.unavailable
    )
    return replace(report, failures=failures, unavailable=unavailable)


def hide_in_events(
    events: Iterable[Event], report: RunReport, books: Collection[str]
) -> tuple[Event, ...]:
    """Return the log of a run, with no words on symbols of books that are not open."""
    if _names_symbols(report, books):
        return tuple(events)
    return tuple(
        replace(one, message=f"a symbol: {NOT_SHOWN}")
        if one.phase in _OF_A_SYMBOL and one.level != "info"
        else one
        for one in events
    )


def _names_symbols(report: RunReport, books: Collection[str]) -> bool:
    scope = report.summary.scope
    return scope is None or all(key in books for key in scope)
