"""Explanations of a world, and what must hold of each."""

from datetime import date
from typing import Any

from riskmark.reports.explain import Explanation, load_explanation


def explain(
    world: Any, name: str, *, first: date | None = None, last: date | None = None
) -> Explanation:
    """Explain what changed between two sessions."""
    with world.app.database.read() as connection:
        return load_explanation(
            connection,
            world.app.principal,
            name,
            calendar=world.calendar,
            settings=world.app.settings,
            first=first,
            last=last,
        )


def assert_explained(found: Explanation, *, size: float) -> None:
    """Assert that the parts of every change sum to it; ``size`` is the scale of money."""
    for line in (*found.numbers, *found.factors):
        parts = line.parts.values()
        if line.change is None:
            assert line.null_side is not None
            assert all(part.value is None and part.reason for part in parts), line.name
            continue
        known = [part.value for part in parts if part.value is not None]
        causes = [part.value for part in line.causes.values() if part.value is not None]
        ends = abs(line.start.value or 0.0) + abs(line.end.value or 0.0)
        scale = size if line.name == "nav" else 1.0
        allowed = 1e-9 * abs(line.change) + 1e-12 * (scale + ends + sum(map(abs, causes)))
        assert abs(sum(known) - line.change) <= allowed, line.name
        assert abs(sum(causes) - line.change) <= allowed, line.name
        assert all(part.reason for part in parts if part.value is None), line.name
