"""Arguments as people give them in a notebook: sessions, trades, one of several words."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from numbers import Real
from typing import TypeAlias

import numpy as np

from riskmark.errors import InputError
from riskmark.intake.arguments import parse_day, parse_quantity, parse_symbol

Day: TypeAlias = str | date | np.datetime64 | None
"""A session: ISO text, or a date of Python, NumPy or pandas; None where there is a default."""
Quantity: TypeAlias = float | str | Decimal
Trades: TypeAlias = Mapping[str, Quantity] | Iterable[tuple[str, Quantity]]
"""Quantities by symbol, or pairs of a symbol and a quantity."""

_TRADES = "expected quantities by symbol, as {'AAPL': -10}, or pairs, as [('AAPL', -10)]"
_PAIR = 2


def as_day(given: Day, name: str) -> date | None:
    """Read a date, or ISO text; a point in time, as pandas has it, counts by its date."""
    if given is None:
        return None
    found = given.astype("datetime64[us]").item() if isinstance(given, np.datetime64) else given
    # NaT is a datetime to Python, but no date.
    if isinstance(found, datetime) and found == found:  # noqa: PLR0124
        return found.date()
    if isinstance(found, date) and not isinstance(found, datetime):
        return found
    if not isinstance(found, str):
        raise InputError(f"{name} {given!r}: expected a date, or text as 2024-06-28")
    return parse_day(found, today=date.max, name=name)


def as_trades(given: Trades) -> list[tuple[str, Decimal]]:
    """Read the quantities of symbols, as numbers or text; a symbol may come more than once."""
    found: object = given  # what stands in a notebook, no type checker has seen
    pairs = found.items() if isinstance(found, Mapping) else found
    if isinstance(pairs, str) or not isinstance(pairs, Iterable):
        raise InputError(f"trades {given!r}: {_TRADES}")
    return [_as_trade(pair) for pair in pairs]


def _as_trade(pair: object) -> tuple[str, Decimal]:
    if not isinstance(pair, tuple | list) or len(pair) != _PAIR:
        raise InputError(f"trades {pair!r}: {_TRADES}")
    symbol, quantity = pair
    if not isinstance(symbol, str):
        raise InputError(f"symbol {symbol!r}: expected text, as 'AAPL'")
    name = f"quantity of {symbol}"
    is_number = isinstance(quantity, Real | Decimal | str)
    if not is_number or isinstance(quantity, bool):
        raise InputError(f"{name} {quantity!r}: expected a number of shares, as -10")
    text = quantity if isinstance(quantity, str) else format(Decimal(str(quantity)), "f")
    return parse_symbol(symbol), parse_quantity(text, name=name)


def one_of(given: str, known: Sequence[str], name: str) -> str:
    """Return ``given`` if it is among the ``known`` words."""
    if given not in known:
        raise InputError(f"{name} {given!r}: expected one of {', '.join(known)}")
    return given
