"""Documents: the JSON of a report, with the names of the interface.

Dates and instants are ISO text, instants in UTC with a Z; what people entered as decimals
is a number. NaN and infinities are refused: a number that cannot be had is null.
"""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import PurePath
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any] | list[Any]


def to_json(document: Document) -> str:
    """Write a document as JSON text, indented for people."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False, default=_plain_value)


def to_json_line(document: Document) -> str:
    """Write a document as JSON text in one line, for streams of them."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, default=_plain_value)


def instant_text(at: datetime | None) -> str | None:
    """Write an aware instant in UTC, to the second."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _plain_value(value: object) -> object:
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, PurePath):
        return str(value)
    msg = f"a document cannot hold a {type(value).__name__}"
    raise TypeError(msg)
