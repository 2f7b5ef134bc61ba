"""Factor models are data: what a symbol's returns are regressed on, over which window."""

import math
from dataclasses import dataclass
from enum import StrEnum

MAX_WINDOW = 504
"""The sessions of returns that are read before a session; a model may not look further."""


class Estimator(StrEnum):
    """How a model is fitted.

    ``ols`` takes all factors together, ``ols_each`` each one alone, ``ridge`` all together
    with a penalty on large betas.
    """

    OLS = "ols"
    OLS_EACH = "ols_each"
    RIDGE = "ridge"


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor's return: of traded symbols, or a column of an imported file.

    That of ``long``, or ``long − short``; or what ``factors import`` stored as ``column``.
    """

    name: str
    long: str | None = None
    short: str | None = None
    column: str | None = None

    def __post_init__(self) -> None:
        if (self.long is None) == (self.column is None):
            raise ValueError("a factor has either a long symbol or a column of an imported file")
        if self.short is not None and self.long is None:
            raise ValueError("a factor with a short symbol needs a long one")

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols whose returns make the factor."""
        return tuple(symbol for symbol in (self.long, self.short) if symbol is not None)


@dataclass(frozen=True, slots=True)
class FactorModel:
    """A regression: estimator, window and minimum in sessions, factors.

    ``alpha`` is the ridge penalty on standardised factors; 0 for least squares. Where
    ``excess_over`` names an imported column (a risk-free return), it is taken off every
    symbol's return first.
    """

    name: str
    estimator: Estimator
    window: int
    minimum: int
    factors: tuple[Factor, ...]
    alpha: float = 0.0
    excess_over: str | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol that the factors need, once each, in order."""
        return tuple(dict.fromkeys(s for factor in self.factors for s in factor.symbols))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every imported column that the model needs, once each, in order."""
        named = [factor.column for factor in self.factors] + [self.excess_over]
        return tuple(dict.fromkeys(column for column in named if column is not None))

    @property
    def problem(self) -> str | None:
        """What of it cannot be; None if all can."""
        least = len(self.factors) + 2
        if not self.factors:
            return "has no factors"
        if not least <= self.minimum <= self.window <= MAX_WINDOW:
            return f"{least} <= minimum <= window <= {MAX_WINDOW} must hold"
        if problem := self._problem_of_names:
            return problem
        if not 0 <= self.alpha < math.inf:
            return "alpha must be 0 or more"
        if (self.alpha > 0) != (self.estimator is Estimator.RIDGE):
            return "an alpha above 0 goes with the estimator ridge"
        return None

    @property
    def _problem_of_names(self) -> str | None:
        names = [factor.name for factor in self.factors]
        if not all(text.isascii() and text.isprintable() and text for text in (self.name, *names)):
            return "names must be printable ASCII"
        return "two factors have the same name" if len(set(names)) < len(names) else None

    @property
    def problem_as_market(self) -> str | None:
        """Why it cannot be a market model: it has not the one thing that x and beta count by."""
        first = self.factors[0]
        if self.estimator is not Estimator.OLS or self.excess_over is not None:
            return "must be ols on plain returns"
        if len(self.factors) > 1 or first.long is None or first.short is not None:
            return "must have one factor, a symbol"
        return None
