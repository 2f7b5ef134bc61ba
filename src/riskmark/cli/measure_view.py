"""A few chosen measures, for people: name, value and, for a null, the reason."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from riskmark.cli.formats import NOTHING
from riskmark.reports.selection import leaves_of
from riskmark.reports.words import NULL_WORDS, in_words

if TYPE_CHECKING:
    from rich.table import Table

WIDE = 40
"""Columns that a value may take on one line."""
_HEAD = frozenset({"portfolio", "session", "state", "reasons", "nulls", "provenance"})


def measure_view(document: Mapping[str, Any]) -> "Table":
    """Make a table of the numbers of a document that ``choose_measures`` made."""
    from riskmark.cli.tables import make_table

    chosen = {name: value for name, value in document.items() if name not in _HEAD}
    lines = [(name, _shown(value)) for name, value in leaves_of("", chosen)]
    is_wide = any(len(text) > WIDE for _, value in lines for text in value.splitlines())
    # A long list is wrapped, so that no name is cut.
    table = make_table("Measure", "Value…" if is_wide else "Value>", "Why…")
    for name, value in lines:
        reason = document["nulls"].get(name)
        table.add_row(name, value, "" if reason is None else in_words(NULL_WORDS, reason))
    return table


def _shown(value: object) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return " ".join(_shown(one) for one in value.values())
    if isinstance(value, list):
        return _listed(value)
    if isinstance(value, float):
        return f"{value:,.6f}" if abs(value) < 1_000 else f"{value:,.2f}"  # noqa: PLR2004
    return str(value)


def _listed(values: list[Any]) -> str:
    """Write a list on one line, and a list of lists a line each, numbers to two digits."""
    if values and isinstance(values[0], list):
        return "\n".join(_listed(one) for one in values)
    if values and isinstance(values[0], float):
        return " ".join(f"{one:5.2f}" for one in values)
    return ", ".join(_shown(one) for one in values)
