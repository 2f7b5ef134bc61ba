"""Broker maps: a TOML file that says how a broker's export differs from the canonical form.

    [file]      delimiter = ";"   skip_rows = 3   comment = ""   ends_at = ["Total"]
                ignore_unknown = true
    [columns]   quantity = "Qty"   entry_date = "Trade date"
    [numbers]   decimal = ","   thousands = "."   strip = ["$", " USD"]   parentheses = true
    [dates]     format = "%d/%m/%Y"
    [values.investment_class]   Equity = "PUBLIC"   "n/a" = ""

Every key may be left out. ``[columns]`` names the broker's header of a column; a column not
named there is looked for under its own name, and one that is named must be in the file.
``[values]`` replaces whole cells before they are read. Rows from the first one that begins
with a text of ``ends_at`` are not read, nor are the first ``skip_rows`` lines. Columns that
no one named are passed over unless ``ignore_unknown = false``.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field

from riskmark.errors import InputError
from riskmark.intake.columns import Column, column_named, header_key
from riskmark.intake.dates import ISO, DateStyle, date_style
from riskmark.intake.numbers import PLAIN, NumberStyle

_DELIMITERS = (",", ";", "|", "\t")
_DECIMAL_SIGNS = (".", ",")
_RESERVED = tuple("0123456789+-()")
_MAX_SKIPPED = 1_000
_KEYS = {
    "file": ("delimiter", "skip_rows", "comment", "ends_at", "ignore_unknown"),
    "numbers": ("decimal", "thousands", "strip", "parentheses"),
    "dates": ("format",),
}
_BY_COLUMN = ("columns", "values")


class BrokerMapError(InputError):
    """A broker map has an unknown key or a value that cannot be used."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"broker map: {where}: {problem}")
        self.where = where
        self.problem = problem


@dataclass(frozen=True, slots=True)
class BrokerMap:
    """How a file is laid out and written; the defaults are the canonical form."""

    columns: Mapping[Column, str] = field(default_factory=dict)
    values: Mapping[Column, Mapping[str, str]] = field(default_factory=dict)
    numbers: NumberStyle = PLAIN
    dates: DateStyle = ISO
    delimiter: str = ","
    skip_rows: int = 0
    comment: str = "#"
    ends_at: tuple[str, ...] = ()
    ignore_unknown: bool = False


CANONICAL = BrokerMap()


def parse_broker_map(content: bytes) -> BrokerMap:
    """Read a broker map from TOML.

    Raises
    ------
    BrokerMapError
        The content is not TOML in UTF-8, or has unknown keys (all are named) or a value
        that cannot be used.
    """
    try:
        table = tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        where = "the file"
        raise BrokerMapError(where, f"not TOML in UTF-8: {error}") from error
    _check_keys(table)
    file = _Section(table, "file")
    return BrokerMap(
        columns=_columns(table),
        values=_values(table),
        numbers=_numbers(_Section(table, "numbers")),
        dates=_dates(_Section(table, "dates")),
        delimiter=file.choice("delimiter", ",", among=_DELIMITERS),
        skip_rows=file.count("skip_rows", 0, most=_MAX_SKIPPED),
        comment=file.text("comment", "#"),
        ends_at=file.texts("ends_at"),
        ignore_unknown=file.flag("ignore_unknown", default=True),
    )


class _Section:
    """One table of the map, with typed access that names what is wrong."""

    def __init__(self, table: Mapping[str, object], name: str) -> None:
        self._name = name
        self._values = _table(table.get(name, {}), name)

    def error(self, *, key: str, problem: str) -> BrokerMapError:
        return BrokerMapError(f"[{self._name}] {key}", problem)

    def text(self, key: str, default: str) -> str:
        value = self._values.get(key, default)
        if isinstance(value, str):
            return value
        raise self.error(key=key, problem="must be a text")

    def choice(self, key: str, default: str, *, among: tuple[str, ...]) -> str:
        value = self.text(key, default)
        if value in among:
            return value
        known = ", ".join(map(repr, among))
        raise self.error(key=key, problem=f"must be one of {known}, not {value!r}")

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._values.get(key, [])
        if isinstance(value, list) and all(isinstance(t, str) and t for t in value):
            return tuple(value)
        raise self.error(key=key, problem="must be a list of texts that are not empty")

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._values.get(key, default)
        if isinstance(value, bool):
            return value
        raise self.error(key=key, problem="must be true or false")

    def count(self, key: str, default: int, *, most: int) -> int:
        value = self._values.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
            return value
        raise self.error(key=key, problem=f"must be a whole number from 0 to {most}")


def _check_keys(table: Mapping[str, object]) -> None:
    unknown = [name for name in table if name not in _KEYS and name not in _BY_COLUMN]
    for name, known in _KEYS.items():
        section = _table(table.get(name, {}), name)
        unknown += [f"[{name}] {key}" for key in section if key not in known]
    for name in _BY_COLUMN:
        section = _table(table.get(name, {}), name)
        unknown += [f"[{name}] {key}" for key in section if column_named(key) is None]
    if unknown:
        raise BrokerMapError(", ".join(unknown), "unknown")


def _table(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise BrokerMapError(name, "must be a table")
    return value


def _columns(table: Mapping[str, object]) -> Mapping[Column, str]:
    """Read which header stands for which column; no two columns may share one."""
    renamed: dict[Column, str] = {}
    taken: set[str] = set()
    for name, header in _by_column(table, "columns").items():
        where = f"[columns] {name}"
        if not isinstance(header, str) or not header_key(header):
            raise BrokerMapError(where, "must be a header's text")
        if header_key(header) in taken or name in renamed:
            raise BrokerMapError(where, "a column and a header may stand here only once")
        taken.add(header_key(header))
        renamed[name] = header
    clash = [c for c in Column if c not in renamed and header_key(c) in taken]
    if clash:
        where = f"[columns] {clash[0]}"
        raise BrokerMapError(where, "its own name stands for another column; name its header too")
    return renamed


def _values(table: Mapping[str, object]) -> Mapping[Column, Mapping[str, str]]:
    replaced: dict[Column, Mapping[str, str]] = {}
    for column, pairs in _by_column(table, "values").items():
        where = f"[values] {column}"
        if not isinstance(pairs, dict) or not all(isinstance(v, str) for v in pairs.values()):
            raise BrokerMapError(where, "must be a table of texts")
        replaced[column] = dict(pairs)
    return replaced


def _by_column(table: Mapping[str, object], name: str) -> Mapping[Column, object]:
    """Key a section by column; each column at most once."""
    found: dict[Column, object] = {}
    for key, value in _table(table.get(name, {}), name).items():
        column = column_named(key)
        if column is None or column in found:
            where = f"[{name}] {key}"
            raise BrokerMapError(where, "no column" if column is None else "stands here twice")
        found[column] = value
    return found


def _numbers(section: _Section) -> NumberStyle:
    decimal = section.choice("decimal", ".", among=_DECIMAL_SIGNS)
    thousands, strip = section.text("thousands", ""), section.texts("strip")
    if len(thousands) > 1 or thousands.isalnum() or thousands in {decimal, *_RESERVED}:
        problem = "must be one sign, no digit or letter, other than the decimal sign"
        raise section.error(key="thousands", problem=problem)
    if any({decimal, *_RESERVED} & set(token) for token in strip):
        problem = "may hold no digit, sign, parenthesis or decimal sign"
        raise section.error(key="strip", problem=problem)
    return NumberStyle(
        decimal=decimal,
        thousands=thousands or None,
        strip=strip,
        parentheses=section.flag("parentheses", default=False),
    )


def _dates(section: _Section) -> DateStyle:
    form = section.text("format", ISO.form)
    try:
        return date_style(form)
    except ValueError as error:
        raise section.error(key="format", problem=str(error)) from error
