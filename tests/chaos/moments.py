"""Moments within a piece of work: what is meant to meet it at work does."""

from collections.abc import Callable
from random import Random

TRIES = 12
"""Each looks for a moment in half of the time of the one before."""


def until_met(chance: Random, longest: float, attempt: Callable[[float], str | None]) -> str:
    """Attempt something at random moments up to one at which the work was not yet over.

    ``attempt`` is given the seconds from the work's beginning, and returns None if it came
    too late: that is no trial, and is not counted.
    """
    for _ in range(TRIES):
        said = attempt(chance.uniform(0, longest))
        if said is not None:
            return said
        longest /= 2
    raise AssertionError(f"the work was over before each of {TRIES} attempts")
