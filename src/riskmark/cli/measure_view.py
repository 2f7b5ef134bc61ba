"""A few chosen measures, for people: name, value and, for a null, the reason."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from riskmark.cli.formats import NOTHING
from riskmark.reports.words import NULL_WORDS, in_words

if TYPE_CHECKING:
    from rich.table import Table

_HEAD = frozenset({"portfolio", "session", "state", "reasons", "nulls", "provenance"})
_NAMED_BY = {
    "factors": ("model", "factor"),
    "sectors": ("sector",),
    "stress": ("scenario",),
    "positions": ("symbol",),
}
"""The keys of a list's items that name them."""


def measure_view(document: Mapping[str, Any]) -> "Table":
    """Make a table of the numbers of a document that ``choose_measures`` made."""
    from riskmark.cli.tables import make_table

    table = make_table("Measure", "Value>", "Why…")
    for name, value in _leaves(document):
        reason = document["nulls"].get(name)
        table.add_row(name, _shown(value), "" if reason is None else in_words(NULL_WORDS, reason))
    return table


def _leaves(document: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for part, value in document.items():
        if part not in _HEAD:
            yield from _walk(part, value)


def _walk(name: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _walk(f"{name}.{key}", inner)
    elif isinstance(value, list) and name in _NAMED_BY:
        for item in value:
            own = _NAMED_BY[name]
            prefix = ".".join([name, *(item[key] for key in own)])
            yield from _walk(prefix, {key: item[key] for key in item if key not in own})
    else:
        yield name, value


def _shown(value: object) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.6f}" if abs(value) < 1_000 else f"{value:,.2f}"  # noqa: PLR2004
    return str(value)
