"""What changed from one set of numbers to another of the same shape, leaf by leaf.

Numbers are subtracted, items of lists paired by their names. Words and truths have no
difference and are left out. What a position or a sector adds up to is 0 where it is not held;
what describes it (its mark, its beta) has no difference there and is left out everywhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from riskmark.reports.selection import NAMED_BY, leaves_of

_ADDED_UP: Mapping[str, tuple[str, ...]] = {
    "sectors": ("long", "short", "net", "gross"),
    "positions": ("quantity", "market_value", "weight", "component_es_95"),
}
"""The fields of lists whose items may be missing on one side."""


_WORDS = frozenset({"vol_trend", "har_fallback", "mwr_annualized"})
"""What is no number even where it is null."""


class Changes(NamedTuple):
    """Differences in the shape of what they are of, and a reason for each that is null."""

    document: dict[str, Any]
    nulls: dict[str, str]


class Leaf(NamedTuple):
    """One number of a document, by its name (``risk.beta``, ``stress.market_up_5.direct``)."""

    name: str
    value: float | None


def subtract(
    after: Mapping[str, Any],
    before: Mapping[str, Any],
    *,
    nulls: tuple[Mapping[str, str], Mapping[str, str]],
) -> Changes:
    """Return ``after`` − ``before``; ``nulls`` are the reasons for the nulls of each."""
    found = _Differences(*nulls)
    document = {name: found.of(name, value, before[name]) for name, value in after.items()}
    return Changes(document, found.nulls)


def leaves(document: Mapping[str, Any]) -> Iterator[Leaf]:
    """Yield every number of sections, and every null, in their order."""
    for name, value in leaves_of("", document):
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            yield Leaf(name, value)


class _Differences:
    """Walks two documents, and gathers the reasons for what cannot be subtracted."""

    def __init__(self, after: Mapping[str, str], before: Mapping[str, str]) -> None:
        self._after, self._before = after, before
        self.nulls: dict[str, str] = {}

    def of(self, name: str, after: Any, before: Any) -> Any:
        """Return the difference of two values of the same name."""
        if isinstance(after, Mapping):
            return self._of_mapping(name, after, before)
        if isinstance(after, list):
            return self._of_list(name, after, before)
        if after is None or before is None:
            reason = self._after.get(name) if after is None else self._before.get(name)
            if reason is not None:
                self.nulls[name] = reason
            return None
        return after - before

    def _of_mapping(
        self, name: str, after: Mapping[str, Any], before: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            key: self.of(f"{name}.{key}", value, before[key])
            for key, value in after.items()
            if key not in _WORDS and _has_difference(value) and _has_difference(before[key])
        }

    def _of_list(
        self, name: str, after: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        own = NAMED_BY[name]
        pairs = {
            tuple(item[key] for key in own): {"before": item} for item in before
        }  # fmt: skip
        for item in after:
            pairs.setdefault(tuple(item[key] for key in own), {})["after"] = item
        found = []
        for key, pair in pairs.items():
            head = dict(zip(own, key, strict=True))
            fields = _ADDED_UP.get(name)
            sides = [_side(pair.get(side), fields) for side in ("after", "before")]
            place = ".".join([name, *key])
            found.append(head | self._of_mapping(place, sides[0], sides[1]))
        return found


def _side(item: Mapping[str, Any] | None, fields: Sequence[str] | None) -> Mapping[str, Any]:
    """Return the fields of an item that have a difference; 0 where nothing is held."""
    if fields is None:
        return item or {}
    if item is None or item.get("quantity") == 0:
        return dict.fromkeys(fields, 0.0)
    return {name: item[name] for name in fields}


def _has_difference(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_difference, value.values()))
    return value is None or _is_number(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
