"""The form of the catalogue: sections of entries, and the reasons that entries share."""

from dataclasses import dataclass
from enum import StrEnum

from riskmark.domain.reasons import NullReason


class Unit(StrEnum):
    """What a number counts."""

    MONEY = "money"
    PRICE = "price"
    SHARES = "shares"
    FRACTION = "fraction"
    A_YEAR = "fraction a year"
    RATIO = "ratio"
    CORRELATION = "correlation"
    SQUARED = "fraction²"
    COUNT = "count"
    SESSIONS = "sessions"
    DATE = "date"
    FLAG = "true or false"
    CODE = "code"
    NAMES = "names"


@dataclass(frozen=True, slots=True)
class Window:
    """The sessions that a number looks back on, and the fewest of them that it needs.

    ``sessions`` is None where it looks back to the first session of the portfolio.
    """

    sessions: int | None
    minimum: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One number.

    ``name`` is the key of ``show --json`` in its section, ``column`` where it is stored, as
    ``table.column``; None: it is computed when it is shown. ``formula`` is one line of text.
    """

    name: str
    unit: Unit
    formula: str
    source: str = ""
    column: str | None = None
    window: Window | None = None
    nulls: tuple[NullReason, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """The entries of one part of ``show --json``, and what they have in common."""

    name: str
    title: str
    introduction: str
    entries: tuple[Entry, ...]


NO_HOLDINGS = (NullReason.NO_HOLDINGS,)
OVER_NAV = (NullReason.NAV_NOT_POSITIVE, NullReason.NAV_TOO_SMALL)
"""Of what is divided by NAV."""
OF_SHARES = (NullReason.NO_HOLDINGS, NullReason.UNDEFINED_DENOMINATOR)
"""Of shares of gross."""
OF_ONE_FIT = (
    NullReason.TOO_FEW_OBSERVATIONS,
    NullReason.NO_FACTOR_DATA,
    NullReason.NO_FACTOR_VARIATION,
)
"""Of a regression on one factor."""
OF_FIT = (*OF_ONE_FIT, NullReason.COLLINEAR_FACTORS)
"""Of a regression."""
OF_X = (NullReason.NO_HOLDINGS, NullReason.ALL_EXCLUDED, NullReason.TOO_FEW_OBSERVATIONS)
"""Of what is computed from x, in money or without a scale."""
OF_X_OVER_NAV = (NullReason.NO_HOLDINGS, *OVER_NAV, *OF_X[1:])
"""Of what is computed from x and divided by NAV."""
EXPOSED = (NullReason.NO_HOLDINGS, NullReason.ALL_EXCLUDED, *OF_FIT)
"""Of exposures in money, and of what is made of them."""
