"""Column types that mean the same on SQLite and on PostgreSQL."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import DateTime, Dialect, Numeric, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from riskmark.intake.numbers import decimal_text

_INSTANT = "%Y-%m-%d %H:%M:%S.%f"


class ExactDecimal(TypeDecorator[Decimal]):
    """What people enter: NUMERIC(20,8), on SQLite canonical decimal text.

    SQLite's own NUMERIC turns digits into floats and loses some of them.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use text on SQLite, NUMERIC elsewhere."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(Numeric(20, 8))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Write a Decimal; on SQLite without exponent and trailing zeros."""
        if value is None or dialect.name != "sqlite":
            return value
        return decimal_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Read a Decimal without trailing zeros."""
        if value is None:
            return None
        return Decimal(decimal_text(Decimal(value)))


class Instant(TypeDecorator[datetime]):
    """An aware datetime: timestamptz, on SQLite text in UTC that sorts by time."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use text on SQLite, timestamptz elsewhere."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Write an instant; a naive datetime is refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = f"an instant needs a time zone: {value!r}"
            raise ValueError(msg)
        if dialect.name == "sqlite":
            return instant_text(value)
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Read an instant, in UTC."""
        if value is None:
            return None
        if isinstance(value, str):
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        found: datetime = value
        return found.astimezone(UTC)


def instant_text(value: datetime) -> str:
    """Write an aware datetime as SQLite stores it."""
    return value.astimezone(UTC).strftime(_INSTANT)
