"""Numbers that are computed when they are shown: each is a value, or the reason for a null."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from riskmark.calc.arrays import Measure, reason_of
from riskmark.calc.volatility import TREND_OF
from riskmark.domain.reasons import NullReason

Nulls = Iterator[tuple[str, str]]
"""Pairs of a null's name and its reason."""


class Number(NamedTuple):
    """A number, or why there is none; never both."""

    value: float | None
    reason: NullReason | None = None


def number_at(found: Measure, *at: int) -> Number:
    """Take one number out of a measure; what left the range of floats is not defined."""
    reason = reason_of(int(found.nulls[at]))
    if reason is not None:
        return Number(None, reason)
    value = float(found.values[at]) + 0.0  # −0 is 0
    return Number(value) if math.isfinite(value) else Number(None, NullReason.NOT_DEFINED)


def null_of(reason: NullReason) -> Number:
    """Make the null that has ``reason``."""
    return Number(None, reason)


def nulls_of(prefix: str, numbers: Mapping[str, Number]) -> Nulls:
    """Yield the nulls among ``numbers``, by name after ``prefix``."""
    for name, one in numbers.items():
        if one.reason is not None:
            yield f"{prefix}.{name}", one.reason


def values_of(numbers: Mapping[str, Number]) -> dict[str, float | None]:
    """Return the values alone, as JSON has them."""
    return {name: one.value for name, one in numbers.items()}


def shown_name(measure: str) -> str:
    """Return the name that ``show`` has for a measure: ``corr_mean`` is its section's mean."""
    return measure.removeprefix("corr_")


def with_words(measures: Mapping[str, float | None]) -> dict[str, Any]:
    """Return measures, those of risk among them, with words for what is stored as a code."""
    trend, fallback = measures["vol_trend"], measures["har_fallback"]
    return {
        **measures,
        "vol_trend": None if trend is None else TREND_OF[int(trend)],
        "har_fallback": None if fallback is None else bool(fallback),
    }
