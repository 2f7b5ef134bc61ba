"""Arguments as people give them in a notebook: sessions, trades, one of several words."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

from riskmark.errors import InputError
from riskmark.intake.arguments import parse_day, parse_quantity, parse_symbol

Day: TypeAlias = str | date | None
"""A session: ISO text or a date; None where there is a default."""


def as_day(given: Day, name: str) -> date | None:
    """Read a date, or ISO text; a point in time, as pandas has it, counts by its date."""
    if given is None:
        return None
    if isinstance(given, datetime):
        return given.date()
    if isinstance(given, date):
        return given
    if not isinstance(given, str):
        raise InputError(f"{name} {given!r}: expected a date, or text as 2024-06-28")
    return parse_day(given, today=date.max, name=name)


def as_trades(given: Mapping[str, float | str | Decimal]) -> list[tuple[str, Decimal]]:
    """Read the quantities of symbols, as numbers or text."""
    found = []
    for symbol, quantity in given.items():
        text = quantity if isinstance(quantity, str) else format(Decimal(str(quantity)), "f")
        name = f"quantity of {symbol}"
        found.append((parse_symbol(symbol), parse_quantity(text, name=name)))
    return found


def one_of(given: str, known: Sequence[str], name: str) -> str:
    """Return ``given`` if it is among the ``known`` words."""
    if given not in known:
        raise InputError(f"{name} {given!r}: expected one of {', '.join(known)}")
    return given
