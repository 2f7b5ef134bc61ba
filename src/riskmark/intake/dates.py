"""Dates as text: ISO by default, or one other form that a broker's map names.

A date must fill its text, in ASCII digits. Month names are English whatever the locale,
which is why ``strptime`` is not used: it follows the locale and takes digits of any script.
"""

import re
from dataclasses import dataclass
from datetime import date

_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_PATTERNS = {
    "Y": r"(?P<year>\d{4})",
    "y": r"(?P<short_year>\d{2})",
    "m": r"(?P<month>\d{1,2})",
    "b": r"(?P<month_name>[a-z]{3})",
    "B": r"(?P<month_name>[a-z]{3,9})",
    "d": r"(?P<day>\d{1,2})",
    "H": r"\d{1,2}",
    "M": r"\d{2}",
    "S": r"\d{2}",
}
_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
_SHORT_YEAR_PIVOT = 69
"""Years of two digits are 1969 to 2068, as in POSIX."""


@dataclass(frozen=True, slots=True)
class DateStyle:
    """How dates are written: a form such as ``%d/%m/%Y``, and the pattern that reads it."""

    form: str
    pattern: re.Pattern[str]

    @property
    def expected(self) -> str:
        """What a date in this style looks like, for messages."""
        return "a date as YYYY-MM-DD" if self is ISO else f"a date written {self.form}"


ISO = DateStyle(
    "%Y-%m-%d",
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})", re.ASCII),
)


def date_style(form: str) -> DateStyle:
    """Make the style that ``form`` names.

    Of strptime's directives it knows Y, y, m, b, B, d for the date, each part once, and
    H, M, S for a time of day, which is read over.

    Raises
    ------
    ValueError
        A directive is unknown, or year, month and day do not stand once each.
    """
    if form == ISO.form:
        return ISO
    names = [match[1] for match in _DIRECTIVE.finditer(form)]
    unknown = sorted({name for name in names if name not in _PATTERNS})
    if unknown:
        msg = f"unknown in a date form: {', '.join('%' + name for name in unknown)}"
        raise ValueError(msg)
    for part, among in (("year", "Yy"), ("month", "mbB"), ("day", "d")):
        if sum(name in among for name in names) != 1:
            msg = f"a date form needs one {part}: {form!r}"
            raise ValueError(msg)
    literals = [re.escape(text) for text in _DIRECTIVE.split(form)[::2]]
    parts = [_PATTERNS[name] for name in names]
    pattern = "".join(literal + part for literal, part in zip(literals, [*parts, ""], strict=True))
    return DateStyle(form, re.compile(pattern, re.ASCII | re.IGNORECASE))


def parse_date(text: str, *, style: DateStyle = ISO) -> date | None:
    """Read a date; None if ``text`` is not one in this style."""
    match = style.pattern.fullmatch(text)
    if match is None:
        return None
    part = match.groupdict()
    month = int(part["month"]) if part.get("month") else _month_number(part["month_name"])
    if part.get("year"):
        year = int(part["year"])
    else:
        short = int(part["short_year"])
        year = short + (1900 if short >= _SHORT_YEAR_PIVOT else 2000)
    try:
        return date(year, month, int(part["day"]))
    except ValueError:
        return None


def _month_number(name: str) -> int:
    """Return 1 to 12 for a month's English name or its first three letters, else 0."""
    lower = name.lower()
    for number, month in enumerate(_MONTHS, start=1):
        if lower in {month, month[:3]}:
            return number
    return 0
