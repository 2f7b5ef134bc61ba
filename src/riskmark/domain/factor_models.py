"""Factor models are data: what a symbol's returns are regressed on, over which window."""

from dataclasses import dataclass
from enum import StrEnum


class Estimator(StrEnum):
    """How a model is fitted."""

    OLS = "ols"
    OLS_EACH = "ols_each"
    RIDGE = "ridge"


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor's return: that of ``long``, or ``long − short``."""

    name: str
    long: str
    short: str | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols whose returns make the factor."""
        return (self.long,) if self.short is None else (self.long, self.short)


@dataclass(frozen=True, slots=True)
class FactorModel:
    """A regression: estimator, window and minimum in sessions, factors.

    ``alpha`` is the ridge penalty on standardised factors; 0 for least squares.
    """

    name: str
    estimator: Estimator
    window: int
    minimum: int
    factors: tuple[Factor, ...]
    alpha: float = 0.0

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol that the factors need, once each, in order."""
        return tuple(dict.fromkeys(s for factor in self.factors for s in factor.symbols))
