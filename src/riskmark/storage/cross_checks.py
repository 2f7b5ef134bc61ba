"""Which symbols a second provider is asked for next, and where the two differed."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert

from riskmark.storage import schema
from riskmark.storage.engines import bind_date, read_rows, upsert

_CHECK, _DIFFERENCE = schema.cross_check, schema.price_difference
NOT_ASKED = "not_asked"


class Sampled(NamedTuple):
    """A symbol of tonight's sample."""

    instrument_id: int
    symbol: str


class Compared(NamedTuple):
    """A comparison: with whom, how it answered, and how many sessions both had.

    By default with nobody: no provider of another failure domain could be asked.
    """

    instrument_id: int
    target: date
    provider: str = ""
    reason: str = NOT_ASKED
    sessions: int = 0


class Difference(NamedTuple):
    """A session on which the closes of two providers differ."""

    session: date
    close: float
    stored_close: float
    stored_provider: str


def load_sample(connection: Connection, *, target: date, most: int) -> tuple[Sampled, ...]:
    """Return what is left of a night's sample: symbols compared longest ago, or never.

    Only public instruments with a close at ``target``, which somebody follows now.
    """
    day = bind_date(connection, target)
    done = read_rows(connection, "SELECT count(*) FROM cross_check WHERE target >= ?", (day,))
    rows = read_rows(
        connection,
        "SELECT i.id, i.symbol FROM instrument i "
        "JOIN price p ON p.instrument_id = i.id AND p.session = ? "
        "LEFT JOIN cross_check c ON c.instrument_id = i.id "
        "WHERE i.owner_id IS NULL AND (c.target IS NULL OR c.target < ?) "
        "ORDER BY c.target IS NOT NULL, c.target, i.symbol LIMIT ?",
        (day, day, max(0, most - done[0][0])),
    )
    return tuple(Sampled(*row) for row in rows)


def save_comparison(
    connection: Connection, one: Compared, differences: Sequence[Difference], *, at: datetime
) -> None:
    """Store a comparison; the differences of an earlier one with the same provider go."""
    values = {
        "target": one.target,
        "provider": one.provider,
        "reason": one.reason,
        "compared": one.sessions,
        "at": at,
    }
    upsert(connection, _CHECK, {"instrument_id": one.instrument_id}, values)
    if not one.sessions:
        return
    mine = _DIFFERENCE.c.instrument_id == one.instrument_id
    connection.execute(delete(_DIFFERENCE).where(mine, _DIFFERENCE.c.provider == one.provider))
    if differences:
        rows = [
            {"instrument_id": one.instrument_id, "provider": one.provider, "at": at, **d._asdict()}
            for d in differences
        ]
        connection.execute(insert(_DIFFERENCE), rows)
