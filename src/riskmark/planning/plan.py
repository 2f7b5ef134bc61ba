"""A plan: the cells to compute and to delete, each with its reason."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from riskmark.domain.reasons import PlanReason

REBUILDS = frozenset({PlanReason.ENGINE, PlanReason.SETTINGS})
"""Reasons that leave a portfolio current: its numbers are right by the rules before."""


@dataclass(frozen=True, slots=True)
class PortfolioPlan:
    """What is to be done for one portfolio.

    ``cells`` are (ordinal, reason) in ascending order; ``surplus`` are sessions stored that
    should not exist. ``is_complete``: when this is done, nothing of the portfolio is left to
    do; it is not where cells were left out or stored ones after the target are out of date.
    """

    portfolio_id: str
    name: str
    cells: tuple[tuple[int, PlanReason], ...]
    surplus: tuple[date, ...] = ()
    is_complete: bool = True

    @property
    def due(self) -> int:
        """The number of cells that are missing or wrong, rebuilds left out."""
        return sum(reason not in REBUILDS for _, reason in self.cells) + len(self.surplus)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do, against the inputs as of ``revision``.

    ``settled`` are the portfolios in scope of which nothing is left to do.
    """

    revision: int
    target: int
    portfolios: tuple[PortfolioPlan, ...]
    settled: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.portfolios)

    @property
    def size(self) -> int:
        """The number of cells to compute."""
        return sum(len(portfolio.cells) for portfolio in self.portfolios)

    def cells(self) -> Iterator[tuple[PortfolioPlan, int, PlanReason]]:
        """Yield every cell to compute."""
        for portfolio in self.portfolios:
            for ordinal, reason in portfolio.cells:
                yield portfolio, ordinal, reason
