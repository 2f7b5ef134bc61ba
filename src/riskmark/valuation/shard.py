"""A shard's valuation: NAV, P&L, positions and performance of all its books at once.

Nothing is rolled forward from stored rows: the numbers of a session follow from the lots,
flows, prices and actions up to it alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from riskmark.calc.accounting import Books, BookValues, Flows, value_books
from riskmark.calc.arrays import BoolArray, FloatArray, IntArray
from riskmark.calc.lots import Lots
from riskmark.calc.marks import MarkPanel
from riskmark.calc.model_fits import ModelFits
from riskmark.calc.performance import Performance, measure_performance
from riskmark.calc.positions import Positions
from riskmark.domain.reasons import STALE_AFTER, MarkKind
from riskmark.valuation.bases import base_rows
from riskmark.valuation.factors import SessionFactors
from riskmark.valuation.numbers import MARK_KINDS
from riskmark.valuation.panels import Panel

KIND = {kind: code for code, kind in enumerate(MARK_KINDS)}
"""The place of each mark kind in MARK_KINDS, as arrays hold it."""


@dataclass(frozen=True, slots=True)
class ShardInputs:
    """Everything a shard is computed from: arrays, cut to what its portfolios need.

    ``columns`` (n,) are the columns of ``panel`` in use; lots name places in it. ``rows``
    are the panel rows spanned; ``planned`` (P, R) says which cells are asked for.
    ``fits`` are each model's, for the rows and columns; ``market`` (T,) is the Market factor,
    and ``factors`` are all factors, for the rows.
    """

    panel: Panel
    columns: IntArray
    rows: range
    planned: BoolArray
    books: Books
    lots: Lots
    flows: Flows
    fits: Mapping[str, ModelFits]
    market: FloatArray
    factors: SessionFactors
    risk_free: float

    @property
    def cut(self) -> int:
        """The panel row at which the books' own history begins; their rows count from it.

        One session before the first of any book, so that a date stated on a weekend before
        the first entry has a row too.
        """
        return max(int(self.books.first_row.min()) - 1, 0)


@dataclass(frozen=True, slots=True)
class Valued:
    """The valuation of a shard, before analytics.

    ``kind`` (a place in MARK_KINDS, −1: not held), ``age`` and ``mark`` are (K, R), like the
    positions. Rows of ``values`` and ``performance`` count from the shard's cut.
    """

    values: BookValues
    performance: Performance
    kind: IntArray
    age: IntArray
    mark: FloatArray


def value(inputs: ShardInputs) -> Valued:
    """Value every position and book of the shard."""
    panel = inputs.panel
    cut = inputs.cut
    marks = _cut_marks(panel.marks, inputs.columns, cut, inputs.rows.stop)
    rows = range(inputs.rows.start - cut, inputs.rows.stop - cut)
    values = value_books(
        inputs.books._replace(first_row=inputs.books.first_row - cut),
        inputs.lots._replace(
            stated_row=np.maximum(inputs.lots.stated_row - cut, -1),
            entry_row=inputs.lots.entry_row - cut,
            exit_stated_row=inputs.lots.exit_stated_row - cut,
            exit_row=inputs.lots.exit_row - cut,
        ),
        inputs.flows._replace(row=inputs.flows.row - cut),
        marks,
        rows=rows,
    )
    days = panel.days[cut : inputs.rows.stop]
    to_date, rolling = base_rows(days, rows)
    performance = measure_performance(
        values.paths,
        rows=rows,
        day_numbers=days,
        to_date_base=to_date,
        rolling_base=rolling,
        first_row=inputs.books.first_row - cut,
        risk_free=inputs.risk_free,
    )
    return Valued(values, performance, *_mark_positions(inputs, values.positions))


def _cut_marks(marks: MarkPanel, columns: IntArray, start: int, stop: int) -> MarkPanel:
    if columns.size == marks.mark.shape[1]:
        return MarkPanel._make(one[start:stop] for one in marks)
    return MarkPanel._make(one[start:stop, columns] for one in marks)


def _mark_positions(
    inputs: ShardInputs, positions: Positions
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return kind, age and mark of each position on each row, all (K, R)."""
    column = inputs.columns[positions.instrument]
    stretch = slice(inputs.rows.start, inputs.rows.stop)
    age = inputs.panel.marks.age[stretch, column].T.astype(np.int64)
    kind = np.full(age.shape, KIND[MarkKind.CLOSE], dtype=np.int64)
    kind[age > 0] = KIND[MarkKind.CARRIED]
    kind[age > STALE_AFTER] = KIND[MarkKind.STALE]
    kind[inputs.panel.manual[column]] = KIND[MarkKind.MANUAL]
    if inputs.panel.options is not None:
        which = inputs.panel.options.place[column]
        place = np.flatnonzero(which >= 0)
        is_model = np.zeros(kind.shape, dtype=bool)
        is_model[place] = inputs.panel.options.is_model[stretch, which[place]].T
        kind[is_model] = KIND[MarkKind.MODEL]
    mark = inputs.panel.marks.mark[stretch, column].T.copy()
    kind[positions.at_cost] = KIND[MarkKind.COST]
    age[positions.at_cost] = -1
    mark[positions.at_cost] = positions.cost_mark[positions.at_cost]
    kind[~positions.held] = -1
    age[~positions.held] = -1
    mark[~positions.held] = np.nan
    return kind, age, mark
