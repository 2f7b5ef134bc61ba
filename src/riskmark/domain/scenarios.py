"""Stress scenarios and historical replays are data: what is shocked, and which days return.

A shock is a return of a factor, as a fraction. A move of interest rates is stated as one of
yields, in basis points, and becomes a return of the Rates factor by duration and convexity:

    r = −D · Δy + ½ · C · Δy²

The curve is used only where a rise of yields lowers the price, that is up to Δy = D / C.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

STRESS_MODEL = "style"
"""The factor model whose exposures scenarios and replays move."""
BASIS_POINTS = 10_000
LARGEST_SHOCK = 1.0
"""A factor loses or gains at most all; anything more was meant in percent."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How a move of yields becomes a return of one factor."""

    factor: str
    duration: float
    convexity: float

    def __post_init__(self) -> None:
        if not (0 < self.duration < math.inf and 0 <= self.convexity < math.inf):
            raise ValueError("duration must be above 0, and convexity 0 or more")

    def return_of(self, move_bp: float) -> float:
        """Return what the factor returns when yields move by ``move_bp``."""
        move = move_bp / BASIS_POINTS
        return -self.duration * move + 0.5 * self.convexity * move * move

    @property
    def largest_bp(self) -> float:
        """The move of yields beyond which the curve turns back; infinite without convexity."""
        if not self.convexity:
            return math.inf
        return BASIS_POINTS * self.duration / self.convexity


@dataclass(frozen=True, slots=True)
class Scenario:
    """A stress: returns of some factors, by name, and a move of yields in basis points."""

    name: str
    shocks: Mapping[str, float] = field(default_factory=dict)
    rates_bp: float | None = None

    def __post_init__(self) -> None:
        _check_name(self.name)
        if not self.shocks and self.rates_bp is None:
            raise ValueError(f"the scenario {self.name!r} shocks nothing")
        for factor, shock in self.shocks.items():
            if not -LARGEST_SHOCK <= shock <= LARGEST_SHOCK:
                raise ValueError(
                    f"the scenario {self.name!r} shocks {factor} by {shock:g}: "
                    f"a shock is a fraction from −{LARGEST_SHOCK:g} to {LARGEST_SHOCK:g}"
                )
        if self.rates_bp is not None and not math.isfinite(self.rates_bp):
            raise ValueError(f"the scenario {self.name!r} moves rates by {self.rates_bp}")

    def moves(self, rates: Rates) -> dict[str, float]:
        """Return the shocks with the move of yields among them, by factor."""
        found = dict(self.shocks)
        if self.rates_bp is not None:
            found[rates.factor] = rates.return_of(self.rates_bp)
        return found

    def check(self, rates: Rates) -> None:
        """Raise ``ValueError`` if the move of yields does not go with ``rates``."""
        if self.rates_bp is None:
            return
        if rates.factor in self.shocks:
            raise ValueError(f"the scenario {self.name!r} shocks {rates.factor} twice")
        if abs(self.rates_bp) > rates.largest_bp:
            raise ValueError(
                f"the scenario {self.name!r} moves rates by {self.rates_bp:g} bp: beyond "
                f"{rates.largest_bp:.0f} bp, duration and convexity describe no bond"
            )


@dataclass(frozen=True, slots=True)
class Replay:
    """A stretch of history: from the close of ``first`` to the close of ``last``."""

    name: str
    first: date
    last: date

    def __post_init__(self) -> None:
        _check_name(self.name)
        if not self.first < self.last:
            raise ValueError(f"the replay {self.name!r} must end after {self.first}")


def _check_name(name: str) -> None:
    if not (name and name.isascii() and name.isprintable()):
        raise ValueError(f"{name!r} is no name: it must be printable ASCII")
