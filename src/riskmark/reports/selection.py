"""Some measures of a snapshot's document, in its own shape.

A place in the document has a dotted name: ``risk.var_95``, ``factor_risk.contributions.Market``;
items of a list are named by their keys, as nulls are: ``positions.AAPL``,
``factors.style.Market.stderr``, ``backtests.var.var_95``. A measure that has its name to itself
needs no section: ``beta``.
"""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from riskmark.domain.measures import SECTION_OF
from riskmark.errors import InputError
from riskmark.reports.shown import SESSIONS_TO_SELL_95, Part, parts_at

NAMED_BY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "factors": ("model", "factor"),
        "sectors": ("sector",),
        "stress": ("scenario",),
        "replays": ("scenario",),
        "positions": ("symbol",),
        "backtests.var": ("measure",),
        "backtests.volatility": ("measure",),
    }
)
"""The keys of a list's items that name them; those of ``factors`` and ``positions`` are the
same within each scenario of ``stress``."""

_HEAD = ("portfolio", "session", "state", "reasons")
_NO_PART = frozenset({*_HEAD, "nulls", "provenance"})
_SECTION_OF: Mapping[str, str] = MappingProxyType(
    {name: section for name, section in SECTION_OF.items() if section != "correlation"}
    | {
        "effective_rank": "correlation",
        "mwr_annualized": "performance",
        "max_drawdown_sessions": "performance",
        SESSIONS_TO_SELL_95: "risk",
    }
)
"""The section of each measure that may be named without it."""

_NEAR = 0.85
"""How like a place in the same section must be to be what was meant."""


class UnknownMeasure(InputError):
    """Nothing that is shown has this name."""

    def __init__(self, name: str, sections: Iterable[str], places: Iterable[str]) -> None:
        beside = [place for place in places if place.startswith(name.partition(".")[0] + ".")]
        near = get_close_matches(name, beside, n=3, cutoff=_NEAR)
        if not near:
            near = get_close_matches(name.rpartition(".")[2], [*_SECTION_OF, *sections], n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        super().__init__(f"there is no measure {name!r}{hint}")
        self.name = name


def parts_of(names: Iterable[str]) -> frozenset[Part]:
    """Return what has to be computed for the chosen ``names``."""
    return parts_at(_full_name(name) for name in names)


def choose_measures(document: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the head of a snapshot's document with the chosen measures and their nulls.

    A name is that of any place in the document, or of a measure alone (``beta``).
    """
    listed = {_full_name(name): name for name in names}
    chooser = _Chooser(frozenset(listed))
    body = {name: value for name, value in document.items() if name not in _NO_PART}
    found: dict[str, Any] = chooser.choose("", body)
    for full, name in listed.items():
        if full not in chooser.met:
            raise UnknownMeasure(name, body, chooser.seen)
    found["provenance"] = document["provenance"]
    nulls = {
        name: document["nulls"][name]
        for name, value in leaves_of("", found)
        if value is None and name in document["nulls"]
    }
    return {key: document[key] for key in _HEAD} | found | {"nulls": nulls}


def leaves_of(name: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield the leaves of a part of the document, by their names; unnamed lists are leaves."""
    keys = _keys_of(name)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves_of(_join(name, key), inner)
    elif isinstance(value, list) and keys:
        for item in value:
            own = {key: inner for key, inner in item.items() if key not in keys}
            yield from leaves_of(_join(name, *(item[key] for key in keys)), own)
    else:
        yield name, value


class _Chooser:
    """Cuts the wanted places out of a document; ``met`` are those that were there.

    ``seen`` are the names of the places that were walked by.
    """

    def __init__(self, wanted: frozenset[str]) -> None:
        self._wanted = wanted
        self.met: set[str] = set()
        self.seen: list[str] = []

    def choose(self, name: str, value: Any) -> Any:
        """Return what is wanted of ``value``, which stands at ``name``; empty if nothing is."""
        if isinstance(value, Mapping):
            chosen = {key: self._at(_join(name, key), inner) for key, inner in value.items()}
            return {key: inner for key, inner in chosen.items() if inner is not _NOTHING}
        keys = _keys_of(name)
        if not isinstance(value, list) or not keys:
            return {}
        items = []
        for item in value:
            names = {key: item[key] for key in keys}
            group = _join(name, item[keys[0]])  # all factors of a model
            own = _join(name, *names.values())
            fields = {key: inner for key, inner in item.items() if key not in keys}
            chosen = fields if self._meets(group) else self._at(own, fields)
            if chosen is not _NOTHING:
                items.append(names | chosen)
        return items

    def _at(self, name: str, value: Any) -> Any:
        """Return all of ``value``, some of it, or ``_NOTHING``."""
        self.seen.append(name)
        if self._meets(name):
            return value
        if not any(one.startswith(f"{name}.") for one in self._wanted):
            return _NOTHING
        return self.choose(name, value) or _NOTHING

    def _meets(self, name: str) -> bool:
        if name not in self._wanted:
            return False
        self.met.add(name)
        return True


_NOTHING = object()


def _keys_of(name: str) -> tuple[str, ...]:
    """Return the keys that name the items of the list at ``name``; none: it has no such items."""
    if name.startswith("stress."):
        return {"factors": ("factor",), "positions": ("symbol",)}.get(name.rpartition(".")[2], ())
    return NAMED_BY.get(name, ())


def _full_name(name: str) -> str:
    section = _SECTION_OF.get(name)
    return name if section is None else f"{section}.{name}"


def _join(name: str, *more: str) -> str:
    return ".".join([name, *more] if name else more)
