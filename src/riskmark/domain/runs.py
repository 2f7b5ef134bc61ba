"""Runs: what was asked for, and the phases that every run goes through.

An entry point chooses a source and a scope; everything else is the same for all of them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from riskmark.domain.reasons import Source

ALL = "all"
_URGENT, _ASKED, _NIGHTLY = 0, 1, 2
_PRIORITY: Mapping[Source, int] = MappingProxyType(
    {Source.ONBOARDING: _URGENT, Source.CRON: _NIGHTLY}
)
"""Somebody waits for a new portfolio's numbers; nobody waits for the night. All else is between."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a caller asks the one run function for.

    ``scope`` are portfolio ids in ascending order; None: every live portfolio and the whole
    universe of symbols.
    """

    source: Source
    requested_by: str
    target: date
    scope: tuple[str, ...] | None = None
    from_session: date | None = None
    force: bool = False
    offline: bool = False

    @property
    def priority(self) -> int:
        """How urgent it is; the lowest number is carried out first."""
        return _PRIORITY.get(self.source, _ASKED)

    @property
    def scope_size(self) -> int | None:
        """The number of portfolios; None: all of them, however many."""
        return None if self.scope is None else len(self.scope)

    @property
    def scope_text(self) -> str:
        """The scope as it is stored: ``all`` or a JSON list of ids."""
        return ALL if self.scope is None else json.dumps(list(self.scope))

    @staticmethod
    def scope_of(stored: str) -> tuple[str, ...] | None:
        """Read a scope as ``scope_text`` wrote it."""
        return None if stored == ALL else tuple(json.loads(stored))

    @property
    def scope_key(self) -> str:
        """What two requests for the same work have in common."""
        limits = (self.target, self.from_session, int(self.force), int(self.offline))
        return "|".join([self.scope_text, *(str(limit) for limit in limits)])


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of a run: its key in tables and JSON, and what a person reads."""

    key: str
    title: str


STORED = "stored"
"""The provider's name where prices come from the database alone."""
PRICES = Phase("prices", "Prices")
PROFILES = Phase("profiles", "Profiles")
SYMBOL_FACTORS = Phase("symbol_factors", "Symbol factors")
SYMBOL_METRICS = Phase("symbol_metrics", "Symbol metrics")
VALUATION = Phase("valuation", "Valuation")
ANALYTICS = Phase("analytics", "Analytics")
VERIFY = Phase("verify", "Verification")

PHASES = (PRICES, PROFILES, SYMBOL_FACTORS, SYMBOL_METRICS, VALUATION, ANALYTICS, VERIFY)
"""Every phase of every run, in order; there is no other list."""


@dataclass(frozen=True, slots=True)
class SymbolCounts:
    """How many symbols a run asked for, found and did without."""

    asked: int = 0
    received: int = 0
    unavailable: int = 0


@dataclass(frozen=True, slots=True)
class CellCounts:
    """How many cells a run planned and what became of them."""

    planned: int = 0
    complete: int = 0
    partial: int = 0
    failed: int = 0
    deleted: int = 0

    @property
    def computed(self) -> int:
        """The cells that were computed and stored."""
        return self.complete + self.partial

    def __add__(self, other: "CellCounts") -> "CellCounts":
        """Add up two counts."""
        return CellCounts(
            self.planned + other.planned,
            self.complete + other.complete,
            self.partial + other.partial,
            self.failed + other.failed,
            self.deleted + other.deleted,
        )
