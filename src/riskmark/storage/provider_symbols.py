"""Symbols of which a provider said it has nothing, and when it is asked for them again.

Each time that it says so again it is left in peace twice as long, to a limit: a symbol may
be listed tomorrow, and one that was renamed would else be asked for every night.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from riskmark.domain.reasons import AnswerReason
from riskmark.storage import schema
from riskmark.storage.engines import upsert

LONGEST = timedelta(days=30)
_TABLE = schema.provider_symbol


class Refusal(NamedTuple):
    """What a provider said of a symbol, believed until then."""

    reason: AnswerReason
    detail: str
    until: datetime

    @property
    def told(self) -> str:
        """The detail, marked as said before."""
        again = f"remembered, asked again after {self.until:%Y-%m-%d %H:%M} UTC"
        return f"{self.detail} ({again})" if self.detail else again


class Denial(NamedTuple):
    """A provider's word that it has nothing of a symbol, believed for a while the first time.

    ``grows``: it is believed for longer each time that it is said.
    """

    provider: str
    symbol: str
    reason: AnswerReason
    detail: str
    believed: timedelta
    grows: bool = True


def load_refusals(connection: Connection, *, at: datetime) -> Mapping[str, Mapping[str, Refusal]]:
    """Return what is still believed, by symbol and provider."""
    found: dict[str, dict[str, Refusal]] = {}
    for row in connection.execute(select(_TABLE).where(_TABLE.c.until > at)):
        refusal = Refusal(AnswerReason(row.reason), row.detail, row.until)
        found.setdefault(row.symbol, {})[row.provider] = refusal
    return found


def save_denials(connection: Connection, denials: Iterable[Denial], *, at: datetime) -> None:
    """Remember that providers lack symbols, for twice as long as the time before if it grows."""
    for one in denials:
        key = (_TABLE.c.provider == one.provider) & (_TABLE.c.symbol == one.symbol)
        known = connection.execute(select(_TABLE.c.misses).where(key)).scalar()
        misses = (known or 0) + 1 if one.grows else 1
        wait = min(LONGEST, one.believed * 2 ** min(misses - 1, 16))
        values = {
            "reason": one.reason,
            "detail": one.detail,
            "misses": misses,
            "asked_at": at,
            "until": at + wait,
        }
        named = {"provider": one.provider, "symbol": one.symbol}
        upsert(connection, _TABLE, named, values)


def forget_denials(connection: Connection, provider: str, symbols: Iterable[str]) -> None:
    """Forget what a provider said of symbols that it now has."""
    for symbol in symbols:
        key = (_TABLE.c.provider == provider) & (_TABLE.c.symbol == symbol)
        connection.execute(delete(_TABLE).where(key))
