"""What ``show --json`` says of a book, and what must hold of every number in it."""

import json
import math
from collections.abc import Iterator
from datetime import date
from typing import Any

from tests.acceptance.world import World

from riskmark.domain.reasons import NullReason
from riskmark.reports.documents import to_json
from riskmark.reports.snapshot import load_snapshot

_NAMED_BY = {
    "factors": ("model", "factor"),
    "sectors": ("sector",),
    "stress": ("scenario",),
    "replays": ("scenario",),
    "positions": ("symbol",),
    "var": ("measure",),
    "volatility": ("measure",),
}
"""What names an item of a list in ``nulls``."""
_ABOUT = {"portfolio", "session", "state", "reasons", "nulls"}
"""Sections that say what the numbers are of."""


def show(world: World, name: str, session: date | None = None) -> dict[str, Any]:
    """Return what ``show --json`` says of a book."""
    with world.app.database.read() as connection:
        found = load_snapshot(
            connection, world.app.principal, name, settings=world.app.settings, session=session
        )
    document: dict[str, Any] = json.loads(to_json(found.document()))
    return document


def assert_shown_soundly(document: dict[str, Any]) -> None:
    """Assert that every leaf is finite, or null with a reason, and no reason is of a number."""
    sections = {key: value for key, value in document.items() if key not in _ABOUT}
    leaves = dict(_leaves(sections, ""))
    missing = {name for name, value in leaves.items() if value is None}
    assert missing == set(document["nulls"])
    assert set(document["nulls"].values()) <= set(NullReason)
    numbers = [value for value in leaves.values() if isinstance(value, float)]
    assert all(map(math.isfinite, numbers))
    assert len(numbers) + len(missing) > 0


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(one, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from _leaves(one, f"{path}.{_name_of(one, path, place)}")
    else:
        yield path, value


def _name_of(item: Any, path: str, place: int) -> str:
    names = _NAMED_BY.get(path.rpartition(".")[2], ())
    if not isinstance(item, dict) or not names:
        return str(place)
    return ".".join(str(item[key]) for key in names if key in item)
