"""Numbers as a report prints them: thousands separated, a minus that is one, nulls a dash."""

from riskmark.reports.figures.figure import Kind

NOTHING = "–"
"""What stands where there is no number."""
_CENT = 0.01
_SPACE = "\N{NO-BREAK SPACE}"


def money(value: float | None) -> str:
    """Write a sum of money without its cents."""
    return NOTHING if value is None else _number(value, 0)


def gain(value: float | None) -> str:
    """Write a gain or loss with its sign."""
    return NOTHING if value is None else _number(value, 0, is_signed=True)


def share(value: float | None, digits: int = 1) -> str:
    """Write a fraction in percent."""
    return NOTHING if value is None else f"{_number(100 * value, digits)}{_SPACE}%"


def change(value: float | None, digits: int = 1) -> str:
    """Write a return in percent with its sign."""
    return NOTHING if value is None else f"{_number(100 * value, digits, is_signed=True)}{_SPACE}%"


def ratio(value: float | None, digits: int = 2) -> str:
    """Write a number without a unit."""
    return NOTHING if value is None else _number(value, digits)


def price(value: float | None) -> str:
    """Write a price: more digits after the point where it is small."""
    if value is None:
        return NOTHING
    if abs(value) >= _CENT:
        return _number(value, 2 if abs(value) >= 1 else 4)
    return quantity(value)


def quantity(value: float) -> str:
    """Write a number of shares, without decimals where there are none."""
    text = _number(value, 8)
    return text.rstrip("0").rstrip(".") if "." in text else text


def plural(count: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def by_kind(kind: Kind, value: object) -> str:
    """Write a value of a figure's table."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, int | float):
        if kind is Kind.MONEY:
            return money(value)
        if kind is Kind.SHARE:
            return share(value)
        return f"{value:,}" if kind is Kind.COUNT else ratio(value)
    return str(value)


def _number(value: float, digits: int, *, is_signed: bool = False) -> str:
    rounded = round(value, digits) or 0.0  # −0 is 0
    sign = "+" if is_signed and rounded else ""
    return f"{rounded:{sign},.{digits}f}".replace("-", "−")
