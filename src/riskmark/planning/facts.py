"""What the planner knows: facts read in one snapshot of the database.

A *cell* is a portfolio on a session. Sessions are ordinals of the stored calendar.
Stored cells are listed only for portfolios that are not *whole*; for the others the counts
prove that every session from the first to the last stored is there and up to date.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from riskmark.domain.reasons import ChangeKind


@dataclass(frozen=True, slots=True)
class Version:
    """What stored numbers must have been computed with to be up to date."""

    engine: int
    settings: str


@dataclass(frozen=True, slots=True)
class StoredCell:
    """A stored snapshot; ``ordinal`` is None if its date is no session."""

    session: date
    ordinal: int | None
    inputs_revision: int
    version: Version


@dataclass(frozen=True, slots=True)
class PortfolioFacts:
    """One live portfolio: what it should have, and what it has.

    ``first`` is the ordinal of its first effective entry (None: no lots). ``inputs_revision``
    and ``version`` are lower bounds over its stored cells. ``members`` are the books whose
    lots and flows a combined book has.
    """

    portfolio_id: str
    name: str
    first: int | None
    snapshots: int = 0
    stored_count: int = 0
    stored_first: int | None = None
    stored_last: int | None = None
    inputs_revision: int = 0
    version: Version | None = None
    stored: tuple[StoredCell, ...] | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the ledger; ``portfolio_id`` and ``instrument_id`` None: it touches all."""

    revision: int
    kind: ChangeKind
    from_ordinal: int
    portfolio_id: str | None = None
    instrument_id: int | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """When a portfolio holds an instrument, or an option on it.

    From the first entry to the last exit; None: still held.
    """

    first: int
    last: int | None

    def joined(self, other: "Holding") -> "Holding":
        """Return from when to when either holds."""
        is_open = self.last is None or other.last is None
        last = None if is_open else max(self.last or 0, other.last or 0)
        return Holding(min(self.first, other.first), last)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a plan is made from.

    ``holdings`` needs to know only the instruments that ``changes`` name.
    ``shared_instruments`` are those that every portfolio's numbers use: factors, benchmark.
    """

    revision: int
    target: int
    version: Version
    portfolios: tuple[PortfolioFacts, ...]
    changes: tuple[Change, ...] = ()
    holdings: Mapping[str, Mapping[int, Holding]] = field(default_factory=dict)
    shared_instruments: frozenset[int] = frozenset()


def touching_changes(
    facts: Facts, portfolio: PortfolioFacts, *, after: int
) -> list[tuple[int, ChangeKind, int]]:
    """Return (revision, kind, first ordinal touched) of the changes that touch ``portfolio``.

    A change of an instrument counts from the portfolio's first entry in it, and not at all
    if the last exit came before it. A change of a member is one of the combined book.
    """
    own = {portfolio.portfolio_id, *portfolio.members}
    held = facts.holdings.get(portfolio.portfolio_id, {})
    found: list[tuple[int, ChangeKind, int]] = []
    for change in facts.changes:
        if change.revision <= after:
            continue
        if change.portfolio_id is not None:
            if change.portfolio_id in own:
                found.append((change.revision, change.kind, change.from_ordinal))
        elif change.instrument_id is None or change.instrument_id in facts.shared_instruments:
            found.append((change.revision, change.kind, change.from_ordinal))
        elif (holding := held.get(change.instrument_id)) is not None and (
            holding.last is None or change.from_ordinal <= holding.last
        ):
            start = max(change.from_ordinal, holding.first)
            found.append((change.revision, change.kind, start))
    return found


def is_whole(facts: Facts, portfolio: PortfolioFacts) -> bool:
    """Whether the counts alone prove that all stored cells are right and without a gap.

    What is missing then are the sessions after the last stored one, and nothing else.
    """
    last = portfolio.stored_last
    if portfolio.first is None or portfolio.stored_count == 0 or last is None:
        return portfolio.stored_count == 0
    return (
        portfolio.snapshots == portfolio.stored_count == last - portfolio.first + 1
        and portfolio.stored_first == portfolio.first
        and portfolio.version == facts.version
        and not any(
            start <= last
            for _, _, start in touching_changes(facts, portfolio, after=portfolio.inputs_revision)
        )
    )
