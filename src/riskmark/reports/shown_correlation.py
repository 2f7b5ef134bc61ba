"""The correlation matrices of one session: of the positions, and of the factors.

A run stores their summaries; the matrices themselves are computed again. Symbols go by size,
the largest first, and so do clusters, by their first member.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from riskmark.calc.arrays import FloatArray, reason_of
from riskmark.calc.clusters import clusters
from riskmark.calc.correlation import correlation_matrix
from riskmark.calc.factor_correlation import factor_correlation
from riskmark.domain.reasons import LeftOutReason, NullReason
from riskmark.reports.recomputed import Recomputed
from riskmark.reports.shown_numbers import Nulls
from riskmark.settings import Settings
from riskmark.valuation.position_rows import mark_nulls

FACTOR_MINIMUM = 60
"""The fewest sessions that factors are correlated on."""

_LEFT_OUT_BY_MARK = {
    NullReason.STALE: LeftOutReason.STALE,
    NullReason.NEVER_PRICED: LeftOutReason.NEVER_PRICED,
}


@dataclass(frozen=True, slots=True)
class ShownCorrelation:
    """How the positions move together; every symbol held is in ``symbols`` or ``left_out``.

    Everything is null without holdings, and what is made of the matrix where it has no rows.
    """

    symbols: tuple[str, ...]
    matrix: FloatArray
    clusters: tuple[tuple[str, ...], ...]
    left_out: tuple[tuple[str, LeftOutReason], ...]
    reason: NullReason | None = None

    def document(self) -> dict[str, Any]:
        """Return what stands beside the stored summaries, as JSON has it."""
        found: dict[str, Any] = {
            "symbols": list(self.symbols),
            "matrix": self.matrix.tolist(),
            "clusters": [list(one) for one in self.clusters],
            "left_out": [{"symbol": symbol, "reason": reason} for symbol, reason in self.left_out],
        }
        return found | dict.fromkeys(self._null_names())

    def nulls(self) -> Nulls:
        """Yield the nulls."""
        if self.reason is not None:
            for name in self._null_names():
                yield f"correlation.{name}", self.reason

    def _null_names(self) -> tuple[str, ...]:
        if self.reason is None:
            return ()
        if self.reason is NullReason.ALL_EXCLUDED:
            return ("matrix", "clusters")
        return ("symbols", "matrix", "clusters", "left_out")


@dataclass(frozen=True, slots=True)
class ShownFactorCorrelation:
    """How the factors of the default model move together; null as a whole, with a reason."""

    matrix: FloatArray
    reason: NullReason | None

    def document(self) -> dict[str, Any]:
        """Return the matrix as JSON has it."""
        return {"matrix": None if self.reason is not None else self.matrix.tolist()}

    def nulls(self) -> Nulls:
        """Yield the null, if the matrix is one."""
        if self.reason is not None:
            yield "factor_correlation.matrix", self.reason


def correlate_positions(found: Recomputed | None) -> ShownCorrelation:
    """Correlate the positions of a cell over its last 90 sessions."""
    nothing = np.zeros((0, 0))
    if found is None or not found.held.books.held[0]:
        return ShownCorrelation((), nothing, (), (), NullReason.NO_HOLDINGS)
    held = found.held
    one = correlation_matrix(
        held.returns,
        held.included,
        row=int(held.cell_row[0]),
        gross=float(held.books.gross[0]),
    )
    symbols, size = found.symbols, np.zeros(len(found.symbols))
    size[held.included.indices] = np.abs(held.included.data)
    # Stable: equal sizes stay in the order of the holdings.
    order = np.argsort(-size[one.instruments], kind="stable")
    names = [symbols[place] for place in one.instruments[order].tolist()]
    matrix = one.correlation[np.ix_(order, order)]
    left_out = [(symbols[place], reason) for place, reason in one.left_out]
    left_out += _left_out_by_mark(found)
    return ShownCorrelation(
        symbols=tuple(names),
        matrix=matrix,
        clusters=tuple(tuple(names[place] for place in part) for part in clusters(matrix)),
        left_out=tuple(sorted(left_out)),
        reason=None if names else NullReason.ALL_EXCLUDED,
    )


def _left_out_by_mark(found: Recomputed) -> list[tuple[str, LeftOutReason]]:
    """List the positions whose marks have no return behind them."""
    cells, symbols = found.cells, found.symbols
    nulls = mark_nulls(cells, cells.of_position(found.valued.kind))[cells.is_held].tolist()
    places = cells.position_instrument[cells.is_held].tolist()
    return [
        (symbols[place], _LEFT_OUT_BY_MARK[reason])
        for place, code in zip(places, nulls, strict=True)
        if (reason := reason_of(code)) in _LEFT_OUT_BY_MARK
    ]


def correlate_factors(found: Recomputed | None, settings: Settings) -> ShownFactorCorrelation:
    """Correlate the factors of the default model over its window."""
    if found is None:
        return ShownFactorCorrelation(np.zeros((0, 0)), NullReason.NO_HOLDINGS)
    model = settings.model(settings.default_model)
    one = factor_correlation(
        found.inputs.factors.returns[model.name],
        row=found.row,
        window=model.window,
        minimum=FACTOR_MINIMUM,
    )
    return ShownFactorCorrelation(one.correlation, one.null)
