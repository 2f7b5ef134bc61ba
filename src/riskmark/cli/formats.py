"""Numbers and states as people read them: thousands separated, nulls a dash."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

from riskmark.domain.reasons import PortfolioState, RunStatus, SnapshotState

if TYPE_CHECKING:
    from rich.text import Text

NOTHING = "–"
"""What stands where there is no number."""

STYLE_OF: Mapping[str, str] = MappingProxyType(
    {
        PortfolioState.CURRENT: "green",
        PortfolioState.BEHIND: "red",
        PortfolioState.PARTIAL: "yellow",
        PortfolioState.EMPTY: "dim",
        SnapshotState.COMPLETE: "green",
        RunStatus.SUCCEEDED: "green",
        RunStatus.FAILED: "red",
        RunStatus.CANCELLED: "magenta",
        RunStatus.RUNNING: "cyan",
        RunStatus.QUEUED: "dim",
        "stalled": "red",
    }
)
_MINUTE = 60.0


def money(value: float | Decimal | None) -> str:
    """Write a sum of money to the cent."""
    return NOTHING if value is None else f"{_unsigned_zero(float(value), 2):,.2f}"


def whole(value: float | None) -> str:
    """Write a sum of money without its cents."""
    return NOTHING if value is None else f"{_unsigned_zero(value, 0):,.0f}"


def signed_money(value: float | None) -> "Text":
    """Write a gain or loss, coloured by its sign."""
    return _signed(value, NOTHING if value is None else f"{_unsigned_zero(value, 2):+,.2f}")


def quantity(value: float | Decimal) -> str:
    """Write a number of shares, without decimals where there are none."""
    text = f"{value:,.8f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def price(value: float | Decimal | None) -> str:
    """Write a price: four digits after the point where it is small."""
    if value is None:
        return NOTHING
    number = float(value)
    return f"{number:,.2f}" if abs(number) >= 1 else f"{number:,.4f}"


def percent(value: float | None, digits: int = 1) -> str:
    """Write a fraction as percent."""
    return NOTHING if value is None else f"{_unsigned_zero(100 * value, digits):,.{digits}f} %"


def signed_percent(value: float | None, digits: int = 2) -> "Text":
    """Write a return as percent, coloured by its sign."""
    if value is None:
        return _signed(None, NOTHING)
    shown = _unsigned_zero(100 * value, digits)
    return _signed(shown, f"{shown:+,.{digits}f} %")


def ratio(value: float | None, digits: int = 2) -> str:
    """Write a number without unit."""
    return NOTHING if value is None else f"{_unsigned_zero(value, digits):,.{digits}f}"


def signed_ratio(value: float | None, digits: int = 4) -> "Text":
    """Write a change of a number without unit, coloured by its sign."""
    if value is None:
        return _signed(None, NOTHING)
    shown = _unsigned_zero(value, digits)
    return _signed(shown, f"{shown:+,.{digits}f}")


def count(value: int) -> str:
    """Write a count; nothing for 0, so that what is there stands out."""
    return f"{value:,}" if value else ""


def day(value: date | None) -> str:
    """Write a date."""
    return NOTHING if value is None else value.isoformat()


def instant(value: datetime | None) -> str:
    """Write an instant in UTC, to the minute."""
    return NOTHING if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"


def duration(value: timedelta | float | None) -> str:
    """Write how long something took."""
    if value is None:
        return NOTHING
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), int(_MINUTE))
    hours, minutes = divmod(minutes, int(_MINUTE))
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def state(value: str) -> "Text":
    """Write a state in its colour."""
    from rich.text import Text

    return Text(value, style=STYLE_OF.get(value, ""))


def plural(number: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _signed(value: float | None, text: str) -> "Text":
    from rich.text import Text

    style = "" if not value else "green" if value > 0 else "red"
    return Text(text, style=style)


def _unsigned_zero(value: float, digits: int) -> float:
    """Return ``value``, or 0 where it would be shown as −0."""
    return 0.0 if round(value, digits) == 0 else value
