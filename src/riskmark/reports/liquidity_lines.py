"""How many sessions it takes to sell the positions of one session, and 95 % of them all.

Volumes are those of the last 20 sessions to the one shown; bars in quarantine do not count.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from riskmark.calc.arrays import Measure
from riskmark.calc.liquidity import SPAN, portfolio_sessions, sessions_to_sell, usual_volume
from riskmark.domain.reasons import NullReason
from riskmark.domain.sessions import Calendar
from riskmark.reports.recomputed import Recomputed
from riskmark.reports.shown_numbers import Number, null_of, number_at
from riskmark.storage.volumes import load_volumes


@dataclass(frozen=True, slots=True)
class Liquidity:
    """Sessions to sell: of the portfolio, and of each position held, by symbol."""

    portfolio: Number
    positions: Mapping[str, Number]

    def of(self, symbol: str, *, is_closed: bool) -> Number:
        """Return the sessions of a stored position, which may not be held any more."""
        if is_closed:
            return null_of(NullReason.CLOSED)
        return self.positions.get(symbol, null_of(NullReason.NO_HOLDINGS))


def measure_liquidity(
    connection: Connection, calendar: Calendar, found: Recomputed | None
) -> Liquidity:
    """Read the volumes of what a cell holds, and measure how long it takes to sell it."""
    if found is None:
        return Liquidity(null_of(NullReason.NO_HOLDINGS), {})
    cells, positions = found.cells, found.valued.values.positions
    place = cells.position_instrument[cells.is_held]
    quantity = cells.of_position(positions.quantity)[cells.is_held]
    usual = _usual_volumes(connection, calendar, found)
    sessions = sessions_to_sell(quantity, Measure(usual.values[place], usual.nulls[place]))
    symbols = found.symbols
    value = cells.holdings(cells.of_position(positions.market_value), cells.is_held)
    return Liquidity(
        portfolio=number_at(portfolio_sessions(value, sessions), 0),
        positions={symbols[column]: number_at(sessions, at) for at, column in enumerate(place)},
    )


def _usual_volumes(connection: Connection, calendar: Calendar, found: Recomputed) -> Measure:
    """Return the usual volume of each column in use."""
    panel, columns = found.inputs.panel, found.inputs.columns
    start = max(found.row - SPAN + 1, 0)
    volume = load_volumes(
        connection,
        calendar,
        [panel.instruments[column].instrument_id for column in columns.tolist()],
        first=panel.first + start,
        last=panel.first + found.row,
    )
    rows = np.arange(start, found.row + 1)[:, None]
    volume[rows >= panel.quarantine_row[columns]] = np.nan
    split_index = panel.marks.split_index[start : found.row + 1, columns]
    return usual_volume(volume, split_index, row=found.row - start)
