"""Historical replays of one session: what each episode would do to what is held then.

An episode runs from the last close on or before its first date to that of its last; a date
that is no session stands for the session before it. One that begins before the calendar, or
before any factor has a close, is null (``before_data``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from riskmark.calc.replay import Episode, Replays, replay
from riskmark.domain.factor_models import FactorModel
from riskmark.domain.reasons import NullReason
from riskmark.domain.scenarios import STRESS_MODEL, Replay
from riskmark.domain.sessions import Calendar
from riskmark.reports.recomputed import Recomputed
from riskmark.reports.shown_numbers import (
    Nulls,
    Number,
    null_of,
    nulls_of,
    number_at,
    values_of,
)
from riskmark.valuation.joint_fits import joint_fits
from riskmark.valuation.panels import Panel


class Span(NamedTuple):
    """The ordinals of an episode's first and last session; a first of −1: before them all."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class ReplayLine:
    """What an episode would gain or lose, in money, and the shares of gross it is known of."""

    scenario: str
    first: date
    last: date
    pnl: Number
    own_share: Number
    proxied_share: Number
    replayed_share: Number

    @property
    def numbers(self) -> dict[str, Number]:
        """The numbers by name."""
        return {name: getattr(self, name) for name in Replays._fields}

    def document(self) -> dict[str, Any]:
        """Return the line as JSON has it."""
        dates = {"scenario": self.scenario, "first": self.first, "last": self.last}
        return dates | values_of(self.numbers)

    def nulls(self) -> Nulls:
        """Yield the line's nulls."""
        yield from nulls_of(f"replays.{self.scenario}", self.numbers)


def span_of(one: Replay, calendar: Calendar) -> Span:
    """Return the sessions that a replay runs from and to."""
    return Span(calendar.on_or_before(one.first), calendar.on_or_before(one.last))


def first_replayed(replays: Sequence[Replay], calendar: Calendar, *, session: date) -> int | None:
    """Return the first session whose closes the replays need that are over by ``session``."""
    shown = calendar.on_or_before(session)
    spans = (span_of(one, calendar) for one in replays)
    return min((max(one.first, 0) for one in spans if one.last <= shown), default=None)


def replay_cell(
    found: Recomputed | None, replays: Sequence[Replay], calendar: Calendar
) -> tuple[ReplayLine, ...]:
    """Take what a cell holds through ``replays``."""
    if found is None:
        nothing = null_of(NullReason.NO_HOLDINGS)
        return tuple(
            ReplayLine(one.name, one.first, one.last, nothing, nothing, nothing, nothing)
            for one in replays
        )
    inputs = found.inputs
    spans = [span_of(one, calendar) for one in replays]
    shown = inputs.panel.first + found.row
    # One symbol with absurd prices must not take the replays of all others with it.
    with np.errstate(over="ignore", invalid="ignore"):
        result = replay(
            found.held.included,
            joint_fits(inputs.fits[STRESS_MODEL]),
            [_episode(found, span, shown) for span in spans],
            fit_row=found.cells.offset,
            is_over=np.array([[span.last <= shown for span in spans]], dtype=np.bool_),
            books=found.held.books,
            options=found.held.options,
        )
    return tuple(
        ReplayLine(one.name, one.first, one.last, *(number_at(part, 0, place) for part in result))
        for place, one in enumerate(replays)
    )


def _episode(found: Recomputed, span: Span, shown: int) -> Episode:
    """Cut what was observed after the first session of an episode, up to its last."""
    panel, factors = found.inputs.panel, found.inputs.factors.returns[STRESS_MODEL]
    model = found.inputs.fits[STRESS_MODEL].model
    start, stop = span.first - panel.first, span.last - panel.first + 1
    is_over = span.last <= shown
    # The panel ends with the session shown, and need not reach back for what is not over.
    in_data = span.first >= 0 and (not is_over or _has_begun(panel, model, start))
    rows = slice(start + 1, stop) if in_data and is_over else slice(0)
    return Episode(found.held.returns[rows], factors[rows], in_data)


def _has_begun(panel: Panel, model: FactorModel, row: int) -> bool:
    """Whether one of the factors was observed on or before the panel's ``row``."""
    for factor in model.factors:
        columns = [panel.symbol_column.get(symbol) for symbol in factor.symbols]
        if columns and all(
            column is not None and panel.marks.age[row, column] >= 0 for column in columns
        ):
            return True
        imported = panel.imported.get(factor.column or "")
        if imported is not None and np.isfinite(imported[: row + 1]).any():
            return True
    return False
