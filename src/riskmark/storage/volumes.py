"""Volumes of some instruments, as traded, in the form that liquidity is computed from."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from riskmark.domain.sessions import Calendar
from riskmark.storage.engines import as_date, bind_date, read_rows
from riskmark.storage.key_lists import among


def load_volumes(
    connection: Connection,
    calendar: Calendar,
    instrument_ids: Sequence[int],
    *,
    first: int,
    last: int,
) -> npt.NDArray[np.float64]:
    """Read the volumes from ``first`` to ``last`` (ordinals): sessions × instruments.

    NaN where no volume is stored.
    """
    found = np.full((last - first + 1, len(instrument_ids)), np.nan)
    place = {key: column for column, key in enumerate(instrument_ids)}
    listed = among(connection, list(place))
    rows = read_rows(
        connection,
        "SELECT instrument_id, session, volume FROM price "
        f"WHERE instrument_id {listed.sql} AND session BETWEEN ? AND ? AND volume IS NOT NULL",
        (
            *listed.values,
            bind_date(connection, calendar.sessions[first]),
            bind_date(connection, calendar.sessions[last]),
        ),
    )
    for key, day, volume in rows:
        session = as_date(day)
        if calendar.is_session(session):
            found[calendar.on_or_before(session) - first, place[key]] = volume
    return found
