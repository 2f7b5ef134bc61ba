"""What options have made beyond their delta: by curvature, the passing of time and volatility.

    beyond delta(t) = P&L(t) − delta exposure(t−1) · return of the underlying(t)

of every option that was held at the close before. Of one that was traded within the session,
what the trade made is in it too, as its stored P&L is not taken apart by lot.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray
from riskmark.domain.reasons import NullReason, SymbolReason
from riskmark.domain.sessions import Calendar
from riskmark.reports.pnl_apart import OptionPnl
from riskmark.settings import Settings
from riskmark.storage.contracts import load_contracts
from riskmark.storage.packs import load_closes
from riskmark.valuation.panels import build_panel, load_instruments


class Inseparable(NamedTuple):
    """P&L of an option on the session in a place of those asked for, and why it is not split."""

    place: int
    reason: str
    pnl: float


class BeyondDelta(NamedTuple):
    """What options have made beyond delta (S,), and what of them cannot be split."""

    pnl: FloatArray
    rest: tuple[Inseparable, ...]

    def reasons(self, explained: BoolArray) -> dict[str, dict[int, float]]:
        """Return, by reason, the P&L that is not split of each place that is ``explained``."""
        found: dict[str, dict[int, float]] = {}
        for one in self.rest:
            if explained[one.place]:
                sums = found.setdefault(one.reason, {})
                sums[one.place] = sums.get(one.place, 0.0) + one.pnl
        return found


def load_beyond_delta(
    connection: Connection,
    calendar: Calendar,
    settings: Settings,
    options: Sequence[OptionPnl],
    *,
    ordinals: IntArray,
) -> BeyondDelta:
    """Take the delta out of the P&L of ``options`` on the sessions ``ordinals``, ascending.

    Without the delta of the close before, or a return of the underlying on the session, there is
    nothing to take out: that P&L is in ``rest``.
    """
    pnl, rest = np.zeros(len(ordinals)), []
    if not options:
        return BeyondDelta(pnl, ())
    underlying = {
        one.instrument_id: one.underlying_id
        for one in load_contracts(connection, {one.instrument_id for one in options})
    }
    ids = sorted({key for key in underlying.values() if key is not None})
    returns = _returns(connection, calendar, settings, ids, ordinals=ordinals)
    column = {key: place for place, key in enumerate(ids)}
    for one in options:
        place = column.get(underlying.get(one.instrument_id) or 0)
        moved = np.nan if place is None else returns[one.place, place]
        if one.exposure is None:
            rest.append(Inseparable(one.place, NullReason.NOT_COMPUTED_YET, one.pnl))
        elif np.isnan(moved):
            rest.append(Inseparable(one.place, SymbolReason.UNDERLYING_UNPRICED, one.pnl))
        else:
            pnl[one.place] += one.pnl - one.exposure * moved
    return BeyondDelta(pnl, tuple(rest))


def _returns(
    connection: Connection,
    calendar: Calendar,
    settings: Settings,
    ids: Sequence[int],
    *,
    ordinals: IntArray,
) -> FloatArray:
    """Return the returns of instruments on the sessions, (S, N); NaN where not observed."""
    before = max(int(ordinals[0]) - 1, 0)
    panel = build_panel(
        connection,
        calendar,
        load_instruments(connection, ids, base_currency=settings.base_currency),
        load_closes(connection, calendar, ids, start=before),
        named={},
        first=before,
        last=int(ordinals[-1]),
    )
    found: FloatArray = panel.marks.returns[ordinals - before]
    return found
