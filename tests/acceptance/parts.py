"""P&L and changes of a world in parts, and what must hold of them."""

from datetime import date
from typing import Any

from riskmark.reports.attribution import Attribution, load_attribution
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


def attribute(world: Any, name: str, **how: Any) -> Attribution:
    """Attribute the P&L of a session or a range."""
    with world.app.database.read() as connection:
        return load_attribution(
            connection,
            world.app.principal,
            name,
            calendar=world.calendar,
            settings=world.app.settings,
            **how,
        )


def assert_sums(found: Attribution, *, size: float) -> None:
    """Assert that every way gives the P&L, to 1e-9 of it and of what it is made of."""
    by = found.by_factor
    parts = [line.pnl or 0.0 for line in by.factors] + [by.unexplained]
    parts += [by.specific or 0.0, by.excluded or 0.0, by.beyond_delta or 0.0]
    parts += [by.trading or 0.0]
    ways = {
        "positions": [line.pnl for line in found.positions],
        "sectors": [line.pnl for line in found.sectors],
        "factors": parts,
        "gains": [found.realized, found.unrealized, found.income],
    }
    for name, each in ways.items():
        allowed = 1e-9 * abs(found.pnl) + 1e-12 * (size + sum(map(abs, each)))
        assert abs(sum(each) - found.pnl) <= allowed, (name, found.first, found.last)


def assert_in_parts(world: Any, name: str, sessions: list[date], *, size: float) -> None:
    """Assert that all that can be taken apart of a book sums, from its first session on."""
    assert_sums(attribute(world, name), size=size)
    assert_sums(attribute(world, name, first=sessions[0]), size=size)
    for first in {sessions[0], sessions[-2]} if len(sessions) > 1 else ():
        assert_explained(explain(world, name, first=first, last=sessions[-1]), size=size)
