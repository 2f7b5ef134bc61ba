"""The change of one number between two sessions, and its parts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from riskmark.calc.change_parts import Part

ORDER = ("flows", "income", "trades", "prices", "window", "restatements")
"""The parts of a change, in the order of documents; they sum to it."""
WINDOW = ("leaving", "entering")
"""The parts of the part ``window``."""


class StoredEnd(NamedTuple):
    """What is stored of a number on a session; null with the reason."""

    value: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """What a number was, what it is, and what made the difference.

    ``causes`` are the parts that sum to the change, those of the window one by one.
    """

    name: str
    start: StoredEnd
    end: StoredEnd
    causes: Mapping[str, Part]

    @property
    def change(self) -> float | None:
        """The change; None if a session has no number."""
        if self.start.value is None or self.end.value is None:
            return None
        return self.end.value - self.start.value

    @property
    def null_side(self) -> str | None:
        """Which session has no number: ``from``, ``to`` or ``both``."""
        missing = [self.start.value is None, self.end.value is None]
        if all(missing):
            return "both"
        return "from" if missing[0] else "to" if missing[1] else None

    @property
    def parts(self) -> dict[str, Part]:
        """The parts that sum to the change, leaving and entering observations as one."""
        found = dict(self.causes)
        window = [found.pop(name) for name in WINDOW if name in found]
        if window:
            known = [part.value for part in window if part.value is not None]
            found["window"] = Part(sum(known)) if known else window[-1]
        return {name: found[name] for name in ORDER if name in found}

    def document(self) -> dict[str, Any]:
        """Return the line as JSON has it."""
        found: dict[str, Any] = {
            "from": self.start.value,
            "to": self.end.value,
            "change": self.change,
            "parts": {name: part.value for name, part in self.parts.items()},
        }
        if self.null_side is not None:
            found["null_side"] = self.null_side
        inside = {name: self.causes[name].value for name in WINDOW if name in self.causes}
        return {**found, "window": inside} if inside else found

    def nulls(self) -> Iterator[tuple[str, str]]:
        """Yield the line's nulls, each with its reason."""
        for name, end in (("from", self.start), ("to", self.end)):
            if end.value is None and end.reason is not None:
                yield name, end.reason
        why = self.start.reason or self.end.reason
        if self.change is None and why is not None:
            yield "change", why
        for name, part in self.parts.items():
            if part.value is None and part.reason is not None:
                yield f"parts.{name}", part.reason
        for name in WINDOW:
            if name in self.causes and self.causes[name].value is None:
                yield f"window.{name}", self.causes[name].reason or ""
