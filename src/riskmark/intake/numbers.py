"""Decimal numbers as text: a narrow grammar first, ``Decimal`` second.

A number is ASCII digits with at most one sign before and one point between them, at most
12 digits before the point and 8 after it: what NUMERIC(20,8) holds. ``Decimal`` itself
takes far more (``NaN``, ``1e999999``, ``1_000``, digits of any script), some of which
hangs or breaks whatever comes next; it never sees such text.

A ``NumberStyle`` says how a broker writes numbers. It rewrites text to the grammar above
and widens nothing: thousands must stand in groups of three, so that "1.5" is never read
as fifteen.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

MAX_NUMBER_LENGTH = 32
BLANKS = " \t"
"""What is stripped around a cell. Other white space, such as a no-break space, stays and is
refused where it stands."""

_PLAIN = re.compile(r"[+-]?\d{1,12}(?:\.\d{1,8})?", re.ASCII)
_ANY_SIZE = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_GROUP = 3
_ZERO = Decimal(0)


class NumberProblem(StrEnum):
    """Why a text gives no number."""

    NOT_A_NUMBER = "not a number"
    OUT_OF_RANGE = "out of range or more than 8 decimals"


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """How numbers are written.

    ``strip`` lists what may stand around a number ("$", " USD") and is removed;
    with ``parentheses``, (5) is −5.
    """

    decimal: str = "."
    thousands: str | None = None
    strip: tuple[str, ...] = ()
    parentheses: bool = False


PLAIN = NumberStyle()


def parse_decimal(text: str, *, style: NumberStyle = PLAIN) -> Decimal | NumberProblem:
    """Read a number, without trailing zeros, or say why there is none."""
    text = text.strip(BLANKS)
    if style is not PLAIN:
        text = _to_plain(text, style)
    if len(text) > MAX_NUMBER_LENGTH or _PLAIN.fullmatch(text) is None:
        is_number = _ANY_SIZE.fullmatch(text) is not None
        return NumberProblem.OUT_OF_RANGE if is_number else NumberProblem.NOT_A_NUMBER
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return Decimal(text) or _ZERO


def decimal_text(value: Decimal) -> str:
    """Write ``value`` in plain digits, without exponent and trailing zeros."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def _to_plain(text: str, style: NumberStyle) -> str:
    """Rewrite ``text`` to the plain grammar; an empty text if it breaks the style."""
    for token in style.strip:
        text = text.replace(token, "")
    text = text.strip(BLANKS)
    is_enclosed = style.parentheses and text.startswith("(") and text.endswith(")")
    if is_enclosed:
        text = text[1:-1].strip(BLANKS)
    sign = text[:1] if text[:1] in {"+", "-"} else ""
    if is_enclosed and sign:
        return ""
    whole, point, fraction = text[len(sign) :].partition(style.decimal)
    if style.thousands is not None and style.thousands in whole:
        first, *rest = whole.split(style.thousands)
        if not first or len(first) > _GROUP or any(len(group) != _GROUP for group in rest):
            return ""
        whole = "".join((first, *rest))
    if "." in whole or "." in fraction:
        return ""
    return f"{'-' if is_enclosed else sign}{whole}{'.' if point else ''}{fraction}"
