"""The P&L of positions that risk is not computed from: private assets, stale marks, no fits."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from riskmark.calc.arrays import FloatArray
from riskmark.domain.reasons import MarkKind, NullReason
from riskmark.storage.engines import as_date, bind_date, read_rows

_UNUSABLE = frozenset({MarkKind.STALE, MarkKind.COST})
_OF_THE_MARK = frozenset({NullReason.CLOSED, NullReason.STALE, NullReason.NEVER_PRICED})
"""Why a position has no beta, though its instrument may have a fit."""


class _Line(NamedTuple):
    """What is stored of a position on a session."""

    kind: str | None
    beta_null: str | None
    pnl: float


def load_excluded_pnl(
    connection: Connection, portfolio_id: str, *, sessions: Sequence[date], before: Sequence[date]
) -> FloatArray:
    """Add up, for each of ``sessions``, the P&L of what the hypothetical P&L leaves out, (S,).

    That is a position that was held on the session ``before``, at a mark that is stale or at
    cost, or whose instrument has no fit of the Market model and so no returns to go by.
    """
    lines = _load(connection, portfolio_id, first=before[0], last=sessions[-1])
    found = np.zeros(len(sessions))
    for place, (session, earlier) in enumerate(zip(sessions, before, strict=True)):
        if earlier >= session:
            continue
        held = lines.get(earlier, {})
        for key, line in lines.get(session, {}).items():
            was = held.get(key)
            if was is not None and was.kind is not None and _is_excluded(was, line):
                found[place] += line.pnl
    return found


def _is_excluded(was: _Line, line: _Line) -> bool:
    if was.kind in _UNUSABLE:
        return True
    # What ended, or whose mark has become unusable, tells nothing of its fit.
    return (was if line.beta_null in _OF_THE_MARK else line).beta_null is not None


def _load(
    connection: Connection, portfolio_id: str, *, first: date, last: date
) -> dict[date, dict[int, _Line]]:
    rows = read_rows(
        connection,
        "SELECT session, instrument_id, mark_kind, beta_null, pnl FROM position_value "
        "WHERE portfolio_id = ? AND session BETWEEN ? AND ?",
        (portfolio_id, bind_date(connection, first), bind_date(connection, last)),
    )
    found: dict[date, dict[int, _Line]] = {}
    for session, instrument, kind, beta_null, pnl in rows:
        found.setdefault(as_date(session), {})[instrument] = _Line(kind, beta_null, pnl)
    return found
