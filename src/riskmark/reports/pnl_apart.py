"""The P&L of positions that stand apart: those that no risk is computed from, and options.

No risk is computed from private assets, what is stale or at cost, and what has no fit.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from riskmark.calc.arrays import FloatArray
from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.reasons import MarkKind, NullReason
from riskmark.storage.engines import as_date, bind_date, read_rows

_UNUSABLE = frozenset({MarkKind.STALE, MarkKind.COST})
_OF_THE_MARK = frozenset({NullReason.CLOSED, NullReason.STALE, NullReason.NEVER_PRICED})
"""Why a position has no beta, though its instrument may have a fit."""


class OptionPnl(NamedTuple):
    """What an option has made on the session in a place of those asked for.

    ``exposure`` is the money that it moved with its underlying by at the close before; None: not
    stored.
    """

    place: int
    instrument_id: int
    pnl: float
    exposure: float | None


class PnlApart(NamedTuple):
    """The P&L of excluded positions, (S,), and that of each option that is not excluded."""

    excluded: FloatArray
    options: tuple[OptionPnl, ...]


class _Line(NamedTuple):
    """What is stored of a position on a session."""

    kind: str | None
    beta_null: str | None
    pnl: float
    exposure: float | None
    is_option: bool


def load_pnl_apart(
    connection: Connection, portfolio_id: str, *, sessions: Sequence[date], before: Sequence[date]
) -> PnlApart:
    """Read, for each of ``sessions``, the P&L of what the hypothetical P&L leaves out.

    Excluded is a position that was held on the session ``before``, at a mark that is stale or at
    cost, or whose instrument has no fit of the Market model and so no returns to go by.
    """
    lines = _load(connection, portfolio_id, first=before[0], last=sessions[-1])
    excluded = np.zeros(len(sessions))
    options = []
    for place, (session, earlier) in enumerate(zip(sessions, before, strict=True)):
        if earlier >= session:
            continue
        held = lines.get(earlier, {})
        for key, line in lines.get(session, {}).items():
            was = held.get(key)
            if was is None or was.kind is None:
                continue
            if _is_excluded(was, line):
                excluded[place] += line.pnl
            elif was.is_option:
                options.append(OptionPnl(place, key, line.pnl, was.exposure))
    return PnlApart(excluded, tuple(options))


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
        "SELECT v.session, v.instrument_id, v.mark_kind, v.beta_null, v.pnl, v.exposure, i.kind "
        "FROM position_value v JOIN instrument i ON i.id = v.instrument_id "
        "WHERE v.portfolio_id = ? AND v.session BETWEEN ? AND ?",
        (portfolio_id, bind_date(connection, first), bind_date(connection, last)),
    )
    found: dict[date, dict[int, _Line]] = {}
    for session, key, kind, beta_null, pnl, exposure, instrument_kind in rows:
        is_option = instrument_kind == InstrumentKind.OPTION
        line = _Line(kind, beta_null, pnl, exposure, is_option)
        found.setdefault(as_date(session), {})[key] = line
    return found
