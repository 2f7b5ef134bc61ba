"""Some measures of a snapshot's document, in its own shape."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from riskmark.domain.measures import SECTION_OF
from riskmark.errors import InputError

_HEAD = ("portfolio", "session", "state", "reasons")
_SECTIONS = ("snapshot", "performance", "risk", "concentration")
_WHOLE = (
    "factors", "factor_risk", "sectors", "stress", "replays", "correlation",
    "factor_correlation", "positions",
)  # fmt: skip
_PLACE_OF = {
    **{name: section for name, section in SECTION_OF.items() if section in _SECTIONS},
    "positions": "positions",
    "mwr_annualized": "performance",
    "max_drawdown_sessions": "performance",
}


class UnknownMeasure(InputError):
    """Nothing that is shown has this name."""

    def __init__(self, name: str) -> None:
        known = [*_PLACE_OF, *_SECTIONS, *_WHOLE]
        near = get_close_matches(name.rpartition(".")[2], known, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        super().__init__(f"there is no measure {name!r}{hint}")
        self.name = name


def choose_measures(document: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the head of a snapshot's document with the chosen measures and their nulls.

    A name is that of a measure (``beta`` or ``risk.beta``), a section, or a list.
    """
    wanted = [_place(name) for name in names]
    chosen: dict[str, Any] = {key: document[key] for key in _HEAD}
    nulls: dict[str, str] = {}
    for part in (*_SECTIONS, *_WHOLE):
        leaves = [leaf for place, leaf in wanted if place == part]
        if not leaves:
            continue
        if None in leaves:
            chosen[part] = document[part]
            prefixes: tuple[str, ...] = (f"{part}.",)
        else:
            chosen[part] = {leaf: document[part][leaf] for leaf in dict.fromkeys(leaves)}
            prefixes = tuple(f"{part}.{leaf}." for leaf in leaves)
        nulls |= {
            name: reason
            for name, reason in document["nulls"].items()
            if f"{name}.".startswith(prefixes)
        }
    chosen["nulls"] = nulls
    chosen["provenance"] = document["provenance"]
    return chosen


def _place(name: str) -> tuple[str, str | None]:
    """Return the part of the document that ``name`` stands for, and the leaf in it."""
    if name in (*_SECTIONS, *_WHOLE):
        return name, None
    section, _, leaf = name.rpartition(".")
    place = "snapshot" if name == "snapshot.positions" else _PLACE_OF.get(leaf)
    if place is None or place in _WHOLE or section not in {"", place}:
        raise UnknownMeasure(name)
    return place, leaf
