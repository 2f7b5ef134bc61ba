"""All areas, in the order of the page."""

from functools import cache
from types import ModuleType

from tests.conformance import (
    accounting,
    backtests,
    correlation,
    fits,
    options,
    performance,
    portfolios,
    product,
    scenarios,
    tail,
    tracking,
    volatility,
)
from tests.conformance.comparisons import Row

AREAS: tuple[ModuleType, ...] = (
    accounting,
    performance,
    fits,
    portfolios,
    volatility,
    tail,
    backtests,
    correlation,
    tracking,
    scenarios,
    options,
    product,
)


@cache
def rows_of(area: ModuleType) -> tuple[Row, ...]:
    """Compare what an area compares, once."""
    return tuple(area.rows())
