"""What requests say: a base that refuses what it does not know, dates and numbers as typed."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

MAX_FIELD = 1024
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Body(BaseModel):
    """What a request says; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", str_max_length=MAX_FIELD)

    @model_validator(mode="before")
    @classmethod
    def _has_no_nul(cls, given: Any) -> Any:  # noqa: ANN401 - whatever was sent
        """Refuse the one character that no database stores."""
        if isinstance(given, dict):
            for value in given.values():
                texts = value if isinstance(value, list) else [value]
                if any(isinstance(text, str) and "\x00" in text for text in texts):
                    raise ValueError("text has no NUL characters")
        return given


def _as_day(given: object) -> date:
    """Read an ISO date, and nothing else that could be meant as one."""
    if not isinstance(given, str) or not _DAY.fullmatch(given):
        raise ValueError("a date has the form YYYY-MM-DD")
    return date.fromisoformat(given)


def _as_typed(given: object) -> object:
    """Write a JSON number as a person would type it: the grammar is that of positions files."""
    if isinstance(given, bool):
        raise ValueError("a number, or a text that is one")  # noqa: TRY004 - pydantic's way
    if isinstance(given, int):
        return f"{given:d}" if abs(given) < _LARGEST else "1e99"
    if isinstance(given, float):
        text = format(Decimal(repr(given)), "f") if abs(given) < _LARGEST else "1e99"
        # What is that near zero keeps its exponent, of which the grammar speaks.
        return text if len(text) <= _LONGEST else repr(given)
    return given


def _as_number(given: object) -> object:
    """Read a JSON number, and not what could be meant as one."""
    if isinstance(given, bool | str):
        raise ValueError("a number")  # noqa: TRY004 - pydantic's way
    return given


_LARGEST = 10**15
"""Beyond what any grammar takes; a longer integer is not worth writing out."""
_LONGEST = 40

JSON_NUMBER = BeforeValidator(_as_number)
"""Behind the limits of a field of integers, which otherwise takes texts; ``5.0`` is one in JSON."""

Day = Annotated[date, BeforeValidator(_as_day)]
"""A date as YYYY-MM-DD."""

Typed = Annotated[
    str,
    BeforeValidator(_as_typed, json_schema_input_type=float | str),
    Field(
        max_length=_LONGEST, description="A number, or a text that is one: no exponent, 8 decimals."
    ),
]
"""A quantity, price or sum, which no float has rounded."""
