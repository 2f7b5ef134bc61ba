"""The port: what an adapter is asked, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple, Protocol

from riskmark.domain.instruments import InstrumentKind
from riskmark.intake.market_data import Action, Bars, make_bars
from riskmark.providers.outcomes import Outcome


class FormerSymbol(NamedTuple):
    """What an instrument was called on the dates before ``until``."""

    symbol: str
    until: date


@dataclass(frozen=True, slots=True)
class Wanted:
    """Bars of one symbol from ``first`` to ``last``, both included, and its actions.

    ``known``: closes that are already stored, and ``splits``: the splits and spin-offs that
    are, by both of which a provider's basis is checked.
    ``believed``: by provider, what it said of the symbol and is not asked again.
    ``former``: other names that it had.
    ``grace``: how long after a session's publication its bar may still be to come.
    """

    symbol: str
    first: date
    last: date
    known: Mapping[date, float] = field(default_factory=dict)
    splits: tuple[Action, ...] = ()
    believed: Mapping[str, Outcome] = field(default_factory=dict)
    former: tuple[FormerSymbol, ...] = ()
    grace: timedelta = timedelta()


class Profile(NamedTuple):
    """What a provider says that a symbol is; None where it does not say."""

    kind: InstrumentKind | None = None
    name: str | None = None
    sector: str | None = None
    currency: str | None = None


NO_PROFILE = Profile()


class RefusedRow(NamedTuple):
    """A row of an answer that is not believed; ``day`` is None where it has no date."""

    day: date | None
    why: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider has for one symbol: checked, as traded, in order of session."""

    symbol: str
    outcome: Outcome
    bars: Bars = field(default_factory=lambda: make_bars([]))
    actions: tuple[Action, ...] = ()
    profile: Profile = NO_PROFILE
    refused: tuple[RefusedRow, ...] = ()


class Provider(Protocol):
    """An adapter: it never raises for what a provider does, it answers with an outcome."""

    @property
    def name(self) -> str:
        """The name by which settings and stored bars know it."""
        ...

    @property
    def domain(self) -> str:
        """What fails together: two clients of one host have the same."""
        ...

    def fetch(self, wanted: Wanted) -> Answer:
        """Ask for bars and all actions from the first session wanted to the present."""
        ...

    def fetch_profile(self, symbol: str) -> tuple[Profile, Outcome]:
        """Ask what a symbol is: kind, name, sector and currency."""
        ...

    def close(self) -> None:
        """Close what it has open."""
        ...
