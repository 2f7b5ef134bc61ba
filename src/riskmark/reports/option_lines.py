"""Options in a snapshot: the greeks of each, and what those of a portfolio sum to in money."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from riskmark.domain.reasons import NullReason
from riskmark.reports.shown_numbers import Nulls, Number, null_of, nulls_of, values_of

PERCENT = 100
GREEKS = ("delta", "gamma", "vega", "theta", "rho")


@dataclass(frozen=True, slots=True)
class OptionLine:
    """What an option held has beside other positions; greeks are of one share's worth.

    ``units`` are the shares that the position is on, and ``exposure`` the money that it moves
    with its underlying by. ``volatility`` is the one that it was priced with.
    """

    underlying: str | None
    exposure: Number
    units: Number
    underlying_price: Number
    volatility: Number
    delta: Number
    gamma: Number
    vega: Number
    theta: Number
    rho: Number
    implied_vol: Number

    @property
    def numbers(self) -> dict[str, Number]:
        """The numbers by name."""
        names = ("exposure", "units", "underlying_price", "volatility", *GREEKS, "implied_vol")
        return {name: getattr(self, name) for name in names}

    def document(self) -> dict[str, Any]:
        """Return the line as JSON has it."""
        return {"underlying": self.underlying, **values_of(self.numbers)}

    def in_money(self, greek: str) -> float | None:
        """Return what a greek of the whole position is in money; None: it has none."""
        of_share: float | None = getattr(self, greek).value
        units, price = self.units.value, self.underlying_price.value
        if of_share is None or units is None or price is None:
            return None
        if greek == "delta":
            return self.exposure.value
        # Of delta exposure, when the underlying rises by one percent.
        return of_share * units * (price * price / PERCENT if greek == "gamma" else 1.0)


def read_option(row: RowMapping, underlying: str | None) -> OptionLine:
    """Make the line of an option from its row."""
    reason = None if row["greeks_null"] is None else NullReason(row["greeks_null"])
    of_implied = None if row["implied_vol_null"] is None else NullReason(row["implied_vol_null"])
    of_model = ("exposure", "units", "underlying_price", "volatility", *GREEKS)
    return OptionLine(
        underlying=underlying,
        implied_vol=_number(row["implied_vol"], of_implied),
        **{name: _number(row[name], reason) for name in of_model},
    )


def _number(value: float | None, reason: NullReason | None) -> Number:
    if value is None:
        return null_of(reason or NullReason.NOT_COMPUTED_YET)
    return Number(value)


def sum_greeks(lines: Iterable[OptionLine]) -> dict[str, Number]:
    """Sum the greeks of a portfolio's options in money.

    Options without greeks are left out; where none has any, there is no sum. Without options
    all are 0.
    """
    options = list(lines)
    found = {}
    for greek in GREEKS:
        parts = [part for one in options if (part := one.in_money(greek)) is not None]
        is_known = bool(parts) or not options
        found[greek] = Number(float(sum(parts))) if is_known else null_of(NullReason.ALL_EXCLUDED)
    return found


def option_nulls(symbol: str, line: OptionLine) -> Nulls:
    """Yield the nulls of a position's greeks."""
    if line.underlying is None:
        yield f"positions.{symbol}.greeks.underlying", NullReason.NEVER_PRICED
    yield from nulls_of(f"positions.{symbol}.greeks", line.numbers)
