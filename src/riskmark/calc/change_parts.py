"""Changes: the way of a number from one value to another, in steps that sum to the change.

    change = Σ (value after a step − value before it)

The number is known at both ends and, as far as it can be had, after every step between them:
all but one cause is held fixed at a time, in a stated order. Where it cannot be had in
between, the step has no part of its own, and the reason stands in its place; what it did is
then in the part of the next step after which there is a number. So the parts always sum.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

EQUAL = 1e-9
"""The share of a number within which a stored and a computed one are *equal*."""
ROUNDING = 1e-12
"""The share of a number, or of its scale, that arithmetic alone may change."""


class Step(NamedTuple):
    """What a number is once one more cause has had its effect; null with the reason.

    ``tolerance`` is the share of the number that is no effect at all.
    """

    part: str
    value: float | None
    reason: str | None = None
    tolerance: float = ROUNDING


class Part(NamedTuple):
    """What one cause did to a number; null, with the reason, where it cannot be told apart."""

    value: float | None
    reason: str | None = None


def split_change(
    start: float, steps: Sequence[Step], end: float, *, last: str, scale: float = 1.0
) -> Mapping[str, Part]:
    """Split ``end − start`` by the parts that ``steps`` and ``last``, the step to the end, name.

    A part that several steps name is the sum of theirs, as far as they have any. A step that
    changes the number by no more than its tolerance of it, or rounding of ``scale``, changes
    nothing. What rounding leaves over at the end goes to the last step that has a number, so
    that nothing is lost.
    """
    found: dict[str, Part] = {}
    value, nearest = start, last
    for step in steps:
        if step.value is None:
            _add(found, step.part, Part(None, step.reason))
            continue
        reached = value if _is_same(step.value, value, step.tolerance, scale) else step.value
        _add(found, step.part, Part(reached - value))
        value, nearest = reached, step.part
    _add(found, last, Part(0.0))
    rest = end - value
    _add(found, nearest if _is_same(end, value, ROUNDING, scale) else last, Part(rest))
    return found


def _is_same(after: float, before: float, tolerance: float, scale: float) -> bool:
    allowed = max(tolerance * max(abs(after), abs(before)), ROUNDING * scale)
    return abs(after - before) <= allowed


def _add(found: dict[str, Part], name: str, part: Part) -> None:
    before = found.get(name)
    if before is None or before.value is None:
        found[name] = part
    elif part.value is not None:
        found[name] = Part(before.value + part.value)
