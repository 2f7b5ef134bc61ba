"""The numbers of a document by their names, each with its reason and where it comes from.

Names are those of ``show --json`` (``risk.var_95``, ``positions.AAPL.beta``): a page that shows a
number names it, so that whoever reads the page, a test or a person, finds the same number there.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from riskmark.reports.catalogue.entry import Entry, Section, Unit
from riskmark.reports.catalogue.meanings import NULL_MEANINGS
from riskmark.reports.selection import leaves_of
from riskmark.reports.words import NULL_WORDS, in_words

_UNITS: Mapping[Unit, str] = {
    Unit.FRACTION: "a fraction, shown in percent",
    Unit.A_YEAR: "a year, shown in percent",
    Unit.SHARES: "shares",
    Unit.COUNT: "a count",
    Unit.RATIO: "a ratio, without unit",
    Unit.CORRELATION: "a correlation, −1 to 1",
}
"""Units whose own name says less than a reader may want."""
_NOT_OF_A_NAME = re.compile(r"[^A-Za-z0-9_-]+")


class Why(NamedTuple):
    """Where a number comes from, in words."""

    formula: str
    unit: str
    window: str | None
    source: str


class Numbers:
    """A document's leaves, its reasons and its catalogue."""

    def __init__(
        self,
        document: Mapping[str, Any],
        sections: Sequence[Section] = (),
        *,
        sources: Mapping[str, str] | None = None,
        run_address: str | None = None,
    ) -> None:
        self.document = document
        self.nulls: Mapping[str, str] = document.get("nulls", {})
        self.currency: str = document["portfolio"]["currency"]
        self.sources = sources or {}
        self.run_address = run_address
        self._leaves = {
            name: value
            for section in document
            if section != "nulls"
            for name, value in leaves_of(section, document[section])
        }
        self._entries: dict[tuple[str, str], Entry] = {}
        for section in sections:
            for entry in section.entries:
                self._entries.setdefault((section.name, entry.name), entry)

    def value(self, name: str) -> Any:  # noqa: ANN401 - whatever stands in the document
        """Return a number, None if it cannot be had; a name that is nowhere is an error."""
        return self._leaves[name]

    def has(self, name: str) -> bool:
        """Whether the document has a place of this name."""
        return name in self._leaves

    def reason(self, name: str) -> str:
        """Return in a few words why a number cannot be had."""
        return in_words(NULL_WORDS, self._reason(name))

    def reason_meaning(self, name: str) -> str:
        """Return in a sentence why a number cannot be had."""
        return NULL_MEANINGS.get(self._reason(name), "")

    def why(self, name: str) -> Why | None:
        """Return where a number comes from; None if the catalogue does not have it."""
        parts = name.split(".")
        entry = self._entries.get((parts[0], parts[-1])) or self._entries.get((parts[0], parts[1]))
        if entry is None:
            return None
        unit = _UNITS.get(entry.unit, entry.unit.value)
        if entry.unit in {Unit.MONEY, Unit.PRICE}:
            unit = self.currency
        return Why(entry.formula, unit, _window(entry), entry.source)

    def _reason(self, name: str) -> str:
        return self.nulls.get(name) or "not_computed_yet"


def place_of(name: str) -> str:
    """Return a name as the id of an element."""
    return "why-" + _NOT_OF_A_NAME.sub("-", name)


def _window(entry: Entry) -> str | None:
    if entry.window is None:
        return None
    if entry.window.sessions is None:
        return f"from the first session on; at least {entry.window.minimum}"
    return f"{entry.window.sessions} sessions; at least {entry.window.minimum} observed"
