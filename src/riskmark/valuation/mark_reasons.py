"""Why cells are partial: the symbols held whose marks are not closes of the session."""

import numpy as np

from riskmark.calc.arrays import BoolArray, CodeArray
from riskmark.domain.reasons import MarkKind, SymbolReason
from riskmark.valuation.cells import Cells
from riskmark.valuation.numbers import SYMBOL_REASONS, ReasonRows
from riskmark.valuation.shard import KIND, ShardInputs

_REASON = {reason: code for code, reason in enumerate(SYMBOL_REASONS)}


def mark_reasons(inputs: ShardInputs, cells: Cells, kind: CodeArray) -> ReasonRows:
    """List the symbols whose marks are neither a close of the session nor set by hand."""
    panel = inputs.panel
    column = inputs.columns[cells.position_instrument]
    row = cells.position_offset + inputs.rows.start
    reason = np.full(kind.shape, -1, dtype=np.int64)
    reason[kind == KIND[MarkKind.CARRIED]] = _REASON[SymbolReason.CARRIED]
    reason[kind == KIND[MarkKind.STALE]] = _REASON[SymbolReason.STALE]
    reason[kind == KIND[MarkKind.COST]] = _REASON[SymbolReason.NEVER_PRICED]
    if cells.exposures.is_option.any():
        reason[_lacks_underlying(inputs, cells, kind)] = _REASON[SymbolReason.UNDERLYING_UNPRICED]
    quarantined = (reason >= 0) & (row >= panel.quarantine_row[column])
    reason[quarantined] = _REASON[SymbolReason.QUARANTINED]
    foreign = np.array([one.is_foreign for one in panel.instruments], dtype=bool)
    reason[(reason >= 0) & foreign[column]] = _REASON[SymbolReason.FOREIGN_CURRENCY]
    accepted = np.array([one.is_accepted for one in panel.instruments], dtype=bool)
    found = reason >= 0
    return ReasonRows(
        cell=cells.position_cell[found],
        column=column[found],
        reason=reason[found],
        accepted=accepted[column[found]],
    )


def _lacks_underlying(inputs: ShardInputs, cells: Cells, kind: CodeArray) -> BoolArray:
    """Tell which options held are not at a close, for want of one of their underlyings."""
    panel, is_option = inputs.panel, cells.exposures.is_option
    age = np.full(kind.shape, -1, dtype=np.int64)
    if panel.options is not None:
        which = panel.options.place[inputs.columns[cells.position_instrument]]
        known = is_option & (which >= 0)
        row = (cells.position_offset + inputs.rows.start)[known]
        age[known] = panel.marks.age[row, panel.options.contracts.underlying[which[known]]]
    found: BoolArray = is_option & (kind != KIND[MarkKind.CLOSE]) & (age != 0)
    return found


def is_partial(reasons: ReasonRows, cells: int) -> BoolArray:
    """Tell which of ``cells`` lack a mark that nobody has accepted."""
    counts = np.bincount(reasons.cell[~reasons.accepted], minlength=cells)
    found: BoolArray = counts > 0
    return found
