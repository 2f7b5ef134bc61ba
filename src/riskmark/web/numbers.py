"""Numbers as pages write them: a true minus, thousands apart, percent for fractions.

Every number also carries its value as it is in ``show --json`` (the ``value`` of a ``data``
element), so that what is rounded for reading is never the only thing there is.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from riskmark.reports.figures.wording import scenario_words

NOTHING: Final = "–"
"""What stands where there is no number; the reason stands beside it."""
_MINUTE, _HOUR = 60, 3600
Number: TypeAlias = float | Decimal


def money(value: Number) -> str:
    """Write a sum of money, without cents from a hundred on."""
    if not value:
        return "0"
    return _grouped(value, 0 if abs(float(value)) >= _WHOLE else 2)


_WHOLE: Final = 100
_TINY: Final = 0.001


def change(value: Number) -> str:
    """Write a gain or a loss."""
    return _plus(value, money(value))


def cents(value: Number) -> str:
    """Write a sum of money to the cent."""
    return _grouped(value, 2)


def price(value: Number) -> str:
    """Write a price: four digits after the point where it is small."""
    return _grouped(value, 2 if abs(float(value)) >= 1 else 4)


def percent(value: Number, digits: int = 1) -> str:
    """Write a fraction as percent."""
    return _grouped(100 * float(value), digits) + "\u202f%"


def signed_percent(value: Number, digits: int = 2) -> str:
    """Write a return or a change as percent."""
    return _plus(round(100 * float(value), digits), percent(value, digits))


def ratio(value: Number) -> str:
    """Write a number without unit."""
    return _grouped(value, 2)


def count(value: Number) -> str:
    """Write a count."""
    return _grouped(value, 0)


def quantity(value: Number) -> str:
    """Write units, without decimals where there are none."""
    text = _grouped(value, 8)
    return text.rstrip("0").rstrip(".")


def small(value: Number) -> str:
    """Write a probability or a standard error, which may be tiny."""
    if 0 < value < _TINY:
        return f"<\u202f{_TINY}"
    return f"{float(value):.3g}".replace("-", "−")


def day(value: date | str) -> str:
    """Write a date as people read it."""
    found = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{found.day}\u00a0{found:%b}\u00a0{found.year}"


def instant(value: datetime | str) -> str:
    """Write an instant in UTC, to the minute."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    at = found.astimezone(UTC)
    return f"{day(at.date())}, {at:%H:%M} UTC"


def duration(seconds: float) -> str:
    """Write how long something took."""
    if seconds < _MINUTE:
        return f"{seconds:.1f}\u202fs"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)}\u202fmin {int(seconds % _MINUTE):02}\u202fs"
    return f"{int(seconds // _HOUR)}\u202fh {int(seconds % _HOUR // _MINUTE):02}\u202fmin"


def exact(value: Any) -> str:  # noqa: ANN401 - whatever JSON has
    """Write a value as JSON has it."""
    return json.dumps(value, default=float)


def words(name: str) -> str:
    """Write a name of the interface as words: ``market_down_20`` is "market down 20"."""
    return name.replace("_", " ")


FORMS: Mapping[str, Callable[[Number], str]] = MappingProxyType(
    {
        "money": money,
        "change": change,
        "cents": cents,
        "price": price,
        "percent": percent,
        "signed_percent": signed_percent,
        "ratio": ratio,
        "count": count,
        "quantity": quantity,
        "small": small,
    }
)
"""How a number can be written, by name."""


def written(value: Number, form: str) -> str:
    """Write a number in one of ``FORMS``."""
    return FORMS[form](value)


FILTERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        **FORMS,
        "written": written,
        "day": day,
        "instant": instant,
        "duration": duration,
        "words": words,
        "exact": exact,
        "scenario": scenario_words,
    }
)
"""What templates call."""


def _grouped(value: Number, digits: int) -> str:
    text = f"{round(value, digits):,.{digits}f}"
    if text.startswith("-"):
        rest = text[1:]
        return f"−{rest}" if rest.strip("0.,") else rest
    return text


def _plus(value: Number, text: str) -> str:
    return f"+{text}" if value > 0 and text.strip("0.,\u202f%") else text
