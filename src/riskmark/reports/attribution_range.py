"""The stored sessions of a range, as far as P&L is attributed over them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection

from riskmark.domain.portfolio import Portfolio
from riskmark.domain.reasons import NullReason
from riskmark.domain.sessions import Calendar
from riskmark.errors import InputError
from riskmark.reports.snapshot import NotValued
from riskmark.storage.engines import as_date, bind_date, read_rows

_COLUMNS = (
    "session", "pnl", "pnl_hypothetical", "income", "cum_realized", "cum_unrealized", "nulls",
)  # fmt: skip


class Row(NamedTuple):
    """What is stored of a session; ``reason`` says why the hypothetical P&L is null."""

    session: date
    pnl: float
    hypothetical: float | None
    reason: str | None
    income: float
    cum_realized: float
    cum_unrealized: float


@dataclass(frozen=True, slots=True)
class Range:
    """The sessions of a range that are stored, at least one, in ascending order.

    ``missing`` ones between them are not. ``before`` is the session before the first, if it
    is stored.
    """

    rows: tuple[Row, ...]
    missing: int
    before: Row | None

    @property
    def first(self) -> date:
        """The first session."""
        return self.rows[0].session

    @property
    def last(self) -> date:
        """The last session."""
        return self.rows[-1].session

    @property
    def pnl(self) -> float:
        """The P&L of all of them."""
        return sum(row.pnl for row in self.rows)

    @property
    def income(self) -> float:
        """What they brought in income."""
        return sum(row.income for row in self.rows)

    @property
    def gains_are_known(self) -> bool:
        """Whether what was gained since the close before can be told from what is stored."""
        is_start = self.rows[0].reason == NullReason.FIRST_SESSION
        return not self.missing and (self.before is not None or is_start)

    def gained(self, name: str) -> float | None:
        """Return how much a cumulative number has grown; None if that is not known."""
        if not self.gains_are_known:
            return None
        before = 0.0 if self.before is None else getattr(self.before, name)
        return float(getattr(self.rows[-1], name) - before)


def choose_range(
    connection: Connection,
    calendar: Calendar,
    portfolio: Portfolio,
    *,
    first: date | None,
    last: date | None,
    session: date | None,
) -> Range:
    """Read the sessions from ``first`` to ``last``, or one ``session``; default: the newest."""
    if session is not None and (first is not None or last is not None):
        raise InputError("either one session or a range: --session stands alone")
    if first is not None and last is not None and last < first:
        raise InputError(f"the range ends on {last}, before it begins on {first}")
    newest = _newest(connection, portfolio)
    if newest is None:
        raise NotValued(portfolio.name, session, None)
    if session is None and first is None and last is None:
        session = newest
    rows = _load(connection, portfolio, session or first, session or last)
    if not rows and session is not None:
        raise NotValued(portfolio.name, session, newest)
    if not rows:
        raise no_snapshots(connection, portfolio, first, last)
    begin, end = (calendar.on_or_before(row.session) for row in (rows[0], rows[-1]))
    before = _load_before(connection, calendar, portfolio, begin)
    return Range(tuple(rows), end - begin + 1 - len(rows), before)


def no_snapshots(
    connection: Connection, portfolio: Portfolio, first: date | None, last: date | None
) -> InputError:
    """Return the error that says that the range has no snapshot, and what there is instead."""
    newest = _newest(connection, portfolio)
    if newest is None:
        return NotValued(portfolio.name, None, None)
    asked = " ".join(
        f"{word} {day}" for word, day in (("from", first), ("to", last)) if day is not None
    )
    return InputError(f"{portfolio.name!r} has no snapshot {asked}; the newest is of {newest}")


def _newest(connection: Connection, portfolio: Portfolio) -> date | None:
    statement = "SELECT MAX(session) FROM snapshot WHERE portfolio_id = ?"
    ((newest,),) = read_rows(connection, statement, (portfolio.portfolio_id,))
    return None if newest is None else as_date(newest)


def _load_before(
    connection: Connection, calendar: Calendar, portfolio: Portfolio, ordinal: int
) -> Row | None:
    if ordinal == 0:
        return None
    day = calendar.sessions[ordinal - 1]
    found = _load(connection, portfolio, day, day)
    return found[0] if found else None


def _load(
    connection: Connection, portfolio: Portfolio, first: date | None, last: date | None
) -> list[Row]:
    condition, values = "portfolio_id = ?", [portfolio.portfolio_id]
    for limit, sign in ((first, ">="), (last, "<=")):
        if limit is not None:
            condition += f" AND session {sign} ?"
            values.append(bind_date(connection, limit))
    listed = ", ".join(_COLUMNS)
    statement = f"SELECT {listed} FROM snapshot WHERE {condition} ORDER BY session"
    rows = read_rows(connection, statement, values)
    return [_row(dict(zip(_COLUMNS, row, strict=True))) for row in rows]


def _row(stored: Mapping[str, Any]) -> Row:
    reason = None
    if stored["pnl_hypothetical"] is None:
        # A snapshot of an older engine has no reason for what that one did not compute.
        nulls = json.loads(stored["nulls"])
        reason = nulls.get("snapshot.pnl_hypothetical", NullReason.NOT_COMPUTED_YET)
    return Row(
        session=as_date(stored["session"]),
        pnl=stored["pnl"],
        hypothetical=stored["pnl_hypothetical"],
        reason=reason,
        income=stored["income"],
        cum_realized=stored["cum_realized"],
        cum_unrealized=stored["cum_unrealized"],
    )
